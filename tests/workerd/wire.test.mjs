// Owns: the check of MCP messages that every other test relies on: that it sees what is wrong, and admits what is not.
// Does not: start the Worker; a few canned answers over real HTTP take its place.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { LATEST_LEGACY, MODERN, REVISIONS, schemaOf } from "./lib/schemas.mjs";
import { wireErrors } from "./lib/wire.mjs";
import { takeViolations, wireFetch } from "./lib/wire-fetch.mjs";

const META = "io.modelcontextprotocol";
const tool = { name: "look", inputSchema: { type: "object" } };
const answer = (result) => ({ jsonrpc: "2.0", id: 1, result });
const refusal = (code, more = {}) => ({ jsonrpc: "2.0", id: 1, error: { code, message: "no", ...more } });
const modernList = (more = {}) => answer({ resultType: "complete", tools: [tool], ttlMs: 0, cacheScope: "private", ...more });

describe("the schemas", () => {
  test("are there for every revision, and each knows the methods that it should", () => {
    for (const revision of REVISIONS) {
      const { definitions, results } = schemaOf(revision);
      assert.ok(Object.keys(definitions).length > 80, revision);
      assert.equal(results.get("tools/call"), "CallToolResult");
      assert.equal(results.has("initialize"), revision !== MODERN, revision);
      assert.equal(results.has("server/discover"), revision === MODERN, revision);
    }
    assert.equal(schemaOf(LATEST_LEGACY).results.get("ping"), "EmptyResult");
    assert.equal(schemaOf(MODERN).errors.get(-32022), "UnsupportedProtocolVersionError");
  });
});

describe("a message", () => {
  /** @type {Record<string, [revision: string, method: string | undefined, message: any]>} */
  const good = {
    "a legacy list": [LATEST_LEGACY, "tools/list", answer({ tools: [tool] })],
    "a modern list": [MODERN, "tools/list", modernList({ _meta: { [`${META}/serverInfo`]: { name: "s", version: "1" } } })],
    "an empty legacy result": [LATEST_LEGACY, "ping", answer({})],
    "an error without an id, in any revision": ["2025-03-26", undefined, { ...refusal(-32600), id: undefined }],
    "a question": [MODERN, "tools/call", answer({ resultType: "input_required", requestState: "x" })],
    "a task": [MODERN, "tools/call", answer({ resultType: "task", taskId: "t", status: "working", createdAt: "", lastUpdatedAt: "", ttlMs: null })],
    "an extension's result": [MODERN, "tasks/get", answer({ resultType: "complete", taskId: "t", status: "working" })],
    "a modern notification": [MODERN, undefined, { jsonrpc: "2.0", method: "notifications/tools/list_changed", params: { _meta: { [`${META}/subscriptionId`]: 7 } } }],
    "a legacy request of the server": [LATEST_LEGACY, undefined, { jsonrpc: "2.0", id: 1, method: "roots/list" }],
    "any names in structured content": [LATEST_LEGACY, "tools/call", answer({ content: [], structuredContent: { resultType: 1, _meta: { [`${META}/serverInfo`]: 1 } } })],
    "declared extensions in both eras": [LATEST_LEGACY, "initialize", answer({ protocolVersion: LATEST_LEGACY, capabilities: { extensions: {} }, serverInfo: { name: "s", version: "1" } })],
  };
  for (const [name, [revision, method, message]] of Object.entries(good)) {
    const { id, ...rest } = message;
    test(`${name} is admitted`, () => assert.deepEqual(wireErrors({ revision, method, message: id === undefined ? rest : message }), []));
  }

  /** @type {Record<string, [revision: string, method: string | undefined, message: any, pattern: RegExp]>} */
  const bad = {
    // Of another shape than the revision says.
    "a list of no tools": [MODERN, "tools/list", modernList({ tools: undefined }), /tools/],
    "a result of another method": [LATEST_LEGACY, "prompts/list", answer({ tools: [] }), /prompts/],
    "a modern list that does not say how long it holds": [MODERN, "tools/list", answer({ resultType: "complete", tools: [] }), /ttlMs/],
    "a modern result without its type": [MODERN, "tools/call", answer({ content: [] }), /resultType/],
    "a result type that nobody knows": [MODERN, "tools/call", answer({ resultType: "maybe", content: [] }), /none of/],
    "a question from a list": [MODERN, "tools/list", answer({ resultType: "input_required", requestState: "x" }), /may not ask/],
    "an empty question": [MODERN, "tools/call", answer({ resultType: "input_required" }), /neither/],
    "a ping with news": [LATEST_LEGACY, "ping", answer({ pong: true }), /EmptyResult: has pong/],
    "an id that is null": [LATEST_LEGACY, undefined, { ...refusal(-32700), id: null }, /id/],
    "JSON-RPC of another version": [MODERN, "tools/list", { ...modernList(), jsonrpc: "1.0" }, /jsonrpc/],
    "a result and an error at once": [MODERN, "tools/list", { ...modernList(), ...refusal(-32603) }, /neither request/],
    "no object": [MODERN, "tools/list", "hello", /neither request/],
    "the error for a version, without the versions": [MODERN, "tools/list", refusal(-32022), /data/],
    "content of an unknown kind": [LATEST_LEGACY, "tools/call", answer({ content: [{ type: "smell" }] }), /content/],
    // Of the other era, or of a later revision.
    "a legacy result with a type": [LATEST_LEGACY, "tools/call", answer({ content: [], resultType: "complete" }), /resultType is modern/],
    "a legacy list with a time to live": [LATEST_LEGACY, "tools/list", answer({ tools: [], ttlMs: 1 }), /ttlMs is modern/],
    "a legacy result that says who answers": [LATEST_LEGACY, "ping", answer({ _meta: { [`${META}/serverInfo`]: {} } }), /serverInfo"\] is modern/],
    "a legacy error of a modern code": [LATEST_LEGACY, "tools/list", refusal(-32020), /not of this era/],
    "a modern error of a legacy code": [MODERN, "resources/read", refusal(-32002), /not of this era/],
    "a modern ping": [MODERN, "ping", answer({ resultType: "complete" }), /no method ping/],
    "a modern initialize": [MODERN, "initialize", answer({ resultType: "complete" }), /no method initialize/],
    "a modern request of the server": [MODERN, undefined, { jsonrpc: "2.0", id: 1, method: "roots/list" }, /may not send the request/],
    "a legacy notification in the modern era": [MODERN, undefined, { jsonrpc: "2.0", method: "notifications/elicitation/complete", params: { elicitationId: "1" } }, /may not send/],
    "a title before there were titles": ["2025-03-26", "tools/list", answer({ tools: [{ ...tool, title: "Look" }] }), /tools\[0\]\.title/],
    "structured content before there was any": ["2024-11-05", "tools/call", answer({ content: [], structuredContent: {} }), /structuredContent/],
    "an icon before there were icons": ["2025-06-18", "tools/list", answer({ tools: [{ ...tool, icons: [] }] }), /icons/],
    "legacy tasks in the modern era": [MODERN, "server/discover", answer({ resultType: "complete", supportedVersions: [], capabilities: { tasks: {} }, ttlMs: 0, cacheScope: "public" }), /capabilities\.tasks/],
  };
  for (const [name, [revision, method, message, pattern]] of Object.entries(bad)) {
    test(`${name} is refused`, () => assert.match(wireErrors({ revision, method, message }).join("\n"), pattern));
  }

  test("of a client is held to what clients may send", () => {
    const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "look" } };
    assert.deepEqual(wireErrors({ revision: LATEST_LEGACY, from: "client", message: call }), []);
    assert.match(wireErrors({ revision: LATEST_LEGACY, from: "server", message: call })[0], /server may not send the request tools\/call/);
    assert.match(wireErrors({ revision: MODERN, from: "client", message: call }).join(), /_meta/);
  });
});

