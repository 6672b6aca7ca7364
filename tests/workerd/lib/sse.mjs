// Owns: one server-sent event stream as a test reads it: event by event, never waiting for ever.
// Does not: know what the events mean; messages are looked at on their way (wire-fetch.mjs).

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { EventStreamReader } from "./event-stream.mjs";
import { wireFetch } from "./wire-fetch.mjs";

const WITHIN_MS = 10_000;

/**
 * @typedef {{ method?: string, headers?: Record<string, string>, body?: any, within?: number }} Options
 * @typedef {EventStream} Stream
 * @typedef {import("./event-stream.mjs").ServerSentEvent} ServerSentEvent
 */

/**
 * Opens a stream: POST when there is a body, otherwise GET. `within` is how long the answer and then each event may take,
 * in milliseconds. An answer that is no event stream is thrown as an error with `status`, `headers` and `text`.
 * @param {string} url
 * @param {Options} [options]
 */
export async function openSse(url, { method, headers = {}, body, within = WITHIN_MS } = {}) {
  const abort = new AbortController();
  const response = await inTime(wireFetch(url, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: { accept: "application/json, text/event-stream", ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
    signal: abort.signal,
  }), within, "an answer").catch((error) => {
    abort.abort();
    throw error;
  });
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
    const text = await response.text();
    throw Object.assign(new Error(`no event stream but ${response.status}: ${text}`), { status: response.status, headers: response.headers, text });
  }
  return new EventStream(response, abort, within);
}

/** An open stream, and the async iterator of its events. Leaving a `for await` closes it. */
class EventStream {
  #abort;
  #reader;
  #decoder = new TextDecoder();
  #parser = new EventStreamReader();
  /** @type {ServerSentEvent[]} */
  #ready = [];
  /** @type {Promise<ReadableStreamReadResult<Uint8Array>> | null} */
  #reading = null;
  #within;

  constructor(/** @type {Response} */ response, /** @type {AbortController} */ abort, /** @type {number} */ within) {
    assert.ok(response.body, "an event stream has a body");
    this.status = response.status;
    this.headers = response.headers;
    this.#reader = response.body.getReader();
    this.#abort = abort;
    this.#within = within;
  }

  /** The next event or comment (event-stream.mjs), or undefined when the server has closed the stream. */
  async take(within = this.#within) {
    const deadline = Date.now() + within;
    while (this.#ready.length === 0) {
      // A read that came too late is kept for the next call.
      this.#reading ??= this.#reader.read();
      const { done, value } = await inTime(this.#reading, deadline - Date.now(), "an event");
      this.#reading = null;
      if (done) {
        if (this.#parser.unfinished()) throw new Error(`the stream ended in the middle of an event: ${this.#parser.unfinished()}`);
        return undefined;
      }
      this.#ready.push(...this.#parser.push(this.#decoder.decode(value, { stream: true })));
    }
    return this.#ready.shift();
  }

  /** The next message, past comments and events without data; undefined at the end. */
  async message(within = this.#within) {
    const deadline = Date.now() + within;
    for (let event; (event = await this.take(deadline - Date.now())); ) {
      if (event.data) return JSON.parse(event.data);
    }
    return undefined;
  }

  /** Fails when any message comes within this time; comments may. */
  async quiet(/** @type {number} */ during) {
    const deadline = Date.now() + during;
    while (Date.now() < deadline) {
      const event = await this.take(deadline - Date.now()).catch((error) => {
        if (!error.isTimeout) throw error;
        return null;
      });
      if (event === null) return;
      if (event === undefined) throw new Error("the stream ended");
      if (event.data) throw new Error(`expected silence, got ${event.data}`);
    }
  }

  /** Closes the connection, as a client that goes away. */
  async close() {
    this.#reading?.catch(() => {});
    this.#abort.abort();
  }

  /** @returns {Promise<IteratorResult<ServerSentEvent, undefined>>} */
  async next() {
    const value = await this.take();
    return value === undefined ? { done: true, value: undefined } : { done: false, value };
  }

  /** @returns {Promise<{ done: true, value: undefined }>} */
  async return() {
    await this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

/**
 * The promise's value, or an error with `isTimeout` after that many milliseconds. The promise itself goes on.
 * @template T
 * @param {Promise<T>} promise
 * @param {number} milliseconds
 * @param {string} what
 * @returns {Promise<T>}
 */
async function inTime(promise, milliseconds, what) {
  const timer = new AbortController();
  const late = sleep(Math.max(milliseconds, 0), null, { signal: timer.signal }).then(() => {
    throw Object.assign(new Error(`no sign of ${what} within ${milliseconds} ms`), { isTimeout: true });
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
    late.catch(() => {});
  }
}
