// Owns: beads changed, held, reassigned and deleted on real storage, where statements have limits of their own.
// Does not: test the rules; the host tests do, exhaustively.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
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

/** A call that must succeed. */
async function call(rig, method, ...args) {
  const answer = await on.rpc("RIG", rig, method, ...args, owner());
  assert.equal(answer.error, undefined, `${method}: ${answer.error}`);
  return answer.ok;
}
const create = (rig, title, more = {}) => call(rig, "createBead", { type: "issue", title, ...more });
const beadOf = (rig, bead) => call(rig, "getBeadAsync", bead);
const update = (rig, bead, fields) => call(rig, "updateBead", bead, fields, "owner");

test("an update changes what it names, or nothing when a part of it is refused", async () => {
  const { rigs: { web: rig } } = await on.createFleetTown(["web"]);
  const first = await create(rig, "first", { held: true });
  const bead = await create(rig, "second", { labels: ["a"], metadata: { x: 1 } });
  const after = await update(rig, bead.bead_id, {
    title: "new", body: null, add_labels: ["b"], remove_labels: ["a"], merge_metadata: { y: [2] }, add_depends_on: [first.bead_id], until: "merged",
    parent_bead_id: first.bead_id,
  });
  assert.deepEqual(after.changed, ["title", "labels", "metadata", "parent_bead_id", "depends_on"]);
  assert.deepEqual([after.labels, after.metadata, after.blockers_open], [["b"], { x: 1, y: [2] }, 1]);
  const circle = await on.rpc("RIG", rig, "updateBead", first.bead_id, { title: "lost", add_depends_on: [bead.bead_id] }, UNDEFINED, owner());
  assert.match(circle.error, /cannot wait for a bead that waits for it/);
  assert.equal((await beadOf(rig, first.bead_id)).title, "first");
  const below = await on.rpc("RIG", rig, "updateBead", first.bead_id, { parent_bead_id: bead.bead_id }, UNDEFINED, owner());
  assert.match(below.error, /which is below it/);
  const known = await call(rig, "debugGetBead", bead.bead_id);
  assert.deepEqual(known.dependencies, [
    { bead_id: bead.bead_id, depends_on_bead_id: first.bead_id, dependency_type: "blocks", until: "merged", status: "open" },
  ]);
  assert.deepEqual(known.events.map(({ event_type }) => event_type), ["fields_updated", "created"]);
  assert.equal(known.reviewMetadata, null);
});

test("a held bead is started, and work changes hands", async () => {
  const { rigs: { web: rig } } = await on.createFleetTown(["web"]);
  const held = await call(rig, "createHeldBead", { rigId: rig, title: "later" });
  assert.deepEqual(held.labels, ["gt:held"]);
  const started = await call(rig, "startHeldBead", held.bead_id, rig);
  assert.deepEqual([started.labels, typeof started.assignee_agent_bead_id], [[], "string"]);
  const other = await call(rig, "getOrCreateAgent", "polecat", UNDEFINED);
  const moved = await call(rig, "reassignBead", held.bead_id, other.id);
  assert.equal(moved.assignee_agent_bead_id, other.id);
  const agents = await call(rig, "listAgents", UNDEFINED);
  assert.deepEqual(agents.map(({ current_hook_bead_id }) => current_hook_bead_id).sort(), [held.bead_id, null].sort());
});

test("5000 ids are deleted in one call, with what is below them, and events stay", async () => {
  const { rigs: { web: rig } } = await on.createFleetTown(["web"]);
  const parent = await create(rig, "parent", { held: true });
  const child = await create(rig, "child", { held: true, parent_bead_id: parent.bead_id });
  const [met, waiter] = [await create(rig, "met", { held: true }), await create(rig, "waiter", { held: true })];
  await call(rig, "closeBead", met.bead_id, "owner");
  await update(rig, waiter.bead_id, { depends_on: [met.bead_id, child.bead_id] });
  const ids = [parent.bead_id, met.bead_id, ...Array.from({ length: 4_998 }, () => randomUUID())];
  assert.equal(await call(rig, "deleteBeads", ids, rig), 3);
  assert.equal((await on.rpc("RIG", rig, "getBeadAsync", child.bead_id, owner())).kind, "null");
  assert.equal((await beadOf(rig, waiter.bead_id)).blockers_open, 1, "what was met stays met, what was not never will be");
  const [newest] = await call(rig, "listBeadEvents", { beadId: child.bead_id });
  assert.deepEqual([newest.event_type, newest.actor, newest.metadata.title], ["deleted", "owner", "child"]);
  assert.match(newest.bead_event_id, /^[0-9a-f-]{36}$/);
  const many = await on.rpc("RIG", rig, "deleteBeads", [...ids, randomUUID()], rig, owner());
  assert.match(many.error, /at most 5000/);
  assert.equal(await call(rig, "deleteBeadsByStatus", "open", UNDEFINED, rig), 1);
  assert.equal(await call(rig, "deleteBead", waiter.bead_id, rig), false);
});
