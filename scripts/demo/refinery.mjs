// Owns: the refinery of the demo: an MCP client that merges, runs the gates and pushes for real. Only its judgement is scripted: the gates decide.
// Does not: touch anything outside its worktree. The runner starts it, once for each merge request.

import { spawnSync } from "node:child_process";
import { change, here, live, look, me, say, think } from "./agent.mjs";
import { succeeds } from "./git.mjs";

/** Somebody else pushed to the target meanwhile. */
const TRIES = 5;

await live(async () => {
  await look("gt_prime");
  say(`reviews ${me.branch} for ${me.base}`);
  await change("gt_status", { message: `Reviewing ${me.branch}`.slice(0, 280) });
  await think();
  for (let tries = 1; ; tries++) {
    await here("fetch", "--quiet", "origin");
    await here("checkout", "--quiet", "--force", "--detach", `origin/${me.base}`);
    const base = await here("rev-parse", "HEAD");
    const done = await earlier();
    if (done) return merged(done.commit, done.base);
    if (!(await merge())) return conflict();
    const complaint = gates();
    if (complaint) return send(complaint);
    const commit = await here("rev-parse", "HEAD");
    if (commit === base) return merged(commit, base); // the branch has nothing new
    if (await succeeds(me.worktree, "push", "--quiet", "origin", `HEAD:refs/heads/${me.base}`)) return merged(commit, base);
    if (tries === TRIES) throw new Error(`${me.base} cannot be pushed to`);
  }
});

/** The merge of this merge request that is in the target already: its process ended, or the Worker did, before it was reported. */
async function earlier() {
  const commit = await here("log", "--max-count=1", "--format=%H", "--merges", "--first-parent", "--fixed-strings", `--grep=Merge-Request: ${me.bead}`);
  return commit && { commit, base: await here("rev-parse", `${commit}^1`) };
}

/** The message names the merge request, so that a merge is found again, and is made once. */
async function merge() {
  return succeeds(me.worktree, "merge", "--quiet", "--no-ff", "--message", `Merge ${me.branch}\n\nMerge-Request: ${me.bead}`, `origin/${me.branch}`);
}

async function merged(/** @type {string} */ commit, /** @type {string} */ base) {
  await change("gt_review_complete", { status: "merged", message: "The gates are through.", commit_sha: commit, base_commit: base });
  say(`merged ${me.branch} as ${commit.slice(0, 8)}`);
}

async function conflict() {
  const files = await here("diff", "--name-only", "--diff-filter=U");
  await here("merge", "--abort");
  await change("gt_review_complete", { status: "conflict", message: `Conflicts in ${files.split("\n").join(", ")}` });
  say(`conflict: ${me.branch} and ${me.base} both change ${files.split("\n").join(", ")}`);
}

/** What the project's own check says about the merged tree; empty when it is content. */
function gates() {
  const { status, stderr, stdout } = spawnSync(process.execPath, ["check.mjs"], { cwd: me.worktree, encoding: "utf8" });
  return status === 0 ? "" : (stderr || stdout).trim();
}

async function send(/** @type {string} */ complaint) {
  const files = [...complaint.matchAll(/\S+\.(?:md|txt)/g)].map(([file]) => file);
  await change("gt_request_changes", { feedback: complaint.slice(0, 2_000), ...(files.length > 0 && { files: [...new Set(files)] }) });
  say(`asks for changes: ${complaint.split("\n")[0]}`);
}
