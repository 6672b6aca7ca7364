// Owns: `npm run bench`: requests per second and latency of the Worker under `workerd serve`, with wrk.
// Does not: fail on a figure. Figures of two machines, or of two runs, do not compare; ratios within a run do.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initialize, legacy, modern } from "../tests/workerd/lib/mcp.mjs";
import { tokens } from "../tests/workerd/lib/tokens.mjs";
import { startWorkerd } from "../tests/workerd/lib/workerd.mjs";
import { world } from "../tests/workerd/lib/world.mjs";

const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);
const CONNECTIONS = [1, 32];
const HEARD_ROUNDS = 50;

if (spawnSync("wrk", ["-v"]).error) {
  console.error("bench: wrk is missing; install it (Debian: apt-get install wrk) and run again");
  process.exit(1);
}

const server = await startWorkerd();
const dir = mkdtempSync(join(tmpdir(), "gastown-bench-"));
try {
  const gastown = world(server);
  const token = tokens.user("owner");
  const town = await gastown.createFleetTown(["web", "idle"]);
  const path = `/towns/${town.id}/mcp`;
  const session = (await initialize(gastown, { token })).session;
  const call = (name, args) => modern("tools/call", { name, arguments: args });
  const scenarios = {
    "health": { path: "/health" },
    "tools/call sling": { path, ...call("sling", { rig: town.rigs.web, title: "Measure it" }) },
    "tools/call send_mayor_message": { path, ...call("send_mayor_message", { message: "Measure it." }) },
    "tools/list": { path: "/mcp", ...modern("tools/list") },
    "initialize": { path: "/mcp", ...legacy("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "b", version: "1" } }, { version: null }) },
    "tools/call list_rigs, modern": { path: "/mcp", ...call("list_rigs", { town: town.id }) },
    "tools/call list_rigs, legacy": { path: "/mcp", ...legacy("tools/call", { name: "list_rigs", arguments: { town: town.id } }, { session }) },
    "tools/call town_feed": { path, ...call("town_feed", {}) },
    "feed, one page": { path: `/api/towns/${town.id}/feed` },
  };
  console.log(`wrk -t1 -c{${CONNECTIONS}} -d${SECONDS}s --latency, workerd serve\n`);
  console.log("scenario                            conns  requests/s    p50 ms    p95 ms");
  for (const [name, scenario] of Object.entries(scenarios)) {
    // The server closes connections that idle while wrk measures.
    scenario.headers = { ...scenario.headers, connection: "close" };
    const { status, text } = await gastown.http(scenario.body ? "POST" : "GET", scenario.path, { token, ...scenario });
    if (status !== 200 || /"isError":true|"error":/.test(text)) throw new Error(`${name}: ${status} ${text}`);
    delete scenario.headers.connection;
    for (const connections of CONNECTIONS) {
      const { rate, p50, p95 } = measure({ ...scenario, token, connections });
      console.log(`${name.padEnd(36)}${String(connections).padStart(5)}${rate.toFixed(0).padStart(12)}${p50.toFixed(2).padStart(10)}${p95.toFixed(2).padStart(10)}`);
    }
  }
  await heardAfter(gastown, town, token);
} finally {
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
}

/** How long after a sling's answer a WebSocket on the town's status hears of the bead. */
async function heardAfter(gastown, town, token) {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/towns/${town.id}/status/ws`, ["gastown-status", `bearer.${token}`]);
  // By bead: a promise and its end, whichever is there first.
  const heard = new Map();
  const hearing = (bead) => heard.get(bead) ?? heard.set(bead, Promise.withResolvers()).get(bead);
  socket.addEventListener("message", ({ data }) => {
    const { type, beadId } = data.startsWith("{") ? JSON.parse(data) : {};
    if (type === "bead.created") hearing(beadId).resolve(performance.now());
  });
  await new Promise((resolve, reject) => (socket.addEventListener("open", resolve), socket.addEventListener("error", reject)));
  const delays = [];
  for (let round = 0; round < HEARD_ROUNDS; round++) {
    const { bead } = await gastown.sling(town.rigs.idle, "Measure it");
    const answered = performance.now();
    delays.push((await hearing(bead.bead_id).promise) - answered);
  }
  socket.close();
  delays.sort((a, b) => a - b);
  const [p50, p95] = [0.5, 0.95].map((part) => delays[Math.floor(delays.length * part)]);
  console.log(`\n${"sling to WebSocket frame".padEnd(36)}${"".padStart(17)}${p50.toFixed(2).padStart(10)}${p95.toFixed(2).padStart(10)}`);
}

/** Runs wrk; every answer must be a success. */
function measure({ path, body, headers = {}, token, connections }) {
  const quote = (text) => `[==[${text}]==]`;
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
  const run = spawnSync("wrk", ["-t1", `-c${connections}`, `-d${SECONDS}s`, "--latency", "-s", script, server.url + path], { encoding: "utf8" });
  const [, rate, p50, p95, failed] = /RESULT (\S+) (\S+) (\S+) (\d+)/.exec(run.stdout) ?? [];
  if (!rate || Number(failed) > 0) throw new Error(`wrk: ${run.stdout}${run.stderr}`);
  return { rate: Number(rate), p50: Number(p50), p95: Number(p95) };
}
