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
export const capable = (capabilities, more = {}) => meta({ [`${META}/clientCapabilities`]: capabilities, ...more });
export const TASKS = { extensions: { [`${META}/tasks`]: {} } };

/**
 * A client of one door. `isolate` is the edge that it reaches, `token` may be nothing where nobody needs one.
 * `server.urls` is read at each request: a restart changes it.
 */
export function clientOf(on, { token, path = "/mcp", isolate = 0 } = {}) {
  const auth = token ? { authorization: `Bearer ${token}` } : {};
  const url = () => on.server.urls[isolate] + path;
  const open = (options) => openSse(url(), { ...options, headers: { ...auth, ...options.headers } });

  /** A modern request's headers and body, with this `_meta`. */
  const request = (method, params, { id = 1, capabilities = {}, more = {} } = {}) => {
    const { headers, body } = modern(method, params, id);
    const name = params.name ?? params.taskId ?? params.uri;
    return { headers: { ...headers, ...(name !== undefined && { "mcp-name": name }) }, body: { ...body, params: { ...params, ...capable(capabilities, more) } } };
  };
  const fetchJson = async ({ headers, body }) => {
    const response = await fetch(url(), { method: "POST", headers: { "content-type": "application/json", ...auth, ...headers }, body: JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, text, json: text && response.headers.get("content-type")?.startsWith("application/json") ? JSON.parse(text) : undefined };
  };

  return {
    /** A modern request that is answered as JSON. */
    ask: (method, params = {}, options = {}) => fetchJson(request(method, params, options)),
    /** A modern request that is answered as a stream. */
    stream: (method, params = {}, options = {}) => open({ ...request(method, params, options), within: options.within }),

    /** `subscriptions/listen`; gives the stream and what was acknowledged. */
    async listen(notifications, options = {}) {
      const stream = await open({ ...request("subscriptions/listen", { notifications }, options), within: options.within });
      const first = await stream.message();
      assert.equal(first.method, "notifications/subscriptions/acknowledged", JSON.stringify(first));
      return { stream, ack: first.params };
    },

    /** A tool call that must succeed; its structured content. */
    async call(name, args = {}) {
      const { json, text } = await fetchJson(request("tools/call", { name, arguments: args }));
      assert.ok(json?.result?.structuredContent && !json.result.isError, text);
      return json.result.structuredContent;
    },

    /** A legacy session on this door. */
    async session({ version = LEGACY, capabilities = {} } = {}) {
      const begun = legacy("initialize", { protocolVersion: version, capabilities, clientInfo: { name: "tests", version: "1" } }, { version: null });
      const { session: id } = capabilities && Object.keys(capabilities).length > 0
        ? { session: (await on.http("POST", path, { token, ...begun })).headers.get("mcp-session-id") }
        : await initialize(on, { token, path, version });
      return sessionOf({ id, version, open, url, auth, fetchJson });
    },
    /** The same session over this client's own connection. */
    join: ({ id, version }) => sessionOf({ id, version, open, url, auth, fetchJson }),
  };
}

function sessionOf({ id: session, version, open, url, auth, fetchJson }) {
  const legacyOf = (method, params, id) => legacy(method, params, { id, session, version });
  const headers = { "mcp-session-id": session, "mcp-protocol-version": version };
  let last = 0;
  return {
    id: session,
    version,
    /** A request that is answered as JSON. */
    ask: (method, params = {}, id = `ask-${++last}`) => fetchJson(legacyOf(method, params, id)),
    /** A notification, or an answer to a request of the server's. */
    async tell(message) {
      const answer = await fetchJson({ headers, body: { jsonrpc: "2.0", ...message } });
      assert.equal(answer.status, 202, answer.text);
    },
    /** A request that is answered as a stream. */
    stream: (method, params = {}, id = `stream-${++last}`) => open(legacyOf(method, params, id)),
    /** The session's own stream, or the one that `after` is an event of. */
    get: (after, more = {}) => open({ headers: { ...headers, ...(after !== undefined && { "last-event-id": after }) }, ...more }),
    async subscribe(uri) {
      const { json, text } = await fetchJson(legacyOf("resources/subscribe", { uri }, `subscribe ${uri}`));
      assert.deepEqual(json?.result, {}, text);
    },
    async unsubscribe(uri) {
      const { json, text } = await fetchJson(legacyOf("resources/unsubscribe", { uri }, `unsubscribe ${uri}`));
      assert.deepEqual(json?.result, {}, text);
    },
    end: async () => (await fetch(url(), { method: "DELETE", headers: { ...auth, ...headers } })).status,
  };
}

/** Events up to the first whose message passes, that one last. Fails at the end of the stream. */
export async function upTo(stream, passes, within) {
  const events = [];
  for (let event; (event = await stream.take(within)); ) {
    if (!event.data) continue;
    events.push({ id: event.id, message: JSON.parse(event.data) });
    if (passes(events.at(-1).message)) return events;
  }
  throw new Error(`the stream ended after ${JSON.stringify(events)}`);
}

/** Whatever is left on a stream that the server ends. */
export async function rest(stream, within) {
  const events = [];
  for (let event; (event = await stream.take(within)); ) if (event.data) events.push({ id: event.id, message: JSON.parse(event.data) });
  return events;
}
