// Owns: the test files on workerd: which there are, which builds they need, and running them by Node's test runner.
// Does not: build (parts.mjs), or start workerd (the tests do).

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { inRoot, innerEnv, npmTools, root } from "../lib/project.mjs";
import { runToEnd } from "../lib/run.mjs";

/** Each has servers, ports and folders of its own, and waits more than it works: three keep two cores busy. */
const AT_ONCE = 3;

/** These take longest, so they begin first: one that began last would go on alone. */
const LONG = ["demo-crash", "demo", "watch", "mayor-talk", "oauth", "status", "conformance", "removal", "hang", "start"].map((name) => `${name}.test.mjs`);

/**
 * All test files, as paths.
 * @returns {string[]}
 */
export function testFiles(dir = inRoot("tests", "workerd")) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    return entry.isDirectory() ? testFiles(path) : entry.name.endsWith(".test.mjs") ? [path] : [];
  });
}

/** @typedef {"dev" | "conformance" | "release"} Build the dev build, the one with the suite's fixture in it, what is deployed */

/** The builds that these files start or look at: they name them. */
export function neededBuilds(/** @type {string[]} */ files) {
  /** @type {Set<Build>} */
  const needed = new Set();
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    if (/profile: "release"/.test(text)) needed.add("release");
    if (/startFixture|features: "conformance"/.test(text)) needed.add("conformance");
    if (/startWorkerd\((?!\{ (profile|features))|command\(/.test(text)) needed.add("dev");
  }
  return needed;
}

/**
 * Runs the files; gives the exit code. `times` are those of the parts before, which are told before the runner's count.
 * @param {string[]} files
 * @param {import("./run.mjs").Time[]} times
 */
export function runFiles(files, times) {
  const rank = (/** @type {string} */ file) => (LONG.indexOf(basename(file)) + LONG.length + 1) % (LONG.length + 1);
  const sorted = files.toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  const reporter = inRoot("scripts", "test", "reporter.mjs");
  const args = ["--test", `--test-concurrency=${AT_ONCE}`, `--test-reporter=${reporter}`, "--test-reporter-destination=stdout", ...sorted];
  return runToEnd(npmTools.node, args, { cwd: root, env: innerEnv({ GASTOWN_TEST_TIMES: JSON.stringify(times) }), stdio: ["ignore", "inherit", "inherit"] });
}
