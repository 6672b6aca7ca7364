// Owns: what clients hear of on their own: subscriptions/listen of the stateless era, and the stream of a session before it.
// Does not: test streams that answer a call (calls.test.mjs), restarts (restart.test.mjs) or nonsense (garbage.test.mjs).

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { seconds, tokens } from "./lib/tokens.mjs";
import { clientOf, rest, SOON_MS, SUBSCRIPTION, upTo } from "./lib/streams.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, UNDEFINED, world } from "./lib/world.mjs";

/**
 * @import { Client } from "./lib/streams.mjs"
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

const token = tokens.user("owner");
const UPDATED = "notifications/resources/updated";
/** Longer than a change takes to be heard of, many times. */
const QUIET_MS = 1_000;
let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ town, /** @type {string} */ at, quiet;
/** Clients of the fleet and of the town; `other` reaches another isolate than they do. */
let /** @type {Client} */ fleet, /** @type {Client} */ local, /** @type {Client} */ other;
before(async () => {
  server = await startWorkerd({ isolates: 2 });
  on = world(server);
  town = await on.createFleetTown(["web", "api"]);
  at = `gastown://towns/${town.id}`;
  fleet = clientOf(on, { token });
  local = clientOf(on, { token, path: `/towns/${town.id}/mcp` });
  other = clientOf(on, { token, path: `/towns/${town.id}/mcp`, isolate: 1 });
  // Looked at again by the last test.
  const idle = await on.createFleetTown(["web"]);
  const door = clientOf(on, { token, path: `/towns/${idle.id}/mcp` });
  const opened = Date.now();
  quiet = [(await door.listen({ resourcesListChanged: true })).stream, await (await door.session()).get()].map((stream) => ({ stream, alive: comment(stream, opened) }));
});
after(async () => {
  for (const { stream } of quiet ?? []) await stream.close();
  await server.stop();
});

/** How long after it was opened the stream shows a comment, in milliseconds. */
async function comment(stream, opened) {
  for (let event; (event = await stream.take(25_000)); ) if ("comment" in event) return Date.now() - opened;
}

const slung = async (rig = "web") => other.call("sling", { rig, title: "work" });
const setStatus = async (rig, bead, status) => {
  const answer = await on.rpc("RIG", town.rigs[rig], "updateBeadStatus", bead, status, "", UNDEFINED, context(token));
  assert.ok(answer.ok, answer.error);
};
const retitle = async (rig, bead) => {
  const answer = await on.rpc("RIG", town.rigs[rig], "updateBead", bead, { title: `work ${randomUUID()}` }, "", context(token));
  assert.ok(answer.ok, answer.error);
};
const batch = (more = {}) => other.call("sling_batch", { rig: "api", convoy_title: "c", tasks: [{ title: "a" }, { title: "b", depends_on: [0] }], staged: false, ...more });

/** Things that change: what is made first, its URI, and what changes it, on another connection or straight in the object. */
const CHANGES = {
  bead: async () => {
    const { bead } = await slung();
    return [`${at}/beads/${bead.id}`, () => retitle("web", bead.id)];
  },
  agent: async () => {
    const { agent, bead } = await slung();
    return [`${at}/agents/${agent.id}`, () => setStatus("web", bead.id, "failed")];
  },
  convoy: async () => {
    const { convoy_id } = await batch({ staged: true });
    const bead = (await other.call("convoy_status", { convoy_id })).beads[0].id;
    return [`${at}/convoys/${convoy_id}`, () => setStatus("api", bead, "failed")];
  },
  rig: async () => [`${at}/rigs/${town.rigs.web}`, slung],
  town: async () => [at, slung],
  feed: async () => [`${at}/feed`, batch],
};

/** Makes the change; the next message must come soon after it was answered. */
async function hears(stream, change, expected) {
  await change();
  const answered = performance.now();
  const message = await stream.message(10_000);
  const took = performance.now() - answered;
  assert.deepEqual({ method: message.method, uri: message.params?.uri, id: message.params?._meta?.[SUBSCRIPTION] }, { uri: undefined, id: undefined, ...expected });
  assert.ok(took < SOON_MS, `heard after ${took.toFixed(0)} ms`);
}

