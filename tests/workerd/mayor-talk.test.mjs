// Owns: the conversation with a town's Mayor on the real runtime: who hears of what on real streams, and what is claimed
// of a client that has left. Does not: repeat the cases of tests/it/town/mayor_mail.rs and mayor_talk.rs.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, eras } from "./lib/mcp.mjs";
import { clientOf, SOON_MS, TASKS, upTo } from "./lib/streams.mjs";
import { tokens } from "./lib/tokens.mjs";
import { takeViolations } from "./lib/wire-fetch.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, until, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { World } from "./lib/world.mjs"
 */

const UPDATED = "notifications/resources/updated";
const ALL = "/mcp?toolsets=all";
/** Longer than it takes until a notification counts as taken, and until that has reached the town. */
const TAKEN_MS = 6_000;
let /** @type {Server} */ server, /** @type {World} */ on;
before(async () => {
  server = await startWorkerd();
  on = world(server);
});
after(async () => {
  await server.stop();
  assert.deepEqual(takeViolations(), []);
});

/** A town, its Mayor's token, and calls of its object as its Mayor. */
async function place() {
  const town = await on.createFleetTown(["web"]);
  const token = tokens.mayor(town.id);
  const own = async (method, ...args) => {
    const answer = await on.rpc("TOWN", town.id, method, ...args, context(token));
    assert.ok("ok" in answer, `${method}: ${answer.error}`);
    return answer.ok;
  };
  return { town, token, own, uri: `gastown://towns/${town.id}/mayor`, path: `/towns/${town.id}/mcp` };
}

/** Listens to the conversation in either era; gives the stream. */
async function listen(era, { token, path, uri }) {
  const client = clientOf(on, { token, path });
  if (era === "modern") return (await client.listen({ resourceSubscriptions: [uri] })).stream;
  const session = await client.session();
  await session.subscribe(uri);
  return session.get();
}

const about = (uri) => (message) => message.method === UPDATED && message.params.uri === uri;
const outcome = (events) => events.at(-1).message.params._meta["gastown/outcome"];

describe("the conversation with a Mayor", () => {
  for (const era of eras) {
    test(`is heard of by both sides, ${era} (S0-06, S2-43)`, async () => {
      const at = await place();
      const elsewhere = await place();
      const coordinator = await connect(on, { era, token: tokens.user("owner"), path: ALL });
      const [mayor, other] = [await listen(era, at), await listen(era, elsewhere)];
      const sent = await coordinator.call("send_mayor_message", { town: at.town.id, message: "Which license?" });
      assert.equal(sent.delivery, "queued");
      const told = outcome(await upTo(mayor, about(at.uri), SOON_MS * 5));
      assert.deepEqual([told.message_id, told.unread], [sent.message_id, 1]);
      const stands = async () => (await coordinator.call("mayor_messages", { town: at.town.id })).messages[0];
      assert.equal((await stands()).status, "queued");
      await until("it is delivered", async () => (await stands()).status === "delivered", { within: TAKEN_MS * 3 });

      const [letter] = (await at.own("primeMayor")).mail.messages;
      assert.deepEqual([letter.id, letter.message], [sent.message_id, "Which license?"]);
      assert.equal((await stands()).status, "read");
      const sender = await listen(era, { token: tokens.user("owner"), path: at.path, uri: at.uri });
      const { next_cursor } = await coordinator.call("mayor_messages", { town: at.town.id });
      const waiting = coordinator.call("wait_for", { town: at.town.id, message: sent.message_id, timeout_seconds: 20 });
      await sleep(500);
      await at.own("replyAsMayor", sent.message_id, "MIT");
      assert.deepEqual([(await waiting).done, (await waiting).status], [true, "answered"]);
      assert.deepEqual(outcome(await upTo(sender, (message) => about(at.uri)(message) && message.params._meta["gastown/outcome"].status === "answered", SOON_MS * 5)),
        { message_id: sent.message_id, status: "answered" });
      const news = await coordinator.call("mayor_messages", { town: at.town.id, cursor: next_cursor });
      assert.deepEqual(news.messages.map(({ status, replies }) => [status, replies[0].text]), [["answered", "«MIT»"]]);

      // The other town's Mayor heard of nothing.
      await coordinator.call("send_mayor_message", { town: elsewhere.town.id, message: "yours" });
      assert.notEqual(outcome(await upTo(other, about(elsewhere.uri), SOON_MS * 5)).message_id, sent.message_id);
      for (const stream of [mayor, other, sender]) await stream.close();
      await coordinator.close();
    });

    test(`claims nothing of a Mayor that has left, ${era}`, async () => {
      for (const gone of [0, 1_000]) {
        const at = await place();
        const mayor = await listen(era, at);
        await sleep(300);
        await mayor.close();
        await sleep(gone);
        const coordinator = clientOf(on, { token: tokens.user("owner"), path: ALL });
        const { message_id } = await coordinator.call("send_mayor_message", { town: at.town.id, message: "still there?" });
        await sleep(TAKEN_MS);
        const { messages } = await coordinator.call("mayor_messages", { town: at.town.id });
        assert.deepEqual(messages.map(({ message_id, status }) => [message_id, status]), [[message_id, "queued"]], `gone for ${gone} ms`);
      }
    });
  }

  test("a reply ends the task of who waits for it", async () => {
    const at = await place();
    const coordinator = clientOf(on, { token: tokens.user("owner"), path: ALL });
    const { message_id } = await coordinator.call("send_mayor_message", { town: at.town.id, message: "done yet?" });
    const wait = { name: "wait_for", arguments: { town: at.town.id, message: message_id } };
    const { taskId } = (await coordinator.ask("tools/call", wait, { capabilities: TASKS })).json.result;
    await at.own("replyAsMayor", message_id, "yes");
    const ended = await until("the task ends", async () => {
      const { result } = (await coordinator.ask("tasks/get", { taskId }, { capabilities: TASKS })).json;
      return result.status === "completed" && result;
    });
    assert.equal(ended.result.structuredContent.status, "answered");
  });
});
