// Owns: one pass through the tools that say how many polecats there are for how much work, what waits for a decision, and how
// agents have done, with the official client on the real runtime; what their answers cost, in tokens of a real tokenizer.
// Does not: script what can go wrong (tests/it/playbooks).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { encode } from "gpt-tokenizer";
import { connect } from "./lib/mcp.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { until, world } from "./lib/world.mjs";

/**
 * @import { Connection } from "./lib/mcp.mjs"
 * @import { Server } from "./lib/workerd.mjs"
 * @import { World } from "./lib/world.mjs"
 */

/** What a typical answer may cost. */
const TOKENS_MAX = 1_200;

const token = tokens.user("owner");
let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Connection} */ client;
before(async () => {
  server = await startWorkerd();
  on = world(server);
  client = await connect(on, { era: "modern", token, path: "/mcp?toolsets=all" });
});
after(async () => {
  await client?.close();
  await server.stop();
});

test("who could work, what waits for a decision, and how it went", async (t) => {
  const town = await on.createFleetTown(["web"]);
  const look = async (name, args = {}) => {
    const answer = await client.call(name, { town: town.id, ...args });
    const cost = encode(JSON.stringify(answer)).length;
    t.diagnostic(`${name}: ${cost} tokens`);
    assert.ok(cost <= TOKENS_MAX, `${name}: ${cost} tokens`);
    return answer;
  };
  await on.configure(town.id, { max_polecats_per_rig: 1 });
  const { agent, bead } = await on.sling(town.rigs.web, "one");
  for (const title of ["two", "three"]) await on.sling(town.rigs.web, title);

  // The offer is taken as it stands, and what it said comes true.
  const [rig] = (await look("pool_status")).rigs;
  assert.deepEqual([rig.held_up_by, rig.raise], ["limit", { by: 2, to: 3, gives_out: 2 }]);
  await client.call(rig.call.tool, rig.call.arguments);
  const [raised] = await until("the rig has given out", async (seen) => {
    const { rigs } = seen(await look("pool_status", { rig: "web" }));
    return rigs[0].queue.ready === 0 && rigs;
  });
  assert.deepEqual([raised.limit, raised.assigned, raised.held_up_by], [3, 3, "nothing"]);

  // What an agent asks waits until the call that is named was made.
  await client.call("escalate", { town: town.id, rig: "web", agent: agent.id, severity: "high", category: "stalled_agent", message: "Toast says nothing." });
  await client.call("escalate", { town: town.id, severity: "critical", message: "Which currency first?" });
  const { escalations } = await look("escalations");
  assert.deepEqual(escalations.map(({ decision }) => decision.sort), ["other", "stalled_agent"]);
  assert.deepEqual(escalations[1].calls.map(({ tool }) => tool), ["send_message", "reset_agent", "acknowledge_escalation"]);
  for (const call of escalations.flatMap(({ calls }) => calls)) await client.call(call.tool, call.arguments);
  await until("the inbox is empty", async (seen) => seen((await look("escalations")).escalations).length === 0);

  const report = await look("agent_report");
  assert.deepEqual([report.totals.taken >= 3, report.totals.done, report.totals.merged], [true, 0, 0]);
  const line = report.agents.find((line) => line.agent === agent.id);
  assert.deepEqual([line.handed_back, line.nudged], [1, 1]);
  const { rigs, sorts, timeline } = await look("work_distribution", { hours: 1 });
  assert.deepEqual([rigs[0].share, Object.keys(sorts.type), timeline.taken.length], [100, ["issue"], 1]);
  assert.ok(bead.bead_id);
});
