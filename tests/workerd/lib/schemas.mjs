// Owns: the published JSON schema of each revision, indexed by method, and validation against one of its definitions.
// Does not: know which definition a message must meet (wire.mjs).

import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { inRoot } from "./project.mjs";

export const MODERN = "2026-07-28";
export const LATEST_LEGACY = "2025-11-25";
/** No npm package has the schema of 2024-11-05; that of 2025-03-26 only adds to it (audio, annotations, completions). */
const STANDS_FOR = /** @type {Record<string, string>} */ ({ "2024-11-05": "2025-03-26" });
export const REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", LATEST_LEGACY, MODERN];

const texts = published();
/** @type {Map<string, Schema>} */
const indexes = new Map();

/** The index of a revision's schema. */
export function schemaOf(/** @type {string} */ revision) {
  const name = STANDS_FOR[revision] ?? revision;
  const index = indexes.get(name) ?? new Schema(name, texts[name]);
  indexes.set(name, index);
  return index;
}

export class Schema {
  #ajv;
  /** @type {Map<string, import("ajv").ValidateFunction>} */
  #validators = new Map();
  #root;

  constructor(/** @type {string} */ name, /** @type {any} */ schema) {
    this.key = "$defs" in schema ? "$defs" : "definitions";
    /** @type {Record<string, any>} */
    this.definitions = schema[this.key];
    // As the official suite has it: these two revisions were published with integers where the specification has numbers.
    if (name === "2025-06-18" || name === "2025-11-25") {
      for (const bound of ["minimum", "maximum", "default"]) {
        const property = this.definitions.NumberSchema?.properties?.[bound];
        if (property?.type === "integer") property.type = "number";
      }
    }
    this.#ajv = new (schema.$schema.includes("2020-12") ? Ajv2020 : Ajv)({ strict: false, allErrors: true });
    addFormats.default(this.#ajv);
    this.#ajv.addFormat("byte", true);
    this.#root = `mcp://${name}`;
    this.#ajv.addSchema({ ...schema, $id: this.#root });

    /** Definitions of requests and notifications, of results, and of errors that have their own code. */
    this.messages = /** @type {Map<string, string>} */ (new Map());
    this.results = /** @type {Map<string, string>} */ (new Map());
    this.errors = /** @type {Map<number, string>} */ (new Map());
    for (const [definition, { properties = {} }] of Object.entries(this.definitions)) {
      const method = properties.method?.const;
      if (typeof method === "string") this.messages.set(method, definition);
      const result = definition.replace(/Request$/, "Result");
      if (typeof method === "string" && result !== definition) this.results.set(method, result in this.definitions ? result : "EmptyResult");
      for (const { properties: parts } of properties.error?.allOf ?? []) {
        if (parts?.code?.const !== undefined) this.errors.set(parts.code.const, definition);
      }
    }
  }

  /** The first of these names that this revision defines. */
  pick(/** @type {string[]} */ ...names) {
    const found = names.find((name) => name in this.definitions);
    assert.ok(found, `${this.#root} defines none of ${names.join(", ")}`);
    return found;
  }

  /** The methods of a union such as ServerNotification; none when the revision has no such union. */
  /** @returns {string[]} */
  methodsOf(/** @type {string} */ union) {
    return (this.definitions[union]?.anyOf ?? []).map((/** @type {{ $ref: string }} */ { $ref }) => this.named($ref).definition.properties.method.const);
  }

  /** What a `$ref` points at. */
  named(/** @type {string} */ $ref) {
    const name = $ref.slice($ref.lastIndexOf("/") + 1);
    return { name, definition: this.definitions[name] };
  }

  /** What is wrong with a value as an instance of a definition, in words. */
  check(/** @type {string} */ name, /** @type {unknown} */ value) {
    const validate = this.#validators.get(name) ?? this.#ajv.compile({ $ref: `${this.#root}#/${this.key}/${name}` });
    this.#validators.set(name, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).slice(0, 6).map(({ instancePath, message, params }) => `${name}${instancePath}: ${message} ${JSON.stringify(params)}`);
  }
}

/**
 * The schemas of the specification's repository, out of the official suite, which carries them inside its program. It is
 * pinned, so that the form of the program is known.
 * @returns {Record<string, any>}
 */
function published() {
  const program = readFileSync(inRoot("node_modules", "@modelcontextprotocol", "conformance", "dist", "index.js"), "utf8");
  const table = /\{"2025-03-26":([\w$]+),"2025-06-18":([\w$]+),"2025-11-25":([\w$]+),\[[\w$]+\]:([\w$]+)\}/.exec(program);
  assert.ok(table, "the conformance suite keeps its schemas in another form than before: adapt tests/workerd/lib/schemas.mjs");
  return Object.fromEntries(REVISIONS.slice(1).map((revision, index) => [revision, literal(program, table[index + 1])]));
}

/** The value of `name={$schema:…}`: plain data, with template strings that hold no expression. */
function literal(/** @type {string} */ program, /** @type {string} */ name) {
  const start = program.indexOf(`${name}={$schema:`) + name.length + 1;
  let depth = 0;
  let quoted = false;
  for (let at = start; at < program.length; at++) {
    const char = program[at];
    if (char === "\\") at++;
    else if (char === "`") quoted = !quoted;
    else if (!quoted && char === "{") depth++;
    else if (!quoted && char === "}" && --depth === 0) return JSON.parse(runInNewContext(`JSON.stringify(${program.slice(start, at + 1)})`));
  }
  throw new Error(`the conformance suite has no schema ${name}`);
}
