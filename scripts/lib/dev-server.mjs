// Owns: one `wrangler dev` process: starting it on a port of 127.0.0.1, knowing when it answers, ending all of it.
// Does not: build, seed, or touch any process that it did not start.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { duration, Failure, innerEnv, inRoot, npmTools, root, say } from "./project.mjs";

export const HOST = "127.0.0.1";
const READY_MS = 120_000;
const TELL_EVERY_MS = 5_000;
const END_MS = 5_000;

/**
 * The port to use: the given one if it is free, any free one for 0.
 * @param {number} wanted
 * @returns {Promise<number>}
 */
export function freePort(wanted) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (/** @type {NodeJS.ErrnoException} */ error) => reject(new Failure(error.code === "EADDRINUSE"
      ? `port ${wanted} is in use: stop what listens there, or choose another one: npm start -- --port N`
      : `cannot listen on port ${wanted}: ${error.message}`)));
    probe.listen(wanted, HOST, () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (probe.address());
      probe.close(() => resolve(port));
    });
  });
}

/** @typedef {ReturnType<typeof startWrangler>} DevServer */

/**
 * Starts wrangler; everything it prints goes to stderr. `ended` settles with its exit code. `logLevel` is wrangler's own.
 * @param {{ port: number, persistTo: string, logLevel?: string }} options
 */
export function startWrangler({ port, persistTo, logLevel = "log" }) {
  const args = [
    inRoot("scripts", "lib", "leash.mjs"), npmTools.wrangler, "dev", "--ip", HOST, "--port", String(port), "--inspector-port", "0",
    // It answers on this machine only, so a request that names another host is a web page trying its luck.
    "--var", "LOOPBACK_ONLY:true",
    "--persist-to", persistTo, "--log-level", logLevel, "--show-interactive-dev-session=false",
  ];
  const child = spawn(npmTools.node, args, {
    cwd: root,
    detached: true, // its own process group, so that workerd and esbuild end with it
    stdio: ["pipe", 2, 2], // the pipe is the leash: when we are gone, the group ends itself
    // Neither telemetry nor a look-up of Request.cf: a local fleet needs nobody.
    env: innerEnv({ WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" }),
  });
  const ended = /** @type {Promise<number>} */ (new Promise((resolve) => {
    child.once("error", () => resolve(1));
    child.once("exit", (code) => resolve(code ?? 1));
  }));
  return { url: `http://${HOST}:${port}`, ended, stop: () => stop(child, ended) };
}

/** Waits until GET /health answers 200. */
export async function untilHealthy(/** @type {Pick<DevServer, "url" | "ended">} */ { url, ended }) {
  const started = Date.now();
  let gone = false;
  void ended.then(() => (gone = true));
  for (let told = started; ; await sleep(100)) {
    const health = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    await health?.body?.cancel();
    if (health?.status === 200) return;
    if (gone) throw new Failure("wrangler dev ended before it was ready, see its output above");
    if (Date.now() - started > READY_MS) {
      throw new Failure(`GET ${url}/health did not answer 200 within ${duration(READY_MS)} (last: ${health?.status ?? "no answer"}), see the output above`);
    }
    if (Date.now() - told > TELL_EVERY_MS) {
      told = Date.now();
      say(`waiting for ${url}/health (${duration(told - started)})`);
    }
  }
}

/**
 * Asks the whole group to end, then makes it.
 * @param {import("node:child_process").ChildProcess} child
 * @param {Promise<number>} ended
 */
async function stop(child, ended) {
  const signal = (/** @type {NodeJS.Signals | 0} */ name) => {
    if (child.pid === undefined) return false; // it could not be started
    try {
      process.kill(-child.pid, name);
      return true;
    } catch {
      return false; // no process of the group is left
    }
  };
  signal("SIGTERM");
  await Promise.race([ended, sleep(END_MS, null, { ref: false })]);
  // wrangler may be gone while its workerd is still closing its databases.
  for (const deadline = Date.now() + END_MS; signal(0) && Date.now() < deadline; ) await sleep(50);
  signal("SIGKILL");
}
