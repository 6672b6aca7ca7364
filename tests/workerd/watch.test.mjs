// Owns: the watch on real alarms and a real clock, with thresholds of seconds: each case has a town of its own, all at once.
// Does not: test when exactly a threshold is reached, or what only a fault leaves behind (tests/it/rig/watch*.rs).

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, UNDEFINED, until, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { World } from "./lib/world.mjs"
 */

/** Long enough for what a case is not about. */
const NEVER = 3_600;
const WATCH = {
  heartbeat_seconds: 4, start_seconds: 4, nudge_after_seconds: NEVER, escalate_after_seconds: NEVER, stop_after_seconds: NEVER,
  unclaimed_order_seconds: NEVER, review_stuck_seconds: NEVER, backoff_seconds: 1, agent_keep_seconds: NEVER, alert_calm_seconds: 2,
};
const WITHIN = { within: 45_000, every: 250 };

let /** @type {Server} */ server, /** @type {World} */ on;
before(async () => {
  server = await startWorkerd();
  on = world(server);
});
after(() => server.stop());

async function call(binding, name, method, args, jwt = tokens.user("owner")) {
  const answer = await on.rpc(binding, name, method, ...args, context(jwt));
  assert.equal(answer.error, undefined, `${method}: ${answer.error}`);
  return answer.ok;
}

/** A town with one rig, and what a case does to it. */
async function place(watch = {}, more = {}) {
  const town = await on.createFleetTown(["web"]);
  const rig = town.rigs.web;
  await on.configure(town.id, { ...more, watch: { ...WATCH, ...watch } });
  const inRig = (method, ...args) => call("RIG", rig, method, args);
  return {
    id: town.id, rig, inRig,
    sling: (title) => on.sling(rig, title),
    bead: (id) => inRig("getBeadAsync", id),
    agents: () => inRig("listAgents", null),
    status: () => call("TOWN", town.id, "getAlarmStatus", [null]),
    park: (parked) => call("TOWN", town.id, "setParked", [null, parked, null]),
    escalations: async (filter = { acknowledged: false }) => call("TOWN", town.id, "listEscalations", [filter]),
    acknowledge: (id) => call("TOWN", town.id, "acknowledgeEscalation", [id]),

    /** What a runner is handed, until there is something; it has heard of all orders up to `after`. */
    take: (after = 0) => until("an order", async () => {
      const page = await on.rest("GET", `/api/towns/${town.id}/rigs/${rig}/dispatch?runner=north&max=50&last_event_id=${after}`, { token: tokens.container(town.id) });
      return page.orders.length > 0 && page.orders;
    }, WITHIN),
    /** A heartbeat; the error when it is refused. */
    beat: async ({ agent, token }) => (await on.rpc("RIG", rig, "touchAgentHeartbeat", agent.id, UNDEFINED, context(token))).error,
    exits: ({ agent, token }) => call("RIG", rig, "agentCompleted", [agent.id, { status: "failed", reason: "exit 1" }], token),
    raised: (category, filter) => until(category, async (seen) => {
      const all = await call("TOWN", town.id, "listEscalations", [filter ?? { acknowledged: false }]);
      seen(all.map((entry) => [entry.category, entry.severity]));
      return all.find((entry) => entry.category === category);
    }, WITHIN),
    resolved: (id) => until("it is resolved", async () => {
      const entry = (await call("TOWN", town.id, "listEscalations", [null])).find((entry) => entry.id === id);
      return entry.acknowledged === 1 && entry;
    }, WITHIN),
  };
}

