// Owns: everything a fresh clone needs before it can build: npm packages, the wasm target, worker-build, wasm-bindgen.
// Does not: build the Worker, or install Node, Rust or a C compiler (it says who does). Uses no npm package: there may be none yet.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { withLock } from "./lib/lock.mjs";
import { readOptions } from "./lib/options.mjs";
import { cacheDir, Failure, inRoot, isMain, lockedVersion, npmTools, oldestRust, outerEnv, root, runScript, say, sha256 } from "./lib/project.mjs";
import { output, step } from "./lib/run.mjs";

const TARGET = "wasm32-unknown-unknown";
const OLDEST_NODE = 20;
const CHECKOUT = sha256(root).slice(0, 16);

/** Where the two compiled tools are, by the versions that Cargo.lock pins (worker-build has worker's version). */
export function toolPaths() {
  return { workerBuild: toolPath("worker-build", lockedVersion("worker")), wasmBindgen: toolPath("wasm-bindgen", lockedVersion("wasm-bindgen")) };
}

/** Makes the checkout ready to build and run; quick when there is nothing to do. */
export async function setup() {
  await setupNpm();
  checkRust();
  await setupTarget();
  // One crate, one binary each. wasm-bindgen refuses a module made by another version of itself.
  await setupTool("worker-build", "worker-build", lockedVersion("worker"));
  await setupTool("wasm-bindgen-cli", "wasm-bindgen", lockedVersion("wasm-bindgen"));
}

/** Installs exactly what package-lock.json says, when it changed since the last time. */
export async function setupNpm() {
  checkNode();
  const stamp = inRoot("node_modules", ".gastown-lockfile-sha256");
  const wanted = sha256(readFileSync(inRoot("package-lock.json")), process.platform, process.arch);
  const isReady = () => existsSync(npmTools.node) && read(stamp) === wanted;
  if (isReady()) return;
  // Under `wrangler dev` the packages are in use, by the very wrangler that called us.
  if (process.env.WRANGLER_COMMAND) return say("package-lock.json changed: stop wrangler and run `npm start` to install");
  await withLock(join(cacheDir, `npm-${CHECKOUT}.lock`), "npm ci", async () => {
    if (isReady()) return;
    if (output("npm", ["--version"], outerEnv()) === null) throw new Failure("npm is missing: install it (it comes with Node), then run this again");
    await step("Installing npm packages (npm ci)", "npm", ["ci", "--loglevel", "error", "--no-audit", "--no-fund"], { env: outerEnv() });
    writeFileSync(stamp, wanted);
  });
}

function checkNode() {
  if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE) {
    throw new Failure(`Node ${process.versions.node} is too old: install Node ${OLDEST_NODE} or newer, then run this again`);
  }
}

function checkRust() {
  const remedy = "install Rust with rustup (https://rustup.rs), open a new shell, then run this again";
  if (output("cargo", ["--version"]) === null) throw new Failure(`cargo is missing: ${remedy}`);
  const version = output("rustc", ["--version"])?.match(/^rustc (\d+)\.(\d+)/);
  if (!version) throw new Failure(`rustc is missing or does not run: ${remedy}`);
  const [major, minor] = oldestRust().split(".").map(Number);
  if (Number(version[1]) < major || (Number(version[1]) === major && Number(version[2]) < minor)) {
    throw new Failure(`Rust ${version[1]}.${version[2]} is too old: this needs ${major}.${minor} or newer, run \`rustup update stable\``);
  }
  // Build scripts and the bundled SQLite of the tests are linked and compiled by it.
  if (!["cc", "gcc", "clang"].some((compiler) => output(compiler, ["--version"]) !== null)) {
    throw new Failure("a C compiler is missing: install gcc or clang (Debian: apt-get install gcc libc6-dev; macOS: xcode-select --install), then run this again");
  }
}

async function setupTarget() {
  // The sysroot tells it for every way of installing Rust; `rustup target list` only for one.
  const hasTarget = () => existsSync(join(output("rustc", ["--print", "sysroot"]) ?? "", "lib", "rustlib", TARGET, "lib"));
  if (hasTarget()) return;
  if (output("rustup", ["--version"]) === null) {
    throw new Failure(`this Rust has no ${TARGET} target and there is no rustup to add it: install Rust with rustup (https://rustup.rs), or your distribution's ${TARGET} standard library`);
  }
  await step(`Adding the ${TARGET} target to Rust`, "rustup", ["target", "add", TARGET]);
  if (!hasTarget()) throw new Failure(`rustup added ${TARGET} to another toolchain than the rustc on the PATH uses: put ~/.cargo/bin first on the PATH`);
}

const toolPath = (/** @type {string} */ binary, /** @type {string} */ version) => join(cacheDir, `${binary}-${version}`, "bin", binary);

async function setupTool(/** @type {string} */ crate, /** @type {string} */ binary, /** @type {string} */ version) {
  const path = toolPath(binary, version);
  const isReady = () => output(path, ["--version"])?.split(/\s+/).includes(version) ?? false;
  if (isReady()) return;
  const home = join(cacheDir, `${binary}-${version}`);
  await withLock(`${home}.lock`, `compiling ${binary}`, async () => {
    if (isReady()) return;
    mkdirSync(cacheDir, { recursive: true });
    const partial = `${home}.partial`;
    const args = ["install", crate, "--version", `=${version}`, "--locked", "--profile", "dev", "--bin", binary];
    await step(`Compiling ${binary} ${version} (once per user)`, "cargo", [...args, "--root", partial, "--target-dir", `${home}.target`, "--force"], {
      cwd: cacheDir, // away from this project's own cargo configuration
      // Far quicker to compile than the release profile; debug information would only cost time and disk.
      // On the PATH only so that cargo does not advise to put it there.
      env: { ...process.env, CARGO_PROFILE_DEV_DEBUG: "0", CARGO_FUTURE_INCOMPAT_REPORT_FREQUENCY: "never", PATH: join(partial, "bin") + delimiter + process.env.PATH },
    });
    // Moved in whole, so that a half-installed tool is never taken for a ready one; the build folder helped to resume until now.
    rmSync(home, { recursive: true, force: true });
    renameSync(partial, home);
    rmSync(`${home}.target`, { recursive: true, force: true });
  });
}

function read(/** @type {string} */ path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

const HELP = `
Usage: node scripts/setup.mjs

Installs what building and running this project needs, and does nothing when it is there:
npm packages, Rust's ${TARGET} target, worker-build and wasm-bindgen (into ${cacheDir}).
npm start, npm test and npm run build call it themselves.`;

if (isMain(import.meta)) {
  await runScript(async () => {
    if (readOptions({}, HELP)) await setup();
  });
}
