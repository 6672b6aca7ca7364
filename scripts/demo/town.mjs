// Owns: the demo's town in a running Worker: making it, giving out the plan, and asking how it stands.
// Does not: start the Worker, run agents, or judge what they did.

import { setTimeout as sleep } from "node:timers/promises";
import { mcpClient } from "./client.mjs";

const REQUEST_MS = 20_000;
const PATIENCE_MS = 120_000;
const PAGE = 200;

/** A person watches the demo, so the watch is quicker than a town's. What fails by plan is no reason to stop giving out work. */
export const WATCH = { nudge_after_seconds: 6, escalate_after_seconds: 10, stop_after_seconds: 14, backoff_seconds: 1, breaker_failures: 200 };

/**
 * @typedef {Awaited<ReturnType<typeof makeTown>>} Town
 * @typedef {import("./plan.mjs").Task} Task
 * @typedef {Map<string, Task>} Tasks tasks of the plan by their beads' ids
 */

/**
 * A town with a rig for each repository. `mint(role, given)` signs tokens. `capacity` is polecats per rig; `watch` are
 * thresholds for the town's configuration.
 * @param {{ url: string, mint: import("../tokens.mjs").Mint, repositories: import("./repositories.mjs").Repository[], capacity: number, watch?: Record<string, number>, user?: string }} options
 */
export async function makeTown({ url, mint, repositories, capacity, watch = WATCH, user = "demo-fleet" }) {
  const token = await mint("coordinator", { user });
  const town = await post(url, token, `/api/users/${user}/towns`, { name: "demo" });
  /** @type {{ id: string, name: string, repository: import("./repositories.mjs").Repository }[]} */
  const rigs = [];
  for (const repository of repositories) {
    const rig = await post(url, token, `/api/users/${user}/rigs`, { town_id: town.id, name: repository.name, git_url: `file://${repository.path}`, default_branch: "main" });
    rigs.push({ id: rig.id, name: repository.name, repository });
  }
  const client = mcpClient(`${url}/towns/${town.id}/mcp?toolsets=all`, token, { name: "gastown-demo" });
  await client.call("update_config", { config: { max_polecats_per_rig: capacity, ...(watch && { watch }) }, idempotency_key: "demo-config" });
  return { url, id: town.id, user, rigs, client, container: () => mint("container", { user, town: town.id }) };
}

/** Gives out the whole plan. */
export async function sling(/** @type {Town} */ town, /** @type {import("./plan.mjs").Plan} */ { convoys, singles }) {
  /** @type {Tasks} */
  const tasks = new Map();
  for (const { title, merge_mode, tasks: members } of convoys) {
    if (members.length === 0) continue;
    const answer = await town.client.call("sling_batch", {
      rig: members[0].rig, convoy_title: title, merge_mode, staged: false, parallel: true, idempotency_key: `demo-${title}`,
      tasks: members.map(({ title: name, body, rig, depends_on }) => ({ title: name, body, rig, depends_on, quality: "basic" })),
    });
    for (const [index, bead] of answer.beads.entries()) tasks.set(bead.id, { ...members[index], convoy: title });
  }
  for (const task of singles) {
    const { bead } = await town.client.call("sling", { rig: task.rig, title: task.title, body: task.body, quality: "basic", idempotency_key: `demo-${task.key}` });
    tasks.set(bead.id, task);
  }
  return tasks;
}

/** All beads of a type. */
export async function beads(/** @type {Town} */ town, /** @type {string} */ type) {
  /** @type {import("./follow.mjs").Step[]} */
  const found = [];
  /** @type {string | undefined} */
  let cursor;
  for (;;) {
    /** @type {{ beads: import("./follow.mjs").Step[], next_cursor?: string }} */
    const page = await town.client.call("list_beads", { type, limit: PAGE, ...(cursor && { cursor }) });
    found.push(...page.beads);
    cursor = page.next_cursor;
    if (!cursor) return found;
  }
}

/** POSTs to a REST route until it is answered. These are not repeatable by key, so it must be early in the demo. */
async function post(/** @type {string} */ url, /** @type {string} */ token, /** @type {string} */ path, /** @type {object} */ body) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await fetch(url + path, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_MS),
    }).catch((error) => error);
    if (answer instanceof Response) {
      const json = await answer.json();
      if (json.success) return json.data;
      throw new Error(`POST ${path} answered ${answer.status}: ${json.error}`);
    }
    if (Date.now() > deadline) throw new Error(`POST ${path}: no answer (${answer.message})`);
    await sleep(250);
  }
}
