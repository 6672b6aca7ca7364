// Owns: the edges of the modern protocol over real HTTP: status and JSON-RPC code of everything a client can get wrong.
// Does not: test the eras before (sessions.test.mjs), HTTP around the protocol (http.test.mjs) or results of tools
// (clients.test.mjs). Ids H… are rows of the server checklist for revision 2026-07-28.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { checkError, LEGACY, meta, MODERN, modern, spoilt } from "./lib/mcp.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

const META = "io.modelcontextprotocol";
const token = tokens.user("owner");
let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ town;
before(async () => {
  server = await startWorkerd();
  on = world(server);
  town = await on.createFleetTown(["web"]);
});
after(() => server.stop());

const post = (request, path = "/mcp") => on.http("POST", path, { token, ...request });
const withParams = (params, method = "tools/list") => ({ jsonrpc: "2.0", id: 1, method, params });
const metaOf = (changes) => ({ _meta: { ...meta()._meta, ...changes } });

describe("a modern request", () => {
  /** @type {[method: string, params: object]} */
  const call = ["tools/call", { name: "list_towns" }];
  /** @type {Record<string, [request: { headers: object, body: any }, expected: (number | null)[]]>} */
  const cases = {
    // H7, H8, H9
    "without the version header": [spoilt({ "mcp-protocol-version": null }), [400, -32020]],
    "whose version header is not the body's": [spoilt({ "mcp-protocol-version": LEGACY }), [400, -32020]],
    "of a version that is not served": [spoilt({ "mcp-protocol-version": "2027-01-01" }, withParams(metaOf({ [`${META}/protocolVersion`]: "2027-01-01" }))), [400, -32022]],
    "without _meta": [spoilt({}, withParams({})), [400, -32602]],
    "without params": [spoilt({}, { jsonrpc: "2.0", id: 1, method: "tools/list" }), [400, -32602]],
    "without client capabilities": [spoilt({}, withParams(metaOf({ [`${META}/clientCapabilities`]: undefined }))), [400, -32602]],
    "whose version is no string": [spoilt({}, withParams(metaOf({ [`${META}/protocolVersion`]: 2026 }))), [400, -32602]],
    // H12, H13, H14, H23
    "without Mcp-Method": [spoilt({ "mcp-method": null }), [400, -32020]],
    "whose Mcp-Method is another": [spoilt({ "mcp-method": "tools/call" }), [400, -32020]],
    "whose Mcp-Method differs in case": [spoilt({ "mcp-method": "Tools/List" }), [400, -32020]],
    "with Mcp-Method twice": [spoilt({ "mcp-method": "tools/list, tools/list" }), [400, -32020]],
    "to a tool without Mcp-Name": [spoilt({ "mcp-name": null }, undefined, call), [400, -32020]],
    "to a tool with another Mcp-Name": [spoilt({ "mcp-name": "sling" }, undefined, call), [400, -32020]],
    "to a tool with Mcp-Name in broken base64": [spoilt({ "mcp-name": "=?base64?bGlzdF90b3ducw?=" }, undefined, call), [400, -32020]],
    // H11
    "to a method nobody knows": [modern("gastown/reticulate"), [404, -32601]],
    "to initialize, with _meta": [modern("initialize"), [404, -32601]],
    "to ping, which is gone": [modern("ping"), [404, -32601]],
    "to logging/setLevel, which is gone": [modern("logging/setLevel"), [404, -32601]],
    "to an unknown tool": [modern("tools/call", { name: "explode" }), [200, -32602]],
    "to a tool whose name is no string": [modern("tools/call", { name: 7 }), [200, -32602]],
    "with a cursor that was never given out": [modern("tools/list", { cursor: "x" }), [200, -32602]],
    // H3, H22
    "with id null": [spoilt({}, { ...modern("tools/list").body, id: null }), [400, -32600, null]],
    "with a fractional id": [spoilt({}, { ...modern("tools/list").body, id: 1.5 }), [400, -32600, null]],
    "of JSON-RPC 1.0": [spoilt({}, { ...modern("tools/list").body, jsonrpc: "1.0" }), [400, -32600]],
    "in a batch": [spoilt({}, [modern("tools/list").body]), [400, -32600, null]],
    "in an empty batch": [spoilt({}, []), [400, -32600, null]],
    "that is a response": [spoilt({}, { jsonrpc: "2.0", id: 1, result: {} }), [400, -32600, null]],
    "that is no JSON": [spoilt({}, "{"), [400, -32700, null]],
    "that is empty": [spoilt({}, ""), [400, -32700, null]],
    "that is no UTF-8": [spoilt({}, new Uint8Array([0x7b, 0xff, 0x7d])), [400, -32700, null]],
    "in plain text": [spoilt({ "content-type": "text/plain" }), [415, -32600, null]],
  };
  for (const [name, [request, expected]] of Object.entries(cases)) {
    test(`${name} is answered ${expected[0]} ${expected[1]}`, async () => checkError(await post(request), expected));
  }

  test("that names a version not served is told which are, the same as server/discover says", async () => {
    const refused = await post(cases["of a version that is not served"][0]);
    const { json } = await post(modern("server/discover"));
    assert.equal(refused.json.error.data.requested, "2027-01-01");
    assert.ok(refused.json.error.data.supported.every((version) => json.result.supportedVersions.includes(version)));
    assert.ok(json.result.supportedVersions.includes(MODERN));
    assert.equal(json.result.resultType, "complete");
  });

  // H6, H12, H14, H17, and what the official suite does.
  const tolerated = {
    "Accept of JSON only": [{ accept: "application/json" }],
    "Accept of anything": [{ accept: "*/*" }],
    "a charset": [{ "content-type": "application/json; charset=utf-8" }],
    "white space around header values": [{ "mcp-method": " tools/call " }],
    "Mcp-Name in base64": [{ "mcp-name": "=?base64?bGlzdF90b3ducw==?=" }],
    "somebody's session id": [{ "mcp-session-id": "garbage" }],
    "Last-Event-ID": [{ "last-event-id": "7" }],
    "an Origin of the deployment's own": [{ origin: "http://127.0.0.1:1" }],
    "an allowed Origin": [{ origin: "https://allowed.example" }],
  };
  for (const [name, [headers]] of Object.entries(tolerated)) {
    test(`with ${name} is served, without a session id`, async () => {
      const answer = await post(spoilt(headers, undefined, call));
      assert.equal(answer.status, 200, answer.text);
      assert.ok(answer.json.result.structuredContent.towns.some(({ id }) => id === town.id));
      assert.equal(answer.headers.get("mcp-session-id"), null);
      assert.match(answer.headers.get("content-type"), /^application\/json/);
    });
  }

  test("without clientInfo is served", async () => {
    const answer = await post(spoilt({}, withParams(metaOf({ [`${META}/clientInfo`]: undefined }))));
    assert.ok(answer.json.result.tools.length > 0);
  });

  test("keeps its id as it was written, whatever kind it is", async () => {
    for (const id of ["a", "", 0, -1, 9007199254740991]) assert.deepEqual((await post(modern("tools/list", {}, id))).json.id, id);
  });

  // H4
  test("that is a notification is accepted with 202 and no body", async () => {
    for (const method of ["notifications/cancelled", "notifications/whatever"]) {
      const { body, headers } = modern(method);
      const answer = await post({ headers, body: { ...body, id: undefined } });
      assert.deepEqual([answer.status, answer.text], [202, ""], method);
    }
  });

  // H17
  test("GET, DELETE and PUT are not allowed, and the answer says what is", async () => {
    for (const method of ["GET", "DELETE", "PUT", "PATCH"]) {
      const answer = await on.http(method, "/mcp", { token, headers: { "mcp-protocol-version": MODERN } });
      assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "POST"], method);
    }
  });
});
