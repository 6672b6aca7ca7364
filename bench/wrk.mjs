// Owns: running wrk against one scenario, and the line that shows its figures.
// Does not: know a scenario.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);
const CONNECTIONS = [1, 32];

/** Ends the process with what to do when wrk is not there. */
export function requireWrk() {
  if (!spawnSync("wrk", ["-v"]).error) return;
  console.error("bench: wrk is missing; install it (Debian: apt-get install wrk) and run again");
  process.exit(1);
}

export function header() {
  console.log(`wrk -t1 -c{${CONNECTIONS.join(",")}} -d${SECONDS}s --latency, workerd serve\n`);
  console.log("scenario                            conns  requests/s    p50 ms    p95 ms");
}

/**
 * @typedef {{ path: string, body?: object, headers?: Record<string, string>, token?: string }} Request
 * @typedef {import("../tests/workerd/lib/world.mjs").World} World
 */

/**
 * Asks once, which must succeed, then measures at each number of connections and prints a line each.
 * @param {World} gastown
 * @param {string} name
 * @param {string} token
 * @param {Request} request
 */
export async function scenario(gastown, name, token, request) {
  // The server closes connections that idle while wrk measures.
  const headers = { ...request.headers, connection: "close" };
  const { status, text } = await gastown.http(request.body ? "POST" : "GET", request.path, { token, ...request, headers });
  if (status !== 200 || /"isError":true|"error":/.test(text)) throw new Error(`${name}: ${status} ${text}`);
  for (const connections of CONNECTIONS) {
    const { rate, p50, p95 } = measure(gastown.server.url, { ...request, token, connections });
    console.log(`${name.padEnd(36)}${String(connections).padStart(5)}${rate.toFixed(0).padStart(12)}${p50.toFixed(2).padStart(10)}${p95.toFixed(2).padStart(10)}`);
  }
}

/** Runs wrk; every answer must be a success. */
function measure(/** @type {string} */ url, /** @type {Request & { connections: number }} */ { path, body, headers = {}, token, connections }) {
  const dir = mkdtempSync(join(tmpdir(), "gastown-bench-"));
  const quote = (/** @type {string} */ text) => `[==[${text}]==]`;
  const all = { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }), ...headers };
  const script = join(dir, "wrk.lua");
  writeFileSync(script, `
wrk.method = ${quote(body ? "POST" : "GET")}
${body ? `wrk.body = ${quote(JSON.stringify(body))}` : ""}
${Object.entries(all).map(([name, value]) => `wrk.headers[ ${quote(name)} ] = ${quote(value)}`).join("\n")}
function done(summary, latency)
  print(string.format("RESULT %f %f %f %d", summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(95) / 1000, summary.errors.status))
end
`);
  const run = spawnSync("wrk", ["-t1", `-c${connections}`, `-d${SECONDS}s`, "--latency", "-s", script, url + path], { encoding: "utf8" });
  rmSync(dir, { recursive: true, force: true });
  const [, rate, p50, p95, failed] = /RESULT (\S+) (\S+) (\S+) (\d+)/.exec(run.stdout) ?? [];
  if (!rate || Number(failed) > 0) throw new Error(`wrk: ${run.stdout}${run.stderr}`);
  return { rate: Number(rate), p50: Number(p50), p95: Number(p95) };
}
