// Owns: the two official clients, one per protocol era, driving every tool through both doors, as users' clients do.
// Does not: send anything a client would not send (protocol.test.mjs).

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect, eras, plain } from "./lib/mcp.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, until, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { World } from "./lib/world.mjs"
 */

// S0-34 and list_towns.
const LOOKING = ["list_towns", "list_rigs", "list_beads", "get_bead", "list_agents", "list_convoys", "convoy_status", "town_feed", "wait_for", "get_town_status",
  "merge_queue", "list_messages", "escalations"];
const TOOLS = [...LOOKING, "sling", "sling_batch", "create_bead", "update_bead", "create_convoy", "start_convoy", "update_convoy", "send_message", "send_mayor_message",
  "acknowledge_escalation", "remove_polecat"];
const nested = (levels) => (levels === 0 ? 1 : { a: nested(levels - 1) });

let /** @type {Server} */ server, /** @type {World} */ on;
before(async () => {
  server = await startWorkerd({ profile: "release" }); // every tool, as it is deployed
  on = world(server);
});
after(() => server.stop());

/** Everything a coordinator does in one town. `place` is {town} at the fleet's door and {} at the town's. */
async function driveEveryTool(client, town, place, era) {
  const used = new Set();
  const call = (name, args = {}) => {
    used.add(name);
    return client.call(name, { ...(name === "list_towns" ? {} : place), ...args });
  };

  const { towns } = await call("list_towns");
  assert.ok(towns.some(({ id, name }) => id === town.id && name === town.name));
  const { rigs } = await call("list_rigs");
  assert.deepEqual(rigs.map(({ id, name }) => [id, name]), [[town.rigs.web, "web"], [town.rigs.api, "api"]]);

  // S0-28, S1-22, S1-24: by rig name and by rig id.
  const slung = await call("sling", { rig: "web", title: `${era}: add a health check`, body: "GET /health", priority: "high", labels: ["ops"], metadata: { ticket: 1 } });
  assert.match(slung.summary, new RegExp(`^${slung.agent.name} has it`));
  assert.match(slung.agent.branch, /^polecat\/[a-z0-9-]+\/[0-9a-f]{6,8}$/);
  await call("sling", { rig: town.rigs.web, title: "second" });

  // S0-29: staged unless told otherwise, and running when told so.
  const tasks = [{ title: "write the spec" }, { title: "implement it", depends_on: [0] }, { title: "document it", depends_on: [0, 1] }];
  const staged = await call("sling_batch", { rig: "api", convoy_title: "Payments API", tasks });
  assert.equal(staged.staged, true);
  assert.deepEqual(staged.beads.map(({ waits_for }) => waits_for), [0, 1, 2]);
  const running = await call("sling_batch", { rig: "api", convoy_title: "Refunds", tasks, staged: false, merge_mode: "review-and-merge" });
  assert.equal(running.staged, false);
  await call("sling_batch", { rig: "api", convoy_title: "Chores", tasks: [{ title: "a" }, { title: "b" }], parallel: true });

  const { convoys } = await call("list_convoys");
  assert.equal(convoys.find(({ id }) => id === staged.convoy_id).phase, "staged");
  assert.equal(convoys.find(({ id }) => id === running.convoy_id).phase, "running");

  // S0-33: read from the rigs; what waits for a blocker is not given out.
  const status = await until("the rig has the running convoy", async (note) => {
    const seen = note(await call("convoy_status", { convoy_id: running.convoy_id }));
    return seen.progress.hooked === 1 && seen;
  });
  assert.deepEqual(status.beads.map(({ status, waits_for }) => [status, waits_for]), [["hooked", undefined], ["open", 1], ["open", 2]]);
  assert.deepEqual(status.coverage, { asked: 1, answered: 1 });
  assert.equal(status.dependencies.length, 3);
  const waiting = await call("convoy_status", { convoy_id: staged.convoy_id });
  assert.equal(waiting.phase, "staged");
  assert.equal(waiting.progress.hooked, 0);
  const waited = await call("wait_for", { convoy: staged.convoy_id, timeout_seconds: 1 });
  assert.deepEqual([waited.done, waited.status], [false, "staged"]);

  // S3-41: beads of every rig and what the town did, in one order.
  const feed = await call("town_feed", { cursor: "start", limit: 200 });
  assert.ok(feed.entries.some(({ kind, rig }) => kind === "hooked" && rig === town.rigs.web));
  assert.ok(feed.entries.some(({ kind, subject }) => kind === "convoy_created" && subject === running.convoy_id));

  const { beads, coverage } = await call("list_beads", { type: "issue" });
  assert.deepEqual(coverage, { asked: 2, answered: 2 });
  assert.ok(beads.some(({ id, status }) => id === slung.bead.id && status === "hooked"));
  const { agents } = await call("list_agents", { role: "polecat" });
  assert.ok(agents.some(({ id, hook }) => id === slung.agent.id && hook === slung.bead.id));

  // S2-07: made, changed and shown, wherever it is.
  const made = await call("create_bead", { rig: "api", title: "later", priority: "P1", held: true, depends_on: [running.beads[0].id] });
  const changed = await call("update_bead", { bead: made.bead.id, title: "much later", add_labels: ["ops"] });
  assert.deepEqual(changed.changed, ["title", "labels"]);
  const whole = await call("get_bead", { bead: made.bead.id });
  assert.deepEqual([whole.bead.title, whole.bead.priority, whole.labels], ["«much later»", "high", ["gt:held", "ops"]]);
  assert.deepEqual(whole.waits_for, [{ bead: running.beads[0].id, status: "open", until: "closed" }]);

  // S2-08, S3-16, S3-19, S3-20: a convoy by name, of what exists and of what is slung into it.
  const named = await call("create_convoy", { name: "Hardening", staged: true });
  await call("update_convoy", { convoy: "Hardening", add_beads: [made.bead.id] });
  await call("sling", { rig: "web", title: "audit the login", convoy: "Hardening", quality: "chrome", args: "focus on security" });
  await call("start_convoy", { convoy: "Hardening" });
  const hardening = await until("both are members", async (note) => {
    const seen = note(await call("convoy_status", { convoy_id: "Hardening" }));
    return seen.beads.length === 2 && seen;
  });
  assert.deepEqual([hardening.id, hardening.phase], [named.convoy.id, "running"]);
  assert.ok(hardening.beads.some(({ quality }) => quality === "chrome"));

  // S2-26 to S2-30: looked at, and taken from nobody.
  await call("send_message", { rig: "web", to: slung.agent.id, subject: "progress?", body: "Are you blocked?" });
  const { messages } = await call("list_messages", { rig: "web", agent: slung.agent.id, channel: "mail" });
  assert.deepEqual(messages.map(({ channel, durable }) => [channel, durable]), [["mail", true]]);

  const queue = await call("merge_queue");
  assert.deepEqual([queue.waiting, queue.coverage], [[], { asked: 2, answered: 2 }]);

  const raised = await on.rpc("TOWN", town.id, "routeEscalation", { severity: "high", message: "Which currency first?" }, context(tokens.user("owner")));
  assert.ok(raised.ok, raised.error);
  assert.equal((await call("escalations")).escalations[0].id, raised.ok.id);
  await call("acknowledge_escalation", { escalation: raised.ok.id });
  assert.deepEqual((await call("escalations")).escalations, []);

  const before = (await call("get_town_status")).mayor.queued_messages;
  const sent = await call("send_mayor_message", { message: "Hold off on the auth integration until Friday." });
  assert.equal(sent.delivery, "queued");
  const town_status = await until("the town's mirror has heard of the rigs", async (note) => {
    const seen = note(await call("get_town_status"));
    return seen.coverage.answered === 2 && seen.agents.hooked >= 2 && seen;
  });
  assert.equal(town_status.mayor.queued_messages, before + 1);

  // Neither client can ask its user here: a dry run first, then in earnest.
  const polecat = { rig: "web", agent: slung.agent.id };
  const dry = await call("remove_polecat", polecat);
  assert.deepEqual([dry.dry_run, dry.removed, dry.bead], [true, false, slung.bead.id]);
  const removed = await call("remove_polecat", { ...polecat, confirm: true, confirm_token: dry.confirm_token });
  assert.deepEqual([removed.removed, removed.dry_run], [true, undefined]);
  assert.ok(!(await call("list_agents", { rig: "web" })).agents.some(({ id }) => id === slung.agent.id));
  assert.deepEqual([...used].sort(), [...TOOLS].sort(), "every tool was driven");
}

