// Owns: the reader of event streams that tests of streams rely on.
// Does not: start the Worker; a few canned streams over real HTTP take its place.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { EventStreamReader } from "./lib/event-stream.mjs";
import { openSse } from "./lib/sse.mjs";

describe("a piece of an event stream", () => {
  const text = ": hi\r\n\r\nid: 0\nretry: 3000\ndata: \n\nevent: message\rdata: one\rdata:two\r\rdata: last\n\n";
  const events = [{ comment: "hi" }, { id: "0", retry: 3000, data: "" }, { event: "message", data: "one\ntwo" }, { data: "last" }];

  test("gives fields, comments and events without data", () => {
    const reader = new EventStreamReader();
    assert.deepEqual(reader.push(text), events);
    assert.equal(reader.unfinished(), "");
  });

  test("may be cut anywhere", () => {
    for (let size = 1; size < 7; size++) {
      const reader = new EventStreamReader();
      const seen = [];
      for (let at = 0; at < text.length; at += size) seen.push(...reader.push(text.slice(at, at + size)));
      assert.deepEqual(seen, events, `in pieces of ${size}`);
    }
  });

  test("is unfinished without its empty line", () => {
    const reader = new EventStreamReader();
    assert.deepEqual(reader.push("data: half\n"), []);
    assert.match(reader.unfinished(), /half/);
  });
});

describe("an open stream", () => {
  let server, url, respond, gone;
  before(async () => {
    server = createServer((request, response) => {
      gone = new Promise((resolve) => response.once("close", resolve));
      let body = "";
      request.on("data", (chunk) => (body += chunk)).on("end", () => respond(request, response, body));
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    url = `http://127.0.0.1:${server.address().port}/events`;
  });
  after(() => server.close(server.closeAllConnections()));
  const stream = (...pieces) => async (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const piece of pieces) {
      if (typeof piece === "number") await sleep(piece);
      else response.write(piece);
    }
  };

  test("is iterated to its end, with what was sent in the request", async () => {
    respond = (request, response, body) => {
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
      response.end(`event: ${request.method}\nid: ${request.headers["last-event-id"]}\ndata: ${body}\n\n:bye\n\n`);
    };
    const seen = [];
    for await (const event of await openSse(url, { headers: { "last-event-id": "7" }, body: { a: 1 } })) seen.push(event);
    assert.deepEqual(seen, [{ event: "POST", id: "7", data: '{"a":1}' }, { comment: "bye" }]);
  });

  test("waits no longer than told, and loses nothing by it", async () => {
    respond = stream(": one\n\n", 300, 'data: {"n":1}\n\n');
    const events = await openSse(url);
    assert.deepEqual(await events.take(), { comment: "one" });
    await assert.rejects(events.take(50), /no sign of an event within/);
    assert.deepEqual(await events.message(5_000), { n: 1 });
    await events.close();
    await gone;
  });

  test("can be watched for silence", async () => {
    respond = stream(":\n\n", 100, ":\n\n");
    const events = await openSse(url);
    await events.quiet(200);
    await events.close();
    respond = stream("data: 1\n\n");
    const loud = await openSse(url);
    await assert.rejects(loud.quiet(2_000), /expected silence, got 1/);
    await loud.close();
  });

  test("left early closes the connection", async () => {
    respond = stream("data: 1\n\n", "data: 2\n\n");
    for await (const { data } of await openSse(url)) {
      assert.equal(data, "1");
      break;
    }
    await gone;
  });

  test("that is none is an error with the answer", async () => {
    respond = (_, response) => response.writeHead(405).end("no");
    await assert.rejects(openSse(url), { status: 405, text: "no" });
    respond = () => {};
    await assert.rejects(openSse(url, { within: 100 }), /no sign of an answer within 100 ms/);
  });
});
