// Owns: what the demo's town has to do: rigs, convoys, beads, and which of them goes wrong in which way. The same seed, the same plan.
// Does not: talk to anything.

import { random, shuffled } from "./random.mjs";

export const RIGS = ["shop", "ledger"];
export const TROUBLES = ["crash", "stall", "todo", "limit"];

/** Fewer leave no room for what goes wrong. */
export const BEADS_MIN = 9;
/** A convoy takes 50 tasks in one call. */
export const BEADS_MAX = 120;

const VERBS = ["Add", "Check", "Explain", "Log", "Retry", "Round", "Sort", "Trim", "Validate", "Warn about"];
const NOUNS = ["addresses", "bookings", "carts", "currencies", "discounts", "exports", "invoices", "orders", "payments", "refunds", "stock levels", "totals"];

/**
 * One bead of the plan. `do` is what goes wrong with it; `limit` is what it sets the shared line to.
 * @typedef {object} Task
 * @property {string} key
 * @property {string} title
 * @property {string} rig
 * @property {string} body what its polecat is told
 * @property {number[]} [depends_on] places of tasks in the same convoy
 * @property {string} [do]
 * @property {number} [limit]
 * @property {string} [convoy] the title of the convoy it was given out with
 *
 * @typedef {ReturnType<typeof plan>} Plan
 */

/**
 * The plan for so many beads: `singles` of both rigs, and `convoys` whose tasks name their rig and the tasks before them.
 * Each task has a key, a title, and a body that tells its polecat what to do. `do` is what goes wrong with it:
 * crash (its first process fails), stall (its first process hangs), todo (the refinery asks for a change),
 * limit (two of them change one line, so that the second conflicts).
 */
export function plan(/** @type {{ seed: number, beads: number }} */ { seed, beads }) {
  const next = random(seed);
  const titles = shuffled(VERBS.flatMap((verb) => NOUNS.map((noun) => `${verb} ${noun}`)), next);
  /** @type {Task[]} */
  const tasks = Array.from({ length: beads }, (_, index) => ({ key: `${String(index + 1).padStart(3, "0")}-${slug(titles[index])}`, title: titles[index], rig: "", body: "" }));

  const convoyed = Math.floor(beads * 0.55);
  const over = Math.ceil(convoyed * 0.6);
  const convoys = [
    { title: "Checkout", merge_mode: "review-then-land", tasks: tasks.slice(0, over).map((task, index) => ({ ...task, rig: RIGS[index % 2] })) },
    { title: "Reports", merge_mode: "review-and-merge", tasks: tasks.slice(over, convoyed).map((task) => ({ ...task, rig: RIGS[1] })) },
  ];
  for (const { tasks: members } of convoys) for (const [index, task] of members.entries()) task.depends_on = dependsOn(index, next);
  const singles = tasks.slice(convoyed).map((task) => ({ ...task, rig: RIGS[Math.floor(next() * RIGS.length)] }));
  trouble(singles, convoys, next);

  for (const task of [...singles, ...convoys.flatMap((convoy) => convoy.tasks)]) task.body = body(task);
  return { seed, rigs: RIGS, convoys, singles };
}

/** The first is free; others wait for one before them, sometimes for two. */
function dependsOn(/** @type {number} */ index, /** @type {() => number} */ next) {
  if (index === 0 || next() < 0.25) return [];
  const one = Math.floor(next() * index);
  const two = Math.floor(next() * index);
  return [...new Set(next() < 0.3 ? [one, two] : [one])].sort((a, b) => a - b);
}

/** Two singles of one rig conflict; one stalls, one needs a change, and about one in eight of all beads crashes at first. */
function trouble(/** @type {Task[]} */ singles, /** @type {{ tasks: Task[] }[]} */ convoys, /** @type {() => number} */ next) {
  const chosen = shuffled(singles, next);
  const [first, second, stall, todo, ...others] = chosen;
  second.rig = first.rig;
  Object.assign(first, { do: "limit", limit: 20 });
  Object.assign(second, { do: "limit", limit: 30 });
  stall.do = "stall";
  todo.do = "todo";
  const rest = shuffled([...others, ...convoys.flatMap((convoy) => convoy.tasks)], next);
  for (const task of rest.slice(0, Math.max(1, Math.floor(rest.length / 8)))) task.do = "crash";
}

/** The last line is for the scripted polecat; a model would be given the first. */
function body(/** @type {Task} */ { key, title, do: wrong, limit }) {
  const script = new URLSearchParams({ key, ...(wrong && { do: wrong }), ...(limit && { limit: String(limit) }) });
  return `${title}: write it down in changes/${key}.md.${limit ? ` Raise the limit in settings.txt to ${limit}.` : ""}\n\ndemo-task ${script}`;
}

/**
 * What a bead's text tells its scripted polecat, or null.
 * @returns {{ key?: string, do?: string, limit?: string } | null}
 */
export function scriptOf(/** @type {string} */ text) {
  const found = /demo-task (\S+?)(?:»|\s|"|$)/.exec(text);
  return found ? Object.fromEntries(new URLSearchParams(found[1])) : null;
}

const slug = (/** @type {string} */ title) => title.toLowerCase().replaceAll(/[^a-z]+/g, "-");
