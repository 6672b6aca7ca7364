// Owns: running one child process: long ones show that they live, quick ones give their output.
// Does not: know what any of them is for.

import { spawn, spawnSync } from "node:child_process";
import { duration, Failure, root, say } from "./project.mjs";

const HEARTBEAT_MS = 10_000;

/**
 * Runs a long step and waits for it. Its output goes to our stderr (stdout is for results); a line every ten seconds
 * tells that it is still running. Fails with `remedy` when it does not exit with 0.
 * @param {string} what
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, remedy?: string }} [options]
 */
export async function step(what, command, args, { env = process.env, cwd = root, remedy } = {}) {
  say(`${what} …`);
  const started = Date.now();
  const code = await runToEnd(command, args, { env, cwd, stdio: ["ignore", 2, 2] }, () =>
    say(`${what}: still running (${duration(Date.now() - started)})`));
  if (code !== 0) throw new Failure(`${what} failed (${describeExit(code)})${remedy ? `: ${remedy}` : ", see its output above"}`);
  say(`${what}: done in ${duration(Date.now() - started)}`);
}

/**
 * Runs a child to its end and gives its exit code, or the signal that ended it. SIGINT and SIGTERM that reach only us are passed on.
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnOptions} options
 * @returns {Promise<number | NodeJS.Signals>}
 */
export function runToEnd(command, args, options, onHeartbeat = () => {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, options);
    const heartbeat = setInterval(onHeartbeat, HEARTBEAT_MS);
    const passOn = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    process.on("SIGINT", passOn).on("SIGTERM", passOn);
    /** @type {<T>(done: (value: T) => void) => (value: T) => void} */
    const settle = (done) => (value) => {
      clearInterval(heartbeat);
      process.off("SIGINT", passOn).off("SIGTERM", passOn);
      done(value);
    };
    child.once("error", settle((error) => reject(notRunnable(command, error))));
    child.once("exit", (code, signal) => settle(resolve)(/** @type {number | NodeJS.Signals} */ (code ?? signal)));
  });
}

/** The trimmed stdout of a quick command, or null when it is not there or fails. */
export function output(/** @type {string} */ command, /** @type {string[]} */ args, env = process.env) {
  const { status, stdout } = spawnSync(command, args, { env, cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

const describeExit = (/** @type {number | NodeJS.Signals} */ code) => (typeof code === "number" ? `exit code ${code}` : `ended by ${code}`);

function notRunnable(/** @type {string} */ command, /** @type {NodeJS.ErrnoException} */ error) {
  return error.code === "ENOENT" ? new Failure(`${command} is not on the PATH`) : new Failure(`${command}: ${error.message}`);
}
