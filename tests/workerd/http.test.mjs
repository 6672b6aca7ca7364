// Owns: HTTP around the protocol: sizes, origins, CORS, discovery, the pages that anyone may read.
// Does not: test messages (protocol.test.mjs, sessions.test.mjs). Ids H… are rows of the server checklist for revision 2026-07-28.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { checkError, modern, spoilt } from "./lib/mcp.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { until, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

const LIMIT = 4 * 1024 * 1024;
const token = tokens.user("owner");
let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ town;
before(async () => {
  server = await startWorkerd();
  on = world(server);
  town = await on.createFleetTown(["web"]);
});
after(() => server.stop());

const post = (request, path = "/mcp") => on.http("POST", path, { token, ...request });

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

describe("HTTP", () => {
  // H22
  test("a body over 4 MiB is 413, with and without a length in front", async () => {
    const head = Object.entries({ ...modern("tools/list").headers, authorization: `Bearer ${token}`, "content-type": "application/json" });
    assert.match(await upload(head, `content-length: ${LIMIT + 1}`, []), /^HTTP\/1.1 413 /);
    const chunk = "x".repeat(64 * 1024);
    const answer = await upload(head, "transfer-encoding: chunked", Array(LIMIT / chunk.length + 1).fill(chunk));
    assert.match(answer, /^HTTP\/1.1 413 /);
    checkError({ status: 413, json: JSON.parse(/\{.*\}/.exec(answer)[0]), text: answer }, [413, -32600, null]);
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
      checkError(await post(spoilt({ origin })), [403, -32600, null]);
    }
    for (const path of ["/mcp", "/health", `/api/mayor/${town.id}/tools/rigs`]) {
      assert.equal((await on.http("GET", path, { headers: { origin: "https://evil.example" } })).status, 403, path);
    }
    assert.equal((await on.http("OPTIONS", "/mcp", { headers: { origin: "https://evil.example" } })).status, 403);
    assert.equal((await post(spoilt({ origin: "https://allowed.example:443" }))).status, 200, "the default port, spelt out");
  });

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
