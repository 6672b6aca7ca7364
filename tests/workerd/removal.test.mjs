// Owns: the end of rigs and towns on the real runtime: their storage and alarms are gone, whoever asks afterwards.
// Does not: test what is refused or confirmed (tests/it/town/removal.rs, tests/it/tools_admin.rs).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
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

const left = (binding, name) => on.harness("/__left", { binding, name });
const gone = (what, binding, name) =>
  until(`${what} is gone`, async (note) => {
    const found = await left(binding, name);
    note(found);
    return isGone(found, binding);
  });
/** Of a rig a tombstone stays for two minutes, and the alarm that takes it away. */
const isGone = ({ tables, alarm }, binding) =>
  (tables.length === 0 && alarm === null) || (binding === "RIG" && tables.join() === "tombstone" && alarm - Date.now() <= 120_000);
const del = (path) => on.http("DELETE", `/api/users/owner/${path}`, { token: tokens.user("owner") });

test("a deleted rig leaves nothing but a tombstone, and stays so when it is asked and told again", async () => {
  const { id, rigs } = await on.createFleetTown(["web", "api"]);
  await on.sling(rigs.web, "t");
  assert.ok((await left("RIG", rigs.web)).tables.includes("beads"));
  assert.equal((await del(`rigs/${rigs.web}`)).status, 409);
  assert.equal((await del(`rigs/${rigs.web}?force=true`)).status, 200);
  await gone("the rig", "RIG", rigs.web);
  assert.equal((await on.rpc("RIG", rigs.web, "listBeads", {}, owner())).error, `Rig ${rigs.web} not found`);
  const letter = [{ kind: "removed", subject: `rig:${rigs.web}`, generation: 999_999, body: true }];
  const told = await on.rpc("RIG", rigs.web, "deliver", letter, context(tokens.internal("deliver", { from: `town:${id}`, town: id })));
  assert.equal(told.kind, "undefined", told.error);
  assert.ok(isGone(await left("RIG", rigs.web), "RIG"));
  // The other one works.
  assert.equal((await on.sling(rigs.api, "u")).bead.title, "u");
});

test("a deleted town goes with its rigs and sessions, over a restart", async () => {
  const town = await on.createFleetTown(["web", "api"]);
  const session = `town:${town.id}`;
  await on.rpc("SESSION", session, "endSession", "s", new Date(Date.now() + 600_000).toISOString(),
    context(tokens.internal("endSession", { town: town.id })));
  assert.ok((await left("SESSION", session)).tables.length > 0);
  await on.hang(town.rigs.api);
  assert.equal((await del(`towns/${town.id}?force=true`)).status, 200);
  assert.equal((await on.http("GET", `/api/users/owner/towns/${town.id}`, { token: tokens.user("owner") })).status, 404);
  assert.equal((await on.rpc("TOWN", town.id, "listRigs", owner())).error, `Town ${town.id} is being deleted`);
  assert.ok((await left("TOWN", town.id)).tables.length > 0, "it waits for the rig that hangs");
  server.forgive(/did not answer within/);
  await server.restart();
  for (const [what, binding, name] of [["the town", "TOWN", town.id], ["web", "RIG", town.rigs.web], ["api", "RIG", town.rigs.api], ["the session", "SESSION", session]]) {
    await gone(what, binding, name);
  }
  assert.equal((await on.rpc("TOWN", town.id, "getAlarmStatus", UNDEFINED, owner())).error, `Town ${town.id} not found`);
});

test("a town that is parked gives out nothing until it is not", async () => {
  const town = await on.createFleetTown(["web"]);
  const park = (parked) => on.rpc("TOWN", town.id, "setParked", UNDEFINED, parked, "freeze", owner());
  assert.deepEqual((await park(true)).ok, { rig_id: null, parked: true, changed: true, town_parked: true });
  assert.equal((await on.sling(town.rigs.web, "waits")).agent, null);
  await park(false);
  const agents = (await on.rpc("RIG", town.rigs.web, "listAgents", UNDEFINED, owner())).ok;
  assert.deepEqual(agents.map(({ name }) => name), ["Toast"]);
});
