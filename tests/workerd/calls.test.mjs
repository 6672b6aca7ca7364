// Owns: streams that answer a call: what is on them, clients that leave, cancel, come back, or answer questions.
// Does not: test what clients hear of on their own (streams.test.mjs) or nonsense (garbage.test.mjs).
// Tools are those of the build with the feature "conformance", and the product's own.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { tokens } from "./lib/tokens.mjs";
import { clientOf, rest, SUBSCRIPTION, TASKS, upTo } from "./lib/streams.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { until, world } from "./lib/world.mjs";

/**
 * @import { Client } from "./lib/streams.mjs"
 * @import { Server } from "./lib/workerd.mjs"
 * @import { World } from "./lib/world.mjs"
 */

const token = tokens.user("owner");
const ASKING = { elicitation: {} };
let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Client} */ here, /** @type {Client} */ there;
before(async () => {
  server = await startWorkerd({ features: "conformance", isolates: 2, vars: { LOOPBACK_ONLY: "true" } });
  on = world(server);
  [here, there] = [0, 1].map((isolate) => clientOf(on, { token, isolate }));
});
after(() => server.stop());

/** @type {(name: string, args?: object, more?: object) => [method: string, params: object]} */
const tool = (name, args = {}, more = {}) => ["tools/call", { name, arguments: args, ...more }];
const textOf = (message) => message.result?.content?.[0].text;
const shape = (events) => events.map(({ message }) => message.method ?? "result");

/** Begins a call that asks its client; gives the stream, the id of the event and of the question. */
async function asked(session, /** @type {string | number} */ id = "asking") {
  const stream = await session.stream(...tool("test_elicitation", { message: "Who are you?" }), id);
  const [{ id: event, message }] = await upTo(stream, ({ method }) => method === "elicitation/create");
  return { stream, event, question: message.id };
}
const accept = (id, username) => ({ id, result: { action: "accept", content: { username, email: "a@b.example" } } });

describe("a call of a session", () => {
  const progress = tool("test_tool_with_progress", {}, { _meta: { progressToken: "p" } });

  test("whose client leaves in the middle goes on, and the client has the rest and the result, wherever it comes back", async () => {
    const session = await here.session();
    const stream = await session.stream(...progress, 1);
    const primed = await stream.take();
    assert.deepEqual(Object.keys(primed), ["id", "retry", "data"]);
    const [first] = await upTo(stream, () => true);
    await stream.close();
    const missed = await rest(await there.join(session).get(first.id));
    assert.deepEqual(shape(missed), ["notifications/progress", "notifications/progress", "result"]);
    assert.deepEqual(missed.slice(0, 2).map(({ message }) => message.params.progress), [50, 100]);
    assert.equal(textOf(missed[2].message), "Tool with progress executed successfully");
    // From its beginning: all of it, the same.
    assert.deepEqual(await rest(await session.get(primed.id)), [first, ...missed]);
    assert.deepEqual(await rest(await session.get(missed[2].id)), []);
  });

  test("that hangs up has its result on the next connection", async () => {
    const session = await here.session();
    const stream = await session.stream(...tool("test_reconnection"), 1);
    const primed = await stream.take();
    assert.deepEqual(await rest(stream), []);
    const [{ message }] = await rest(await there.join(session).get(primed.id));
    assert.deepEqual([message.id, textOf(message)], [1, "Reconnection test completed: the result came after the connection had ended"]);
  });

  test("that is cancelled is not answered: its stream ends, here and for whoever resumes it", async () => {
    const session = await here.session({ capabilities: ASKING });
    const { stream, event } = await asked(session, "to be cancelled");
    await there.join(session).tell({ method: "notifications/cancelled", params: { requestId: "to be cancelled", reason: "enough" } });
    assert.deepEqual(await rest(stream, 5_000), []);
    assert.deepEqual(await rest(await session.get(event), 5_000), []);
  });

  test("that is cancelled before there was anything to send is not answered either", async () => {
    const session = await here.session();
    const answer = session.ask(...tool("slow_compute", { seconds: 5 }), 77);
    await sleep(1_000);
    await there.join(session).tell({ method: "notifications/cancelled", params: { requestId: 77 } });
    const began = Date.now();
    const { status, text } = await answer;
    assert.deepEqual([status, text], [202, ""]);
    assert.ok(Date.now() - began < 2_000, "did not wait for its end");
  });

  test("asks its client and takes the answer from another connection; of two answers the first counts", async () => {
    const session = await here.session({ capabilities: ASKING });
    const { stream, question } = await asked(session);
    const other = there.join(session);
    await other.tell(accept(question, "first"));
    await other.tell(accept(question, "second"));
    const [{ message }] = await rest(stream);
    assert.match(textOf(message), /action=accept.*"first"/);
  });

  test("of two answers at once takes one", async () => {
    const session = await here.session({ capabilities: ASKING });
    const { stream, question } = await asked(session);
    await Promise.all(["one", "two"].map((name, index) => [here, there][index].join(session).tell(accept(question, name))));
    assert.match(textOf((await rest(stream))[0].message), /action=accept.*"(one|two)"/);
  });

  test("asks on, where its client left: whoever resumes is asked, answers, and has the result", async () => {
    const session = await here.session({ capabilities: ASKING });
    const stream = await session.stream(...tool("test_elicitation", { message: "Who?" }), 5);
    const primed = await stream.take();
    await stream.close();
    const resumed = await there.join(session).get(primed.id);
    const [{ message }] = await upTo(resumed, ({ method }) => method === "elicitation/create");
    await session.tell(accept(message.id, "back again"));
    assert.match(textOf((await rest(resumed))[0].message), /"back again"/);
  });

  test("that its client declines is told so, and an error for an answer is a refusal", async () => {
    const session = await here.session({ capabilities: ASKING });
    const declined = await asked(session, 1);
    await session.tell({ id: declined.question, result: { action: "decline" } });
    assert.match(textOf((await rest(declined.stream))[0].message), /action=decline/);
    const failed = await asked(session, 2);
    await session.tell({ id: failed.question, error: { code: -32603, message: "no user here" } });
    const [{ message }] = await rest(failed.stream);
    assert.equal(message.result.isError, true);
  });
});

