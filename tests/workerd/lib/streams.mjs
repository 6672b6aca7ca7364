// Owns: the protocol's streams as a client of either era opens them, and calls that other connections make meanwhile.
// Does not: read events (sse.mjs), or judge what comes.

import assert from "node:assert/strict";
import { initialize, LEGACY, legacy, meta, modern } from "./mcp.mjs";
import { openSse } from "./sse.mjs";

const META = "io.modelcontextprotocol";
export const SUBSCRIPTION = `${META}/subscriptionId`;
/** How soon a change must be heard of, from the answer to whoever made it. */
export const SOON_MS = 800;

/** The `_meta` capabilities of a modern request. */
export const capable = (/** @type {object} */ capabilities, /** @type {Record<string, any>} */ more = {}) => meta({ [`${META}/clientCapabilities`]: capabilities, ...more });
export const TASKS = { extensions: { [`${META}/tasks`]: {} } };

/**
 * @typedef {import("./world.mjs").World} World
 * @typedef {Record<string, any>} Params
 * @typedef {string | number} Id
 * @typedef {{ headers: Record<string, string>, body: any }} Request
 * @typedef {{ status: number, text: string, json: any }} Answer
 *
 * How a modern request differs: `capabilities` and `more` go into its `_meta`.
 * @typedef {{ id?: Id, capabilities?: object, more?: Params, within?: number }} Options
 *
 * @typedef {ReturnType<typeof clientOf>} Client
 * @typedef {ReturnType<typeof sessionOf>} Session
 */

/**
 * A client of one door. `isolate` is the edge that it reaches, `token` may be nothing where nobody needs one.
 * `server.urls` is read at each request: a restart changes it.
 * @param {World} on
 * @param {{ token?: string, path?: string, isolate?: number }} [options]
 */