for (const era of eras) {
  describe(`the ${era} client`, () => {
    // S0-22, S0-48 … S0-51
    test("drives every tool on the fleet's door, naming the town by id and by name", async () => {
      const town = await on.createFleetTown(["web", "api"]);
      const client = await connect(on, { era, token: tokens.user("owner") });
      assert.deepEqual(client.tools.map(({ name }) => name).sort(), [...TOOLS].sort());
      await driveEveryTool(client, town, { town: town.name }, era);
      assert.deepEqual(await client.call("list_rigs", { town: town.id }), await client.call("list_rigs", { town: town.name }));
      assert.match(await client.refused("list_rigs", {}), /town/);
      assert.match(await client.refused("list_rigs", { town: "atlantis" }), /not_found.*list|Towns:/);
      await client.close();
    });

    // S0-23, S0-24, S0-47
    test("drives every tool on a town's door, where no tool takes a town", async () => {
      const town = await on.createFleetTown(["web", "api"]);
      const client = await connect(on, { era, token: tokens.user("owner"), path: `/towns/${town.id}/mcp` });
      assert.deepEqual(client.tools.map(({ name }) => name).sort(), [...TOOLS].sort());
      for (const { name, inputSchema } of client.tools) assert.ok(!("town" in (inputSchema.properties ?? {})), name);
      await driveEveryTool(client, town, {}, era);
      await client.close();
    });

    test("as a town's Mayor sees that town only", async () => {
      const [town, other] = [await on.createFleetTown(["web"]), await on.createFleetTown(["web"])];
      const client = await connect(on, { era, token: tokens.mayor(town.id), path: `/towns/${town.id}/mcp` });
      assert.ok(client.tools.every(({ name }) => name.startsWith("gt_")));
      assert.deepEqual((await client.call("gt_list_rigs")).rigs.map(({ id }) => id), [town.rigs.web]);
      assert.equal((await client.call("gt_sling", { rig_id: "web", title: "by the Mayor" })).agent.name, "Toast");
      assert.match(await client.refused("gt_list_rigs", { town: other.id }), /another/);
      assert.match(await client.refused("gt_list_beads", { rig_id: other.rigs.web }), /"forbidden"/);
      await client.close();
      await assert.rejects(connect(on, { era, token: tokens.mayor(town.id), path: `/towns/${other.id}/mcp` }), /403|[Ff]orbidden/);
      await assert.rejects(connect(on, { era, token: tokens.mayor(town.id) }), /403|[Ff]orbidden/);
    });

    test("with a read-only token or on the read-only door gets the looking tools, and no other can be called", async () => {
      const town = await on.createFleetTown(["web"]);
      for (const [token, path] of [[tokens.observer("owner"), "/mcp"], [tokens.user("owner"), "/mcp/readonly"], [tokens.user("owner"), `/towns/${town.id}/mcp/readonly`]]) {
        const client = await connect(on, { era, token, path });
        assert.deepEqual(client.tools.map(({ name }) => name).sort(), [...LOOKING].sort());
        assert.ok(client.tools.every(({ annotations }) => annotations.readOnlyHint === true));
        // What the door does not have is unknown; what the token does not cover is forbidden.
        const why = path === "/mcp" ? /403|forbidden|insufficient scope/i : /-32602|unknown tool/i;
        await assert.rejects(client.client.callTool({ name: "sling", arguments: { town: town.id, rig: "web", title: "x" } }), why);
        await client.close();
      }
    });

    // Truth rule 5.
    test("repeats a call with its idempotency key and gets the same answer, once done", async () => {
      const town = await on.createFleetTown(["web"]);
      const client = await connect(on, { era, token: tokens.user("owner"), path: `/towns/${town.id}/mcp` });
      const tasks = [{ title: "a" }, { title: "b", depends_on: [0] }];
      const calls = {
        sling: { rig: "web", title: "once", idempotency_key: "k-sling" },
        sling_batch: { rig: "web", convoy_title: "once", tasks, staged: true, idempotency_key: "k-batch" },
        send_mayor_message: { message: "once", idempotency_key: "k-message" },
      };
      for (const [name, args] of Object.entries(calls)) {
        const answers = await Promise.all([1, 2, 3, 4].map(() => client.call(name, args)));
        for (const answer of answers) assert.deepEqual(answer, answers[0], `${name}: concurrent duplicates`);
        assert.deepEqual(await client.call(name, args), answers[0], `${name}: a later duplicate`);
        const [field] = Object.keys(args).filter((key) => ["title", "convoy_title", "message"].includes(key));
        assert.match(await client.refused(name, { ...args, [field]: "something else" }), /idempotency_conflict/);
      }
      assert.equal((await client.call("list_beads", { type: "issue" })).beads.filter(({ title }) => plain(title) === "once").length, 1);
      assert.equal((await client.call("list_convoys")).convoys.length, 1);
      assert.equal((await client.call("get_town_status")).mayor.queued_messages, 1);
      await client.close();
    });

    test("is told which argument is wrong and what is allowed", async () => {
      const town = await on.createFleetTown(["web"]);
      const client = await connect(on, { era, token: tokens.user("owner"), path: `/towns/${town.id}/mcp` });
      /** @type {[string, object, RegExp][]} */
      const cases = [
        ["sling", { rig: "web" }, /title/],
        ["sling", { rig: "web", title: "x", colour: "red" }, /colour/],
        ["sling", { rig: "web", title: "x", priority: "urgent" }, /priority.*(low|critical)/],
        ["sling", { rig: "attic", title: "x" }, /rig.*Rigs: web/],
        ["sling", { rig: "web", title: "x", metadata: { x: "x".repeat(16_384) } }, /metadata: at most 16384 bytes/],
        ["sling", { rig: "web", title: "x", metadata: nested(100) }, /metadata: at most 32 levels/],
        // The town must refuse what the rig would refuse later, when the convoy has been acknowledged.
        ["sling_batch", { rig: "web", convoy_title: "c", tasks: [{ title: "a" }], metadata: { x: "x".repeat(16_300) } }, /metadata: at most 16384 bytes/],
        ["sling_batch", { rig: "web", convoy_title: "c", tasks: [{ title: "a" }], metadata: nested(100) }, /metadata: at most 32 levels/],
        ["list_beads", { limit: 0 }, /limit must be from 1 to 200/],
        ["list_beads", { cursor: "nonsense" }, /cursor/],
        ["convoy_status", { convoy_id: "7" }, /Convoy not found: 7.*list_convoys/],
        ["sling_batch", { rig: "web", convoy_title: "c", tasks: [{ title: "a" }, { title: "b" }] }, /parallel/],
        ["sling_batch", { rig: "web", convoy_title: "c", tasks: [{ title: "a", depends_on: [1] }, { title: "b", depends_on: [0] }] }, /contains a cycle — 2 tasks/],
        ["sling_batch", { rig: "web", convoy_title: "c", tasks: [{ title: "a", depends_on: [5] }, { title: "b" }] }, /tasks\[0\]\.depends_on/],
      ];
      for (const [name, args, pattern] of cases) assert.match(await client.refused(name, args), pattern, `${name} ${JSON.stringify(args)}`);
      assert.deepEqual((await client.call("list_convoys")).convoys, [], "a refused batch leaves nothing");
      await client.close();
    });

    test("pages through beads of several rigs with the cursor and sees each once", async () => {
      const town = await on.createFleetTown(["web", "api"]);
      for (let index = 0; index < 12; index++) await on.sling(town.rigs[index % 2 ? "web" : "api"], `task ${index}`);
      const client = await connect(on, { era, token: tokens.user("owner"), path: `/towns/${town.id}/mcp` });
      const seen = [];
      for (let cursor; ; ) {
        const page = await client.call("list_beads", { limit: 5, type: "issue", ...(cursor && { cursor }) });
        assert.ok(page.beads.length <= 5);
        seen.push(...page.beads.map(({ title }) => plain(title)));
        if (!(cursor = page.next_cursor)) break;
      }
      assert.deepEqual(seen, Array.from({ length: 12 }, (_, index) => `task ${11 - index}`), "newest first, across rigs");
      await client.close();
    });
  });
}

