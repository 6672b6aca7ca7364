// Owns: the runner's processes of the demo, one for each rig, and what they say.
// Does not: build the runner, or decide what its agents do.

import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { innerEnv, inRoot, npmTools } from "../lib/project.mjs";

/** Longer than the runner's own grace and its last reports. */
const STOP_MS = 30_000;

/**
 * What a runner says, as its --json has it, with the rig's name.
 * @typedef {object} Line
 * @property {string} event
 * @property {string} rig
 * @property {string} text
 * @property {string} [agent]
 * @property {string} [role]
 * @property {string} [stream]
 * @property {number} [attempt]
 */

/**
 * Starts a runner for each rig. `hear(line)` is given every line that they say, as the runner's --json has it, with the
 * rig's name. The agents' environment is ours, with the demo's seed.
 * @param {{ program: string, town: import("./town.mjs").Town, dir: string, max: number, seed: number, hear: (line: Line) => void }} options
 */
export async function startRunners({ program, town, dir, max, seed, hear }) {
  const script = (/** @type {string} */ name) => `'${npmTools.node}' '${inRoot("scripts", "demo", name)}'`;
  /** @type {ReturnType<typeof start>[]} */
  const runners = [];
  for (const rig of town.rigs) {
    const workdir = join(dir, "runners", rig.name);
    mkdirSync(workdir, { recursive: true });
    const args = [
      "--town", town.id, "--rig", rig.id, "--url", town.url, "--name", `demo-${rig.name}`, "--workdir", workdir, "--json", "--attached",
      "--role", "both", "--max", String(max), "--heartbeat", "2", "--grace", "3", "--keep", "20",
      "--command", script("polecat.mjs"), "--refinery-command", script("refinery.mjs"),
    ];
    runners.push(start(program, args, { GASTOWN_CONTAINER_TOKEN: await town.container(), GASTOWN_DEMO_SEED: String(seed) }, rig.name, hear));
  }
  return {
    /** Fails when one has ended. */
    check() {
      const gone = runners.find(({ ended }) => ended());
      if (gone) throw new Error(`the runner of ${gone.name} ended (exit code ${gone.ended()}): ${gone.last()}`);
    },
    stop: () => Promise.all(runners.map(({ stop }) => stop())),
  };
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {Record<string, string>} env
 * @param {string} name the rig's
 * @param {(line: Line) => void} hear
 */
function start(program, args, env, name, hear) {
  // Its own group: a terminal's Ctrl-C comes to it through us, once. When we are gone the pipe closes, and it ends itself.
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], detached: true, env: innerEnv(env) });
  /** @type {number | string | null} */
  let code = null;
  let last = "";
  child.once("exit", (number, signal) => (code = number ?? signal));
  child.once("error", (error) => {
    last = error.message;
    code = "error";
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      last = line;
      hear({ rig: name, ...parse(line) });
    });
  }
  async function stop() {
    const runs = () => code === null;
    if (!runs()) return;
    child.kill("SIGTERM");
    for (const deadline = Date.now() + STOP_MS; runs() && Date.now() < deadline; ) await sleep(50);
    if (runs()) child.kill("SIGKILL");
  }
  return { name, ended: () => code, last: () => last, stop };
}

function parse(/** @type {string} */ line) {
  try {
    return JSON.parse(line);
  } catch {
    return { event: "text", text: line };
  }
}
