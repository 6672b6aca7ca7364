// Owns: who gets which bead in a rig, on real storage: names, capacity, hooks, branches, and that rigs do not mix.
// Does not: go through MCP (clients.test.mjs). The rules themselves are tested on the host, exhaustively.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, UNDEFINED, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { World } from "./lib/world.mjs"
 */

// Gastown contract, section 8.
const POOL = ["Toast", "Maple", "Birch", "Shadow", "Clover", "Ember", "Sage", "Dusk", "Flint", "Coral", "Slate", "Reed", "Thorn", "Pike", "Moss",
  "Wren", "Blaze", "Gale", "Drift", "Lark"];
const owner = () => context(tokens.user("owner"));
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

let /** @type {Server} */ server, /** @type {World} */ on;
before(async () => {
  server = await startWorkerd();
  on = world(server);
});
after(() => server.stop());

const agentsOf = async (rig) => (await on.rpc("RIG", rig, "listAgents", UNDEFINED, owner())).ok;
const beadOf = async (rig, bead) => (await on.rpc("RIG", rig, "getBeadAsync", bead, owner())).ok;
const hook = (rig, agent, bead) => on.rpc("RIG", rig, "hookBead", agent, bead, owner());
const polecat = async (rig) => (await on.rpc("RIG", rig, "getOrCreateAgent", "polecat", UNDEFINED, owner())).ok;
const create = async (rig, title, more = {}) => (await on.rpc("RIG", rig, "createBead", { type: "issue", title, ...more }, owner())).ok;

describe("capacity", () => {
  // S4-01, S4-03, S4-05
  test("of 25 slings into a rig for 30 polecats each finds one: the pool's 20 names in order, then numbers", async () => {
    const town = await on.createFleetTown(["big"]);
    await on.configure(town.id, { max_polecats_per_rig: 30 });
    const names = [];
    for (const number of range(1, 25)) names.push((await on.sling(town.rigs.big, `task ${number}`)).agent?.name);
    assert.deepEqual(names, [...POOL, ...range(21, 25).map((number) => `Polecat-${number}`)]);
  });

  test("25 slings at once get 25 polecats with 25 names", async () => {
    const town = await on.createFleetTown(["big"]);
    await on.configure(town.id, { max_polecats_per_rig: 30 });
    const slung = await Promise.all(range(1, 25).map((number) => on.sling(town.rigs.big, `task ${number}`)));
    assert.deepEqual(slung.map(({ agent }) => agent.name).sort(), [...POOL, ...range(21, 25).map((number) => `Polecat-${number}`)].sort());
    assert.equal((await agentsOf(town.rigs.big)).length, 25);
  });

  // S2-40
  test("of 25 slings at the default capacity five find a polecat and twenty are queued at positions 1 to 20", async () => {
    const town = await on.createFleetTown(["small"]);
    const slung = [];
    for (const number of range(1, 25)) slung.push(await on.sling(town.rigs.small, `task ${number}`));
    assert.deepEqual(slung.slice(0, 5).map(({ agent }) => agent?.name), POOL.slice(0, 5));
    assert.deepEqual(slung.slice(5).map(({ agent }) => agent), Array(20).fill(null));
    assert.deepEqual(slung.slice(5).map(({ queue_position }) => queue_position), range(1, 20));
    assert.equal((await agentsOf(town.rigs.small)).length, 5);
  });

  test("whoever closes a bead is given the one that waited longest, urgent ones first", async () => {
    const town = await on.createFleetTown(["small"]);
    await on.configure(town.id, { max_polecats_per_rig: 1 });
    const rig = town.rigs.small;
    const first = await on.sling(rig, "first");
    const second = await on.sling(rig, "second");
    const urgent = await on.sling(rig, "urgent", { priority: "critical" });
    assert.deepEqual([second.queue_position, urgent.queue_position], [1, 1]);
    for (const next of [urgent, second]) {
      const [agent] = await agentsOf(rig);
      const { error } = await on.rpc("RIG", rig, "closeBead", agent.current_hook_bead_id, agent.id, owner());
      assert.equal(error, undefined);
      assert.equal((await agentsOf(rig))[0].current_hook_bead_id, next.bead.bead_id);
    }
    assert.equal((await beadOf(rig, first.bead.bead_id)).status, "closed");
  });
});

