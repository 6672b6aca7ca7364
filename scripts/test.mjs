// Owns: `npm test`: its options, and the exit code.
// Does not: know what the parts are (test/parts.mjs), run them (test/run.mjs), or hold any test.

import { readOptions } from "./lib/options.mjs";
import { Failure, runScript } from "./lib/project.mjs";
import { setupNpm, setupRust } from "./setup.mjs";
import { changedSince, planOf } from "./test/changed.mjs";
import { partsOf } from "./test/parts.mjs";
import { runParts } from "./test/run.mjs";
import { testFiles } from "./test/workerd.mjs";

const HELP = `
Usage: npm test -- [options] [FILE…]

Runs the checks of JavaScript and Rust, the host tests (cargo test), then the tests on workerd, for which it builds the Worker.
At the end it tells how long each part took.

  --host         only the checks and the host tests
  --workerd      only the tests on workerd
  --changed      only what can break by what changed since this branch left main, committed or not; on main: since HEAD
  --since REV    the same, by what changed since that revision
  FILE…          only these files of tests/workerd
  -h, --help     this text`;

const OPTIONS = /** @type {const} */ ({ host: { type: "boolean" }, workerd: { type: "boolean" }, changed: { type: "boolean" }, since: { type: "string" } });

await runScript(async () => {
  const options = readOptions(OPTIONS, HELP, { positionals: true });
  if (!options) return;
  if (process.env.CI) process.env.CARGO_INCREMENTAL ??= "0"; // nothing is compiled twice there
  await setupNpm();
  await setupRust();
  const failed = await runParts(partsOf(plan(options)));
  // Nothing is printed after a success: the runner's count comes last.
  if (failed.length > 0) throw new Failure(`failed: ${failed.join(", ")}`);
});

/**
 * What is to be run.
 * @param {{ host?: boolean, workerd?: boolean, changed?: boolean, since?: string, positionals: string[] }} options
 * @returns {import("./test/parts.mjs").Plan}
 */
function plan({ host, workerd, changed, since, positionals: files }) {
  if (changed || since !== undefined) return planOf(changedSince(since));
  if (files.length > 0) return { checks: new Set(), files };
  const everything = !host && !workerd;
  return { checks: new Set(everything || host ? ["js", "rust", "host"] : []), files: everything || workerd ? testFiles() : [] };
}
