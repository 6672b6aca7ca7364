// Owns: a town's Mayor with the official clients of both eras: its tools, prompt and opening text, a plan carried out, a convoy that is stuck.
// Does not: test single refusals (tests/it/mayor_tools.rs), messages (mayor-talk.test.mjs), or REST (mayor-plugin.test.mjs).

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect, eras } from "./lib/mcp.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { World } from "./lib/world.mjs"
 */

let /** @type {Server} */ server, /** @type {World} */ on;
before(async () => {
  server = await startWorkerd();
  on = world(server);
});
after(() => server.stop());

for (const era of eras) {
  describe(`${era} clients`, () => {
    // S1-01 to S1-08, S1-18 to S1-24, S2-25
    test("run a town as its Mayor", async () => {
      const { id: town, rigs } = await on.createFleetTown(["web"]);
      const at = (token, query = "") => connect(on, { era, token, path: `/towns/${town}/mcp${query}` });
      const owner = await at(tokens.user("owner"), "?toolsets=all");
      const mayor = await at(tokens.mayor(town));
      assert.ok(owner.tools.every(({ name }) => !name.startsWith("gt_")));
      assert.ok(mayor.tools.length <= 25 && mayor.tools.every(({ name }) => name.startsWith("gt_")));
      assert.match(mayor.client.getInstructions(), /^You are the Mayor of this town/);
      const { messages } = await mayor.client.getPrompt({ name: "mayor", arguments: {} });
      for (const { name } of mayor.tools) assert.ok(messages[0].content.text.includes(`- ${name}(`), name);

      const { message_id: asked } = await owner.call("send_mayor_message", { message: "A health check, please." });
      const primed = await mayor.call("gt_prime");
      assert.deepEqual(primed.messages.map(({ message_id: id }) => id), [asked]);
      const tasks = [{ title: "Add GET /health" }, { title: "Test GET /health" }];
      const plan = { rig_id: primed.rigs[0].name, convoy_title: "Health", tasks };
      assert.match(await mayor.refused("gt_sling_batch", plan), /parallel/);
      tasks[1].depends_on = [0];
      const { convoy_id, staged } = await mayor.call("gt_sling_batch", plan);
      assert.equal(staged, true);
      await mayor.call("gt_reply", { message_id: asked, body: "Two tasks, one after the other." });
      await mayor.call("gt_convoy_start", { convoy_id });
      assert.equal((await owner.call("mayor_messages")).messages[0].status, "answered");

      const { agents } = await mayor.call("gt_list_agents", { rig_id: "web" });
      assert.deepEqual(agents.map(({ name }) => name), ["Toast"]);
      await mayor.call("gt_nudge", { rig_id: "web", target_agent_id: "Toast", message: "Progress check: are you blocked?" });
      const all = await at(tokens.mayor(town), "?toolsets=all");
      const pending = await all.call("gt_pending_nudges", { agent_id: agents[0].id });
      assert.equal(pending.messages.length, 1);
      const stuck = await mayor.call("gt_convoy_unstick", { convoy_id });
      assert.equal(stuck.dry_run, true);
      // A call that an answer offers can be made as it is.
      const { tool, arguments: given } = stuck.call_again;
      assert.equal(tool, "gt_convoy_unstick");
      assert.equal((await mayor.call(tool, given)).convoy, convoy_id);

      await all.call("gt_escalate", { severity: "high", message: "Which version?", rig_id: "web" });
      const { escalations } = await mayor.call("gt_escalations");
      const settle = escalations[0].calls.at(-1);
      assert.equal(settle.tool, "gt_escalation_acknowledge");
      await mayor.call(settle.tool, settle.arguments);
      assert.deepEqual((await mayor.call("gt_escalations")).escalations, []);

      const { rig } = await all.call("gt_rig_create", { name: "api", git_url: "https://git.example/api.git" });
      const dry = await all.call("gt_rig_delete", { rig_id: rig });
      assert.equal(dry.dry_run, true);
      await all.call("gt_rig_delete", { rig_id: rig, confirm: true, confirm_token: dry.confirm_token });
      assert.deepEqual((await mayor.call("gt_list_rigs")).rigs.map(({ id }) => id), [rigs.web]);
      for (const client of [owner, mayor, all]) await client.close();
    });
  });
}
