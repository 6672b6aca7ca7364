// Owns: the two official clients with everything beside tools: resources and their changes, prompts, completion, logs,
// progress, and servers that ask back.
// Does not: drive the tools (clients.test.mjs). Needs the build "conformance" for what no tool of the product does.

import {
  CreateMessageRequestSchema, ElicitRequestSchema, LoggingMessageNotificationSchema, ResourceListChangedNotificationSchema, ResourceUpdatedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect, eras } from "./lib/mcp.mjs";
import { SOON_MS } from "./lib/streams.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { until, world } from "./lib/world.mjs";

/** @import { World } from "./lib/world.mjs" */

const token = tokens.user("owner");
/** What a handler is registered for: sdk 1.32 wants the schema, client 2.4 the name. */
const HEARD = {
  "elicitation/create": ElicitRequestSchema,
  "sampling/createMessage": CreateMessageRequestSchema,
  "notifications/message": LoggingMessageNotificationSchema,
  "notifications/resources/updated": ResourceUpdatedNotificationSchema,
  "notifications/resources/list_changed": ResourceListChangedNotificationSchema,
};
let /** @type {World} */ product, /** @type {World} */ fixture;
before(async () => {
  [product, fixture] = (await Promise.all([startWorkerd(), startWorkerd({ features: "conformance", vars: { LOOPBACK_ONLY: "true" } })])).map(world);
});
after(() => Promise.all([product, fixture].map((on) => on?.server.stop())));