describe("several connections", () => {
  // S0-02, S0-45
  test("two connections to two towns work side by side and share nothing", async () => {
    const towns = [await on.createFleetTown(["web"]), await on.createFleetTown(["web"])];
    const clients = await Promise.all(towns.map((town, index) => connect(on, { era: eras[index], token: tokens.user("owner"), path: `/towns/${town.id}/mcp` })));
    await Promise.all(clients.flatMap((client, index) => [1, 2, 3].map((number) =>
      client.call("sling", { rig: "web", title: `town ${index} task ${number}`, idempotency_key: `key-${number}` }))));
    for (const [index, client] of clients.entries()) {
      const { beads } = await client.call("list_beads", { type: "issue" });
      assert.deepEqual(beads.map(({ title }) => plain(title)).sort(), [1, 2, 3].map((number) => `town ${index} task ${number}`));
      await client.close();
    }
  });

  test("a bead that one client slings is what the other client reads", async () => {
    const town = await on.createFleetTown(["web"]);
    const [one, two] = await Promise.all(eras.map((era) => connect(on, { era, token: tokens.user("owner"), path: `/towns/${town.name}/mcp` })));
    const { bead } = await one.call("sling", { rig: "web", title: "seen by both" });
    const read = await Promise.all([one, two].map((client) => client.call("list_beads", { type: "issue" })));
    assert.deepEqual(read[0], read[1]);
    assert.equal(read[0].beads[0].id, bead.id);
    await Promise.all([one.close(), two.close()]);
  });
});