describe("fetch", () => {
  let server, url, next;
  before(async () => {
    server = createServer((request, response) => {
      request.resume();
      response.writeHead(next.status ?? 200, { "content-type": next.type ?? "application/json", ...next.headers });
      response.end(typeof next.body === "string" ? next.body : JSON.stringify(next.body));
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    url = `http://127.0.0.1:${server.address().port}/mcp`;
  });
  after(() => server.close(server.closeAllConnections()));

  /** Sends a request and gives the answer that the server has been told to give. */
  const send = (method, canned, /** @type {{ version?: string, session?: string, id?: number, params?: object }} */ { version = LATEST_LEGACY, session, id = 1, params = {} } = {}) => {
    next = canned;
    const headers = { ...(version && { "mcp-protocol-version": version }), ...(session && { "mcp-session-id": session }) };
    return wireFetch(url, { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", id, method, params }) });
  };
  const refused = async (pattern, method, canned, options = {}) => {
    await assert.rejects(send(method, canned, options), pattern);
    assert.match(takeViolations().join(), pattern);
  };

  test("gives back a good answer as it is", async () => {
    const response = await send("tools/list", { body: answer({ tools: [tool] }) });
    assert.deepEqual(await response.json(), answer({ tools: [tool] }));
    assert.deepEqual(takeViolations(), []);
  });

  test("rejects a bad one, one to another id, a needless batch, and what is no message", async () => {
    await refused(/ttlMs is modern/, "tools/list", { body: answer({ tools: [], ttlMs: 1 }) });
    await refused(/id 1, which was not asked/, "tools/list", { body: answer({ tools: [] }) }, { id: 2 });
    await refused(/batch/, "tools/list", { body: [answer({ tools: [] })] });
    await refused(/no MCP message/, "tools/list", { body: { hello: "world" } });
    await refused(/id/, "tools/list", { status: 400, body: { ...refusal(-32600), id: null } });
    assert.equal((await send("tools/list", { status: 401, body: { error: "token" } })).status, 401);
  });

  test("holds an answer to the revision of its session, whatever the header says", async () => {
    const opened = { protocolVersion: "2025-03-26", capabilities: {}, serverInfo: { name: "s", version: "1" } };
    await send("initialize", { body: answer(opened), headers: { "mcp-session-id": "s1" } }, { version: null, params: { protocolVersion: "2025-03-26" } });
    await refused(/structuredContent/, "tools/call", { body: answer({ content: [], structuredContent: {} }) }, { session: "s1", version: null });
    await send("tools/call", { body: answer({ content: [], structuredContent: {} }) }, { session: "another" });
  });

  test("looks at each event of a stream, and keeps what is wrong", async () => {
    const event = (message) => `data: ${JSON.stringify(message)}\n\n`;
    const progress = { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1, progress: 1 } };
    const good = event(progress) + ": keep-alive\n\n" + event(answer({ content: [] }));
    const stream = { type: "text/event-stream", body: good };
    assert.equal(await (await send("tools/call", stream)).text(), good);
    assert.deepEqual(takeViolations(), []);
    await (await send("tools/call", { ...stream, body: event(answer({ content: [], resultType: "complete" })) })).text();
    await (await send("tools/call", { ...stream, body: event({ jsonrpc: "2.0", id: 9, method: "roots/list" }) }, { version: MODERN })).text();
    await (await send("tools/call", { ...stream, body: "data: {\n\n" })).text();
    const [modern, request, json] = takeViolations();
    assert.match(modern, /resultType is modern/);
    assert.match(request, /may not send the request roots\/list/);
    assert.match(json, /not JSON/);
  });
});