describe("a call of the stateless era", () => {
  test("that takes long shows twice a second that it lives, and answers on the stream", async () => {
    const stream = await here.stream(...tool("slow_compute", { seconds: 2 }));
    const [times, messages] = [[], []];
    for await (const event of stream) {
      if ("comment" in event) times.push(performance.now());
      else messages.push(JSON.parse(event.data));
    }
    assert.ok(times.length >= 2 && times.length <= 4, `${times.length} comments in two seconds`);
    assert.deepEqual(messages.map(textOf), ["Computed something for 2 s"]);
  });

  test("of a fan-out that waits for a rig is a stream as well, and names what is missing", async () => {
    const town = await on.createFleetTown(["web", "hung"]);
    await on.hang(town.rigs.hung);
    const stream = await clientOf(on, { token, path: `/towns/${town.id}/mcp` }).stream(...tool("list_beads"));
    const events = [];
    for await (const event of stream) events.push(event);
    assert.ok("comment" in events[0]);
    assert.deepEqual(JSON.parse(events.at(-1).data).result.structuredContent.coverage.missing.map(({ id }) => id), [town.rigs.hung]);
    await on.hang();
  });

  for (const leaves of [true, false]) {
    test(`that only looks ${leaves ? "is stopped when its client leaves: the rigs are not asked any more" : "goes on while its client waits, and asks the rigs"}`, async () => {
      const town = await on.createFleetTown(["web"]);
      const client = clientOf(on, { token, path: `/towns/${town.id}/mcp` });
      await client.call("list_rigs");
      await on.hang(town.id);
      const stream = await client.stream(...tool("list_beads"));
      for (let comments = 0; comments < 2; comments++) assert.ok("comment" in (await stream.take(2_000)));
      if (leaves) {
        await stream.close();
        // It is noticed with one of the next two comments.
        await sleep(1_500);
      }
      await on.hang();
      if (leaves) await sleep(500);
      else assert.ok((await stream.message()).result.structuredContent.beads);
      assert.equal((await on.harness("/__called", { name: town.rigs.web })).includes("listBeads"), !leaves);
    });
  }

  test("that changes something is carried out whole, though its client has left", async () => {
    const town = await on.createFleetTown(["web"]);
    const client = clientOf(on, { token, path: `/towns/${town.id}/mcp` });
    const { agent } = await client.call("sling", { rig: "web", title: "work" });
    const polecat = { rig: "web", agent: agent.id };
    const { confirm_token } = await client.call("remove_polecat", polecat);
    await on.hang(town.rigs.web);
    const gone = client.stream(...tool("remove_polecat", { ...polecat, confirm: true, confirm_token }), { within: 700 });
    await assert.rejects(gone, { isTimeout: true });
    await on.hang();
    await until("the polecat is gone", async () => !(await client.call("list_agents")).agents.some(({ id }) => id === agent.id));
  });

  test("that leaves slow streams early leaves the server in peace", async () => {
    await Promise.all(Array.from({ length: 30 }, async () => {
      const stream = await here.stream(...tool("slow_compute", { seconds: 5 }));
      await stream.take();
      await stream.close();
    }));
    assert.equal((await here.ask("tools/call", { name: "greet", arguments: { name: "you" } })).json.result.content[0].text, "Hello, you!");
  });
});

