// Owns: where things are in this checkout, the versions in force, and how a script speaks and fails.
// Does not: run, install or build anything.

import { createHash } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
export const inRoot = (/** @type {string[]} */ ...parts) => join(root, ...parts);

/** Per-user cache: tools are compiled once for all checkouts, and locks stay out of the work tree. */
export const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "gastown-mcp");

const bin = (/** @type {string} */ name) => inRoot("node_modules", ".bin", name);

/** Tools that npm installs. Node is one of them: wrangler needs 22, the machine may have 20. */
export const npmTools = {
  node: bin("node"),
  wasmOpt: bin("wasm-opt"),
  esbuild: bin("esbuild"),
  wrangler: inRoot("node_modules", "wrangler", "bin", "wrangler.js"),
};

/**
 * The environment without this project's node_modules/.bin. npm puts that folder first, and `npm ci` must not run on
 * the very Node that it deletes.
 */
export function outerEnv() {
  const ours = inRoot("node_modules");
  const path = (process.env.PATH ?? "").split(delimiter).filter((dir) => !dir.startsWith(ours));
  return { ...process.env, PATH: path.join(delimiter) };
}

/** The environment with Node 22 and the npm tools first, whoever started this script. */
export function innerEnv(/** @type {NodeJS.ProcessEnv} */ extra = {}) {
  return { ...process.env, PATH: inRoot("node_modules", ".bin") + delimiter + (process.env.PATH ?? ""), ...extra };
}

/** A crate's version, from Cargo.lock: the one place where it is pinned. */
export function lockedVersion(/** @type {string} */ crate) {
  const lock = readFileSync(inRoot("Cargo.lock"), "utf8");
  const found = lock.match(new RegExp(`name = "${crate}"\\r?\\nversion = "([^"]+)"`));
  if (!found) throw new Failure(`Cargo.lock has no crate "${crate}": restore it with \`git checkout Cargo.lock\``);
  return found[1];
}

/** The oldest Rust that Cargo.toml admits. */
export function oldestRust() {
  return readFileSync(inRoot("Cargo.toml"), "utf8").match(/^rust-version = "([^"]+)"/m)?.[1] ?? "1.85";
}

export const sha256 = (/** @type {import("node:crypto").BinaryLike[]} */ ...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest("hex");

/** An expected failure: one line for a person, no stack. */
export class Failure extends Error {}

/** Progress goes to stderr, so that stdout holds only what was asked for (a token, the JSON line). */
export const say = (/** @type {string} */ line) => process.stderr.write(`[gastown] ${line}\n`);

/**
 * Runs a script's body; an expected failure becomes one line and exit code 1, anything else is a bug and keeps its stack.
 * @param {() => Promise<number | void>} body gives the exit code, 0 unless it says so
 */
export async function runScript(body) {
  try {
    const code = await body();
    process.exitCode = typeof code === "number" ? code : 0;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(`gastown-mcp: ${error.message}\n`);
    process.exitCode = 1;
  }
}

/** Whether the module is the one that was started, rather than imported. */
export const isMain = (/** @type {ImportMeta} */ meta) => process.argv[1] !== undefined && fileURLToPath(meta.url) === realpathSync(process.argv[1]);

/** "75 s", "2 min 5 s". */
export function duration(/** @type {number} */ milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
