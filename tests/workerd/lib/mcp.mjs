// Owns: speaking MCP to a running Worker: raw requests of both eras, and the two official clients.
// Does not: judge results beyond what the clients themselves do.

import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import assert from "node:assert/strict";
import { LATEST_LEGACY as LEGACY, MODERN } from "./schemas.mjs";
import { wireFetch } from "./wire-fetch.mjs";

export { LEGACY, MODERN };
const META = "io.modelcontextprotocol";
const INFO = { name: "tests", version: "1" };

/**
 * @typedef {Record<string, any>} Params
 * @typedef {string | number} Id
 * @typedef {import("./world.mjs").Answer} Answer
 * @typedef {Awaited<ReturnType<typeof connect>>} Connection
 *
 * Either official client. They agree in what tests do with them, and their types do not.
 * @typedef {{ [Name in keyof ModernClient]: ModernClient[Name] extends (...given: any[]) => Promise<any> ? (...given: any[]) => Promise<any> : ModernClient[Name] }} OfficialClient
 */

/** The `_meta` of every modern request. */
export const meta = (/** @type {Params} */ more = {}) => ({
  _meta: { [`${META}/protocolVersion`]: MODERN, [`${META}/clientInfo`]: INFO, [`${META}/clientCapabilities`]: {}, ...more },
});

/** Text without the fence that marks it as written by agents or users. */
export const plain = (/** @type {string} */ text) => text.replace(/^«(.*)»$/su, "$1");

/** Body and headers of a proper modern request; a test then spoils what it is about. */
export function modern(/** @type {string} */ method, /** @type {Params} */ params = {}, /** @type {Id} */ id = 1) {
  return {
    body: { jsonrpc: "2.0", id, method, params: { ...params, ...meta() } },
    headers: {
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": MODERN,
      "mcp-method": method,
      ...(params.name !== undefined && { "mcp-name": String(params.name) }),
    },
  };
}

/**
 * A good modern request with changed headers (null removes one) or another body.
 * @param {Record<string, string | null>} headers
 * @param {unknown} [body]
 * @param {[method: string, params?: Params]} [request]
 * @returns {{ headers: Record<string, string>, body: any }}
 */
export function spoilt(headers, body, [method, params] = ["tools/list", {}]) {
  const good = modern(method, params);
  const merged = Object.entries({ ...good.headers, ...headers }).filter(([, value]) => value !== null);
  return { headers: Object.fromEntries(merged), body: body ?? good.body };
}

/**
 * The same for the eras before. Without an id (null) it is a notification; null also leaves out the version's header.
 * @param {string} method
 * @param {Params} [params]
 * @param {{ id?: Id | null, session?: string | null, version?: string | null }} [options]
 * @returns {{ body: Params, headers: Record<string, string> }}
 */
export function legacy(method, params = {}, { id = 1, session, version = LEGACY } = {}) {
  return {
    body: { jsonrpc: "2.0", ...(id !== null && { id }), method, params },
    headers: {
      accept: "application/json, text/event-stream",
      ...(version && { "mcp-protocol-version": version }),
      ...(session && { "mcp-session-id": session }),
    },
  };
}

/**
 * Checks status, JSON-RPC code and id (null: no id at all) of an error.
 * @param {Pick<Answer, "status" | "json" | "text">} answer
 * @param {readonly (Id | null)[]} wanted
 */
export function checkError({ status, json, text }, [wantedStatus, code, id = 1]) {
  assert.deepEqual({ status, code: json?.error?.code, id: json?.id }, { status: wantedStatus, code, id: id ?? undefined }, text);
  assert.equal(json.jsonrpc, "2.0");
}

/**
 * A legacy initialize; its answer has `session` besides what `http` gives.
 * @param {Pick<import("./world.mjs").World, "http">} world
 * @param {{ token?: string, path?: string, version?: string }} options
 */
export async function initialize(world, { token, path = "/mcp", version = LEGACY }) {
  const request = legacy("initialize", { protocolVersion: version, capabilities: {}, clientInfo: INFO }, { version: null });
  const answer = await world.http("POST", path, { token, ...request });
  return { ...answer, session: /** @type {string} */ (answer.headers.get("mcp-session-id")) };
}

/** @type {Record<string, { Client: any, Transport: any, options: object }>} */
const ERAS = {
  legacy: { Client: LegacyClient, Transport: LegacyTransport, options: {} },
  modern: { Client: ModernClient, Transport: ModernTransport, options: { versionNegotiation: { mode: { pin: MODERN } } } },
};
export const eras = Object.keys(ERAS);

/**
 * A connected official client. `call` gives structured content and checks that the text content says the same.
 * `capabilities` are what the client declares; `prepare` sets its handlers.
 * @param {{ server: { url: string } }} world
 * @param {{ era: string, token?: string, path?: string, capabilities?: object, prepare?: (client: any) => void }} options
 */
export async function connect(world, { era, token, path = "/mcp", capabilities = {}, prepare = () => {} }) {
  const { Client, Transport, options } = ERAS[era];
  /** @type {OfficialClient} */
  const client = new Client(INFO, { ...options, capabilities });
  prepare(client);
  const transport = new Transport(new URL(world.server.url + path), { requestInit: { headers: { authorization: `Bearer ${token}` } }, fetch: wireFetch });
  await client.connect(transport);
  const { tools } = await client.listTools(); // from now on the client validates results against the output schemas
  return {
    client,
    tools,
    close: () => client.close(),

    /**
     * A call that must succeed.
     * @returns {Promise<any>}
     */
    call: async (/** @type {string} */ name, /** @type {Params} */ args = {}) => {
      const result = await client.callTool({ name, arguments: args });
      assert.ok(!result.isError, `${name}: ${JSON.stringify(result.content)}`);
      assert.ok(result.structuredContent, `${name} has structured content`);
      assert.equal(result.content.length, 1, `${name}: one part`);
      assert.deepEqual(JSON.parse(textOf(result)), result.structuredContent, `${name}: text and structured content agree`);
      return result.structuredContent;
    },

    /** A call that must be refused by the tool; gives the text. */
    refused: async (/** @type {string} */ name, /** @type {Params} */ args = {}) => {
      const result = await client.callTool({ name, arguments: args });
      assert.equal(result.isError, true, `${name}: ${JSON.stringify(result)}`);
      assert.equal(result.structuredContent, undefined, "an error has no structured content");
      return textOf(result);
    },
  };
}

/** The first part of a tool's result, which must be text. */
function textOf(/** @type {import("@modelcontextprotocol/client").CallToolResult} */ { content: [part] }) {
  assert.equal(part.type, "text");
  return part.text;
}
