// Owns: the official clients of both eras as agents: a whole life of a polecat and its refinery at the town's MCP connection.
// Does not: test single refusals (tests/it/agent_mcp.rs), or the REST routes (agent-plane.test.mjs).

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect, eras } from "./lib/mcp.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, UNDEFINED, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { World } from "./lib/world.mjs"
 */

const POLECAT = ["gt_prime", "gt_done", "gt_status", "gt_checkpoint", "gt_mail_check", "gt_mail_send", "gt_nudge", "gt_escalate", "gt_bead_status", "gt_mol_current", "gt_mol_advance"];
const REFINERY = [...POLECAT, "gt_request_changes", "gt_review_complete"];
const COMMIT = "9fceb02d0ae598e95dc970b74767f19372d61af8";

let /** @type {Server} */ server, /** @type {World} */ on;
before(async () => {
  server = await startWorkerd();
  on = world(server);
});
after(() => server.stop());

const owner = () => context(tokens.user("owner"));
const names = (client) => client.tools.map(({ name }) => name);

/** Calls the rig as its town's owner. */
async function ask(rig, method, ...args) {
  const answer = await on.rpc("RIG", rig, method, ...args, owner());
  assert.equal(answer.error, undefined, `${method}: ${answer.error}`);
  return answer.ok;
}

/** The refinery takes this merge request, unless the rig has given it to it already. */
async function review(rig, refinery, request) {
  if ((await ask(rig, "getAgentAsync", refinery)).current_hook_bead_id !== request) await ask(rig, "hookBead", refinery, request);
}

for (const era of eras) {
  describe(`${era} clients`, () => {
    // S1-23, S2-18, S4-07, S4-09
    test("take work from its hook through review and rework to its merge", async () => {
      const { id: town, rigs: { web: rig } } = await on.createFleetTown(["web"]);
      await on.configure(town, { refinery: { gates: ["npm test"] } });
      const path = `/towns/${town}/mcp`;
      const { bead: { bead_id: bead }, agent } = await on.sling(rig, "Add a health check", { body: "GET /health answers 200", args: "keep it small" });
      // Legacy tokens, which do not say the agent's role.
      const at = (id) => connect(on, { era, token: tokens.agent({ town, rig, agent: id }), path });

      const polecat = await at(agent.id);
      assert.deepEqual(names(polecat), POLECAT);
      assert.match(polecat.client.getInstructions(), /^You are a polecat/);
      const primed = await polecat.call("gt_prime");
      assert.match(primed.instructions, new RegExp(`Work on bead ${bead} now, without asking`));
      assert.deepEqual([primed.branch, primed.base_branch, primed.quality_gates], [agent.branch, "main", ["npm test"]]);
      assert.deepEqual([primed.hooked_bead.bead_id, primed.hooked_bead.args], [bead, "«keep it small»"]);
      await polecat.call("gt_status", { message: "Writing the route." });
      await polecat.call("gt_checkpoint", { data: { done: ["route"], next: "test" } });
      assert.deepEqual((await polecat.call("gt_prime")).checkpoint, { done: ["route"], next: "test" });
      assert.match(await polecat.refused("gt_status", { message: "x".repeat(281) }), /1 to 280 characters/);
      await polecat.call("gt_done", { branch: agent.branch, summary: "Added it.", base_commit: "aaaa111" });

      const refineryId = (await ask(rig, "getOrCreateAgent", "refinery", UNDEFINED)).id;
      const [request] = await ask(rig, "listBeads", { type: "merge_request" });
      await review(rig, refineryId, request.bead_id);
      const refinery = await at(refineryId);
      assert.deepEqual(names(refinery), REFINERY);
      const judged = await refinery.call("gt_prime");
      assert.deepEqual([judged.hooked_bead.bead_id, judged.hooked_bead.type, judged.branch, judged.base_branch],
        [request.bead_id, "merge_request", agent.branch, "main"]);
      const { rework_bead_id: rework } = await refinery.call("gt_request_changes", { feedback: "The route has no test.", files: ["src/health.js"] });

      const worker = (await ask(rig, "getBeadAsync", rework)).assignee_agent_bead_id;
      const again = await at(worker);
      const told = await again.call("gt_prime");
      assert.deepEqual([told.rework_context.feedback, told.rework_context.files, told.branch], ["«The route has no test.»", ["src/health.js"], agent.branch]);
      await again.call("gt_done", { branch: agent.branch });

      await review(rig, refineryId, request.bead_id);
      const done = await refinery.call("gt_review_complete", { status: "merged", commit_sha: COMMIT, base_commit: "bbbb222" });
      assert.match(done.summary, /with evidence/);
      const merged = await ask(rig, "getBeadAsync", bead);
      assert.deepEqual([merged.status, merged.merge_commit], ["closed", COMMIT]);
      const shown = await again.call("gt_bead_status", { bead });
      assert.deepEqual([shown.bead.status, shown.bead.merge_commit], ["merged", COMMIT]);
      for (const client of [polecat, refinery, again]) await client.close();
    });

    test("of a container are the agent that their header names", async () => {
      const { id: town, rigs: { web, api } } = await on.createFleetTown(["web", "api"]);
      const { agent } = await on.sling(api, "elsewhere");
      await on.sling(web, "here");
      const container = tokens.container(town);
      const { status, json } = await on.http("POST", `/towns/${town}/mcp`, { token: container, body: {} });
      assert.equal(status, 403);
      assert.match(json.hint, /X-Gastown-Agent-Id/);
      const request = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
      const headers = { "x-gastown-agent-id": agent.id, accept: "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25" };
      const begun = await on.http("POST", `/towns/${town}/mcp`, { token: container, headers,
        body: { ...request, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } } } });
      headers["mcp-session-id"] = begun.headers.get("mcp-session-id");
      const listed = await on.http("POST", `/towns/${town}/mcp`, { token: container, headers, body: request });
      assert.deepEqual(listed.json.result.tools.map(({ name }) => name), POLECAT);
    });
  });
}

describe("an agent", () => {
  test("of another town, or at the fleet's door, is turned away with where to go", async () => {
    const [{ id: town, rigs: { web: rig } }, other] = [await on.createFleetTown(["web"]), await on.createFleetTown(["web"])];
    const { agent } = await on.sling(rig, "t");
    const token = tokens.agent({ town, rig, agent: agent.id });
    const answers = await Promise.all(["/mcp", `/towns/${other.id}/mcp`].map((path) => on.http("POST", path, { token, body: {} })));
    assert.deepEqual(answers.map(({ status }) => status), [403, 403]);
    assert.match(answers[0].json.hint, new RegExp(`/towns/${town}/mcp`));
  });
});
