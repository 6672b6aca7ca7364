// Owns: the parts of `npm test`: what each runs, which ones it needs, and which may run side by side. A new gate is one row.
// Does not: choose among them (test.mjs, changed.mjs), or run them (run.mjs).

import { build } from "../build.mjs";
import { checkJs } from "../check-js.mjs";
import { checkDependencies } from "../checks/dependencies.mjs";
import { checkRust, rustChecks } from "../checks/rust.mjs";
import { Failure, root, say } from "../lib/project.mjs";
import { runToEnd } from "../lib/run.mjs";
import { setupTools } from "../setup.mjs";
import { neededBuilds, runFiles } from "./workerd.mjs";

/**
 * @typedef {object} Plan
 * @property {Set<"js" | "rust" | "host">} checks checks of JavaScript, checks of Rust, host tests
 * @property {string[]} files test files of tests/workerd
 *
 * @typedef {import("node:child_process").StdioOptions} Stdio
 * @typedef {object} Part
 * @property {string} name
 * @property {"host" | "worker" | "workerd"} lane parts of one lane run one after the other, lanes side by side
 * @property {(plan: Plan) => boolean} when whether the plan has it
 * @property {string[]} [needs] parts that must have passed before; those of the plan
 * @property {(stdio: Stdio, plan: Plan, times: import("./run.mjs").Time[]) => Promise<number | NodeJS.Signals>} run gives the exit code
 */

/** In CI a Cargo.lock that lags behind Cargo.toml is an error; at a desk cargo just updates it. */
const locked = process.env.CI ? ["--locked"] : [];

/** @returns {Part["run"]} */
const cargo = (/** @type {string[]} */ command, /** @type {string[]} */ ...args) => (stdio) => runToEnd("cargo", [command, ...locked, ...args].flat(), { cwd: root, stdio });

/** @returns {Part["run"]} */
const worker = (/** @type {{ profile: "dev" | "release", features?: string }} */ variant) => () => orOne(() => build(variant));

/** @type {Part[]} */
const PARTS = [
  { name: "check JavaScript", lane: "host", when: ({ checks }) => checks.has("js"), run: checkJs },
  { name: "dependencies", lane: "host", when: ({ checks }) => checks.has("rust"), run: () => orOne(checkDependencies) },
  ...rustChecks.map((name) => ({ name: `Rust ${name}`, lane: /** @type {const} */ ("host"), when: (/** @type {Plan} */ { checks }) => checks.has("rust"), run: (/** @type {Stdio} */ stdio) => checkRust(name, stdio) })),
  { name: "host tests", lane: "host", when: ({ checks }) => checks.has("host"), run: cargo(["test"], "--workspace", "--no-fail-fast") },
  { name: "tools", lane: "worker", when: ({ files }) => files.length > 0, run: () => orOne(setupTools) },
  { name: "Worker, dev", lane: "worker", when: ({ files }) => neededBuilds(files).has("dev"), needs: ["tools"], run: worker({ profile: "dev" }) },
  { name: "Worker, dev with conformance", lane: "worker", when: ({ files }) => neededBuilds(files).has("conformance"), needs: ["tools"], run: worker({ profile: "dev", features: "conformance" }) },
  { name: "Worker, release", lane: "worker", when: ({ files }) => neededBuilds(files).has("release"), needs: ["tools"], run: worker({ profile: "release" }) },
  {
    name: "workerd tests",
    lane: "workerd", // last, by itself: some tests measure time, and the runner's count ends the output
    when: ({ files }) => files.length > 0,
    needs: ["Worker, dev", "Worker, dev with conformance", "Worker, release"],
    run: (_, { files }, times) => runFiles(files, times),
  },
];

/** The parts of a plan, in order, bound to it. */
export const partsOf = (/** @type {Plan} */ plan) => PARTS.filter(({ when }) => when(plan)).map(({ run, ...part }) => ({
  ...part,
  run: (/** @type {Stdio} */ stdio, /** @type {import("./run.mjs").Time[]} */ times) => run(stdio, plan, times),
}));

/** An exit code: that of an expected failure, which is told, is 1. */
async function orOne(/** @type {() => Promise<unknown>} */ body) {
  try {
    await body();
    return 0;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    say(error.message);
    return 1;
  }
}
