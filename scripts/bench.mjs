// Owns: `npm run bench`: set-up and build, then the benchmark itself with the Node that workerd's tests use.
// Does not: measure anything (bench/run.mjs).

import { spawnSync } from "node:child_process";
import { build } from "./build.mjs";
import { inRoot, npmTools, runScript } from "./lib/project.mjs";

await runScript(async () => {
  await build();
  return spawnSync(npmTools.node, [inRoot("bench", "run.mjs")], { stdio: "inherit" }).status ?? 1;
});