for (const era of eras) {
  const key = (method) => (era === "modern" ? method : HEARD[method]);
  /** A client with these handlers; what it was sent is in `seen`, by method. */
  async function client(on, /** @type {{ path?: string, capabilities?: object, handlers?: Record<string, (params: any) => unknown> }} */ { path, capabilities, handlers = {} } = {}) {
    const seen = {};
    const prepare = (client) => {
      for (const method of Object.keys(HEARD)) {
        const note = (message) => (seen[method] ??= []).push(message.params ?? {});
        if (method.startsWith("notifications/")) client.setNotificationHandler(key(method), note);
        else if (handlers[method]) client.setRequestHandler(key(method), async (message) => (note(message), handlers[method](message.params)));
      }
    };
    return { ...(await connect(on, { era, token, path, capabilities, prepare })), seen };
  }
  /** Hears of a resource; gives what ends that. */
  async function follow({ client }, uri) {
    if (era === "legacy") {
      await client.subscribeResource({ uri });
      return () => client.unsubscribeResource({ uri });
    }
    const subscription = await client.listen({ resourceSubscriptions: [uri], resourcesListChanged: true });
    assert.deepEqual(subscription.honoredFilter.resourceSubscriptions, [uri]);
    return async () => {
      await subscription.close();
      assert.equal(await subscription.closed, "local");
    };
  }
  const door = (town) => `/towns/${town.id}/mcp`;

  describe(`the ${era} client`, () => {
    test("reads every resource that is listed, and one of each template", async () => {
      const town = await product.createFleetTown(["web"]);
      const { client: c, call, close } = await client(product, { path: door(town) });
      const { bead, agent } = await call("sling", { rig: "web", title: "to be read" });
      const { convoy_id } = await call("sling_batch", { rig: "web", convoy_title: "c", tasks: [{ title: "a" }] });
      const at = `gastown://towns/${town.id}`;
      const { resources } = await c.listResources();
      const { resourceTemplates } = await c.listResourceTemplates();
      const samples = [`${at}/rigs/web`, `${at}/beads/${bead.id}`, `${at}/convoys/${convoy_id}`, `${at}/agents/${agent.id}`];
      assert.deepEqual(resourceTemplates.map(({ name }) => name).sort(), ["agent", "bead", "convoy", "rig"]);
      for (const uri of [...resources.map(({ uri }) => uri), ...samples]) {
        const { contents: [content] } = await c.readResource({ uri });
        assert.equal(content.uri, uri);
        assert.ok(content.text.length > 0);
        if (content.mimeType === "application/json") assert.ok(JSON.parse(content.text));
      }
      await assert.rejects(c.readResource({ uri: `${at}/beads/none` }), /not found/i);
      await close();
    });

    test("gets every prompt, and completes its arguments and those of templates", async () => {
      const town = await product.createFleetTown(["web", "website"]);
      const { client: c, call, close } = await client(product, { path: door(town) });
      const { convoy_id } = await call("sling_batch", { rig: "web", convoy_title: "stuck", tasks: [{ title: "a" }] });
      const values = { convoy: convoy_id, convoy_id, rig: "web", town: town.id };
      const { prompts } = await c.listPrompts();
      assert.ok(prompts.length >= 3);
      for (const { name, arguments: args = [] } of prompts) {
        const given = Object.fromEntries(args.map(({ name }) => [name, values[name] ?? "something"]));
        const { messages } = await c.getPrompt({ name, arguments: given });
        assert.ok(messages[0].content.text.length > 0, name);
      }
      const { completion } = await c.complete({ ref: { type: "ref/resource", uri: "gastown://towns/{town}/rigs/{rig}" }, argument: { name: "rig", value: "webs" }, context: { arguments: { town: town.id } } });
      assert.ok(completion.values.includes("website") && !completion.values.includes("web"), JSON.stringify(completion));
      await close();
    });

    test("hears of a resource that another client changes, and of the list, until it follows it no more", async () => {
      const town = await product.createFleetTown(["web"]);
      const uri = `gastown://towns/${town.id}/rigs/${town.rigs.web}`;
      const [one, other] = [await client(product, { path: door(town) }), await client(product, { path: door(town) })];
      const leave = await follow(one, uri);
      await other.call("sling", { rig: "web", title: "news" });
      await until("it is told", async () => one.seen["notifications/resources/updated"]?.some((params) => params.uri === uri), { within: SOON_MS });
      await product.createRig(town.id);
      await until("it is told of the list", async () => one.seen["notifications/resources/list_changed"]?.length > 0, { within: SOON_MS });
      assert.equal(other.seen["notifications/resources/updated"], undefined, "who did not ask is not told");
      await leave();
      const before = one.seen["notifications/resources/updated"].length;
      await other.call("sling", { rig: "web", title: "more news" });
      await assert.rejects(until("silence", async () => one.seen["notifications/resources/updated"].length > before, { within: 500 }));
      await Promise.all([one.close(), other.close()]);
    });

    const ANSWERS = {
      accept: { action: "accept", content: { confirm: true } },
      "accept without a tick": { action: "accept", content: { confirm: false } },
      decline: { action: "decline" },
      cancel: { action: "cancel" },
    };
    for (const [how, answer] of Object.entries(ANSWERS)) {
      test(`asks its user before a polecat is removed: ${how}`, async () => {
        const town = await product.createFleetTown(["web"]);
        const asking = await client(product, { path: door(town), capabilities: { elicitation: { form: {} } }, handlers: { "elicitation/create": () => answer } });
        const { agent, bead } = await asking.call("sling", { rig: "web", title: "on the hook" });
        const args = { rig: "web", agent: agent.id };
        if (how === "accept") {
          assert.deepEqual([(await asking.call("remove_polecat", args)).removed], [true]);
        } else {
          assert.match(await asking.refused("remove_polecat", args), /Not confirmed, nothing was changed/);
        }
        const [question, ...more] = asking.seen["elicitation/create"];
        assert.equal(more.length, 0);
        assert.match(question.message, new RegExp(`${agent.id}.*${bead.id}`));
        assert.equal((await asking.call("list_agents", { rig: "web" })).agents.some(({ id }) => id === agent.id), how !== "accept");
        await asking.close();
      });
    }

    test("that cannot ask its user gets a dry run and a token, good once and for that polecat only", async () => {
      const town = await product.createFleetTown(["web"]);
      const plain = await client(product, { path: door(town) });
      const [one, two] = [await plain.call("sling", { rig: "web", title: "a" }), await plain.call("sling", { rig: "web", title: "b" })];
      const args = ({ agent }) => ({ rig: "web", agent: agent.id });
      const { confirm_token, dry_run } = await plain.call("remove_polecat", args(one));
      assert.equal(dry_run, true);
      assert.match(await plain.refused("remove_polecat", { ...args(two), confirm: true, confirm_token }), /other arguments/);
      assert.equal((await plain.call("remove_polecat", { ...args(one), confirm: true, confirm_token })).removed, true);
      assert.match(await plain.refused("remove_polecat", { ...args(one), confirm: true, confirm_token }), /not_found|used before/);
      await plain.close();
    });

    test("follows progress, answers for its model, and fills in forms", async () => {
      const { client: c, seen, close } = await client(fixture, {
        capabilities: { sampling: {}, elicitation: { form: {} } },
        handlers: {
          "sampling/createMessage": () => ({ role: "assistant", model: "m", content: { type: "text", text: "forty-two" } }),
          "elicitation/create": () => ({ action: "accept", content: { username: "nux", email: "nux@example.com" } }),
        },
      });
      const progress = [];
      const call = (name, args = {}, options) => era === "legacy" ? c.callTool({ name, arguments: args }, undefined, options) : c.callTool({ name, arguments: args }, options);
      assert.ok(!(await call("test_tool_with_progress", {}, { onprogress: (step) => progress.push(step.progress) })).isError);
      assert.deepEqual(progress, [0, 50, 100]);
      assert.match((await call("test_sampling", { prompt: "What?" })).content[0].text, /forty-two/);
      assert.match((await call("test_elicitation", { message: "Who?" })).content[0].text, /action=accept.*nux@example.com/);
      assert.deepEqual([seen["sampling/createMessage"].length, seen["elicitation/create"].length], [1, 1]);
      await close();
    });
  });
}

test("the legacy client is logged to from the level on that it sets", async () => {
  const logged = [];
  const { client: c, close } = await connect(fixture, { era: "legacy", token, prepare: (client) => client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => logged.push(params.level)) });
  await c.callTool({ name: "test_tool_with_logging", arguments: {} });
  assert.deepEqual(logged, ["info", "info", "info"]);
  await c.setLoggingLevel("error");
  await c.callTool({ name: "test_tool_with_logging", arguments: {} });
  assert.equal(logged.length, 3);
  await c.setLoggingLevel("debug");
  await c.callTool({ name: "test_tool_with_logging", arguments: {} });
  assert.equal(logged.length, 6);
  await close();
});