describe("subscriptions/listen", () => {
  for (const id of ["a string", 7, 0]) {
    test(`acknowledges first, as ${JSON.stringify(id)}, what there is to hear and nothing else`, async () => {
      const { bead } = await slung();
      const known = [at, `${at}/beads/${bead.id}`];
      const unknown = [`${at}/beads/${randomUUID()}`, "gastown://towns/atlantis", "gastown://nothing", "no uri at all", ""];
      const asked = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true, resourceSubscriptions: [known[0], ...unknown, known[1]] };
      const { stream, ack } = await local.listen(asked, { id });
      // Lists of tools and prompts never change, and the server declares so.
      assert.deepEqual(ack, { _meta: { [SUBSCRIPTION]: id }, notifications: { resourcesListChanged: true, resourceSubscriptions: known } });
      await stream.close();
    });
  }

  for (const [thing, prepare] of Object.entries(CHANGES)) {
    test(`tells of a ${thing} that another connection in another isolate changes`, async () => {
      const [uri, change] = await prepare();
      const { stream } = await local.listen({ resourceSubscriptions: [uri] }, { id: thing });
      await hears(stream, change, { method: UPDATED, uri, id: thing });
      await stream.close();
    });
  }

  test("tells of a rig that is added: on the town's door the list changes", async () => {
    const { stream } = await local.listen({ resourcesListChanged: true }, { id: 1 });
    await hears(stream, () => on.createRig(town.id), { method: "notifications/resources/list_changed", id: 1 });
    await stream.close();
  });

  test("tells of a town that is added: on the fleet's door the list changes", async () => {
    const { stream } = await fleet.listen({ resourcesListChanged: true }, { id: 1 });
    await hears(stream, () => on.createTown(), { method: "notifications/resources/list_changed", id: 1 });
    await stream.close();
  });

  test("tells of each resource that one change touches", async () => {
    const uris = ["gastown://fleet", at, `gastown://towns/${town.name}`];
    const { stream, ack } = await fleet.listen({ resourceSubscriptions: uris });
    assert.deepEqual(ack.notifications.resourceSubscriptions, uris);
    await slung();
    const heard = new Set();
    while (heard.size < uris.length) heard.add((await stream.message()).params.uri);
    assert.deepEqual([...heard].sort(), uris.toSorted());
    await stream.close();
  });

  test("several at once hear each their own, under their own ids", async () => {
    const { bead } = await slung();
    const uri = `${at}/beads/${bead.id}`;
    const listens = await Promise.all([{ id: "x", uri }, { id: "y", uri: `${at}/feed` }, { id: 3, uri }].map(async ({ id, uri }) => ({ id, ...(await local.listen({ resourceSubscriptions: [uri] }, { id })) })));
    await setStatus("web", bead.id, "failed");
    for (const { id, stream } of listens.filter(({ id }) => id !== "y")) assert.equal((await stream.message()).params._meta[SUBSCRIPTION], id);
    await listens[1].stream.quiet(QUIET_MS);
    for (const { stream } of listens) await stream.close();
  });

  test("ends with its result when the token does; a session's stream just ends, and another token goes on with it", async () => {
    const brief = clientOf(on, { token: tokens.user("owner", { exp: seconds() + 3 }) });
    const session = await brief.session();
    const own = await session.get();
    const { stream } = await brief.listen({ resourcesListChanged: true }, { id: "brief" });
    const [{ message }, ...more] = await rest(stream, 10_000);
    assert.deepEqual([message.id, message.result.resultType, message.result._meta[SUBSCRIPTION], more], ["brief", "complete", "brief", []]);
    assert.deepEqual(await rest(own, 5_000), []);
    await (await fleet.join(session).get()).close();
  });

  test("needs the tasks capability to listen to tasks", async () => {
    const { status, json } = await local.ask("subscriptions/listen", { notifications: { taskIds: ["x"] } });
    assert.deepEqual([status, json.error.code], [400, -32021]);
  });
});

