// Owns: what an agent does most: heartbeats over REST, status lines over MCP, priming.
// Does not: run wrk itself (wrk.mjs).

import { modern } from "../tests/workerd/lib/mcp.mjs";
import { tokens } from "../tests/workerd/lib/tokens.mjs";

/**
 * Scenarios of one agent at work, by name; each with its own token.
 * @param {import("./wrk.mjs").World} gastown
 * @param {import("../tests/workerd/lib/world.mjs").Town} town
 * @returns {Promise<Record<string, import("./wrk.mjs").Request>>}
 */
export async function agentPlane(gastown, town) {
  const rig = town.rigs.idle;
  const { agent } = await gastown.sling(rig, "Work on it");
  const path = `/towns/${town.id}/mcp`;
  const own = `/api/towns/${town.id}/rigs/${rig}/agents/${agent.id}`;
  const token = tokens.agent({ town: town.id, rig, agent: agent.id });
  const call = (/** @type {string} */ name, /** @type {object} */ args) => ({ path, token, ...modern("tools/call", { name, arguments: args }) });
  return {
    "agent heartbeat, REST": { path: `${own}/heartbeat`, token, body: {} },
    "tools/call gt_status, agent": call("gt_status", { message: "Measuring it." }),
    "tools/call gt_prime, agent": call("gt_prime", {}),
    "tools/call gt_bead_status, agent": call("gt_bead_status", {}),
  };
}
