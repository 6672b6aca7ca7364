// Owns: `npm run bench`: requests per second and latency of the Worker under `workerd serve`, with wrk.
// Does not: fail on a figure. Figures of two machines, or of two runs, do not compare; ratios within a run do.

import { initialize, legacy, modern } from "../tests/workerd/lib/mcp.mjs";
import { tokens } from "../tests/workerd/lib/tokens.mjs";
import { startWorkerd } from "../tests/workerd/lib/workerd.mjs";
import { world } from "../tests/workerd/lib/world.mjs";
import { ledger } from "./ledger.mjs";
import { agentPlane } from "./agents.mjs";
import { mayorsDesk } from "./mayor.mjs";
import { header, requireWrk, scenario } from "./wrk.mjs";

requireWrk();
const server = await startWorkerd();
try {
  const gastown = world(server);
  const token = tokens.user("owner");
  const town = await gastown.createFleetTown(["web", "idle"]);
  const path = `/towns/${town.id}/mcp`;
  const session = (await initialize(gastown, { token })).session;
  const call = (/** @type {string} */ name, /** @type {object} */ args) => modern("tools/call", { name, arguments: args });
  /** @type {Record<string, import("./wrk.mjs").Request>} */
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
  Object.assign(scenarios, await agentPlane(gastown, town), await mayorsDesk(gastown, town));
  header();
  for (const [name, request] of Object.entries(scenarios)) await scenario(gastown, name, request.token ?? token, request);
  await ledger(server, gastown, token);
} finally {
  await server.stop();
}
