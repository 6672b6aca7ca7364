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
 * @typedef {"dev" | "release"} Profile "dev" is compiled quickly and checks arithmetic: for `npm start` and for tests. "release"
 * is small and takes minutes: for deployments, benchmarks, and tests of what is deployed.
 * @typedef {object} Variant what a build is made of
 * @property {Profile} [profile]
 * @property {string} [features] cargo features, separated by commas
 * @property {boolean} [keepNames] keep function names in the release's wasm, for stack traces and profiles; dev's always has them
 */

/** The folder of a variant. */
const folderOf = (/** @type {Variant} */ { profile = "release", features }) => join("build", [profile, ...(features ? features.split(",") : [])].join("-"));

/**
 * Builds a variant unless it is up to date. Gives its folder.
 * @param {Variant & { force?: boolean }} [options]
 */
export async function build({ profile = "release", features = "", keepNames = false, force = false } = {}) {
  if (!/^[\w,/-]*$/.test(features)) throw new Failure(`--features takes cargo features separated by commas, not "${features}"`);
  const variant = { profile, features, keepNames };
  const outDir = folderOf(variant);
  const stamp = inRoot(outDir, ".inputs-sha256");
  const isFresh = () => !force && isBuilt(outDir) && read(stamp) === inputs(variant);
  if (isFresh()) return outDir; // before setup: an up-to-date build needs no Rust
  await setup();
  // One lock for all outputs of a profile: they share cargo's target folder, where the last build's wasm lies.
  await withLock(inRoot("build", `.lock-${profile}`), "building the Worker", async () => {
    if (isFresh()) return;
    const wanted = inputs(variant); // taken before: an edit during the build must lead to another build
    rmSync(stamp, { force: true });
    await runWorkerBuild(outDir, variant);
    const wasm = inRoot(outDir, "index_bg.wasm");
    if (profile === "release" && !keepNames) writeFileSync(wasm, stripNames(readFileSync(wasm)));
    writeFileSync(stamp, wanted);
    if (profile === "release") say(`${outDir}/index_bg.wasm: ${kilobytes(statSync(wasm).size)}, gzipped ${kilobytes(gzipSync(readFileSync(wasm), { level: 9 }).length)}`);
  });
  return outDir;
}

/** Makes build/index.js, which src/entry.mjs imports and wrangler bundles, stand for the build in this folder. */
function select(/** @type {string} */ outDir) {
  const module = JSON.stringify(`./${relative("build", outDir)}/index.js`);
  const text = `export * from ${module};\nexport { default } from ${module};\n`;
  if (read(inRoot("build", "index.js")) !== text) writeFileSync(inRoot("build", "index.js"), text); // wrangler may be watching
}

async function runWorkerBuild(/** @type {string} */ outDir, /** @type {Required<Variant>} */ { profile, features }) {
  // worker-build waits for a staging folder that looks alive; we hold the lock, so this one is left from a failed run.
  rmSync(inRoot(outDir, ".tmp"), { recursive: true, force: true });
  mkdirSync(inRoot(outDir), { recursive: true });
  const { workerBuild, wasmBindgen } = toolPaths();
  const args = [shell, `--${profile}`, "--out-dir", relative(shell, inRoot(outDir)), ...(features ? ["--features", features] : [])];
  await step(`Building the Worker (${profile}${features ? ` with ${features}` : ""})`, workerBuild, args, {
    env: {
      ...process.env,
      // Without these worker-build downloads its own copies from the web.
      WASM_BINDGEN_BIN: wasmBindgen,
      WASM_OPT_BIN: npmTools.wasmOpt,
      ESBUILD_BIN: npmTools.esbuild,
      // Names with their types: for profiles, and for the order of the functions (src/shell/Cargo.toml).
      ...(profile === "release" && { RUSTFLAGS: [process.env.RUSTFLAGS, "-C symbol-mangling-version=v0"].filter(Boolean).join(" ") }),
      // Stack traces name functions; what debuggers read makes linking slow.
      CARGO_PROFILE_DEV_DEBUG: "0",
      RUST_BACKTRACE: "0", // an error is about our code, not about worker-build's stack
    },
  });
}

const isBuilt = (/** @type {string} */ outDir) => existsSync(inRoot(outDir, "index.js")) && existsSync(inRoot(outDir, "index_bg.wasm"));

/** One hash over names and contents of all inputs and the options. */
function inputs(/** @type {Required<Variant>} */ variant) {
  /** @type {(string | Buffer)[]} */
  const parts = [JSON.stringify(variant)];
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

Builds the Worker when its sources changed since the last time, as it is deployed, into build/release/.

  --dev             build for this machine into build/dev/: larger and slower, compiled in a fraction of the time
  --features LIST   build with these cargo features, into a folder named after them
  --names           keep function names in the wasm (about a fifth larger), for stack traces and profiles
  --force           build even when nothing changed
  -h, --help        this text`;

if (isMain(import.meta)) {
  await runScript(async () => {
    const options = readOptions({ dev: { type: "boolean" }, features: { type: "string" }, names: { type: "boolean" }, force: { type: "boolean" } }, HELP);
    if (!options) return;
    // `wrangler dev` serves this machine; `wrangler deploy` and everything else gets what is deployed.
    const profile = options.dev || process.env.WRANGLER_COMMAND === "dev" ? "dev" : "release";
    const outDir = await build({ profile, features: options.features, keepNames: options.names, force: options.force });
    if (!options.features) select(outDir);
  });
}
