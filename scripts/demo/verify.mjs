// Owns: comparing the ledger with the repositories: what the town says was merged is there, once, and nothing else is.
// Does not: mend anything.

import { changesAt, contains, fileAt, merges } from "./repositories.mjs";
import { beads } from "./town.mjs";

/**
 * @typedef {import("./town.mjs").Town} Town
 * @typedef {import("./town.mjs").Tasks} Tasks
 * @typedef {import("./follow.mjs").Step} Bead
 * @typedef {{ id: string, title: string, merge_mode: string }} Convoy
 */

/** Findings, each a sentence; none is what is wanted. `convoys` are those of the plan that were given out, with their ids. */
export async function verify(/** @type {Town} */ town, /** @type {Tasks} */ tasks) {
  /** @type {string[]} */
  const findings = [];
  const ids = new Map((await beads(town, "issue")).map((bead) => [bead.id, bead]));
  for (const id of tasks.keys()) if (!ids.has(id)) findings.push(`bead ${id} is gone`);
  const requests = await beads(town, "merge_request");
  for (const rig of town.rigs) findings.push(...(await verifyRig(town, rig, tasks, ids, requests)));
  return findings;
}

async function verifyRig(/** @type {Town} */ town, /** @type {Town["rigs"][number]} */ rig, /** @type {Tasks} */ tasks, /** @type {Map<string, Bead>} */ ids, /** @type {Bead[]} */ requests) {
  /** @type {string[]} */
  const findings = [];
  const { repository } = rig;
  const claimed = new Set();
  for (const [id, task] of [...tasks].filter(([, task]) => task.rig === rig.name)) {
    const status = ids.get(id)?.status;
    if (status !== "merged") {
      findings.push(`${task.title} is ${status}, not merged`);
      continue;
    }
    claimed.add(task.key);
    const commit = await mergeCommit(town, id);
    if (!(await contains(repository, "main", commit))) findings.push(`${task.title}: its merge commit ${commit} is not on main of ${rig.name}`);
    const file = await fileAt(repository, commit, `changes/${task.key}.md`);
    if (!file?.includes(id)) findings.push(`${task.title}: its merge commit ${commit} has not its change`);
    if (/TODO/.test((await fileAt(repository, "main", `changes/${task.key}.md`)) ?? "TODO")) findings.push(`${task.title}: its change is not complete on main`);
  }
  findings.push(...(await verifyMerges(town, rig, tasks, requests)));
  for (const key of await changesAt(repository, "main")) if (!claimed.has(key)) findings.push(`${rig.name} has changes/${key}.md, which no merged bead claims`);
  return findings;
}

/** Each merge in the repository is one merge request's, none was merged twice, and each bead came by one merge, which the ledger names. */
async function verifyMerges(/** @type {Town} */ town, /** @type {Town["rigs"][number]} */ { name, repository }, /** @type {Tasks} */ tasks, /** @type {Bead[]} */ requests) {
  /** @type {string[]} */
  const findings = [];
  const known = new Set(requests.map(({ id }) => id));
  const seen = new Set();
  /** @type {Map<string, string[]>} */
  const brought = new Map();
  for (const { commit, request, landing, beads: ids } of await merges(repository, "main")) {
    if (!known.has(request)) findings.push(`${name}: ${commit} merges ${request}, which the town does not know`);
    if (seen.has(request)) findings.push(`${name}: ${request} was merged twice`);
    seen.add(request);
    if (!landing) for (const id of ids) brought.set(id, [...(brought.get(id) ?? []), commit]);
  }
  for (const [id, { title }] of [...tasks].filter(([, task]) => task.rig === name)) {
    const commits = brought.get(id) ?? [];
    if (commits.length !== 1) findings.push(`${name}: ${title} was merged ${commits.length} times (${commits.join(", ")})`);
    else if (commits[0] !== (await mergeCommit(town, id))) findings.push(`${name}: ${title} was merged by ${commits[0]}, which is not what the ledger says`);
  }
  return findings;
}

/** The commit that the ledger says a bead was merged by. */
const mergeCommit = async (/** @type {Town} */ town, /** @type {string} */ id) => (await town.client.call("get_bead", { bead: id })).bead.merge_commit;

/** Findings about convoys: each has landed, and its landing commits are on the default branches. */
export async function verifyConvoys(/** @type {Town} */ town, /** @type {Convoy[]} */ convoys) {
  /** @type {string[]} */
  const findings = [];
  for (const { id, title, merge_mode } of convoys) {
    const status = await town.client.call("convoy_status", { convoy_id: id });
    if (status.phase !== "landed") findings.push(`convoy ${title} is ${status.phase}, not landed`);
    if (merge_mode !== "review-then-land") continue;
    for (const { rig, commit, merge_commit: merged = commit } of status.landings ?? []) {
      const where = town.rigs.find(({ id: known, name }) => known === (rig?.id ?? rig) || name === (rig?.name ?? rig));
      if (!where || !merged || !(await contains(where.repository, "main", merged))) findings.push(`convoy ${title}: its landing ${merged} is not on main of ${where?.name ?? rig}`);
    }
    if (!status.landings?.length) findings.push(`convoy ${title} names no landing`);
  }
  return findings;
}
