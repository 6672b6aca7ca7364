// Owns: `npm run simulate`: set-up, then the simulation of tests/it/simulation for as many operations as wanted.
// Does not: simulate anything (tests/simulate.rs).

import { readOptions } from "./lib/options.mjs";
import { root, runScript } from "./lib/project.mjs";
import { runToEnd } from "./lib/run.mjs";
import { setup } from "./setup.mjs";

const HELP = `
Usage: npm run simulate -- [options]

Random operations on a town while messages get lost, objects die and clocks jump; what must hold is looked at after every step.
The last line tells operations, crashes and broken invariants. Whatever broke is printed with its seed and the fewest operations
that it takes, and the exit code is 1.

  --ops N        operations (default 100000)
  --seed S       where to begin (default 1); the same seed is the same run
  --replay FILE  only these operations, one a line, as they were printed
  -h, --help     this text`;

await runScript(async () => {
  const options = readOptions({ ops: { type: "string" }, seed: { type: "string" }, replay: { type: "string" } }, HELP);
  if (!options) return 0;
  await setup();
  const { ops, seed, replay } = options;
  const given = Object.entries({ ops, seed, replay }).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
  const args = ["test", "--quiet", "--profile", "simulation", "--test", "simulate", "--", ...given];
  const code = await runToEnd("cargo", args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  return code === 0 ? 0 : 1;
});
