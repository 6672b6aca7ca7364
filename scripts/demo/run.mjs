// Owns: one run of the demo against a Worker that is there: repositories, town, runners, the wait, the check, the figures.
// Does not: start the Worker, or print; so a test can kill the Worker meanwhile.

import { makeRepository } from "./repositories.mjs";
import { feed, tally, untilSettled } from "./follow.mjs";
import { startRunners } from "./runners.mjs";
import { makeTown, sling } from "./town.mjs";
import { verify, verifyConvoys } from "./verify.mjs";

/**
 * @typedef {object} Run
 * @property {string} url
 * @property {import("../tokens.mjs").Mint} mint
 * @property {string} program
 * @property {string} dir
 * @property {import("./plan.mjs").Plan} plan
 * @property {number} polecats
 * @property {Record<string, number>} [watch]
 * @property {number} within milliseconds
 * @property {(line: import("./runners.mjs").Line) => void} [hear]
 * @property {(step: import("./follow.mjs").Step) => void} [tell]
 * @property {(town: import("./town.mjs").Town, tasks: import("./town.mjs").Tasks) => void | Promise<void>} [ready]
 * @property {AbortSignal} [stopped]
 *
 * @typedef {Awaited<ReturnType<typeof runPlan>>["figures"]} Figures
 */

/**
 * Runs a plan (plan.mjs) to its end. `program` is the runner's, `dir` is an empty folder for repositories and worktrees;
 * `hear` is given every line of the runners, `tell` each step of a bead. `polecats` is how many work at once in a rig.
 * `ready(town, tasks)` is called when everything is given out. `stopped` is an AbortSignal: the runners are ended then.
 * Gives {town, figures, findings}; a request for changes is a bead of its own, beyond those of the plan; findings are what ledger and repositories do not agree on.
 * @param {Run} run
 */
export async function runPlan({ url, mint, program, dir, plan, polecats, watch, within, hear = () => {}, tell = () => {}, ready = () => {}, stopped }) {
  const started = Date.now();
  const repositories = [];
  for (const name of plan.rigs) repositories.push(await makeRepository(dir, name));
  const town = await makeTown({ url, mint, repositories, capacity: polecats, watch });
  const counted = tally();
  const runners = await startRunners({
    program, town, dir, seed: plan.seed,
    max: polecats + 1, // and the refinery
    hear(line) {
      counted.hear(line);
      hear(line);
    },
  });
  try {
    const tasks = await sling(town, plan);
    /** @type {{ convoys: import("./verify.mjs").Convoy[] }} */
    const { convoys } = await town.client.call("list_convoys", { limit: 50 });
    await ready(town, tasks);
    const issues = await untilSettled(town, tasks, {
      within, tell,
      check() {
        stopped?.throwIfAborted();
        runners.check();
      },
    });
    const seconds = Math.round((Date.now() - started) / 100) / 10;
    const findings = [...(await verify(town, tasks)), ...(await verifyConvoys(town, convoys.map((convoy) => ({ ...convoy, title: plain(convoy.title) }))))];
    return { town, findings, figures: { seconds, beads: tasks.size, convoys: convoys.length, rework: issues.length - tasks.size, ...figures(counted.counts, await feed(town)) } };
  } finally {
    await runners.stop();
  }
}

/** Counted from what the runners said and from the town's feed. */
function figures(/** @type {ReturnType<typeof tally>["counts"]} */ { polecats, processes, refineries, retried, stopped }, /** @type {import("./follow.mjs").Entry[]} */ entries) {
  const count = (/** @type {(entry: import("./follow.mjs").Entry) => boolean} */ is) => entries.filter(is).length;
  const review = (/** @type {string} */ word) => count(({ kind, detail }) => kind === "review_completed" && plain(detail?.new_value ?? detail?.status ?? "") === word);
  return {
    polecats: polecats.size,
    polecat_processes: processes,
    refinery_processes: refineries,
    merges: review("merged"),
    conflicts: review("conflict"),
    failures_retried: retried,
    stalls_stopped: stopped,
  };
}

/** Text without the fence that marks it as written by agents or users. */
export const plain = (/** @type {unknown} */ text) => String(text).replace(/^«(.*)»$/su, "$1");
