// Owns: `npm run check:js`: the types and the lints of every JavaScript file.
// Does not: hold a rule: tsconfig.json (here, in tests/ and in src/) and .oxlintrc.json do.

import { readOptions } from "./lib/options.mjs";
import { inRoot, isMain, npmTools, root, runScript } from "./lib/project.mjs";
import { runToEnd } from "./lib/run.mjs";
import { setupNpm } from "./setup.mjs";

const HELP = `
Usage: npm run check:js

Checks the types in all JavaScript files (tsc, by their JSDoc) and lints them (oxlint). Takes a few seconds.`;

const TSC = inRoot("node_modules", "typescript", "bin", "tsc");
const OXLINT = inRoot("node_modules", "oxlint", "bin", "oxlint");

/** Runs all checks side by side, so that each tells what it finds. 0 when there is nothing. */
export async function checkJs() {
  await setupNpm();
  const checks = [[TSC, "--project", "."], [TSC, "--project", "tests"], [TSC, "--project", "src"], [OXLINT]];
  const codes = await Promise.all(checks.map((args) => runToEnd(npmTools.node, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] })));
  return codes.every((code) => code === 0) ? 0 : 1;
}

if (isMain(import.meta)) {
  await runScript(async () => (readOptions({}, HELP) ? checkJs() : 0));
}
