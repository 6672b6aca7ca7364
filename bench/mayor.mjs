// Owns: what a Mayor and a playbook cost: the same tools under the Mayor's names, a first look, a diagnosis.
// Does not: run wrk itself (wrk.mjs).

import { modern } from "../tests/workerd/lib/mcp.mjs";
import { tokens } from "../tests/workerd/lib/tokens.mjs";

/**
 * Scenarios of one Mayor, by name; each with its own token.
 * @param {import("./wrk.mjs").World} gastown
 * @param {import("../tests/workerd/lib/world.mjs").Town} town
 * @returns {Promise<Record<string, import("./wrk.mjs").Request>>}
 */
export async function mayorsDesk(gastown, town) {
  const path = `/towns/${town.id}/mcp`;
  const owner = tokens.user("owner");
  const tasks = Array.from({ length: 8 }, (_, at) => ({ title: `Task ${at}`, ...(at > 0 && { depends_on: [at - 1] }) }));
  const batch = modern("tools/call", { name: "sling_batch", arguments: { rig: "idle", convoy_title: "Measured", staged: false, tasks } });
  const convoy = (await gastown.http("POST", path, { token: owner, ...batch })).json.result.structuredContent.convoy_id;
  const call = (/** @type {string} */ token, /** @type {string} */ name, /** @type {object} */ args, query = "") => ({ path: path + query, token, ...modern("tools/call", { name, arguments: args }) });
  const mayor = tokens.mayor(town.id);
  return {
    "tools/list, Mayor": { path, token: mayor, ...modern("tools/list") },
    "tools/call list_rigs, town": call(owner, "list_rigs", {}),
    "tools/call gt_list_rigs, Mayor": call(mayor, "gt_list_rigs", {}),
    "tools/call gt_prime, Mayor": call(mayor, "gt_prime", {}),
    "Mayor's GET rigs, REST": { path: `/api/mayor/${town.id}/tools/rigs`, token: mayor },
    "Mayor's prompt, REST": { path: `/api/mayor/${town.id}/prompt`, token: mayor },
    "tools/call convoy_unstick, 8 beads": call(owner, "convoy_unstick", { convoy }, "?toolsets=all"),
    "tools/call pool_status": call(owner, "pool_status", {}, "?toolsets=all"),
    "tools/call agent_report": call(owner, "agent_report", {}, "?toolsets=all"),
  };
}