export function clientOf(on, { token, path = "/mcp", isolate = 0 } = {}) {
  /** @type {Record<string, string>} */
  const auth = token ? { authorization: `Bearer ${token}` } : {};
  const url = () => on.server.urls[isolate] + path;
  const open = (/** @type {import("./sse.mjs").Options} */ options) => openSse(url(), { ...options, headers: { ...auth, ...options.headers } });

  /** A modern request's headers and body, with this `_meta`. */
  const request = (/** @type {string} */ method, /** @type {Params} */ params, /** @type {Options} */ { id = 1, capabilities = {}, more = {} } = {}) => {
    const { headers, body } = modern(method, params, id);
    const name = params.name ?? params.taskId ?? params.uri;
    return { headers: { ...headers, ...(name !== undefined && { "mcp-name": name }) }, body: { ...body, params: { ...params, ...capable(capabilities, more) } } };
  };
  /** @type {(request: Request) => Promise<Answer>} */
  const fetchJson = async ({ headers, body }) => {
    const response = await fetch(url(), { method: "POST", headers: { "content-type": "application/json", ...auth, ...headers }, body: JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, text, json: text && response.headers.get("content-type")?.startsWith("application/json") ? JSON.parse(text) : undefined };
  };

  return {
    /** A modern request that is answered as JSON. */
    ask: (/** @type {string} */ method, /** @type {Params} */ params = {}, /** @type {Options} */ options = {}) => fetchJson(request(method, params, options)),
    /** A modern request that is answered as a stream. */
    stream: (/** @type {string} */ method, /** @type {Params} */ params = {}, /** @type {Options} */ options = {}) => open({ ...request(method, params, options), within: options.within }),

    /** `subscriptions/listen`; gives the stream and what was acknowledged. */
    async listen(/** @type {object} */ notifications, /** @type {Options} */ options = {}) {
      const stream = await open({ ...request("subscriptions/listen", { notifications }, options), within: options.within });
      const first = await stream.message();
      assert.equal(first.method, "notifications/subscriptions/acknowledged", JSON.stringify(first));
      return { stream, ack: first.params };
    },

    /** A tool call that must succeed; its structured content. */
    async call(/** @type {string} */ name, /** @type {Params} */ args = {}) {
      const { json, text } = await fetchJson(request("tools/call", { name, arguments: args }));
      assert.ok(json?.result?.structuredContent && !json.result.isError, text);
      return json.result.structuredContent;
    },

    /** A legacy session on this door. */
    async session(/** @type {{ version?: string, capabilities?: object }} */ { version = LEGACY, capabilities = {} } = {}) {
      const begun = legacy("initialize", { protocolVersion: version, capabilities, clientInfo: { name: "tests", version: "1" } }, { version: null });
      const id = Object.keys(capabilities).length > 0
        ? (await on.http("POST", path, { token, ...begun })).headers.get("mcp-session-id")
        : (await initialize(on, { token, path, version })).session;
      assert.ok(id, "initialize begins a session");
      return sessionOf({ id, version, open, url, auth, fetchJson });
    },
    /** The same session over this client's own connection. */
    join: (/** @type {Pick<Session, "id" | "version">} */ { id, version }) => sessionOf({ id, version, open, url, auth, fetchJson }),
  };
}

/**
 * @param {object} of
 * @param {string} of.id
 * @param {string} of.version
 * @param {(options: import("./sse.mjs").Options) => Promise<import("./sse.mjs").Stream>} of.open
 * @param {() => string} of.url
 * @param {Record<string, string>} of.auth
 * @param {(request: Request) => Promise<Answer>} of.fetchJson
 */
function sessionOf({ id: session, version, open, url, auth, fetchJson }) {
  const legacyOf = (/** @type {string} */ method, /** @type {Params} */ params, /** @type {Id} */ id) => legacy(method, params, { id, session, version });
  const headers = { "mcp-session-id": session, "mcp-protocol-version": version };
  let last = 0;
  return {
    id: session,
    version,
    /** A request that is answered as JSON. */
    ask: (/** @type {string} */ method, /** @type {Params} */ params = {}, /** @type {Id} */ id = `ask-${++last}`) => fetchJson(legacyOf(method, params, id)),
    /** A notification, or an answer to a request of the server's. */
    async tell(/** @type {Params} */ message) {
      const answer = await fetchJson({ headers, body: { jsonrpc: "2.0", ...message } });
      assert.equal(answer.status, 202, answer.text);
    },
    /** A request that is answered as a stream. */
    stream: (/** @type {string} */ method, /** @type {Params} */ params = {}, /** @type {Id} */ id = `stream-${++last}`) => open(legacyOf(method, params, id)),
    /**
     * The session's own stream, or the one that `after` is an event of.
     * @type {(after?: string, more?: import("./sse.mjs").Options) => Promise<import("./sse.mjs").Stream>}
     */
    get: (after, more = {}) => open({ headers: { ...headers, ...(after !== undefined && { "last-event-id": after }) }, ...more }),
    async subscribe(/** @type {string} */ uri) {
      const { json, text } = await fetchJson(legacyOf("resources/subscribe", { uri }, `subscribe ${uri}`));
      assert.deepEqual(json?.result, {}, text);
    },
    async unsubscribe(/** @type {string} */ uri) {
      const { json, text } = await fetchJson(legacyOf("resources/unsubscribe", { uri }, `unsubscribe ${uri}`));
      assert.deepEqual(json?.result, {}, text);
    },
    end: async () => (await fetch(url(), { method: "DELETE", headers: { ...auth, ...headers } })).status,
  };
}

/**
 * Events up to the first whose message passes, that one last. Fails at the end of the stream.
 * @param {import("./sse.mjs").Stream} stream
 * @param {(message: any) => unknown} passes
 * @param {number} [within]
 */
export async function upTo(stream, passes, within) {
  /** @type {{ id?: string, message: any }[]} */
  const events = [];
  for (let event; (event = await stream.take(within)); ) {
    if (!event.data) continue;
    const message = JSON.parse(event.data);
    events.push({ id: event.id, message });
    if (passes(message)) return events;
  }
  throw new Error(`the stream ended after ${JSON.stringify(events)}`);
}

/**
 * Whatever is left on a stream that the server ends.
 * @param {import("./sse.mjs").Stream} stream
 * @param {number} [within]
 */
export async function rest(stream, within) {
  /** @type {{ id?: string, message: any }[]} */
  const events = [];
  for (let event; (event = await stream.take(within)); ) if (event.data) events.push({ id: event.id, message: JSON.parse(event.data) });
  return events;
}