describe("a session's own stream", () => {
  const changed = async (session) => {
    const { bead } = await slung();
    const uri = `${at}/beads/${bead.id}`;
    await session.subscribe(uri);
    return { uri, change: () => retitle("web", bead.id) };
  };

  test("tells of what was subscribed to, each with an id to resume from, until it is unsubscribed", async () => {
    const session = await local.session();
    const stream = await session.get();
    const { uri, change } = await changed(session);
    await hears(stream, change, { method: UPDATED, uri });
    await change();
    const { id } = await stream.take();
    assert.match(id, /^[\x21-\x7e]+$/);
    await session.unsubscribe(uri);
    await change();
    await stream.quiet(QUIET_MS);
    await stream.close();
  });

  test("may be opened after the subscription, in another isolate, and has what came between", async () => {
    const session = await local.session();
    const { uri, change } = await changed(session);
    await change();
    const stream = await other.join(session).get();
    assert.equal((await stream.message()).params.uri, uri);
    await hears(stream, change, { method: UPDATED, uri });
    await stream.close();
  });

  test("belongs to the newest connection: the older one ends, and nothing comes twice", async () => {
    const session = await local.session();
    const { uri, change } = await changed(session);
    const old = await session.get();
    const young = await other.join(session).get();
    assert.deepEqual(await rest(old, 5_000), []);
    await hears(young, change, { method: UPDATED, uri });
    await young.quiet(QUIET_MS);
    await young.close();
  });

  test("is resumed by Last-Event-ID with what was missed, once and in order", async () => {
    const session = await local.session();
    const [{ change }, { change: changeAnother }] = [await changed(session), await changed(session)];
    const first = await session.get();
    await change();
    const [{ id: seen }] = await upTo(first, () => true);
    await first.close();
    // Two changes of one thing in a row may be told as one, of two things not.
    await change();
    await changeAnother();
    const second = await other.join(session).get(seen);
    const missed = [await upTo(second, () => true), await upTo(second, () => true)].flat();
    assert.equal(new Set([seen, ...missed.map(({ id }) => id)]).size, 3);
    await second.quiet(QUIET_MS);
    // From the first of them on: the second once more, and what is new.
    const third = await session.get(missed[0].id);
    assert.deepEqual(await upTo(third, () => true), [missed[1]]);
    await change();
    assert.equal((await third.message()).method, UPDATED);
    await third.close();
  });

  test("that was never opened is resumed from whatever number a client has, and tells what comes", async () => {
    const session = await local.session();
    const { uri, change } = await changed(session);
    // As after a week, or from a server whose state was lost.
    const stream = await session.get("get_9");
    await stream.quiet(100);
    await hears(stream, change, { method: UPDATED, uri });
    await stream.close();
  });

  test("ends with DELETE, and its subscriptions with it", async () => {
    const session = await local.session();
    const { change } = await changed(session);
    const stream = await session.get();
    assert.equal(await session.end(), 204);
    assert.deepEqual(await rest(stream, 5_000), []);
    await change();
    await assert.rejects(session.get(), { status: 404 });
  });

  test("tells of lists that change without any subscription", async () => {
    const stream = await (await local.session()).get();
    await hears(stream, () => on.createRig(town.id), { method: "notifications/resources/list_changed" });
    await stream.close();
  });

  test("refuses to subscribe to what is not there", async () => {
    const session = await local.session();
    const { json } = await session.ask("resources/subscribe", { uri: `${at}/beads/${randomUUID()}` });
    assert.equal(json.error.code, -32002);
  });
});

// Last: it waits for streams that were opened first.
test("a stream on which nothing happens shows every 15 seconds that it lives", async () => {
  for (const { alive } of quiet) assert.ok((await alive) < 25_000);
});
