// Owns: `fetch` that looks at every MCP message which comes back: valid in its revision, of its era, an answer to what was asked.
// Does not: know what a message must look like (wire.mjs), or change what is sent or received.

import { AssertionError } from "node:assert/strict";
import { EventStreamReader } from "./event-stream.mjs";
import { LATEST_LEGACY, MODERN, REVISIONS } from "./schemas.mjs";
import { wireErrors } from "./wire.mjs";

const ENDPOINT = /^(\/towns\/[^/]+)?\/mcp(\/readonly)?\/?$/;
const META_VERSION = "io.modelcontextprotocol/protocolVersion";

/**
 * What `initialize` settled on, by session id.
 * @type {Map<string | null, string>}
 */
const sessions = new Map();
/**
 * The method of each request, by session and id: an answer may come on another stream than its request.
 * @type {Map<string, string>}
 */
const asked = new Map();
/** @type {string[]} */
const violations = [];

/** What was wrong since the last look. Official clients may swallow an error, so tests also look here. */
export const takeViolations = () => violations.splice(0);

/**
 * Like `fetch`. Rejects when a JSON answer of an MCP endpoint is not what its revision allows; what is wrong with a message
 * on a stream is kept for `takeViolations`, as the stream has readers of its own.
 * @param {string | URL} url
 * @param {RequestInit} [init]
 */
export async function wireFetch(url, init = {}) {
  const response = await fetch(url, init);
  if (!ENDPOINT.test(new URL(url).pathname)) return response;
  const exchange = describe(init, response);
  const media = response.headers.get("content-type") ?? "";
  if (media.startsWith("text/event-stream") && response.body) return tapped(response, exchange);
  const errors = checkBody(exchange, response.status, await response.clone().text());
  if (errors.length === 0) return response;
  const report = `${exchange.name} answered ${response.status} (${exchange.revision()}):\n${errors.join("\n")}`;
  violations.push(report);
  throw new AssertionError({ message: `MCP messages on the wire: ${report}` });
}

/**
 * What is known of a request, for reading its answer.
 * @typedef {ReturnType<typeof describe>} Exchange
 */
function describe(/** @type {RequestInit} */ { method = "GET", headers, body }, /** @type {Response} */ response) {
  const sent = new Headers(headers);
  const messages = [parse(body)].flat().filter((message) => message !== null && typeof message === "object");
  const header = sent.get("mcp-protocol-version");
  const isModern = header === MODERN || messages.some(({ params }) => params?._meta && META_VERSION in Object(params._meta));
  const session = sent.get("mcp-session-id") ?? response.headers.get("mcp-session-id");
  for (const message of messages) if ("id" in message && message.method) asked.set(`${session} ${JSON.stringify(message.id)}`, message.method);
  const opened = messages.find(({ method }) => method === "initialize")?.params?.protocolVersion;
  /** @type {() => string} */
  const revision = () => (isModern ? MODERN : sessions.get(session) ?? [header, opened].find((text) => REVISIONS.includes(text) && text !== MODERN) ?? LATEST_LEGACY);
  return { name: `${method} ${messages.map((message) => message.method).join(", ")}`, method, messages, session, revision };
}

function checkBody(/** @type {Exchange} */ exchange, /** @type {number} */ status, /** @type {string} */ text) {
  if (text === "") return [];
  const value = parse(text);
  const isMessage = Array.isArray(value) || (value !== null && typeof value === "object" && "jsonrpc" in value);
  if (isMessage) return checkMessages(exchange, value);
  // What stands before the protocol (authentication, pages) refuses in its own way, but never with 200.
  return status < 300 ? [`no MCP message: ${text.slice(0, 200)}`] : [];
}

/** @returns {string[]} */
function checkMessages(/** @type {Exchange} */ exchange, /** @type {any} */ value) {
  const { messages: sent, session } = exchange;
  /** @type {string[]} */
  const errors = [];
  if (Array.isArray(value) && (exchange.revision() !== "2025-03-26" || value.length === 0)) errors.push("a batch is not allowed here");
  for (const message of [value].flat()) {
    const isAnswer = !("method" in Object(message));
    const request = isAnswer && "id" in Object(message) ? sent.find(({ id, method }) => method && id === message.id) : undefined;
    const method = request?.method ?? asked.get(`${session} ${JSON.stringify(message?.id)}`);
    if (isAnswer && exchange.method === "POST" && "id" in Object(message) && !request) errors.push(`answers the id ${JSON.stringify(message.id)}, which was not asked`);
    if (method === "initialize" && REVISIONS.includes(message.result?.protocolVersion) && session) sessions.set(session, message.result.protocolVersion);
    // The answer to initialize has the shape of the revision that it settles on.
    const revision = (method === "initialize" && message.result?.protocolVersion) || exchange.revision();
    if (!REVISIONS.includes(revision)) errors.push(`there is no revision ${revision}`);
    else errors.push(...wireErrors({ revision, method, message }));
  }
  return errors;
}

/** The same response, whose events are looked at as they pass. Closing it closes the connection, as it would without. */
function tapped(/** @type {Response} */ response, /** @type {Exchange} */ exchange) {
  const reader = new EventStreamReader();
  const decoder = new TextDecoder();
  const look = new TransformStream({
    transform(chunk, controller) {
      for (const { data } of reader.push(decoder.decode(chunk, { stream: true }))) {
        if (!data) continue;
        const value = parse(data);
        const errors = value === undefined ? [`data is not JSON: ${data.slice(0, 200)}`] : checkMessages(exchange, value);
        if (errors.length > 0) violations.push(`a stream of ${exchange.name} (${exchange.revision()}):\n${errors.join("\n")}`);
      }
      controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  const passed = new Response(response.body?.pipeThrough(look), { status, statusText, headers });
  return Object.defineProperties(passed, { url: { value: response.url }, redirected: { value: response.redirected } });
}

function parse(/** @type {unknown} */ text) {
  try {
    return typeof text === "string" ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
