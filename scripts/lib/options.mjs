// Owns: reading a script's command line; every mistake is one clear line.
// Does not: know any script's options.

import { parseArgs } from "node:util";
import { Failure } from "./project.mjs";

/**
 * Values of the given options (as for `parseArgs`). Prints `help` and gives null when that was asked for.
 * @template {import("node:util").ParseArgsOptionsConfig} T
 * @param {T} options
 * @param {string} help
 * @returns {(ReturnType<typeof parseArgs<{ options: T }>>["values"] & { positionals: string[] }) | null}
 */
export function readOptions(options, help, { args = process.argv.slice(2), positionals = false } = {}) {
  try {
    const parsed = parseArgs({
      args,
      options: { ...options, help: { type: "boolean", short: "h" } },
      allowPositionals: positionals,
    });
    const values = /** @type {any} */ (parsed.values); // the compiler cannot add `help` to options that it does not know
    if (!values.help) return { ...values, positionals: parsed.positionals };
    process.stdout.write(`${help.trim()}\n`);
    return null;
  } catch (error) {
    if (!String(error.code).startsWith("ERR_PARSE_ARGS")) throw error;
    // Node adds hints about `--` after its first sentence; they do not help here.
    throw new Failure(`${error.message.split(/\. |\n/)[0].replace(/\.$/, "")}; --help lists the options`);
  }
}

/** A TCP port; 0 asks for a free one. */
export function port(/** @type {string} */ text) {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value <= 65_535)) throw new Failure(`--port takes a number from 0 (any free port) to 65535, not "${text}"`);
  return value;
}

/** @type {Record<string, number>} */
const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds from "3600", "90s", "30m", "8h", "7d". */
export function seconds(/** @type {string} */ text) {
  const found = /^(\d+)([smhd]?)$/.exec(text);
  const value = found ? Number(found[1]) * UNITS[found[2] || "s"] : 0;
  if (!Number.isSafeInteger(value) || value <= 0) throw new Failure(`--ttl takes a time such as 90s, 30m, 8h or 7d, not "${text}"`);
  return value;
}
