// Owns: reviews, formulas and the merge queue on real storage: the statements that the host's SQLite might take and workerd's not.
// Does not: test the rules (tests/it/rig/reviews.rs, landing.rs and sling.rs do).

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, UNDEFINED, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { World } from "./lib/world.mjs"
 */

const owner = () => context(tokens.user("owner"));

let /** @type {Server} */ server, /** @type {World} */ on;
before(async () => {
  server = await startWorkerd();
  on = world(server);
});
after(() => server.stop());

/** Calls the rig; fails unless it takes the call. */
async function call(rig, method, ...args) {
  const answer = await on.rpc("RIG", rig, method, ...args, owner());
  assert.equal(answer.error, undefined, `${method}: ${answer.error}`);
  return answer.ok;
}

const requestOf = async (rig, bead) =>
  (await call(rig, "listBeads", { type: "merge_request" })).find((request) => request.metadata.source_bead_id === bead && !["closed", "failed"].includes(request.status));
const queue = async (town) => (await on.rpc("TOWN", town, "getMergeQueueData", {}, owner())).ok;

describe("reviews", () => {
  test("work is submitted, sent back, submitted again and merged, across a restart", async () => {
    const { id: town, rigs: { web: rig } } = await on.createFleetTown(["web"]);
    const { bead: { bead_id: bead }, agent } = await on.sling(rig, "Add login");
    await call(rig, "agentDone", agent.id, { branch: agent.branch, summary: "added" });
    const first = await requestOf(rig, bead);
    assert.deepEqual([first.title, first.metadata.target_branch], [`Review: ${agent.branch}`, "main"]);
    assert.deepEqual((await queue(town)).waiting.map(({ mrBead }) => mrBead.bead_id), [first.bead_id]);
    await call(rig, "completeReviewWithResult", { entry_id: first.bead_id, status: "conflict", message: "src/a.rs" });
    await server.restart();
    const back = await call(rig, "getBeadAsync", bead);
    assert.deepEqual([back.status, back.metadata.branch, back.metadata.has_conflicts], ["open", agent.branch, true]);
    assert.equal((await queue(town)).needsAttention.failedReviews[0].failureReason, "src/a.rs");
    await call(rig, "agentDone", agent.id, { branch: agent.branch });
    const second = await requestOf(rig, bead);
    const refinery = await call(rig, "getOrCreateAgent", "refinery", UNDEFINED);
    await call(rig, "hookBead", refinery.id, second.bead_id);
    const { rework_bead_id: rework } = await call(rig, "requestChanges", refinery.id, { feedback: "rename it", files: ["a.rs"] });
    const worker = (await call(rig, "getBeadAsync", rework)).assignee_agent_bead_id;
    await call(rig, "agentDone", worker, { branch: agent.branch });
    await call(rig, "hookBead", refinery.id, second.bead_id);
    await call(rig, "agentDone", refinery.id, { branch: agent.branch, pr_url: "https://git.example/pr/1" });
    assert.equal((await queue(town)).needsAttention.openPRs[0].reviewMetadata.pr_url, "https://git.example/pr/1");
    await call(rig, "completeReviewWithResult", { entry_id: second.bead_id, status: "merged", commit_sha: "c0ffee1" });
    const merged = await call(rig, "getBeadAsync", bead);
    assert.deepEqual([merged.status, merged.merge_commit], ["closed", "c0ffee1"]);
    const { activityLog, coverage } = await queue(town);
    assert.deepEqual(activityLog.map(({ event }) => event.event_type).reverse(),
      ["review_submitted", "review_completed", "rework_requested", "review_submitted", "rework_requested", "pr_created", "review_completed"]);
    assert.deepEqual([coverage.asked, coverage.answered], [1, 1]);
  });

  test("a process that ends gives its bead back", async () => {
    const { rigs: { web: rig } } = await on.createFleetTown(["web"]);
    const { bead: { bead_id: bead }, agent } = await on.sling(rig, "x");
    await call(rig, "agentCompleted", agent.id, { status: "failed", reason: "out of tokens" });
    const back = await call(rig, "getBeadAsync", bead);
    assert.deepEqual([back.status, back.dispatch_attempts], ["open", 1]);
  });
});

describe("formulas", () => {
  // S3-10, S3-11, S3-14
  test("a bead follows a formula step by step, and its gates are kept", async () => {
    const { id: town, rigs: { web: rig } } = await on.createFleetTown(["web"]);
    const steps = [{ title: "move {{disks}}", instructions: "one by one", gate: true }, { title: "submit", instructions: "push" }];
    await on.configure(town, { formulas: { hanoi: { vars: { disks: null }, steps } } });
    const { bead, agent, molecule } = await on.sling(rig, "t", { formula: "hanoi", vars: { disks: 5 } });
    assert.equal(molecule, "1/2 move 5");
    const early = await on.rpc("RIG", rig, "agentDone", agent.id, { branch: agent.branch }, owner());
    assert.match(early.error, /1 gate\(s\) are not through/);
    assert.equal((await call(rig, "advanceMoleculeStep", agent.id, "moved")).current_step, 1);
    assert.equal((await call(rig, "getMoleculeCurrentStep", agent.id)).step.title, "submit");
    await call(rig, "agentDone", agent.id, { branch: agent.branch });
    assert.equal((await call(rig, "getBeadAsync", bead.bead_id)).status, "in_review");
    const { bead: other } = await on.sling(rig, "u");
    assert.equal((await call(rig, "applyFormula", other.bead_id, { quality: "chrome" })).formula.steps.length, 9);
    await on.configure(town, { max_polecats_per_rig: 1 });
    const waits = await on.sling(rig, "v");
    assert.equal(waits.queue_position, 1);
    const again = await on.rpc("RIG", rig, "slingBead", { rigId: rig, bead_id: waits.bead.bead_id, args: "be brief" }, owner());
    assert.deepEqual([again.ok.queue_position, again.ok.bead.metadata.args], [1, "be brief"]);
  });
});