describe("a task", () => {
  const begin = async (name, args = {}) => {
    const { json, text } = await here.ask("tools/call", { name, arguments: args }, { capabilities: { ...TASKS, ...ASKING } });
    assert.equal(json?.result?.resultType, "task", text);
    return json.result.taskId;
  };
  const tasks = (method, params, client = there) => client.ask(method, params, { capabilities: { ...TASKS, ...ASKING } });
  const get = async (taskId) => (await tasks("tasks/get", { taskId })).json.result;

  test("completes by itself in time, and those who listen are told with the result", async () => {
    const taskId = await begin("slow_compute", { seconds: 1, label: "told" });
    const { stream, ack } = await there.listen({ taskIds: [taskId, "unknown"] }, { id: "tasks", capabilities: TASKS });
    assert.deepEqual(ack.notifications.taskIds, [taskId]);
    const message = await stream.message();
    assert.deepEqual([message.method, message.params.taskId, message.params.status, message.params._meta[SUBSCRIPTION]], ["notifications/tasks", taskId, "completed", "tasks"]);
    assert.equal(message.params.result.content[0].text, "Computed told for 1 s");
    await stream.close();
  });

  test("that two connections answer at once is answered once, and ends once", async () => {
    const taskId = await begin("multi_input");
    assert.equal((await get(taskId)).status, "input_required");
    const { stream } = await here.listen({ taskIds: [taskId] }, { capabilities: TASKS });
    const inputResponses = { name: { action: "accept", content: { name: "Nux" } }, confirm: { action: "accept", content: { confirm: true } } };
    const answers = await Promise.all([here, there, here, there].map((client) => tasks("tasks/update", { taskId, inputResponses }, client)));
    for (const { status, json } of answers) assert.deepEqual([status, json.result.resultType], [200, "complete"]);
    assert.equal((await stream.message()).params.status, "completed");
    await stream.quiet(500);
    assert.match((await get(taskId)).result.content[0].text, /Nux/);
    await stream.close();
  });

  test("takes halves of the answers from two connections at once", async () => {
    const taskId = await begin("multi_input");
    await Promise.all([{ name: { action: "accept", content: { name: "Nux" } } }, { confirm: { action: "accept", content: { confirm: true } } }]
      .map((inputResponses, index) => tasks("tasks/update", { taskId, inputResponses }, [here, there][index])));
    await until("the task is done", async (note) => note(await get(taskId)).status === "completed", { within: 3_000 });
  });

  test("that is cancelled stays so, also past its time", async () => {
    const taskId = await begin("slow_compute", { seconds: 1 });
    assert.equal((await tasks("tasks/cancel", { taskId })).status, 200);
    await sleep(1_500);
    assert.equal((await get(taskId)).status, "cancelled");
  });

  test("is nobody else's", async () => {
    const taskId = await begin("slow_compute", { seconds: 1 });
    const stranger = clientOf(on, { token: tokens.user("stranger") });
    for (const method of ["tasks/get", "tasks/cancel", "tasks/update"]) {
      assert.equal((await tasks(method, { taskId, inputResponses: {} }, stranger)).json.error.code, -32602, method);
    }
  });
});
