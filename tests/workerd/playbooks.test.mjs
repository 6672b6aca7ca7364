// Owns: the playbooks of convoys on the real runtime, through the official client, with a patience of seconds; what their
// answers cost in tokens of a real tokenizer. Does not: repeat every disaster (tests/it/convoy_playbooks).

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { encode } from "gpt-tokenizer";
import { connect } from "./lib/mcp.mjs";
import { tokens } from "./lib/tokens.mjs";
import { takeViolations } from "./lib/wire-fetch.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, until, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { World } from "./lib/world.mjs"
 */

/** What a typical answer may cost the model that reads it. */
const TOKENS_MAX = 1_200;
/** What a call may take, on a busy machine too. */
const CALL_MS_MAX = 1_000;
const PATIENCE = 3;
const token = tokens.user("owner");

let /** @type {Server} */ server, /** @type {World} */ on;
before(async () => {
  server = await startWorkerd();
  on = world(server);
});
after(async () => {
  await server.stop();
  assert.deepEqual(takeViolations(), []);
});

async function owned(binding, name, method, ...args) {
  const answer = await on.rpc(binding, name, method, ...args, context(token));
  assert.ok("ok" in answer, `${method}: ${answer.error}`);
  return answer.ok;
}

/** A town with a started convoy whose beads wait as `waits` says, and a connected client. */
async function place(waits, t) {
  const town = await on.createFleetTown(["web"]);
  const rig = town.rigs.web;
  const tasks = waits.map((depends_on, index) => ({ title: `Port the handlers of module ${index}`, depends_on }));
  const { convoy, beads } = await owned("TOWN", town.id, "slingConvoy", { rigId: rig, convoyTitle: "Payments API", tasks, staged: false });
  const { call, close, tools } = await connect(on, { era: "modern", token, path: `/towns/${town.id}/mcp?toolsets=all` });
  t.after(close);
  const ids = beads.map(({ bead }) => bead.bead_id);
  const inRig = (method, ...args) => owned("RIG", rig, method, ...args);
  const held = (bead) => until("it is held", async () => (await inRig("listAgents", null)).find((agent) => agent.current_hook_bead_id === bead));
  return {
    town, rig, tools, beads: ids, inRig, held, convoy: convoy.id,
    async begin(bead) {
      const agent = await held(bead);
      await inRig("updateAgentStatus", agent.id, "working");
      return agent;
    },
    nudges: () => inRig("listMessages", { channel: "nudge" }),
    /** A call within its budgets of time and tokens. */
    async play(tool, args = {}) {
      const start = performance.now();
      const answer = await call(tool, { convoy: convoy.id, ...args });
      const [took, cost] = [performance.now() - start, encode(JSON.stringify(answer)).length];
      t.diagnostic(`${tool}: ${Math.round(took)} ms, ${cost} tokens`);
      assert.ok(took <= CALL_MS_MAX, `${tool}: ${took} ms`);
      assert.ok(cost <= TOKENS_MAX, `${tool}: ${cost} tokens`);
      return answer;
    },
    step() {
      return this.play("convoy_unstick", { dry_run: false, patience_seconds: PATIENCE });
    },
  };
}

const of = (answer, bead) => {
  const { cause, step } = answer.next_steps.find((line) => line.bead === bead);
  return [cause, step];
};

describe("the playbooks of convoys", { concurrency: 2 }, () => {
  // S2-21, S2-25
  test("leave an agent alone that answers its nudge", async (t) => {
    const at = await place([[], [0], [0], [1, 2]], t);
    const agent = await at.begin(at.beads[0]);
    assert.deepEqual(of(await at.step(), at.beads[0]), ["working", "leave"]);
    await sleep((PATIENCE + 1) * 1_000);
    const nudged = await at.step();
    assert.deepEqual([nudged.did.step, nudged.did.agent_id, nudged.call_again_after_seconds], ["nudge", agent.id, PATIENCE]);
    await sleep(200);
    await at.inRig("updateAgentStatusMessage", agent.id, "reading the logs");
    const answered = await at.step();
    assert.deepEqual([answered.did, of(answered, at.beads[0])], [undefined, ["working", "leave"]]);
    assert.equal((await at.nudges()).length, 1);
  });

  // S2-21, S2-25, S2-34
  test("replace an agent that does not, on the same bead, and say when to call again", async (t) => {
    const at = await place([[], [0]], t);
    const first = await at.begin(at.beads[0]);
    let answer = await at.step();
    const did = [];
    while (did.at(-1) !== "reassign") {
      assert.ok(answer.call_again_after_seconds <= PATIENCE + 1 && did.length < 3, JSON.stringify(answer));
      await sleep(answer.call_again_after_seconds * 1_000 + 200);
      answer = await at.play(answer.call_again.tool, answer.call_again.arguments);
      if (answer.did) did.push(answer.did.step);
    }
    assert.deepEqual(did, ["nudge", "reassign"]);
    const second = await at.held(at.beads[0]);
    assert.deepEqual([second.id !== first.id, second.id], [true, answer.did.new_agent_id]);
    assert.equal((await at.inRig("listBeads", null)).filter(({ type }) => type === "issue").length, 2);
  });

  // S2-35 to S2-39
  test("tell people of what failed, once for each bead, and do it anew in a follow-up, once", async (t) => {
    const at = await place([[], [], [0], [1]], t);
    for (const bead of at.beads.slice(0, 2)) await at.inRig("updateBeadStatus", bead, "failed", "tester", { code: "tests", message: "12 tests fail", source: "agent" });
    for (const bead of at.beads.slice(0, 2)) assert.deepEqual([(await at.step()).did].map(({ step, bead }) => [step, bead]), [["escalate", bead]]);
    const told = await at.step();
    assert.deepEqual([told.did, of(told, at.beads[2])], [undefined, ["blocker_failed", "human"]]);
    const partial = await at.play("convoy_partial");
    assert.deepEqual([partial.unhandled, partial.blocked.count, partial.failed.map(({ bead }) => bead)], [2, 2, at.beads.slice(0, 2)]);
    const made = await at.play("convoy_partial", { dry_run: false, include_open: true });
    assert.deepEqual([made.unhandled, made.moved.length], [0, 2]);
    const again = await at.play("convoy_partial", { dry_run: false });
    assert.deepEqual([again.created, again.follow_ups], [undefined, [made.created]]);
    const audit = await at.play("convoy_audit");
    assert.deepEqual([audit.convoys[0].recounted.failed, audit.convoys[0].recounted.closed], [2, 0]);
  });

  test("do nothing in a parked rig, and say so", async (t) => {
    const at = await place([[], [0]], t);
    await at.begin(at.beads[0]);
    await owned("TOWN", at.town.id, "setParked", at.rig, true, null);
    await sleep((PATIENCE + 1) * 1_000);
    const parked = await at.step();
    assert.deepEqual([parked.did, parked.call_again_after_seconds, of(parked, at.beads[0])], [undefined, undefined, ["parked", "leave"]]);
    assert.equal((await at.nudges()).length, 0);
  });

  test("nudge once when two call at once", async (t) => {
    const at = await place([[]], t);
    await at.begin(at.beads[0]);
    await sleep((PATIENCE + 1) * 1_000);
    await Promise.all([at.step(), at.step(), at.step()]);
    assert.equal((await at.nudges()).length, 1);
  });
});
