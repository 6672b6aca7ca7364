// Owns: `npm run demo`: a Worker of its own, a town with real repositories, runners with scripted agents, and the account of it.
// Does not: know what is done (demo/run.mjs); it puts things in order, prints, and ends what it started.

import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "./build.mjs";
import { BEADS_MAX, BEADS_MIN, plan as makePlan } from "./demo/plan.mjs";
import { describeLine, describeStep, headline, summaryText } from "./demo/words.mjs";
import { ensureDevVars } from "./lib/dev-vars.mjs";
import { freePort, startWrangler, untilHealthy } from "./lib/dev-server.mjs";
import { port, readOptions } from "./lib/options.mjs";
import { Failure, runScript, say } from "./lib/project.mjs";
import { buildRunner } from "./lib/runner.mjs";
import { setup } from "./setup.mjs";

const HELP = `
Usage: npm run demo -- [options]

Runs a fleet on this machine: a town with two rigs on a Worker of its own, local git repositories, a runner for each rig,
and a process for each polecat and each review. Agents are real MCP clients that really commit, merge and push; only
their thinking is scripted. Some fail, one stalls, one conflicts, one is sent back. It ends by itself, checks the
repositories against the ledger, and needs no network and no model.

  --seed N       decides what goes wrong and what waits for what (default 1)
  --beads N      how many beads, ${BEADS_MIN} to ${BEADS_MAX} (default 24)
  --polecats N   polecats at a time in each rig, 1 to 20 (default 4)
  --timeout S    give up after so many seconds (default 600)
  --port N       port of the Worker (default 0: any free port)
  --dir DIR      keep repositories, worktrees and the Worker's state there (default: a temporary folder, removed)
  --fresh        empty DIR's folders of an earlier demo first
  --json         print one JSON line on stdout at the end, all else on stderr: {ok, seed, findings, …figures}
  --quiet        no line for each thing that happens
  -h, --help     this text`;

/** @satisfies {import("node:util").ParseArgsOptionsConfig} */
const OPTIONS = {
  seed: { type: "string", default: "1" },
  beads: { type: "string", default: "24" },
  polecats: { type: "string", default: "4" },
  timeout: { type: "string", default: "600" },
  port: { type: "string", default: "0" },
  dir: { type: "string" },
  fresh: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  quiet: { type: "boolean", default: false },
};

/** What a demo makes in its folder. */
const FOLDERS = ["repositories", "seeding", "runners", "state"];

await runScript(async () => {
  const options = readOptions(OPTIONS, HELP);
  if (!options) return 0;
  const whole = (/** @type {"seed" | "beads" | "polecats" | "timeout"} */ name, /** @type {number} */ least, /** @type {number} */ most) => number(name, options[name], least, most);
  const plan = makePlan({ seed: whole("seed", 0, 2 ** 32 - 1), beads: whole("beads", BEADS_MIN, BEADS_MAX) });
  const [polecats, within] = [whole("polecats", 1, 20), whole("timeout", 10, 86_400) * 1_000];
  const print = options.json ? say : (/** @type {string} */ line) => process.stdout.write(`${line}\n`);
  for (const line of headline(plan, polecats)) print(line);
  const wanted = await freePort(port(options.port));
  await setup();
  await build();
  const program = await buildRunner();
  ensureDevVars();
  const dir = folder(options);
  const told = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => told.abort(new Failure(`told to stop (${signal})`)));
  const server = startWrangler({ port: wanted, persistTo: join(dir, "state"), logLevel: "warn" });
  try {
    await Promise.race([untilHealthy(server), aborted(told.signal)]);
    const { mint } = await import("./tokens.mjs"); // only now: they need npm's packages
    const { runPlan } = await import("./demo/run.mjs");
    /** @type {Partial<import("./demo/run.mjs").Run>} */
    const live = options.quiet ? {} : { hear: (line) => shown(describeLine(line), print), tell: (step) => print(describeStep(step)) };
    const { figures, findings } = await runPlan({ url: server.url, mint, program, dir, plan, polecats, within, stopped: told.signal, ...live });
    for (const line of summaryText(figures, findings)) print(line);
    if (options.json) process.stdout.write(`${JSON.stringify({ ok: findings.length === 0, seed: plan.seed, findings, ...figures })}\n`);
    return findings.length === 0 ? 0 : 1;
  } finally {
    await server.stop();
    if (!options.dir) rmSync(dir, { recursive: true, force: true });
  }
});

function folder(/** @type {{ dir?: string, fresh: boolean }} */ { dir, fresh }) {
  if (!dir) return mkdtempSync(join(tmpdir(), "gastown-demo-"));
  const path = resolve(process.env.INIT_CWD ?? ".", dir);
  mkdirSync(path, { recursive: true });
  if (fresh) for (const name of FOLDERS) rmSync(join(path, name), { recursive: true, force: true });
  if (FOLDERS.some((name) => existsSync(join(path, name)))) throw new Failure(`${path} has an earlier demo in it: give --fresh as well, or another folder`);
  return path;
}

function shown(/** @type {string | null} */ line, /** @type {(line: string) => void} */ print) {
  if (line) print(line);
}

/** @returns {Promise<never>} */
function aborted(/** @type {AbortSignal} */ signal) {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(/** @type {Error} */ (signal.reason)), { once: true }));
}

function number(/** @type {string} */ name, /** @type {string} */ text, /** @type {number} */ least, /** @type {number} */ most) {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most)) throw new Failure(`--${name} takes a number from ${least} to ${most}, not "${text}"`);
  return value;
}
