// Owns: whether one MCP message may be on the wire: the published schema of its revision, and the eras kept apart.
// Does not: send or receive anything (wire-fetch.mjs).

import { MODERN, REVISIONS, schemaOf } from "./schemas.mjs";

/** The methods that may answer with an InputRequiredResult (2026-07-28, multi round-trip requests). */
const ASKING = new Set(["tools/call", "prompts/get", "resources/read"]);
/** Defined by extensions, so that no revision's schema has them. */
const EXTENSIONS = /^(tasks|skills)\/|^resources\/directory\/read$|^notifications\/tasks$/;
/** Extensions are released by themselves, and are negotiated in both eras. */
const IN_BOTH_ERAS = new Set(["ServerCapabilities.extensions", "ClientCapabilities.extensions"]);
/** Of a modern result, wherever it stands. */
const MODERN_RESULT_FIELDS = ["resultType", "ttlMs", "cacheScope", "inputRequests", "requestState"];
const MODERN_META = ["protocolVersion", "clientInfo", "clientCapabilities", "logLevel", "serverInfo", "subscriptionId"].map((name) => `io.modelcontextprotocol/${name}`);
const LEGACY_META = ["io.modelcontextprotocol/related-task"];
/** Ours to fill, or the caller's: no field in there is the protocol's. */
const FREE = new Set(["structuredContent", "arguments", "inputSchema", "outputSchema", "requestedSchema"]);

/**
 * A message to look at, with what is known of it. A message may be anything.
 * @typedef {{ revision: string, from?: string, method?: string, message: any }} Exchange
 * @typedef {Exchange & { schema: import("./schemas.mjs").Schema }} Known
 */

/**
 * What is wrong with a message; nothing when it may be sent.
 * `from` is "server" or "client", `method` that of the request which a response answers (a response to an unknown
 * request, such as the error for a body that nobody could read, has none).
 * @param {Exchange} exchange
 * @returns {string[]}
 */
export function wireErrors({ revision, from = "server", method, message }) {
  const schema = schemaOf(revision);
  const kind = kindOf(message);
  if (!kind) return [`neither request, notification nor response: ${JSON.stringify(message)?.slice(0, 200)}`];
  const check = { response: responseErrors, error: errorErrors, call: callErrors }[kind];
  return [...check({ schema, revision, from, method, message }), ...eraErrors(revision, kind, message)];
}

/** @returns {"call" | "response" | "error" | null} */
function kindOf(/** @type {any} */ message) {
  if (message === null || typeof message !== "object" || Array.isArray(message)) return null;
  const is = { call: typeof message.method === "string", response: "result" in message, error: "error" in message };
  const kinds = /** @type {const} */ (["call", "response", "error"]).filter((kind) => is[kind]);
  return kinds.length === 1 ? kinds[0] : null;
}

/** A request or a notification. */
function callErrors(/** @type {Known} */ { schema, from, message }) {
  const { method } = message;
  const isRequest = "id" in message;
  const side = from === "server" ? "Server" : "Client";
  if (EXTENSIONS.test(method)) return schema.check(isRequest ? "JSONRPCRequest" : "JSONRPCNotification", message);
  const definition = schema.messages.get(method);
  if (!definition || !schema.methodsOf(side + (isRequest ? "Request" : "Notification")).includes(method)) {
    return [`the ${from} may not send the ${isRequest ? "request" : "notification"} ${method} in this revision`];
  }
  return [...schema.check(definition, message), ...strays(schema, definition, message)];
}

function responseErrors(/** @type {Known} */ { schema, revision, method, message }) {
  const { result } = message;
  const errors = schema.check(schema.pick("JSONRPCResultResponse", "JSONRPCResponse"), message);
  let definition = schema.results.get(method ?? "");
  if (revision === MODERN && result?.resultType === "input_required") {
    if (!ASKING.has(method ?? "")) errors.push(`${method} may not ask for input`);
    if (!("inputRequests" in result) && !("requestState" in result)) errors.push("InputRequiredResult: neither inputRequests nor requestState");
    definition = "InputRequiredResult";
  } else if (revision === MODERN && result?.resultType === "task") {
    if (method !== "tools/call") errors.push(`${method} may not answer with a task`);
    definition = "Result";
  } else if (revision === MODERN && result?.resultType !== "complete") {
    errors.push(`resultType ${JSON.stringify(result?.resultType)} is none of complete, input_required, task`);
  }
  if (!definition) {
    // Of a response that comes on another stream than its request, the method may be unknown.
    return method === undefined || EXTENSIONS.test(method) ? errors : [...errors, `this revision has no method ${method} that could have a result`];
  }
  errors.push(...schema.check(definition, result), ...strays(schema, definition, result));
  if (definition === "EmptyResult") {
    const more = Object.keys(result ?? {}).filter((key) => key !== "_meta" && key !== "resultType");
    if (more.length > 0) errors.push(`EmptyResult: has ${more.join(", ")}`);
  }
  return errors;
}