describe("hooks", () => {
  // S2-16, S4-12
  test("of two agents that hook one bead at once exactly one wins, and the other is told who holds it", async () => {
    const { rigs: { web: rig } } = await on.createFleetTown(["web"]);
    const one = await on.sling(rig, "one");
    const two = await on.sling(rig, "two");
    const agents = [one.agent, two.agent];
    for (const { bead, agent } of [one, two]) {
      await on.rpc("RIG", rig, "closeBead", bead.bead_id, agent.id, owner());
    }
    for (const round of range(1, 10)) {
      const bead = await create(rig, `contested ${round}`, { labels: [] });
      const outcomes = await Promise.all(agents.map((agent) => hook(rig, agent.id, bead.bead_id)));
      const winners = outcomes.flatMap(({ error }, index) => (error === undefined ? [agents[index]] : []));
      assert.equal(winners.length, 1, JSON.stringify(outcomes));
      const { error } = outcomes.find((outcome) => outcome.error !== undefined);
      assert.equal(error, `Bead ${bead.bead_id} is already hooked by ${winners[0].name} (agent ${winners[0].id})`);
      assert.equal((await beadOf(rig, bead.bead_id)).assignee_agent_bead_id, winners[0].id);
      await on.rpc("RIG", rig, "closeBead", bead.bead_id, winners[0].id, owner());
    }
  });

  test("an agent that holds a bead takes no second one, and keeps the first", async () => {
    const { rigs: { web: rig } } = await on.createFleetTown(["web"]);
    const { bead, agent } = await on.sling(rig, "held");
    const second = await create(rig, "second");
    assert.equal((await hook(rig, agent.id, second.bead_id)).error, `Agent ${agent.id} is already hooked to bead ${bead.bead_id}. Unhook first.`);
    assert.equal((await hook(rig, agent.id, bead.bead_id)).kind, "undefined", "the same hook again is no error");
    assert.equal((await agentsOf(rig))[0].current_hook_bead_id, bead.bead_id);
  });

  // S4-07
  test("a branch is polecat/<name>/<start of the bead's id>, in lower case", async () => {
    const { rigs: { web: rig } } = await on.createFleetTown(["web"]);
    const { bead, agent } = await on.sling(rig, "branch");
    assert.match(agent.branch, /^polecat\/toast\/[0-9a-f]{6,8}$/);
    assert.ok(bead.bead_id.startsWith(agent.branch.split("/")[2]));
    assert.equal((await beadOf(rig, bead.bead_id)).metadata.branch, agent.branch);
  });
});

describe("names", () => {
  // S4-04
  test("the name of a polecat that is deregistered goes to the next new one", async () => {
    const { rigs: { web: rig } } = await on.createFleetTown(["web"]);
    const slung = [];
    for (const number of range(1, 4)) slung.push(await on.sling(rig, `task ${number}`));
    const birch = slung[2];
    assert.equal(birch.agent.name, "Birch");
    await on.rpc("RIG", rig, "closeBead", birch.bead.bead_id, birch.agent.id, owner());
    assert.equal((await on.rpc("RIG", rig, "deleteAgent", birch.agent.id, owner())).kind, "undefined");
    const next = (await on.sling(rig, "next")).agent;
    assert.equal(next.name, "Birch");
    assert.notEqual(next.id, birch.agent.id, "another polecat of the same name");
    assert.equal((await on.sling(rig, "after that")).agent.name, "Clover");
  });

  test("a deregistered polecat's bead is not lost: the next one has it", async () => {
    const { rigs: { web: rig } } = await on.createFleetTown(["web"]);
    const { bead, agent } = await on.sling(rig, "survivor");
    await on.rpc("RIG", rig, "deleteAgent", agent.id, owner());
    const [heir] = await agentsOf(rig);
    assert.equal(heir.current_hook_bead_id, bead.bead_id);
    assert.notEqual(heir.id, agent.id);
  });
});

describe("towns", () => {
  test("two towns with a rig of the same name do not mix", async () => {
    const [one, two] = [await on.createFleetTown(["web"]), await on.createFleetTown(["web"])];
    assert.notEqual(one.rigs.web, two.rigs.web);
    const mine = await on.sling(one.rigs.web, "mine");
    const theirs = await on.sling(two.rigs.web, "theirs");
    assert.deepEqual([mine.agent.name, theirs.agent.name], ["Toast", "Toast"], "each rig has its own pool");
    assert.notEqual(mine.agent.identity, theirs.agent.identity, "but who an agent is says which");
    for (const town of [one, two]) {
      const beads = await on.rest("GET", `/api/mayor/${town.id}/tools/beads?type=issue`, { token: tokens.mayor(town.id) });
      assert.deepEqual(beads.map((bead) => bead.title), [town === one ? "mine" : "theirs"]);
      assert.equal((await on.rpc("RIG", town.rigs.web, "getBeadAsync", (town === one ? theirs : mine).bead.bead_id, owner())).kind, "null");
    }
  });

  test("a refinery is one per rig, and idle polecats are taken before new ones are made", async () => {
    const { rigs: { web: rig } } = await on.createFleetTown(["web"]);
    const refinery = () => on.rpc("RIG", rig, "getOrCreateAgent", "refinery", UNDEFINED, owner());
    assert.equal((await refinery()).ok.id, (await refinery()).ok.id);
    const idle = await polecat(rig);
    assert.equal((await polecat(rig)).id, idle.id);
    assert.equal((await on.sling(rig, "for the idle one")).agent.id, idle.id);
  });
});
