// Owns: a command of this repository in a process group of its own, that ends as a whole.
// Does not: know what the command serves.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { delimiter } from "node:path";
import { inRoot, root } from "./project.mjs";
import { until } from "./world.mjs";

/** @typedef {ReturnType<typeof command>} Running */

/** Starts a command as a person would in a shell, with the npm tools on the path. `stop` it in `after`. */
export function command(/** @type {string} */ name, /** @type {string[]} */ ...args) {
  const child = spawn(name, args, {
    cwd: root,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    // Loopback only: neither telemetry nor a look-up of Request.cf.
    env: { ...process.env, PATH: inRoot("node_modules", ".bin") + delimiter + process.env.PATH, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
  });
  const running = { out: "", log: "", ended: false, stop };
  child.stdout.on("data", (chunk) => (running.out += chunk));
  child.stderr.on("data", (chunk) => (running.log += chunk));
  child.once("exit", () => (running.ended = true));

  /** Asks the group to end and waits until nothing of it is left. */
  async function stop(/** @type {NodeJS.Signals} */ signal = "SIGTERM") {
    const send = (/** @type {NodeJS.Signals | 0} */ which) => {
      if (child.pid === undefined) return false; // it could not be started
      try {
        return process.kill(-child.pid, which);
      } catch {
        return false; // nobody is left
      }
    };
    send(signal);
    await until(`${name} ends after ${signal}`, async () => !send(0)).catch((error) => {
      send("SIGKILL");
      throw error;
    });
  }

  return running;
}

/**
 * Waits until `ready` gives something; fails with the command's output when it ends before.
 * @template T
 * @param {Running} running
 * @param {() => T | Promise<T>} ready
 */
export function untilReady(running, ready) {
  return until("the command is ready", async (note) => {
    note(`${running.out}\n${running.log}`.slice(-3_000));
    assert.ok(!running.ended, `it ended:\n${running.out}\n${running.log}`);
    return ready();
  }, { within: 300_000, every: 100 });
}

/**
 * A port that nobody listens on just now.
 * @returns {Promise<number>}
 */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (probe.address());
      probe.close(() => resolve(port));
    });
  });
}
