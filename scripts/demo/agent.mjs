// Owns: what the scripted polecat and refinery have in common: who they are (from the runner's environment), their MCP client, pace.
// Does not: know their work.

import { setTimeout as sleep } from "node:timers/promises";
import { mcpClient, Refused } from "./client.mjs";
import { git } from "./git.mjs";
import { random, seedOf } from "./random.mjs";

/** What the runner gives its processes (docs/runner.md). */
const given = /** @type {Record<string, string>} */ (process.env);

/** The order that this process works on. */
export const me = {
  name: given.GASTOWN_AGENT_NAME,
  bead: given.GASTOWN_BEAD_ID,
  title: given.GASTOWN_BEAD_TITLE,
  branch: given.GASTOWN_BRANCH,
  base: given.GASTOWN_BASE_BRANCH,
  order: given.GASTOWN_ORDER,
  attempt: Number(given.GASTOWN_ATTEMPT ?? 1),
  worktree: given.GASTOWN_WORKTREE,
};

const client = mcpClient(given.GASTOWN_MCP_URL, given.GASTOWN_TOKEN, { name: `demo-${given.GASTOWN_AGENT_ROLE}`, headers: { "x-gastown-process-id": given.GASTOWN_PROCESS_ID } });
const next = random(seedOf(`${given.GASTOWN_DEMO_SEED ?? 1} ${me.title} ${me.attempt}`));

/** A line for whoever follows. */
export const say = (/** @type {string} */ line) => console.log(line);

/** Looking; nothing changes. */
export const look = (/** @type {string} */ tool, /** @type {Record<string, unknown>} */ args = {}) => client.call(tool, args);

let changes = 0;
/** A call that changes something, with a key that is the same when this process repeats it. */
export const change = (/** @type {string} */ tool, /** @type {Record<string, unknown>} */ args = {}) => client.call(tool, { ...args, idempotency_key: `demo-order-${me.order}-${tool}-${++changes}` });

/** Runs git in the worktree. */
export const here = (/** @type {string[]} */ ...args) => git(me.worktree, ...args);

/** The time that thinking takes, in the scripted agent's place. */
export const think = () => sleep(100 + Math.floor(next() * 500));

/** Runs an agent to its end; its exit code says how it went. */
export async function live(/** @type {() => Promise<void>} */ work) {
  try {
    await work();
    await client.close();
  } catch (error) {
    say(error instanceof Refused ? `refused: ${error.message}` : error.stack);
    process.exitCode = 1;
  }
  // A connection that is kept open must not keep the process.
  process.exit();
}
