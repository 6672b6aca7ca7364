// Owns: `npm test`: which parts there are, in which order, and the exit code.
// Does not: hold any test. Host tests are cargo's, workerd tests are in tests/workerd/*.test.mjs.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { readOptions } from "./lib/options.mjs";
import { Failure, innerEnv, inRoot, npmTools, root, runScript, say } from "./lib/project.mjs";
import { runToEnd } from "./lib/run.mjs";
import { setup } from "./setup.mjs";

const HELP = `
Usage: npm test -- [options] [FILE…]

Runs the lints, the host tests (cargo test), then the tests on workerd, which build the Worker first.

  --host       only the lints and the host tests
  --workerd    only the tests on workerd
  FILE…        only these files of tests/workerd
  -h, --help   this text`;

/** Test files that start the build with the suite's fixture in it. */
const NEEDS_FIXTURE = /startFixture|features: "conformance"/;

await runScript(async () => {
  const options = readOptions({ host: { type: "boolean" }, workerd: { type: "boolean" } }, HELP, { positionals: true });
  if (!options) return;
  const { positionals: files } = options;
  const all = !options.host && !options.workerd && files.length === 0;
  await setup();
  /** @type {string[]} */
  const failed = [];
  if (all || options.host) {
    await part("lint", failed, lints);
    await part("host", failed, hostTests);
  }
  if (all || options.workerd || files.length > 0) await part("workerd", failed, () => workerdTests(files));
  // Nothing is printed after a success: the runner's count comes last.
  if (failed.length > 0) throw new Failure(`tests failed: ${failed.join(", ")}`);
});

/** Runs one part; a failed one does not keep the next from telling what it knows, an interrupted one does. */
async function part(/** @type {string} */ name, /** @type {string[]} */ failed, /** @type {() => Promise<number | NodeJS.Signals>} */ run) {
  say(`${name} tests …`);
  const code = await run();
  if (typeof code === "string") throw new Failure(`${name} tests ended by ${code}`);
  if (code !== 0) failed.push(name);
}

/** What must not compile into the Worker is denied in Cargo.toml; other lints only speak. */
async function lints() {
  const clippy = (/** @type {string[]} */ ...args) => runToEnd("cargo", ["clippy", ...args], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (spawnSync("cargo", ["clippy", "--version"], { cwd: root }).status !== 0) {
    say("clippy is not installed, so the lints are not checked (rustup component add clippy)");
    return 0;
  }
  return (await clippy("--quiet", "--all-targets"))
    || (await clippy("--quiet", "--target", "wasm32-unknown-unknown"))
    || clippy("--quiet", "--all-targets", "--package", "gastown-runner");
}

async function hostTests() {
  // In CI a Cargo.lock that lags behind Cargo.toml is an error; at a desk cargo just updates it.
  const cargo = (/** @type {string[]} */ ...args) =>
    runToEnd("cargo", ["test", ...(process.env.CI ? ["--locked"] : []), ...args], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  return (await cargo())
    || cargo("--package", "gastown-runner");
}

async function workerdTests(/** @type {string[]} */ files) {
  const chosen = files.length > 0 ? files : testFiles(inRoot("tests", "workerd"));
  if (chosen.length === 0) {
    say("there is no tests/workerd/*.test.mjs");
    return 0;
  }
  try {
    await build();
    // Dependencies are compiled already by the first, so this one takes less than half its time.
    if (chosen.some((file) => NEEDS_FIXTURE.test(readFileSync(file, "utf8")))) await build({ features: "conformance" });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    say(error.message);
    return 1;
  }
  // One file at a time: each starts its own workerd, and there may be two cores only.
  const args = ["--test", "--test-concurrency=1", "--test-reporter=spec", ...chosen];
  return runToEnd(npmTools.node, args, { cwd: root, env: innerEnv(), stdio: ["ignore", "inherit", "inherit"] });
}

/** @returns {string[]} */
function testFiles(/** @type {string} */ dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true })
    .sort((a, b) => a.name.localeCompare(b.name))
    .flatMap((entry) => {
      const path = join(dir, entry.name);
      return entry.isDirectory() ? testFiles(path) : entry.name.endsWith(".test.mjs") ? [path] : [];
    });
}
