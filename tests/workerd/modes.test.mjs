// Owns: how official clients find the era they speak, and that a session outlives a connection, an isolate and the server.
// Does not: drive the tools (clients.test.mjs), or test sessions message by message (sessions.test.mjs).

import { Client as NewClient, StreamableHTTPClientTransport as NewTransport } from "@modelcontextprotocol/client";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { checkError, initialize, LEGACY, legacy, meta, MODERN, modern, plain } from "./lib/mcp.mjs";
import { tokens } from "./lib/tokens.mjs";
import { wireFetch } from "./lib/wire-fetch.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

const FUTURE = "2027-07-28";
const token = tokens.user("owner");
const INFO = { name: "tests", version: "1" };

let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ town, /** @type {string} */ path;
before(async () => {
  server = await startWorkerd({ isolates: 2 });
  on = world(server);
  town = await on.createFleetTown(["web"]);
  path = `/towns/${town.id}/mcp`;
});
after(() => server.stop());

/** Where the client thinks the server is. A restart changes the port, which a deployment would not. */
const ADDRESS = "http://gastown.test";
/** @type {Record<string, [client: any, transport: any]>} */
const PACKAGES = { "client 2.4": [NewClient, NewTransport], "sdk 1.32": [OldClient, OldTransport] };
const open = [];

/**
 * A connected client. `change` may spoil the headers of its requests, as a proxy would; `session` goes on with one that
 * another connection opened; `isolate` is the one that it reaches.
 * @typedef {{ options?: object, change?: (headers: Headers) => void, session?: string, isolate?: number }} How
 */
async function connect(name, /** @type {How} */ { options = {}, change = () => {}, session, isolate = 0 } = {}) {
  const [Client, Transport] = PACKAGES[name];
  const seen = [];
  const transport = new Transport(new URL(ADDRESS + path), {
    ...(session && { sessionId: session }),
    fetch: async (url, init) => {
      const headers = new Headers(init.headers);
      headers.set("authorization", `Bearer ${token}`);
      change(headers);
      const response = await wireFetch(server.urls[isolate] + new URL(url).pathname, { ...init, headers });
      seen.push({ method: init.method, status: response.status, sent: headers });
      return response;
    },
  });
  const client = new Client(INFO, options);
  await client.connect(transport);
  open.push(client);
  return { client, transport, seen, call: (tool, args = {}) => callTool(client, tool, args) };
}
after(() => Promise.all(open.map((client) => client.close())));

async function callTool(client, name, args) {
  const result = await client.callTool({ name, arguments: args });
  assert.ok(!result.isError, JSON.stringify(result.content));
  return result.structuredContent;
}

/** Those that a connection sees which chose no toolset. */
const USUAL_TOOLS = 24;

const mode = (mode) => ({ options: { versionNegotiation: { mode } } });

describe("an official client", () => {
  /** @type {Record<string, [name: string, how: How, settled: string]>} */
  const cases = {
    "client 2.4, mode legacy": ["client 2.4", mode("legacy"), LEGACY],
    "client 2.4, mode auto": ["client 2.4", mode("auto"), MODERN],
    "client 2.4, pinned": ["client 2.4", mode({ pin: MODERN }), MODERN],
    "client 2.4, as it comes": ["client 2.4", {}, LEGACY],
    "sdk 1.32": ["sdk 1.32", {}, LEGACY],
    // It is told which versions there are, and takes one of them.
    "client 2.4, mode auto, that knows a later revision": ["client 2.4", { options: { ...mode("auto").options, supportedProtocolVersions: [FUTURE, MODERN, LEGACY] } }, MODERN],
    // A proxy that passes no headers which it does not know: the answer to server/discover is 400.
    "client 2.4, mode auto, without MCP-Protocol-Version": ["client 2.4", { ...mode("auto"), change: (headers) => headers.delete("mcp-protocol-version") }, LEGACY],
    // Gemini sends none after initialize.
    "client 2.4, mode legacy, without MCP-Protocol-Version": ["client 2.4", { ...mode("legacy"), change: (headers) => headers.delete("mcp-protocol-version") }, LEGACY],
    "sdk 1.32, without MCP-Protocol-Version": ["sdk 1.32", { change: (headers) => headers.delete("mcp-protocol-version") }, LEGACY],
    "sdk 1.32, that lists nothing but JSON in Accept": ["sdk 1.32", { change: (headers) => headers.set("accept", "application/json") }, LEGACY],
  };
  for (const [what, [name, how, settled]] of Object.entries(cases)) {
    test(`${what}: settles on ${settled}, lists, calls and takes its leave`, async () => {
      const { client, transport, call, seen } = await connect(name, how);
      assert.equal(transport.protocolVersion, settled);
      assert.equal(typeof transport.sessionId, settled === LEGACY ? "string" : "undefined");
      assert.equal(client.getServerVersion().name, "gastown-mcp");
      assert.match(client.getInstructions(), /\S/);
      assert.equal((await client.listTools()).tools.length, USUAL_TOOLS);
      assert.deepEqual((await call("list_rigs")).rigs.map(({ name }) => name), ["web"]);
      const session = transport.sessionId;
      await transport.terminateSession();
      if (session) checkError(await on.http("POST", path, { token, ...legacy("ping", {}, { session }) }), [404, -32600]);
      assert.ok(seen.every(({ status }) => status < 500));
      await client.close();
    });
  }

  test("that is pinned to a revision which is not served says so, and does not fall back", async () => {
    await assert.rejects(connect("client 2.4", mode({ pin: FUTURE })), /[Uu]nsupported protocol version/);
  });

  test("of no SDK opens with server/discover, is told which versions there are, and goes on with one of them", async () => {
    const { body, headers } = modern("server/discover");
    body.params = meta({ "io.modelcontextprotocol/protocolVersion": FUTURE });
    const answer = await on.http("POST", path, { token, body, headers: { ...headers, "mcp-protocol-version": FUTURE } });
    checkError(answer, [400, -32022]);
    const { supported } = answer.json.error.data;
    for (const version of supported) {
      if (version === MODERN) {
        assert.equal((await on.http("POST", path, { token, ...modern("tools/list") })).json.result.tools.length, USUAL_TOOLS);
      } else {
        const { session, json } = await initialize(on, { token, path, version });
        assert.equal(json.result.protocolVersion, version);
        assert.equal((await on.http("POST", path, { token, ...legacy("tools/list", {}, { session, version }) })).json.result.tools.length, USUAL_TOOLS);
      }
    }
    assert.deepEqual(supported.toSorted(), ["2024-11-05", "2025-03-26", "2025-06-18", LEGACY, MODERN]);
  });
});

