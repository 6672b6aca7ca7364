// Owns: the edges of the protocol over real HTTP: status and JSON-RPC code of everything a client can get wrong.
// Does not: test results of tools (clients.test.mjs) or tokens (auth.test.mjs). Ids H… and L… are of mcp.md 1.4 and 1.13.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { initialize, LEGACY, legacy, meta, MODERN, modern } from "./lib/mcp.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { until, world } from "./lib/world.mjs";

const META = "io.modelcontextprotocol";
const LIMIT = 4 * 1024 * 1024;
const token = tokens.user("owner");

/**
 * Announces a body over a plain socket, sends `chunks` and gives the answer. No byte more than the server reads: it closes
 * after its answer, and what it left unread would reset the connection before the answer is seen, as it does for fetch.
 */
async function upload(headers, framing, chunks) {
  const { host, port } = new URL(server.url);
  const socket = connect({ host: "127.0.0.1", port: Number(port) });
  let answer = "";
  socket.on("error", () => {}).on("data", (data) => (answer += data));
  const lines = [`POST /mcp HTTP/1.1`, `host: ${host}`, framing, ...headers.map(([name, value]) => `${name}: ${value}`)];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  for (const chunk of chunks) await new Promise((resolve) => socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`, resolve));
  await until("an answer to the upload", async () => answer.includes("}"));
  socket.destroy();
  return answer;
}

let server, on, town;
before(async () => {
  server = await startWorkerd();
  on = world(server);
  town = await on.createFleetTown(["web"]);
});
after(() => server.stop());

const post = (request, path = "/mcp") => on.http("POST", path, { token, ...request });
/** A good modern request with changed headers (null removes one) or another body. */
function spoilt(headers, body, [method, params] = ["tools/list", {}]) {
  const good = modern(method, params);
  const merged = Object.entries({ ...good.headers, ...headers }).filter(([, value]) => value !== null);
  return { headers: Object.fromEntries(merged), body: body ?? good.body };
}
const withParams = (params, method = "tools/list") => ({ jsonrpc: "2.0", id: 1, method, params });
const metaOf = (changes) => ({ _meta: { ...meta()._meta, ...changes } });

/** Checks status, JSON-RPC code and id (undefined: no id at all). */
function check({ status, json, text }, [wantedStatus, code, id = 1]) {
  assert.deepEqual({ status, code: json?.error?.code, id: json?.id }, { status: wantedStatus, code, id: id ?? undefined }, text);
  assert.equal(json.jsonrpc, "2.0");
}

describe("a modern request", () => {
  const call = ["tools/call", { name: "list_towns" }];
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
    test(`${name} is answered ${expected[0]} ${expected[1]}`, async () => check(await post(request), expected));
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
    assert.equal(answer.json.result.tools.length, 10);
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
    check(await post(legacy("ping", {}, { session, version: "2031-01-01" })), [400, -32600]);
  });

  // L2
  test("is required: without an id 400, with one that is not ours 404", async () => {
    check(await post(legacy("tools/list")), [400, -32600]);
    const { session } = await initialize(on, { token });
    for (const id of ["garbage", `${session}x`, session.slice(0, -3), session.replace(/\.[^.]+$/, ".AAAA"), "x".repeat(4000)]) {
      check(await post(legacy("tools/list", {}, { session: id })), [404, -32600]);
    }
  });

  test("belongs to who opened it, on the door where it was opened", async () => {
    const { session } = await initialize(on, { token });
    check(await on.http("POST", "/mcp", { token: tokens.user("mallory"), ...legacy("tools/list", {}, { session }) }), [404, -32600]);
    check(await post(legacy("tools/list", {}, { session }), `/towns/${town.id}/mcp`), [404, -32600]);
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
        check(await post(legacy("tools/list", {}, { session }), door), [404, -32600]);
        check(await end(), [404, -32600, null]);
        check(await on.http("GET", door, { token, headers: { "mcp-session-id": session, accept: "text/event-stream" } }), [404, -32600, null]);
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
    check(ended, [404, -32600, null]);
    assert.equal((await post(legacy("ping", {}, { session }))).status, 200);
  });

  test("GET opens no stream: 405 in a session, 400 without one", async () => {
    const { session } = await initialize(on, { token });
    const get = (headers) => on.http("GET", "/mcp", { token, headers: { accept: "text/event-stream", ...headers } });
    assert.equal((await get({ "mcp-session-id": session })).status, 405);
    check(await get({}), [400, -32600, null]);
  });

  // L13
  test("takes batches in 2025-03-26 and in no other revision", async () => {
    const batch = [legacy("ping", {}, { id: 1 }).body, legacy("notifications/initialized", {}, { id: null }).body, legacy("nope", {}, { id: 2 }).body];
    for (const version of ["2025-03-26", "2025-06-18", LEGACY]) {
      const { session } = await initialize(on, { token, version });
      const answer = await post({ ...legacy("", {}, { session, version }), body: batch });
      if (version !== "2025-03-26") {
        check(answer, [400, -32600, null]);
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

describe("HTTP", () => {
  // H22
  test("a body over 4 MiB is 413, with and without a length in front", async () => {
    const head = Object.entries({ ...modern("tools/list").headers, authorization: `Bearer ${token}`, "content-type": "application/json" });
    assert.match(await upload(head, `content-length: ${LIMIT + 1}`, []), /^HTTP\/1.1 413 /);
    const chunk = "x".repeat(64 * 1024);
    const answer = await upload(head, "transfer-encoding: chunked", Array(LIMIT / chunk.length + 1).fill(chunk));
    assert.match(answer, /^HTTP\/1.1 413 /);
    check({ status: 413, json: JSON.parse(/\{.*\}/.exec(answer)[0]), text: answer }, [413, -32600, null]);
  });

  test("a body just under 4 MiB is read", async () => {
    const padding = "x".repeat(LIMIT - 2_000);
    const answer = await post(modern("tools/call", { name: "send_mayor_message", arguments: { town: town.id, message: "x", padding } }));
    assert.equal(answer.status, 200, answer.text.slice(0, 300));
    assert.equal(answer.json.result.isError, true);
  });

  // H2
  test("an Origin that is not allowed is 403, before authentication and on every route", async () => {
    for (const origin of ["https://evil.example", "null", "https://allowed.example.evil.example", "http://allowed.example", "https://allowed.example:8443"]) {
      check(await post(spoilt({ origin })), [403, -32600, null]);
    }
    for (const path of ["/mcp", "/health", `/api/mayor/${town.id}/tools/rigs`]) {
      assert.equal((await on.http("GET", path, { headers: { origin: "https://evil.example" } })).status, 403, path);
    }
    assert.equal((await on.http("OPTIONS", "/mcp", { headers: { origin: "https://evil.example" } })).status, 403);
    assert.equal((await post(spoilt({ origin: "https://allowed.example:443" }))).status, 200, "the default port, spelt out");
  });

  // mcp.md 4.2, 11
  test("a preflight of an allowed page is answered, with every header that clients send", async () => {
    const answer = await on.http("OPTIONS", "/mcp", {
      headers: { origin: "https://allowed.example", "access-control-request-method": "POST", "access-control-request-headers": "mcp-method, mcp-param-town" },
    });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers.get("access-control-allow-origin"), "https://allowed.example");
    const allowed = answer.headers.get("access-control-allow-headers").toLowerCase();
    for (const name of ["content-type", "authorization", "mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id", "last-event-id", "mcp-param-town"]) {
      assert.ok(allowed.includes(name), name);
    }
    for (const method of ["GET", "POST", "DELETE"]) assert.ok(answer.headers.get("access-control-allow-methods").includes(method), method);
  });

  test("what a page may read is exposed to it, also on a refusal", async () => {
    const answer = await on.http("POST", "/mcp", { ...modern("tools/list"), headers: { ...modern("tools/list").headers, origin: "https://allowed.example" } });
    assert.equal(answer.status, 401);
    const exposed = answer.headers.get("access-control-expose-headers").toLowerCase();
    for (const name of ["mcp-session-id", "www-authenticate", "mcp-protocol-version"]) assert.ok(exposed.includes(name), name);
    assert.match(answer.headers.get("vary") ?? "", /origin/i);
  });

  // Codex, mcp-remote and Claude Code probe many of these.
  test("an unknown .well-known path is a clean 404 in JSON, for every method", async () => {
    for (const path of ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/mcp",
      "/mcp/.well-known/openid-configuration", "/.well-known/oauth-protected-resource/elsewhere", "/register", "/favicon.ico"]) {
      for (const method of ["GET", "POST"]) {
        const answer = await on.http(method, path, method === "POST" ? { body: {} } : {});
        assert.deepEqual([answer.status, answer.json?.success], [404, false], `${method} ${path}: ${answer.text}`);
      }
    }
  });

  test("the resource metadata names the resource exactly as the client typed it", async () => {
    for (const path of ["/mcp", `/towns/${town.id}/mcp`]) {
      const { status, json } = await on.http("GET", `/.well-known/oauth-protected-resource${path}`);
      assert.deepEqual([status, json.resource], [200, server.url + path]);
    }
    assert.equal((await on.http("GET", "/.well-known/oauth-protected-resource")).json.resource, `${server.url}/mcp`);
  });

  test("anyone may read health, the home page and llms.txt", async () => {
    assert.deepEqual((await on.http("GET", "/health")).json, { status: "ok" });
    assert.match((await on.http("GET", "/", { headers: { accept: "text/html" } })).text, /<html/i);
    assert.match((await on.http("GET", "/llms.txt")).text, /MCP/);
  });
});
