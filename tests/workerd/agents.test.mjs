// Owns: agents' own lives, messages and escalations on real storage: what only the runtime's SQLite, alarms and clock can show.
// Does not: exhaust the rules (tests/it/rig/{agents,messages,prime,triage}.rs, tests/it/town/escalations.rs).

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, UNDEFINED, until, world } from "./lib/world.mjs";

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

async function ok(binding, name, method, ...args) {
  const answer = await on.rpc(binding, name, method, ...args, owner());
  assert.equal(answer.error, undefined, `${method}: ${answer.error}`);
  return answer.ok;
}

/** A town whose rig has an agent with a bead on its hook. */
async function atWork() {
  const town = await on.createFleetTown(["web"]);
  const rig = town.rigs.web;
  const { bead, agent } = await on.sling(rig, "work", { metadata: { args: "focus on security" } });
  return { town: town.id, rig, bead: bead.bead_id, agent: agent.id };
}

describe("an agent's life", () => {
  // S1-23, S2-18
  test("primed with its mail and its hook, it begins by its heartbeat and is found again after a restart", async () => {
    const { rig, bead, agent } = await atWork();
    await ok("RIG", rig, "sendMail", { from_agent_id: "mayor", to_agent_id: agent, subject: "read me", body: "b" });
    const primed = await ok("RIG", rig, "prime", agent);
    assert.equal(primed.hooked_bead.bead_id, bead);
    assert.match(primed.instructions, /without asking.*focus on security/);
    assert.deepEqual(primed.undelivered_mail.map(({ subject }) => subject), ["read me"]);
    assert.deepEqual((await ok("RIG", rig, "prime", agent)).undelivered_mail, []);
    assert.deepEqual(await ok("RIG", rig, "touchAgentHeartbeat", agent, UNDEFINED), { drainNonce: null, order: "open" });
    assert.equal((await ok("RIG", rig, "getHookedBead", agent)).status, "in_progress");
    await ok("RIG", rig, "writeCheckpoint", agent, { step: 3, text: "ü" });
    for (const n of [1, 2, 3]) assert.equal(await ok("RIG", rig, "appendAgentEvent", agent, "message", { role: "assistant", text: `step ${n}` }), n);
    await server.restart();
    assert.deepEqual(await ok("RIG", rig, "readCheckpoint", agent), { step: 3, text: "ü" });
    assert.deepEqual((await ok("RIG", rig, "getAgentEvents", agent, 1, UNDEFINED)).map(({ id }) => id), [2, 3]);
    assert.equal(await ok("RIG", rig, "reconstructConversation", agent), "assistant: step 1\n\nassistant: step 2\n\nassistant: step 3");
    await ok("RIG", rig, "resetAgent", agent);
    assert.equal((await ok("RIG", rig, "getAgentAsync", agent)).status, "idle");
  });
});

describe("messages", () => {
  // S2-27, S2-29, S2-30
  test("of every channel are listed in order without being taken, and durable ones are found by their address", async () => {
    const { rig, bead, agent } = await atWork();
    await ok("RIG", rig, "sendMail", { from_agent_id: "mayor", to_agent_id: agent, subject: "s", body: "b" });
    await ok("RIG", rig, "queueNudge", agent, "blocked?", { mode: "immediate", priority: "urgent", source: "witness" });
    await ok("RIG", rig, "sendHandoff", { from: "mayor", to: agent, subject: "yours", body: "b", bead_id: bead });
    const all = await ok("RIG", rig, "listMessages", { agentId: agent });
    assert.deepEqual(all.map(({ channel }) => channel).sort(), ["handoff", "hook", "mail", "nudge"]);
    for (const message of all.filter(({ durable }) => durable)) assert.deepEqual(await ok("RIG", rig, "getMessage", message.address), message);
    const [first, ...rest] = all;
    const next = await ok("RIG", rig, "listMessages", { agentId: agent, after: { timestamp: first.timestamp, id: first.id } });
    assert.deepEqual(next, rest);
    assert.equal((await ok("RIG", rig, "getPendingNudges", agent))[0].source, "witness");
    assert.equal((await ok("RIG", rig, "checkMail", agent)).length, 2);
  });

  test("that a rig's alarm finds stale are dropped without anybody asking", async () => {
    const { rig, agent } = await atWork();
    await ok("RIG", rig, "queueNudge", agent, "soon gone", { mode: "queue", ttlSeconds: 1 });
    await until("the nudge is gone", async (seen) => {
      const left = await ok("RIG", rig, "listMessages", { channel: "nudge" });
      seen(left);
      return left.length === 0;
    });
  });

  test("to the Mayor reach the town", async () => {
    const { town, rig, agent } = await atWork();
    await ok("RIG", rig, "sendMail", { from_agent_id: agent, to_agent_id: "mayor", subject: "done", body: "b" });
    await until("the town has the message", async (seen) => {
      const status = await ok("TOWN", town, "getMayorStatus");
      seen(status);
      return status.queuedMessages === 1;
    });
  });
});

describe("escalations", () => {
  // S2-05, S2-22
  test("of the town and of its rigs are in one inbox, and closing them there closes them here", async () => {
    const { town, rig, agent } = await atWork();
    const routed = await ok("TOWN", town, "routeEscalation", { townId: town, source_rig_id: rig, source_agent_id: agent, severity: "high", message: "It hangs." });
    assert.equal((await ok("RIG", rig, "getBeadAsync", routed.id)).created_by, "patrol");
    const raised = await ok("RIG", rig, "createBead", { type: "escalation", title: "Merge conflict", priority: "critical" });
    const inbox = await until("both are in the inbox", async (seen) => {
      const open = await ok("TOWN", town, "listEscalations", { acknowledged: false });
      seen(open);
      return open.length === 2 && open;
    });
    assert.deepEqual(inbox.map(({ severity }) => severity).sort(), ["critical", "high"]);
    const counted = async () => (await ok("TOWN", town, "getAlarmStatus", UNDEFINED)).beads.triageRequests;
    await until("the request is counted", async () => (await counted()) === 1);
    const resolved = await ok("RIG", rig, "resolveTriage", { agent_id: "mayor", triage_request_bead_id: routed.id, action: "restart", resolution_notes: "n" });
    assert.equal(resolved.status, "closed");
    assert.equal((await ok("TOWN", town, "acknowledgeEscalation", raised.bead_id)).acknowledged, 1);
    assert.equal((await ok("RIG", rig, "getBeadAsync", raised.bead_id)).status, "closed");
    await until("the inbox is empty", async () => (await ok("TOWN", town, "listEscalations", { acknowledged: false })).length === 0);
    await until("nothing is counted", async () => (await counted()) === 0);
  });
});