function errorErrors(/** @type {Known} */ { schema, revision, message }) {
  const { code } = message.error ?? {};
  /** @type {string[]} */
  const errors = [];
  if (revision === MODERN ? code === -32002 || code === -32042 || (code <= -32000 && code >= -32019) : code <= -32020 && code >= -32099 && code !== -32042) {
    errors.push(`error code ${code} is not of this era`);
  }
  // Streamable HTTP allows "a JSON-RPC error response that has no id" in every revision; the older schemas forgot it.
  const whole = "id" in message ? message : { ...message, id: 0 };
  return [...errors, ...schema.check(schema.errors.get(code) ?? schema.pick("JSONRPCErrorResponse", "JSONRPCError"), whole)];
}

/** What open schemas let through: the reserved names of the other era. */
function eraErrors(/** @type {string} */ revision, /** @type {string} */ kind, /** @type {any} */ message) {
  /** @type {string[]} */
  const errors = [];
  if (revision !== MODERN && kind === "response") {
    for (const field of MODERN_RESULT_FIELDS) if (field in Object(message.result)) errors.push(`result.${field} is modern`);
  }
  const [foreign, era] = revision === MODERN ? [LEGACY_META, "legacy"] : [MODERN_META, "modern"];
  eachMeta(message, (meta) => {
    for (const key of foreign) if (key in meta) errors.push(`_meta["${key}"] is ${era}`);
  });
  return errors;
}

function eachMeta(/** @type {unknown} */ value, /** @type {(meta: object) => void} */ see) {
  if (value === null || typeof value !== "object") return;
  for (const [key, part] of Object.entries(value)) {
    if (key === "_meta" && part !== null && typeof part === "object") see(part);
    else if (!FREE.has(key)) eachMeta(part, see);
  }
}

/** Fields that another revision defines at the same place and this one does not: the schemas are open and admit them. */
function strays(/** @type {Known["schema"]} */ schema, /** @type {string} */ name, /** @type {unknown} */ value, path = name) {
  return straysAt(schema, { $ref: `/${name}` }, value, path, name);
}

/**
 * @param {Known["schema"]} schema
 * @param {any} node of the schema
 * @param {unknown} value
 * @param {string} path
 * @param {string} [name] the definition that the node is
 * @returns {string[]}
 */
function straysAt(schema, node, value, path, name) {
  if (value === null || typeof value !== "object") return [];
  if (node.$ref) {
    const { name, definition } = schema.named(node.$ref);
    return straysAt(schema, definition, value, path, name);
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => straysAt(schema, node.items ?? {}, item, `${path}[${index}]`));
  const options = node.anyOf?.filter((/** @type {any} */ { $ref }) => $ref && schema.check(schema.named($ref).name, value).length === 0) ?? [];
  // Of several forms that all admit it, a field need only belong to one.
  if (options.length > 0) return options.map((/** @type {any} */ option) => straysAt(schema, option, value, path)).sort((/** @type {string[]} */ one, /** @type {string[]} */ other) => one.length - other.length)[0];
  return Object.entries(value).flatMap(([key, part]) => {
    const property = node.properties?.[key];
    if (property) return FREE.has(key) || key === "_meta" ? [] : straysAt(schema, property, part, `${path}.${key}`);
    const elsewhere = name && definedElsewhere(schema, name, key);
    if (elsewhere) return [`${path}.${key}: ${elsewhere} has it in ${name}, this revision has not`];
    return node.additionalProperties?.$ref ? straysAt(schema, node.additionalProperties, part, `${path}.${key}`) : [];
  });
}

function definedElsewhere(/** @type {Known["schema"]} */ schema, /** @type {string} */ name, /** @type {string} */ key) {
  if (IN_BOTH_ERAS.has(`${name}.${key}`)) return undefined;
  return REVISIONS.find((revision) => schemaOf(revision) !== schema && schemaOf(revision).definitions[name]?.properties?.[key]);
}


