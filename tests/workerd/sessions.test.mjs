// Owns: the protocol's earlier revisions over real HTTP: initialize, sessions and their end, batches.
// Does not: test results of tools (clients.test.mjs). Ids L… are rows of the server checklist for earlier revisions.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { checkError, initialize, LEGACY, legacy, MODERN } from "./lib/mcp.mjs";
import { openSse } from "./lib/sse.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

const token = tokens.user("owner");
let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ town;
before(async () => {
  server = await startWorkerd();
  on = world(server);
  town = await on.createFleetTown(["web"]);
});
after(() => server.stop());

const post = (request, path = "/mcp") => on.http("POST", path, { token, ...request });

describe("a legacy session", () => {
  // L1
  const negotiated = { "2025-11-25": LEGACY, "2025-06-18": "2025-06-18", "2025-03-26": "2025-03-26", "2024-11-05": "2024-11-05", [MODERN]: LEGACY, "1999-01-01": LEGACY };
  for (const [asked, given] of Object.entries(negotiated)) {
    test(`initialize with ${asked} settles on ${given} and gives a session id of visible ASCII`, async () => {
      const answer = await initialize(on, { token, version: asked });
      assert.equal(answer.json.result.protocolVersion, given, answer.text);
      assert.match(answer.session, /^[\x21-\x7e]+$/);
    });
  }

  test("goes through initialize, notification, ping, list and call, and its results have no modern fields", async () => {
    const { session, json } = await initialize(on, { token });
    assert.equal(json.result.serverInfo.name, "gastown-mcp");
    const initialized = await post(legacy("notifications/initialized", {}, { id: null, session }));
    assert.deepEqual([initialized.status, initialized.text], [202, ""]);
    assert.deepEqual((await post(legacy("ping", {}, { session }))).json, { jsonrpc: "2.0", id: 1, result: {} });
    const { result } = (await post(legacy("tools/list", {}, { session }))).json;
    assert.deepEqual(Object.keys(result), ["tools"]);
    const called = (await post(legacy("tools/call", { name: "list_towns" }, { session }))).json.result;
    assert.ok(called.structuredContent.towns.length > 0);
    assert.ok(!("resultType" in called));
  });

  // Gemini sends no version header after initialize.
  test("needs no version header, and refuses one that is not served", async () => {
    const { session } = await initialize(on, { token });
    assert.equal((await post(legacy("ping", {}, { session, version: null }))).status, 200);
    checkError(await post(legacy("ping", {}, { session, version: "2031-01-01" })), [400, -32600]);
  });

  // L2
  test("is required: without an id 400, with one that is not ours 404", async () => {
    checkError(await post(legacy("tools/list")), [400, -32600]);
    const { session } = await initialize(on, { token });
    for (const id of ["garbage", `${session}x`, session.slice(0, -3), session.replace(/\.[^.]+$/, ".AAAA"), "x".repeat(4000)]) {
      checkError(await post(legacy("tools/list", {}, { session: id })), [404, -32600]);
    }
  });

  test("belongs to who opened it, on the door where it was opened", async () => {
    const { session } = await initialize(on, { token });
    checkError(await on.http("POST", "/mcp", { token: tokens.user("mallory"), ...legacy("tools/list", {}, { session }) }), [404, -32600]);
    checkError(await post(legacy("tools/list", {}, { session }), `/towns/${town.id}/mcp`), [404, -32600]);
    assert.equal((await on.http("POST", "/mcp", legacy("tools/list", {}, { session }))).status, 401, "a session authenticates nobody");
    const again = await on.http("POST", "/mcp", { token: tokens.user("owner", { env: "another token" }), ...legacy("tools/list", {}, { session }) });
    assert.equal(again.status, 200, "a fresh token of the same user goes on");
  });

  // L5, L6
  for (const path of ["/mcp", "town"]) {
    test(`ends with DELETE (${path}): 204, then 404 for everything, also after a restart`, async () => {
      const door = path === "town" ? `/towns/${town.id}/mcp` : path;
      const { session } = await initialize(on, { token, path: door });
      const kept = await initialize(on, { token, path: door });
      const end = () => on.http("DELETE", door, { token, headers: { "mcp-session-id": session } });
      const ended = await end();
      assert.deepEqual([ended.status, ended.text], [204, ""]);
      const isGone = async () => {
        checkError(await post(legacy("tools/list", {}, { session }), door), [404, -32600]);
        checkError(await end(), [404, -32600, null]);
        checkError(await on.http("GET", door, { token, headers: { "mcp-session-id": session, accept: "text/event-stream" } }), [404, -32600, null]);
        assert.equal((await post(legacy("ping", {}, { session: kept.session }), door)).status, 200, "another session goes on");
      };
      await isGone();
      await server.restart();
      await isGone();
    });
  }

  test("DELETE of somebody else's session is 404 and ends nothing", async () => {
    const { session } = await initialize(on, { token });
    const ended = await on.http("DELETE", "/mcp", { token: tokens.user("mallory"), headers: { "mcp-session-id": session } });
    checkError(ended, [404, -32600, null]);
    assert.equal((await post(legacy("ping", {}, { session }))).status, 200);
  });

  // L4; what is on it: streams.test.mjs
  test("GET opens its stream at once, and none without a session", async () => {
    const get = (headers) => openSse(`${server.url}/mcp`, { headers: { authorization: `Bearer ${token}`, ...headers } });
    for (const version of [LEGACY, "2025-06-18", "2024-11-05"]) {
      const { session } = await initialize(on, { token, version });
      const stream = await get({ "mcp-session-id": session });
      assert.deepEqual([stream.status, stream.headers.get("content-type"), stream.headers.get("cache-control")], [200, "text/event-stream", "no-cache"], version);
      // By its id a client resumes; before 2025-11-25 an event without data confuses clients.
      if (version === LEGACY) assert.deepEqual(Object.keys(await stream.take()), ["id", "retry", "data"]);
      await stream.close();
    }
    await assert.rejects(get({}), { status: 400 });
    await assert.rejects(get({ "mcp-session-id": "garbage" }), { status: 404 });
  });

  // L13
  test("takes batches in 2025-03-26 and in no other revision", async () => {
    const batch = [legacy("ping", {}, { id: 1 }).body, legacy("notifications/initialized", {}, { id: null }).body, legacy("nope", {}, { id: 2 }).body];
    for (const version of ["2025-03-26", "2025-06-18", LEGACY]) {
      const { session } = await initialize(on, { token, version });
      const answer = await post({ ...legacy("", {}, { session, version }), body: batch });
      if (version !== "2025-03-26") {
        checkError(answer, [400, -32600, null]);
        continue;
      }
      assert.deepEqual(answer.json.map(({ id, error }) => [id, error?.code]), [[1, undefined], [2, -32601]]);
    }
  });

  // L3
  test("accepts a client's response with 202", async () => {
    const { session } = await initialize(on, { token });
    assert.equal((await post({ ...legacy("", {}, { session }), body: { jsonrpc: "2.0", id: 7, result: {} } })).status, 202);
  });
});
