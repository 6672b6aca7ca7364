// Owns: fan-outs while one rig really hangs: the others' answers come, soon, and the one that is missing is named.
// Does not: measure. Deadlines here only tell "did not wait for it" from "waited": the rig hangs for a minute.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect, plain } from "./lib/mcp.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { until, world } from "./lib/world.mjs";

/**
 * @import { Connection } from "./lib/mcp.mjs"
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

/** Long before the hang ends, long after every deadline of the product. */
const SOON_MS = 30_000;
let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ town, /** @type {Connection} */ client, /** @type {string} */ convoy;
before(async () => {
  server = await startWorkerd();
  on = world(server);
  town = await on.createFleetTown(["one", "two", "hung"]);
  for (const name of ["one", "two", "hung"]) await on.sling(town.rigs[name], `work in ${name}`);
  client = await connect(on, { era: "modern", token: tokens.user("owner"), path: `/towns/${town.id}/mcp` });
  const tasks = [{ title: "first" }, { title: "second", depends_on: [0] }];
  convoy = (await client.call("sling_batch", { rig: "hung", convoy_title: "stuck", tasks, staged: false })).convoy_id;
  await until("the town's mirror knows the convoy's first bead is taken", async () => (await client.call("convoy_status", { convoy_id: convoy })).progress.hooked === 1);
  await until("every rig has reported", async () => (await client.call("get_town_status")).coverage.answered === 3);
  await on.hang(town.rigs.hung);
});
after(() => server.stop());

/** Runs the work and tells how long it took; fails when it waited for the rig that hangs. */
async function soon(t, work) {
  const started = performance.now();
  const answer = await work();
  const took = performance.now() - started;
  t.diagnostic(`answered after ${took.toFixed(0)} ms`);
  assert.ok(took < SOON_MS, `took ${took} ms`);
  return answer;
}

const missesTheHungOne = (coverage) => {
  assert.deepEqual([coverage.asked, coverage.answered, coverage.missing.map(({ id, name }) => [id, name])], [3, 2, [[town.rigs.hung, "hung"]]]);
  assert.match(coverage.missing[0].reason, /did not answer/);
};

describe("one of three rigs hangs", () => {
  // S1-13, S1-14, truth rule 3
  test("list_beads without a rig names it and has the others' beads", async (t) => {
    const { beads, coverage } = await soon(t, () => client.call("list_beads", { type: "issue" }));
    missesTheHungOne(coverage);
    assert.deepEqual(beads.map(({ title }) => plain(title)).sort(), ["work in one", "work in two"]);
  });

  test("list_agents without a rig names it and has the others' agents", async (t) => {
    const { agents, coverage } = await soon(t, () => client.call("list_agents"));
    missesTheHungOne(coverage);
    assert.deepEqual(agents.map(({ rig }) => rig).sort(), [town.rigs.one, town.rigs.two].sort());
  });

  test("the Mayor's REST routes do the same", async (t) => {
    for (const list of ["beads", "agents"]) {
      const { status, json } = await soon(t, () => on.http("GET", `/api/mayor/${town.id}/tools/${list}`, { token: tokens.mayor(town.id) }));
      assert.deepEqual([status, json.success, json.missing.map(({ rig_id }) => rig_id)], [200, true, [town.rigs.hung]]);
      assert.deepEqual(new Set(json.data.map(({ rig_id }) => rig_id)), new Set([town.rigs.one, town.rigs.two]));
    }
  });

  test("convoy_status names it and shows what it last told", async (t) => {
    const seen = await soon(t, () => client.call("convoy_status", { convoy_id: convoy }));
    assert.deepEqual([seen.coverage.asked, seen.coverage.answered, seen.coverage.missing.map(({ id }) => id)], [1, 0, [town.rigs.hung]]);
    assert.equal(seen.beads.length, 2);
    assert.equal(seen.complete, false);
  });

  test("get_town_status needs no rig, and the other rigs work on", async (t) => {
    assert.equal((await soon(t, () => client.call("get_town_status"))).coverage.answered, 3);
    assert.ok((await soon(t, () => client.call("sling", { rig: "one", title: "more" }))).agent.name);
  });

  // The product waits ten seconds for a single object.
  test("a sling into the hung rig itself is given up, and the answer says that it may have happened and how to repeat it", async (t) => {
    const text = await soon(t, () => client.refused("sling", { rig: "hung", title: "into the void", idempotency_key: "void-1" }));
    assert.match(text, /"unavailable".*may or may not have happened.*idempotency_key/);
  });

  // Last: it ends the hang.
  test("once it answers again, nothing is missing", async () => {
    await on.hang();
    const { coverage } = await client.call("list_beads");
    assert.deepEqual(coverage, { asked: 3, answered: 3 });
    const { bead } = await client.call("sling", { rig: "hung", title: "into the void", idempotency_key: "void-1" });
    const { beads } = await client.call("list_beads", { rig: "hung" });
    assert.deepEqual(beads.filter(({ title }) => plain(title) === "into the void").map(({ id }) => id), [bead.id], "the repetition made one bead");
  });
});
