// Owns: streams and what goes beside them, used wrongly or too much: nothing breaks, nothing leaks, and others hear on.
// Does not: test single messages that are wrong (protocol.test.mjs, sessions.test.mjs).
// workerd's log is looked at when the server stops: a fault or a panic in it fails the file. Needs the build "conformance".

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { tokens } from "./lib/tokens.mjs";
import { clientOf, rest, TASKS, upTo } from "./lib/streams.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, UNDEFINED, world } from "./lib/world.mjs";

/**
 * @import { Client } from "./lib/streams.mjs"
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

const token = tokens.user("owner");
const ASKING = { elicitation: {} };
const MIB = 1024 * 1024;
let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ town, /** @type {string} */ at, /** @type {Client} */ client, /** @type {Client} */ stranger, /** @type {string} */ uri, /** @type {() => Promise<any>} */ change;
before(async () => {
  server = await startWorkerd({ features: "conformance", isolates: 2, vars: { LOOPBACK_ONLY: "true" } });
  on = world(server);
  town = await on.createFleetTown(["web"]);
  at = `gastown://towns/${town.id}`;
  const path = `/towns/${town.id}/mcp`;
  client = clientOf(on, { token, path });
  // Another user shares a session object only where both may enter: the Mayor of the same town.
  stranger = clientOf(on, { token: tokens.mayor(town.id), path, isolate: 1 });
  uri = `${at}/feed`;
  change = () => client.call("sling_batch", { rig: "web", convoy_title: "c", tasks: [{ title: "a" }], staged: true });
});
after(() => server.stop());

const tool = (name, args = {}) => ["tools/call", { name, arguments: args }];
async function asked(session, id) {
  const stream = await session.stream(...tool("test_elicitation", { message: "Who?" }), id);
  const [{ id: event, message }] = await upTo(stream, ({ method }) => method === "elicitation/create");
  return { stream, event, question: message.id };
}
const accept = (id, username) => ({ id, result: { action: "accept", content: { username, email: "a@b.example" } } });
const textOf = ({ message }) => message.result.content[0].text;

describe("Last-Event-ID", () => {
  /** A stream that is over at once, with nothing on it. */
  const isEmpty = async (stream) => assert.deepEqual(await rest(stream, 5_000), []);

  test("of another session is a stream that never was, also of another principal in the same town", async () => {
    const session = await client.session({ capabilities: ASKING });
    const { stream, event, question } = await asked(session, 1);
    for (const other of [await client.session(), await stranger.session()]) {
      await isEmpty(await other.get(event));
      await isEmpty(await other.get(`${other.id}/${event}`));
      await isEmpty(await other.get(`../${event}`));
    }
    await session.tell(accept(question, "still here"));
    assert.match(textOf((await rest(stream))[0]), /still here/);
  });

  test("that nobody gave out opens nothing and breaks nothing", async () => {
    const session = await client.session();
    const ids = ["never_1", "never", "_", "__", "_5", "0", "-1", "x_-1", "get_-1", "get_9223372036854775807", "get_9007199254740993", "get_99999999999999999999", "task:x_0", "'; DROP TABLE streams; --_1", "a".repeat(4_000), `${"a".repeat(4_000)}_7`, "get_1_1"];
    for (const id of ids) await isEmpty(await session.get(id));
    // The session's own stream is as it was.
    const stream = await session.get("get_4503599627000000");
    await session.subscribe(uri);
    await change();
    const [first] = await upTo(stream, () => true);
    await stream.close();
    await change();
    const [second] = await upTo(await session.get(first.id), () => true);
    assert.equal(second.message.params.uri, uri);
  });

  test("as long as a header may be opens nothing", async () => {
    const session = await client.session();
    await isEmpty(await session.get("a".repeat(100_000)));
  });
});