for (const name of Object.keys(PACKAGES)) {
  describe(`a session of ${name}`, () => {
    test("serves two connections at once, whose requests have the same ids", async () => {
      const first = await connect(name);
      const second = await connect(name, { session: first.transport.sessionId });
      const titles = (who) => Array.from({ length: 5 }, (_, n) => `${name} ${who} ${n}`);
      const slung = await Promise.all([...titles("first").map((title) => ({ call: first.call, title })), ...titles("second").map((title) => ({ call: second.call, title }))]
        .map(async ({ call, title }) => [title, (await call("sling", { rig: "web", title })).bead.title]));
      for (const [asked, answered] of slung) assert.equal(plain(answered), asked);
      const read = await Promise.all([first, second].map(({ call }) => call("list_beads", { type: "issue", limit: 200 })));
      assert.deepEqual(read[0], read[1]);
      await second.client.close();
      assert.ok(await first.call("list_rigs"), "the session is still there when one connection is not");
    });

    test("goes on in another isolate, and one that was ended is over in an isolate that never saw it", async () => {
      const first = await connect(name);
      const session = first.transport.sessionId;
      const second = await connect(name, { session, isolate: 1 });
      assert.deepEqual(await second.call("list_rigs"), await first.call("list_rigs"));
      const other = await connect(name);
      const ended = other.transport.sessionId;
      await other.call("list_rigs");
      await other.transport.terminateSession();
      const late = await connect(name, { session: ended, isolate: 1 });
      await assert.rejects(late.call("list_rigs"), /404|[Ss]ession not found/);
      assert.ok(await second.call("list_rigs"), "the other session goes on");
    });

    test("goes on after a restart of the server, and what was ended before stays so", async () => {
      const kept = await connect(name);
      const ended = await connect(name);
      const { bead } = await kept.call("sling", { rig: "web", title: `${name}: before the restart` });
      const endedId = ended.transport.sessionId;
      await ended.transport.terminateSession();
      const before = kept.transport.sessionId;
      await server.restart();
      const { beads } = await kept.call("list_beads", { type: "issue", limit: 200 });
      assert.ok(beads.some(({ id }) => id === bead.id));
      assert.equal(kept.transport.sessionId, before);
      assert.equal(kept.seen.filter(({ sent, method }) => method === "POST" && !sent.has("mcp-session-id")).length, 1, "initialize was sent once");
      const late = await connect(name, { session: endedId });
      await assert.rejects(late.call("list_rigs"), /404|[Ss]ession not found/);
      await kept.transport.terminateSession();
    });
  });
}

test("a modern client does not notice a restart", async () => {
  const { call } = await connect("client 2.4", mode({ pin: MODERN }));
  const { bead } = await call("sling", { rig: "web", title: "modern: before the restart" });
  await server.restart();
  assert.ok((await call("list_beads", { type: "issue", limit: 200 })).beads.some(({ id }) => id === bead.id));
});