describe("the watch", { concurrency: true }, () => {
  // S2-23, S4-10
  test("gives out again what a process held that is heard of no more", async () => {
    const town = await place();
    const { bead } = await town.sling("work");
    const [first] = await town.take();
    assert.equal(await town.beat(first), undefined);
    const [second] = await town.take();
    assert.deepEqual([second.bead.bead_id, second.attempt], [bead.bead_id, 2]);
    assert.match(await town.beat(first), /Order \d+ is lost/);
    // The second is never heard of at all.
    const [third] = await town.take(second.order);
    assert.deepEqual([third.bead.bead_id, third.attempt], [bead.bead_id, 3]);
  });

  // S2-19, S2-21, S2-25
  test("nudges, escalates and stops a polecat that gets nowhere, and another one goes on", async () => {
    const town = await place({ nudge_after_seconds: 3, escalate_after_seconds: 6, stop_after_seconds: 12 });
    await town.sling("work");
    const [order] = await town.take();
    const seen = [];
    await until("it is stopped", async (note) => {
      const refused = await town.beat(order);
      const [{ status }] = (await town.agents()).filter(({ id }) => id === order.agent.id);
      if (seen.at(-1) !== status) seen.push(status);
      note(seen);
      return refused?.includes("is dead") || refused?.includes("is stopped");
    }, WITHIN);
    assert.deepEqual(seen, ["working", "stalled", "dead"]);
    const nudges = await town.inRig("getPendingNudges", order.agent.id);
    assert.deepEqual(nudges.map(({ message, source }) => [message, source]), [["Progress check: are you blocked?", "watch"]]);
    const raised = (await town.escalations(null)).find(({ category }) => category === "stalled_agent");
    assert.equal(raised.source_agent_id, order.agent.id);
    const [again] = await town.take();
    assert.equal(again.bead.bead_id, order.bead.bead_id);
    assert.notEqual(again.agent.id, order.agent.id);
    assert.equal((await town.resolved(raised.id)).acknowledged_by, "watch");
  });

  // S2-40, S2-41, S2-42
  test("tells of a queue that is too deep, once, until it is not", async () => {
    const town = await place({ queue_depth_alert: 2 }, { max_polecats_per_rig: 1 });
    const slung = [];
    for (const title of ["a", "b", "c", "d"]) slung.push(await town.sling(title));
    const { id } = await town.raised("queue_depth");
    assert.equal((await town.agents()).length, 1);
    await sleep(7_000);
    assert.deepEqual((await town.escalations()).map((entry) => entry.id), [id]);
    for (const { bead } of slung.slice(1)) await town.inRig("closeBead", bead.bead_id, "");
    await town.resolved(id);
  });

  test("tells that nobody takes up a hook, again when nobody answers, and leaves the hook alone", async () => {
    const town = await place({ unclaimed_order_seconds: 1, re_escalate_seconds: 2 });
    const { agent, bead } = await town.sling("work");
    await until("it is raised again", async () => (await town.raised("no_runner")).severity === "medium", WITHIN);
    assert.equal((await town.bead(bead.bead_id)).assignee_agent_bead_id, agent.id);
    await town.acknowledge((await town.raised("no_runner")).id);
    await sleep(7_000);
    assert.deepEqual(await town.escalations(), []);
  });

  // S2-22
  test("takes a review from the refinery that gets nowhere", async () => {
    const town = await place({ review_stuck_seconds: 3, start_seconds: NEVER });
    await town.inRig("getOrCreateAgent", "refinery", town.rig);
    const { agent } = await town.sling("work");
    await town.inRig("agentDone", agent.id, { branch: agent.branch });
    const review = (await town.take()).find(({ agent }) => agent.role === "refinery");
    const { id } = await town.raised("stuck_review");
    const [again] = await town.take();
    assert.deepEqual([again.bead.bead_id, again.agent.id], [review.bead.bead_id, review.agent.id]);
    assert.match(await town.beat(review), /Order \d+ is stopped/);
    await town.inRig("completeReviewWithResult", { entry_id: review.bead.bead_id, status: "merged", commit_sha: "abcdef1234" });
    await town.resolved(id);
  });

  // S2-23
  test("tells of a restart loop, and opens the circuit breaker until somebody has looked", async () => {
    const town = await place({ restart_loop_exits: 2, breaker_failures: 3 });
    await town.sling("work");
    for (const attempt of [1, 2, 3]) {
      const [order] = await town.take();
      assert.equal(order.attempt, attempt);
      await town.exits(order);
    }
    await town.raised("agent_restart_loop");
    const { id, severity } = await town.raised("dispatch_breaker");
    assert.equal(severity, "critical");
    assert.equal((await town.status()).breaker.escalationId, id);
    assert.equal((await town.sling("more")).agent, null);
    await town.acknowledge(id);
    assert.equal((await town.status()).breaker, undefined);
    await town.take();
  });

  test("does nothing in a pause, and counts from its end", async () => {
    const town = await place();
    const { bead } = await town.sling("work");
    const [order] = await town.take();
    await town.beat(order);
    await town.park(true);
    await sleep(9_000);
    assert.equal(await town.beat(order), undefined, "nobody was lost");
    await sleep(6_000);
    await town.park(false);
    assert.equal((await town.bead(bead.bead_id)).dispatch_attempts, 0);
    const [again] = await town.take();
    assert.equal(again.attempt, 2);
    assert.ok((await town.status()).parked === false);
  });

  // S4-04
  test("removes an agent that nobody needs", async () => {
    const town = await place({ agent_keep_seconds: 2 });
    const { bead } = await town.sling("work");
    await town.inRig("closeBead", bead.bead_id, "");
    await until("it is removed", async () => (await town.agents()).length === 0, WITHIN);
  });
});
