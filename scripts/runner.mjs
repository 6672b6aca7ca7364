// Owns: `npm run runner`: building the runner (src/runner) and running it in the foreground.
// Does not: know its options; all arguments are passed on.

import { isMain, runScript, innerEnv, root } from "./lib/project.mjs";
import { buildRunner } from "./lib/runner.mjs";
import { runToEnd } from "./lib/run.mjs";

if (isMain(import.meta)) {
  await runScript(async () => {
    const code = await runToEnd(await buildRunner(), process.argv.slice(2), { cwd: process.env.INIT_CWD ?? root, env: innerEnv(), stdio: "inherit" });
    return typeof code === "number" ? code : 1;
  });
}
