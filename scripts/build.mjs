// Owns: the Worker's build: when it is needed, with which tools, and what is left of the wasm.
// Does not: install anything (setup.mjs), or know what is in src/. It is also wrangler's [build] command.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { withLock } from "./lib/lock.mjs";
import { readOptions } from "./lib/options.mjs";
import { Failure, inRoot, isMain, npmTools, root, runScript, say, sha256 } from "./lib/project.mjs";
import { step } from "./lib/run.mjs";
import { stripNames } from "./lib/wasm.mjs";
import { setup, toolPaths } from "./setup.mjs";

/** The package that becomes the wasm. */
const shell = inRoot("src", "shell");

/** What decides the output. The two lock files stand for every tool's version; the runner is a program of the host. */
const INPUTS = ["src", "tests/conformance/fixture", "tests/snapshots", "build.rs", "Cargo.toml", "Cargo.lock", "package-lock.json", ".cargo/config.toml", "scripts/build.mjs", "scripts/lib/wasm.mjs"];

/**
 * Builds into build/, or with cargo features into build/<features>/, unless that is up to date. Gives the folder.
 * `keepNames` keeps function names in the wasm, for stack traces and profiles.
 */
export async function build({ features = "", keepNames = false, force = false } = {}) {
  if (!/^[\w,-]*$/.test(features)) throw new Failure(`--features takes cargo features separated by commas, not "${features}"`);
  const outDir = join("build", features.replaceAll(",", "-"));
  const stamp = inRoot(outDir, ".inputs-sha256");
  const isFresh = () => !force && isBuilt(outDir) && read(stamp) === inputs({ features, keepNames });
  if (isFresh()) return outDir; // before setup: an up-to-date build needs no Rust
  await setup();
  // One lock for all outputs: they share cargo's target folder, where the last build's wasm lies.
  await withLock(inRoot("build", ".lock"), "building the Worker", async () => {
    if (isFresh()) return;
    const wanted = inputs({ features, keepNames }); // taken before: an edit during the build must lead to another build
    rmSync(stamp, { force: true });
    await runWorkerBuild(outDir, features);
    const wasm = inRoot(outDir, "index_bg.wasm");
    if (!keepNames) writeFileSync(wasm, stripNames(readFileSync(wasm)));
    writeFileSync(stamp, wanted);
    say(`${outDir}/index_bg.wasm: ${kilobytes(statSync(wasm).size)}, gzipped ${kilobytes(gzipSync(readFileSync(wasm), { level: 9 }).length)}`);
  });
  return outDir;
}

async function runWorkerBuild(/** @type {string} */ outDir, /** @type {string} */ features) {
  // worker-build waits for a staging folder that looks alive; we hold the lock, so this one is left from a failed run.
  rmSync(inRoot(outDir, ".tmp"), { recursive: true, force: true });
  mkdirSync(inRoot(outDir), { recursive: true });
  const { workerBuild, wasmBindgen } = toolPaths();
  const args = [shell, "--release", "--out-dir", relative(shell, inRoot(outDir)), ...(features ? ["--features", features] : [])];
  await step(`Building the Worker${features ? ` with ${features}` : ""}`, workerBuild, args, {
    env: {
      ...process.env,
      // Without these worker-build downloads its own copies from the web.
      WASM_BINDGEN_BIN: wasmBindgen,
      WASM_OPT_BIN: npmTools.wasmOpt,
      ESBUILD_BIN: npmTools.esbuild,
      // Names with their types: for profiles, and for the order of the functions (src/shell/Cargo.toml).
      RUSTFLAGS: [process.env.RUSTFLAGS, "-C symbol-mangling-version=v0"].filter(Boolean).join(" "),
      RUST_BACKTRACE: "0", // an error is about our code, not about worker-build's stack
    },
  });
}

const isBuilt = (/** @type {string} */ outDir) => existsSync(inRoot(outDir, "index.js")) && existsSync(inRoot(outDir, "index_bg.wasm"));

/** One hash over names and contents of all inputs and the options. */
function inputs(/** @type {{ features: string, keepNames: boolean }} */ options) {
  /** @type {(string | Buffer)[]} */
  const parts = [JSON.stringify(options)];
  for (const file of INPUTS.flatMap((input) => filesUnder(inRoot(input)))) parts.push(relative(root, file), "\0", readFileSync(file), "\0");
  return sha256(...parts);
}

/** @returns {string[]} */
function filesUnder(/** @type {string} */ path) {
  if (!existsSync(path) || path === inRoot("src", "runner")) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).sort().flatMap((name) => filesUnder(join(path, name)));
}

const kilobytes = (/** @type {number} */ bytes) => `${(bytes / 1000).toFixed(0)} kB`;

function read(/** @type {string} */ path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

const HELP = `
Usage: npm run build -- [options]

Builds the Worker into build/ when its sources changed since the last time.

  --features LIST   build with these cargo features, into build/<features>/
  --names           keep function names in the wasm (about a fifth larger), for stack traces and profiles
  --force           build even when nothing changed
  -h, --help        this text`;

if (isMain(import.meta)) {
  await runScript(async () => {
    const options = readOptions({ features: { type: "string" }, names: { type: "boolean" }, force: { type: "boolean" } }, HELP);
    if (options) await build({ features: options.features, keepNames: options.names, force: options.force });
  });
}
