// Owns: what a test does to a running Worker from outside: HTTP with a token, towns and rigs, direct calls to objects.
// Does not: start the Worker (workerd.mjs) or speak MCP (mcp.mjs).

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { tokens } from "./tokens.mjs";
import { wireFetch } from "./wire-fetch.mjs";

const REQUEST_MS = 20_000;

/** A value that JSON has no word for: an argument that is there and undefined. */
export const UNDEFINED = { __undefined: true };

/**
 * What a request is made of besides method and path.
 * @typedef {{ token?: string | null, body?: unknown, headers?: Record<string, string>, leave?: boolean }} Options
 *
 * What came back; `json` is undefined when the text is none.
 * @typedef {{ status: number, headers: Headers, text: string, json: any }} Answer
 *
 * @typedef {ReturnType<typeof world<import("./workerd.mjs").Server>>} World
 * @typedef {{ id: string, name: string, rigs: Record<string, string> }} Town `rigs` are ids by name
 */

/**
 * The world behind a server (workerd.mjs). `server.url` is read at each request: a restart changes it.
 * @template {{ url: string }} S
 * @param {S} server
 */
export function world(server) {
  /**
   * One request; gives status, headers, the text and, where it is JSON, the value. MCP messages must be valid. `leave` goes
   * away once the answer has begun: a stream need never end.
   * @param {string} method
   * @param {string} path
   * @param {Options} [options]
   * @returns {Promise<Answer>}
   */
  async function http(method, path, { token, body, headers = {}, leave = false } = {}) {
    const sent = body === undefined || typeof body === "string" || body instanceof Uint8Array ? /** @type {BodyInit | undefined} */ (body) : JSON.stringify(body);
    const response = await wireFetch(server.url + path, {
      method,
      headers: { ...(token && { authorization: `Bearer ${token}` }), ...(sent !== undefined && { "content-type": "application/json" }), ...headers },
      body: sent,
      redirect: "manual",
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    if (leave) await response.body?.cancel();
    const text = leave ? "" : await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  }

  /** The `data` of a REST route's envelope; fails unless it succeeded. */
  async function rest(/** @type {string} */ method, /** @type {string} */ path, /** @type {Options} */ options = {}) {
    const { status, json, text } = await http(method, path, options);
    assert.ok(status >= 200 && status < 300 && json?.success === true, `${method} ${path} answered ${status}: ${text}`);
    return json.data;
  }

  /** Whatever the harness says; see harness.mjs. */
  const harness = async (/** @type {string} */ route, /** @type {object} */ body) => (await http("POST", route, { body })).json;

  /** Calls a method of an object directly: {ok, kind} or {error, name, remote}. */
  const rpc = (/** @type {string} */ binding, /** @type {string} */ name, /** @type {string} */ method, /** @type {unknown[]} */ ...args) => harness("/__rpc", { binding, name, method, args });

  async function createTown(user = "owner", name = `town-${randomUUID().slice(0, 8)}`) {
    return rest("POST", `/api/users/${user}/towns`, { token: tokens.user(user), body: { name } });
  }

  async function createRig(/** @type {string} */ town, name = `rig-${randomUUID().slice(0, 8)}`, user = "owner") {
    return rest("POST", `/api/users/${user}/rigs`, { token: tokens.user(user), body: { town_id: town, name, git_url: `https://git.example/${name}.git` } });
  }

  return {
    server, http, rest, harness, rpc, createTown, createRig,

    /**
     * A town of this user with rigs of these names.
     * @returns {Promise<Town>}
     */
    async createFleetTown(rigNames = ["web"], user = "owner") {
      const town = await createTown(user);
      /** @type {Record<string, string>} */
      const rigs = {};
      for (const name of rigNames) rigs[name] = (await createRig(town.id, name, user)).id;
      return { id: town.id, name: town.name, rigs };
    },

    /** The contract's sling, through the rig itself. */
    async sling(/** @type {string} */ rig, /** @type {string} */ title, /** @type {{ token?: string, [field: string]: unknown }} */ { token = tokens.user("owner"), ...more } = {}) {
      const answer = await rpc("RIG", rig, "slingBead", { rigId: rig, title, ...more }, context(token));
      assert.ok(answer.ok, answer.error);
      return answer.ok;
    },

    /** Sets a town's configuration, as its owner. */
    async configure(/** @type {string} */ town, /** @type {object} */ update) {
      const answer = await rpc("TOWN", town, "updateTownConfig", update, context(tokens.user("owner")));
      assert.ok(answer.ok, answer.error);
      return answer.ok;
    },

    /** Objects of these names do not answer from now on. */
    hang: (/** @type {string[]} */ ...names) => harness("/__hang", { names }),

    /** This method of this object is carried out, but its reply never comes. */
    loseReplies: (/** @type {string} */ name, /** @type {string} */ method) => harness("/__mute", { name, method }),
  };
}

/** The caller context, the last argument of every method. */
export const context = (/** @type {string} */ jwt, /** @type {object} */ more = {}) => ({ jwt, requestId: randomUUID(), ...more });

/**
 * Asks again until the answer is there; the deadline is generous and fails with what was last seen.
 * @template T
 * @param {string} what
 * @param {(note: <N>(seen: N) => N) => T | Promise<T>} ask
 * @param {{ within?: number, every?: number }} [options]
 * @returns {Promise<Exclude<T, false | null | undefined | 0 | "">>}
 */
export async function until(what, ask, { within = 30_000, every = 50 } = {}) {
  const deadline = Date.now() + within;
  /** @type {unknown} */
  let last;
  for (;;) {
    const answer = await ask((seen) => (last = seen));
    if (answer) return /** @type {any} */ (answer);
    assert.ok(Date.now() < deadline, `${what}: not within ${within} ms; last seen ${JSON.stringify(last)}`);
    await sleep(every);
  }
}

function parse(/** @type {string} */ text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
