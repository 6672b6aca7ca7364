// Owns: what the lists of tools cost the models that read them, in tokens of a real tokenizer; which tools a choice of
// toolsets shows. Does not: judge what the tools do.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { encode } from "gpt-tokenizer";
import { modern } from "./lib/mcp.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { world } from "./lib/world.mjs";

/** What a connection that chose no toolset may cost. */
const TOOLS_MAX = 25;
const TOKENS_MAX = 8_000;
/** What an agent's may cost, which it reads again with every piece of work. */
const AGENT_TOKENS_MAX = 2_500;

const token = tokens.user("owner");
let server, on, town;
before(async () => {
  server = await startWorkerd();
  on = world(server);
  town = await on.createFleetTown(["web"]);
});
after(() => server.stop());

const list = async (path, headers = {}) => {
  const request = modern("tools/list");
  return on.http("POST", path, { token, ...request, headers: { ...request.headers, ...headers } });
};
const names = (answer) => answer.json.result.tools.map((tool) => tool.name);

describe("tools/list", () => {
  test("costs little unless more is asked for", async (t) => {
    for (const path of ["/mcp", `/towns/${town.id}/mcp`, `/towns/${town.id}/mcp/readonly`]) {
      const { tools } = (await list(path)).json.result;
      const cost = encode(JSON.stringify(tools)).length;
      t.diagnostic(`${path.replace(town.id, "…")}: ${tools.length} tools, ${cost} tokens`);
      assert.ok(tools.length <= TOOLS_MAX, `${tools.length} tools`);
      assert.ok(cost <= TOKENS_MAX, `${cost} tokens`);
    }
  });

  test("costs agents less", async (t) => {
    const { agent } = await on.sling(town.rigs.web, "t");
    for (const [role, count] of [["polecat", 11], ["refinery", 13]]) {
      const own = tokens.agent({ town: town.id, rig: town.rigs.web, agent: agent.id, role });
      const { tools } = (await on.http("POST", `/towns/${town.id}/mcp`, { token: own, ...modern("tools/list") })).json.result;
      const cost = encode(JSON.stringify(tools)).length;
      t.diagnostic(`${role}: ${tools.length} tools, ${cost} tokens`);
      assert.equal(tools.length, count);
      assert.ok(cost <= AGENT_TOKENS_MAX, `${cost} tokens`);
    }
  });

  test("shows the toolsets that were chosen, by header or by query", async () => {
    const usual = names(await list("/mcp"));
    const all = names(await list("/mcp?toolsets=all"));
    assert.deepEqual(usual.filter((name) => !all.includes(name)), []);
    const convoys = names(await list("/mcp", { "x-mcp-toolsets": "convoys" }));
    assert.ok(convoys.includes("convoy_status") && !convoys.includes("list_towns"));
    const two = names(await list("/mcp?toolsets=convoys,work"));
    assert.ok(two.includes("convoy_status") && two.includes("list_towns") && !two.includes("list_agents"));
    const unknown = await list("/mcp?toolsets=everything");
    assert.equal(unknown.status, 400);
    assert.match(unknown.text, /work, convoys, agents, admin, playbooks, all/);
  });

  test("refuses on call what it does not show, and says how to get it", async () => {
    const request = modern("tools/call", { name: "list_towns", arguments: {} });
    const { json } = await on.http("POST", "/mcp?toolsets=convoys", { token, ...request });
    assert.equal(json.result.isError, true);
    assert.match(json.result.content[0].text, /toolset work.*\?toolsets=work/);
  });
});
