// Owns: kill -9 under open streams and running tasks: what clients find when they come back.
// Does not: test that work survives (crash.test.mjs). Needs the build "conformance".

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { tokens } from "./lib/tokens.mjs";
import { clientOf, rest, TASKS, upTo } from "./lib/streams.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, until, world } from "./lib/world.mjs";

/**
 * @import { Client } from "./lib/streams.mjs"
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

const token = tokens.user("owner");
const UPDATED = "notifications/resources/updated";
const ASKING = { elicitation: {} };
/** After which an object sends again what it could not send, and more. */
const RESENT_MS = 15_000;
let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ town, /** @type {Client} */ client, /** @type {Record<string, string>} */ rigs;
/** What was open or under way when the server was killed. */
let own, listening, calling, waiting, computing, asking, late;

const retitle = async (bead) => {
  const answer = await on.rpc("RIG", rigs.web, "updateBead", bead, { title: `work ${randomUUID()}` }, "", context(token));
  assert.ok(answer.ok, answer.error);
};
/** A bead of its own, its URI and a way to change it. */
async function watched() {
  const { bead } = await client.call("sling", { rig: "web", title: "work" });
  return { uri: `gastown://towns/${town.id}/beads/${bead.id}`, change: () => retitle(bead.id) };
}
const tasks = async (method, params) => (await client.ask(method, params, { capabilities: { ...TASKS, ...ASKING } })).json.result;
const begin = async (name, args) => (await tasks("tools/call", { name, arguments: args })).taskId;
/** The killed server takes the connection with it. */
const isCut = (stream) => assert.rejects(rest(stream, 5_000), (/** @type {any} */ error) => !error.isTimeout);

before(async () => {
  server = await startWorkerd({ features: "conformance", isolates: 2, vars: { LOOPBACK_ONLY: "true" } });
  on = world(server);
  town = await on.createFleetTown(["web"]);
  rigs = town.rigs;
  client = clientOf(on, { token, path: `/towns/${town.id}/mcp` });

  const session = await client.session();
  const thing = await watched();
  await session.subscribe(thing.uri);
  const stream = await session.get();
  await thing.change();
  own = { session, thing, stream, seen: (await upTo(stream, () => true))[0].id };

  const other = await watched();
  listening = { thing: other, ...(await client.listen({ resourceSubscriptions: [other.uri] }, { id: "before" })) };

  const caller = await client.session({ capabilities: ASKING });
  const call = await caller.stream("tools/call", { name: "test_elicitation", arguments: { message: "Who?" } }, "cut off");
  const primed = await call.take();
  calling = { session: caller, stream: call, primed: primed.id, question: (await upTo(call, () => true))[0] };

  // Subscribed to, but nobody reads.
  const unread = await client.session();
  const third = await watched();
  await unread.subscribe(third.uri);
  waiting = { session: unread, thing: third };

  computing = await begin("slow_compute", { seconds: 2, label: "over the restart" });
  asking = await begin("confirm_delete", { filename: "x" });
  late = await begin("slow_compute", { seconds: 7 });
  // Acknowledged just before the kill: nobody has been told yet.
  await Promise.all([own, waiting].map(({ thing }) => thing.change()));
  await server.kill9();
  await Promise.all([own, listening, calling].map(({ stream }) => isCut(stream)));
  await server.start();
});
after(() => server.stop());

describe("after kill -9", () => {
  test("a session goes on, and its stream has what was told just before, though nobody could be told then", async () => {
    const { session, thing, seen } = own;
    assert.deepEqual((await session.ask("ping")).json.result, {});
    const stream = await session.get(seen);
    const [{ message, id }] = await upTo(stream, () => true, RESENT_MS);
    assert.deepEqual([message.method, message.params.uri], [UPDATED, thing.uri]);
    assert.notEqual(id, seen);
    await thing.change();
    assert.equal((await stream.message()).params.uri, thing.uri, "the subscription is still there");
    await stream.close();
  });

  test("a subscription whose stream was not open yet tells as well", async () => {
    const stream = await waiting.session.get();
    assert.equal((await stream.message(RESENT_MS)).params.uri, waiting.thing.uri);
    await waiting.thing.change();
    assert.equal((await stream.message()).params.uri, waiting.thing.uri);
    await stream.close();
  });

  test("a client that listens anew hears again", async () => {
    const { stream } = await client.listen({ resourceSubscriptions: [listening.thing.uri] }, { id: "after" });
    await listening.thing.change();
    assert.equal((await stream.message()).params.uri, listening.thing.uri);
    await stream.close();
  });

  test("a call that was under way is resumed with what had been sent, and its session can call again", async () => {
    const { session, primed, question } = calling;
    const stream = await session.get(primed);
    assert.deepEqual(await upTo(stream, () => true), [question]);
    await stream.close();
    // Nobody waits for the answer any more, which is no fault of the client.
    await session.tell({ id: question.message.id, result: { action: "decline" } });
    const again = await session.stream("tools/call", { name: "test_elicitation", arguments: { message: "Who?" } }, "again");
    const [{ message }] = await upTo(again, ({ method }) => method === "elicitation/create");
    await session.tell({ id: message.id, result: { action: "decline" } });
    assert.match((await rest(again))[0].message.result.content[0].text, /action=decline/);
  });

  test("a task ends in its time, and one that waits for an answer takes it", async () => {
    const done = await until("the task has ended", async (note) => {
      const task = note(await tasks("tasks/get", { taskId: computing }));
      return task.status === "completed" && task;
    }, { within: 5_000 });
    assert.equal(done.result.content[0].text, "Computed over the restart for 2 s");
    assert.equal((await tasks("tasks/get", { taskId: asking })).status, "input_required");
    await tasks("tasks/update", { taskId: asking, inputResponses: { confirm: { action: "accept", content: { confirm: true } } } });
    assert.equal((await tasks("tasks/get", { taskId: asking })).result.content[0].text, "Deleted x");
  });

  test("a task that nobody asks for ends by the alarm, and who listens is told", async () => {
    const { stream } = await client.listen({ taskIds: [late] }, { capabilities: TASKS, within: 20_000 });
    const { params } = await stream.message(20_000);
    assert.deepEqual([params.taskId, params.status], [late, "completed"]);
    await stream.close();
  });

  test("a session that was ended stays so, and its stream does not come back", async () => {
    const session = await client.session();
    const thing = await watched();
    await session.subscribe(thing.uri);
    assert.equal(await session.end(), 204);
    await server.restart();
    await thing.change();
    await assert.rejects(session.get(), { status: 404 });
  });
});
