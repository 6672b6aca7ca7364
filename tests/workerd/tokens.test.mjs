// Owns: what the lists of tools cost the models that read them, in tokens of a real tokenizer; which tools a choice of
// toolsets shows. Does not: judge what the tools do.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { encode } from "gpt-tokenizer";
import { modern } from "./lib/mcp.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

/** What a connection that chose no toolset may cost. */
const TOOLS_MAX = 25;
const TOKENS_MAX = 8_000;
/** What an agent's may cost, which it reads again with every piece of work. */
const AGENT_TOKENS_MAX = 2_500;

/** What a Mayor's may cost, and its system prompt with custom instructions of full length. */
const MAYOR_TOKENS_MAX = 6_000;
const PROMPT_TOKENS_MAX = 2_500;

const token = tokens.user("owner");
let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ town;
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
    for (const [role, count] of Object.entries({ polecat: 11, refinery: 13 })) {
      const own = tokens.agent({ town: town.id, rig: town.rigs.web, agent: agent.id, role });
      const { tools } = (await on.http("POST", `/towns/${town.id}/mcp`, { token: own, ...modern("tools/list") })).json.result;
      const cost = encode(JSON.stringify(tools)).length;
      t.diagnostic(`${role}: ${tools.length} tools, ${cost} tokens`);
      assert.equal(tools.length, count);
      assert.ok(cost <= AGENT_TOKENS_MAX, `${cost} tokens`);
    }
  });

  // S1-18 to S1-20.
  test("costs a Mayor little, and its prompt less", async (t) => {
    const own = tokens.mayor(town.id);
    const cost = (name, value, most) => {
      const count = encode(value).length;
      t.diagnostic(`${name}: ${count} tokens`);
      assert.ok(count <= most, `${name}: ${count} tokens`);
    };
    const mcp = async (method, params) => (await on.http("POST", `/towns/${town.id}/mcp`, { token: own, ...modern(method, params) })).json.result;
    const { tools } = await mcp("tools/list");
    assert.ok(tools.length <= TOOLS_MAX, `${tools.length} tools`);
    cost(`Mayor's ${tools.length} tools`, JSON.stringify(tools), MAYOR_TOKENS_MAX);
    await on.configure(town.id, { custom_instructions: { mayor: "Speak plainly. ".repeat(133) } });
    const prompt = await mcp("prompts/get", { name: "mayor", arguments: {} });
    cost("the Mayor's prompt", prompt.messages[0].content.text, PROMPT_TOKENS_MAX);
    const { data } = (await on.http("GET", `/api/mayor/${town.id}/prompt`, { token: own })).json;
    assert.equal(data.prompt, prompt.messages[0].content.text);
    const { instructions } = await mcp("server/discover");
    cost("the Mayor's opening text", instructions, 600);
    assert.ok(instructions.length < 2_048);
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
