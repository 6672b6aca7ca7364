// Owns: following a town until all of it is settled, and counting what happened on the way.
// Does not: change anything, or look into repositories.

import { setTimeout as sleep } from "node:timers/promises";
import { beads } from "./town.mjs";

const LOOK_MS = 500;
const ENDED = ["merged", "done", "closed", "failed"];

/**
 * A bead that stands at another status.
 * @typedef {{ id: string, title: string, status: string, rig: string }} Step
 */

/** What the runners said, counted. `processes` is by "role": how many were started. */
export function tally() {
  /** @type {Set<string>} */
  const polecats = new Set();
  const counts = { polecats, processes: 0, refineries: 0, retried: 0, stopped: 0 };
  return {
    counts,
    hear(/** @type {import("./runners.mjs").Line} */ { event, rig, agent, role, attempt = 0 }) {
      if (event === "started" && role === "polecat") {
        counts.processes++;
        counts.polecats.add(`${rig}/${agent}`);
      }
      if (event === "started" && role === "refinery") counts.refineries++;
      if (event === "failed" && attempt >= 1) counts.retried++;
      if (event === "over") counts.stopped++;
    },
  };
}

/**
 * Waits until every bead has ended, no merge waits, and every convoy has landed. `check` may throw to give up; `tell(line)`
 * is given each step of a bead. Fails with what is left after `within` milliseconds.
 * @param {import("./town.mjs").Town} town
 * @param {import("./town.mjs").Tasks} tasks
 * @param {{ within: number, check: () => void, tell?: (step: Step) => void }} options
 */
export async function untilSettled(town, tasks, { within, check, tell = () => {} }) {
  const deadline = Date.now() + within;
  const seen = new Map();
  for (;;) {
    check();
    const issues = await beads(town, "issue");
    for (const { id, title, status, rig } of issues) {
      if (seen.get(id) === status) continue;
      if (seen.has(id) || status !== "open") tell({ id, title, status, rig });
      seen.set(id, status);
    }
    /** @type {{ convoys: { title: string, phase: string }[] }} */
    const { convoys } = await town.client.call("list_convoys", { limit: 50 });
    const open = issues.filter(({ status }) => !ENDED.includes(status));
    const requests = open.length > 0 ? [] : (await beads(town, "merge_request")).filter(({ status }) => !ENDED.includes(status));
    if (issues.length >= tasks.size && open.length === 0 && convoys.length === 0 && requests.length === 0) return issues;
    if (Date.now() > deadline) {
      const left = [...open, ...requests].map(({ title, status }) => `${title} (${status})`).concat(convoys.map(({ title, phase }) => `convoy ${title} (${phase})`));
      throw new Error(`not settled after ${Math.round(within / 1000)} s: ${left.slice(0, 12).join(", ")}`);
    }
    await sleep(LOOK_MS);
  }
}

/** @typedef {{ kind: string, detail?: { new_value?: string, status?: string } }} Entry what the town's feed says of one thing */

/** Everything that happened in the town, oldest first. */
export async function feed(/** @type {import("./town.mjs").Town} */ town) {
  /** @type {Entry[]} */
  const entries = [];
  for (let cursor = "start"; ; ) {
    const page = await town.client.call("town_feed", { cursor, limit: 200 });
    entries.push(...page.entries);
    cursor = page.cursor;
    if (!page.more) return entries;
  }
}
