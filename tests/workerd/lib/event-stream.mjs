// Owns: reading text/event-stream (HTML standard, server-sent events) without losing what browsers drop.
// Does not: fetch anything (sse.mjs), or know what the data means.

/**
 * An event has the fields that were there, also when it has no data; a comment has `comment` alone.
 * @typedef {{ id?: string, event?: string, retry?: number | string, data?: string, comment?: string }} ServerSentEvent
 */

/**
 * Turns pieces of text into events. Each `push` gives what became complete.
 */
export class EventStreamReader {
  #rest = "";
  /** @type {Record<string, any>} */
  #block = {};

  push(/** @type {string} */ text) {
    // A lone CR at the end may be half of a CRLF.
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line));
  }

  /** What the end of the stream cut off, for a complaint; empty when it ended after an event. */
  unfinished() {
    return this.#rest + (Object.keys(this.#block).length > 0 ? JSON.stringify(this.#block) : "");
  }

  /** @returns {ServerSentEvent[]} */
  #line(/** @type {string} */ line) {
    if (line === "") {
      const event = this.#block;
      this.#block = {};
      return Object.keys(event).length > 0 ? [event] : [];
    }
    if (line.startsWith(":")) return [{ comment: line.slice(1).replace(/^ /, "") }];
    const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    const block = this.#block;
    if (name === "data") block.data = block.data === undefined ? value : `${block.data}\n${value}`;
    else if (name === "retry") block.retry = /^\d+$/.test(value) ? Number(value) : value;
    else block[name] = value;
    return [];
  }
}