describe("messages beside calls", () => {
  test("answers to what was never asked, and cancellations of what never was, are taken and forgotten", async () => {
    const session = await client.session({ capabilities: ASKING });
    const { stream, question } = await asked(session, 1);
    const ids = ["never", 5, "", "x".repeat(100_000), -1, 1.0];
    for (const id of ids) {
      await session.tell({ id, result: {} });
      await session.tell({ id, error: { code: 1, message: "no" } });
      await session.tell({ method: "notifications/cancelled", params: { requestId: id === 1 ? 2 : id } });
    }
    await session.tell({ method: "notifications/cancelled", params: { requestId: "y".repeat(3 * MIB) } });
    await session.tell({ id: "z".repeat(3 * MIB), result: {} });
    for (const params of [{}, { requestId: null }, { requestId: {} }, undefined]) await session.tell({ method: "notifications/cancelled", params });
    await session.tell(accept(question, "the right one"));
    assert.match(textOf((await rest(stream))[0]), /the right one/);
  });

  test("an answer of another session does not reach the call, though it knows the question's id", async () => {
    const session = await client.session({ capabilities: ASKING });
    const { stream, question } = await asked(session, 1);
    for (const other of [await client.session(), await stranger.session()]) {
      await other.tell(accept(question, "intruder"));
      await other.tell({ method: "notifications/cancelled", params: { requestId: 1 } });
    }
    await session.tell(accept(question, "owner"));
    assert.match(textOf((await rest(stream))[0]), /"owner"/);
  });

  test("more of them than are kept do not push out the answer that comes after", async () => {
    const session = await client.session({ capabilities: ASKING });
    const { stream, question } = await asked(session, 1);
    await Promise.all(Array.from({ length: 200 }, (_, n) => session.tell({ id: `junk-${n}`, result: {} })));
    await session.tell(accept(question, "after the flood"));
    assert.match(textOf((await rest(stream))[0]), /after the flood/);
  });

  test("an answer of nearly a mebibyte arrives, a larger one is refused and may be given again", async () => {
    const session = await client.session({ capabilities: ASKING });
    const { stream, question } = await asked(session, 1);
    for (const size of [1.1, 2.5, 3.9]) {
      await assert.rejects(session.tell(accept(question, "x".repeat(size * MIB))), /400/, `${size} MiB`);
    }
    await session.tell(accept(question, "x".repeat(MIB - 1_000)));
    assert.ok(textOf((await rest(stream))[0]).length > MIB - 1_000);
  });

  test("an answer that does not fit its question is a refusal", async () => {
    const session = await client.session({ capabilities: ASKING });
    for (const [id, result] of Object.entries([{}, { action: "explode" }, { action: "accept", content: "text" }, { action: 7 }])) {
      const { stream, question } = await asked(session, Number(id) + 1);
      await session.tell({ id: question, result });
      const [{ message }] = await rest(stream);
      assert.equal(message.result.isError, true, JSON.stringify(result));
    }
  });

  test("huge answers to a task are refused, and the task waits on", async () => {
    const ask = (method, params) => client.ask(method, params, { capabilities: { ...TASKS, ...ASKING } });
    const { taskId } = (await ask(...tool("confirm_delete", { filename: "x" }))).json.result;
    const confirm = { action: "accept", content: { confirm: true } };
    for (const size of [1, 3]) {
      const huge = await ask("tasks/update", { taskId, inputResponses: { confirm: { ...confirm, more: "x".repeat(size * MIB) } } });
      assert.equal(huge.json.error.code, -32602, huge.text);
    }
    for (const inputResponses of [{ nobody: confirm }, { confirm: { action: "explode" } }, { confirm: null }, {}]) await ask("tasks/update", { taskId, inputResponses });
    assert.equal((await ask("tasks/get", { taskId })).json.result.status, "input_required");
    await ask("tasks/update", { taskId, inputResponses: { confirm } });
    assert.equal((await ask("tasks/get", { taskId })).json.result.result.content[0].text, "Deleted x");
  });
});

describe("very many", () => {
  test("listens at once all hear, soon; and when they are gone, others do", async (t) => {
    const listens = await Promise.all(Array.from({ length: 200 }, (_, n) => client.listen({ resourceSubscriptions: [uri] }, { id: n, within: 30_000 })));
    const began = performance.now();
    await change();
    await Promise.all(listens.map(({ stream }) => stream.message()));
    const took = performance.now() - began;
    t.diagnostic(`200 streams heard of a change within ${took.toFixed(0)} ms`);
    assert.ok(took < 5_000);
    await Promise.all(listens.map(({ stream }) => stream.close()));
    const { stream } = await client.listen({ resourceSubscriptions: [uri] });
    await change();
    assert.equal((await stream.message()).params.uri, uri);
    await stream.close();
  });

  test("resources on one stream are refused, and too many of one rig deafen nobody", async () => {
    const tooMany = await client.ask("subscriptions/listen", { notifications: { resourceSubscriptions: Array(201).fill(uri) } });
    assert.equal(tooMany.json.error.code, -32602);
    const many = await on.createFleetTown(["web"]);
    const door = clientOf(on, { token, path: `/towns/${many.id}/mcp` });
    const beads = [];
    for (let n = 0; n < 6; n++) beads.push(...(await Promise.all(Array.from({ length: 100 }, () => on.sling(many.rigs.web, "work")))).map(({ bead }) => bead.bead_id));
    const own = `gastown://towns/${many.id}/beads/`;
    const { stream } = await door.listen({ resourceSubscriptions: [own + beads[0]] });
    server.forgive(/things already/);
    for (let n = 0; n < 6; n++) {
      // What does not fit is refused; the client is told that something is wrong.
      const part = beads.slice(n * 100, n * 100 + 100).map((bead) => own + bead);
      const opened = await door.listen({ resourceSubscriptions: part }, { id: n, within: 30_000 }).catch((error) => error);
      assert.equal(opened instanceof Error, n === 5, `${n}: ${opened.message}`);
    }
    const answer = await on.rpc("RIG", many.rigs.web, "updateBeadStatus", beads[0], "failed", "", UNDEFINED, context(token));
    assert.ok(answer.ok, answer.error);
    assert.equal((await stream.message(5_000)).params.uri, own + beads[0]);
    await stream.close();
  });

  test("connections of one session take its stream over in turn, and the last one has it", async () => {
    const session = await client.session();
    await session.subscribe(uri);
    const streams = await Promise.all(Array.from({ length: 20 }, () => session.get()));
    const last = await session.get();
    for (const stream of streams) assert.deepEqual(await rest(stream, 5_000), []);
    await change();
    assert.equal((await last.message()).params.uri, uri);
    await last.close();
  });
});
