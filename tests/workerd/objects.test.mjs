// Owns: the objects as anyone who binds to them sees them: which methods there are, and what they answer.
// Does not: test whom they refuse (trust.test.mjs), or what the methods do in full (tests/it, and rig.test.mjs).

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { deployment } from "./lib/project.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, UNDEFINED, until, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 * @typedef {[binding: string, name: string, method: string, ...args: unknown[]]} Call
 */

const CLASSES = deployment().objects;
const owner = () => context(tokens.user("owner"));
/** Outside the table: the fast path, and the two events. Neither does anything for a caller without a context. */
const BESIDES = ["alarm", "call", "constructor", "fetch"];
/** The town keeps WebSockets while it is out of memory: the runtime calls these, and no stub can. */
const OF_SOCKETS = ["webSocketClose", "webSocketError", "webSocketMessage"];

let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ town, /** @type {string} */ rig;
before(async () => {
  server = await startWorkerd();
  on = world(server);
  town = await on.createFleetTown(["web", "api"]);
  rig = town.rigs.web;
});
after(() => server.stop());

/** Instance names that exist, per binding. */
const names = () => ({ TOWN: town.id, RIG: rig, GASTOWN_USER: "owner", GASTOWN_ORG: "acme", SESSION: "principal:user:owner" });
const table = (className) => on.harness("/__table", { className });

describe("what a stub can call", () => {
  for (const { className } of CLASSES) {
    test(`${className} offers exactly the table's methods, call, fetch and alarm`, async () => {
      const expected = [...(await table(className)).map(([name]) => name), ...BESIDES, ...(className === "TownDO" ? OF_SOCKETS : [])];
      assert.deepEqual((await on.harness("/__surface", { className })).sort(), expected.sort());
    });
  }

  test("free cannot be called, and the object answers as before", async () => {
    for (const method of ["free", "__destroy_into_raw"]) {
      const { error } = await on.rpc("RIG", rig, method);
      assert.equal(error, `The RPC receiver does not implement the method "${method}".`);
    }
    assert.deepEqual((await on.rpc("RIG", rig, "listBeads", {}, owner())).ok, []);
  });

  test("a method that does not exist is missing in the runtime's own words", async () => {
    const answer = await on.rpc("TOWN", town.id, "reticulate", 1);
    assert.deepEqual([answer.name, answer.error], ["TypeError", 'The RPC receiver does not implement the method "reticulate".']);
  });

  test("neither fetch nor the fast path leads around the table", async () => {
    for (const { binding } of CLASSES) assert.equal(await on.harness("/__fetch", { binding, name: names()[binding] }), 404);
    for (const method of ["fetch", "alarm", "free", "setTownId", "constructor"]) {
      const { ok } = await on.rpc("RIG", rig, "call", method, "[]", JSON.stringify(owner()));
      assert.equal(JSON.parse(ok.slice(1)).message, `The RPC receiver does not implement the method "${method}".`);
    }
  });
});

describe("what methods answer", () => {
  test("contract methods answer objects, lists, null and, when void, undefined", async () => {
    const { ok: slung } = await on.rpc("RIG", rig, "slingBead", { rigId: rig, title: "one" }, owner());
    assert.equal(slung.bead.title, "one");
    assert.equal(slung.agent.name, "Toast");
    const { bead_id: bead } = slung.bead;
    assert.equal((await on.rpc("RIG", rig, "getBeadAsync", bead, owner())).ok.bead_id, bead);
    assert.equal((await on.rpc("RIG", rig, "getBeadAsync", randomUUID(), owner())).kind, "null");
    assert.ok(Array.isArray((await on.rpc("RIG", rig, "listBeads", {}, owner())).ok));
    assert.equal((await on.rpc("RIG", rig, "unhookBead", slung.agent.id, owner())).kind, "undefined");
    assert.equal((await on.rpc("RIG", rig, "deleteAgent", slung.agent.id, owner())).kind, "undefined");
    assert.equal((await on.rpc("TOWN", town.id, "getTownConfig", owner())).ok.owner_user_id, "owner");
  });

  test("metadata survives as plain objects, not as a Map that RPC would lose", async () => {
    const metadata = { ticket: { id: 7, tags: ["a", "b"] }, ratio: 0.5, none: null };
    const { bead } = await on.sling(rig, "with metadata", { metadata });
    const read = (await on.rpc("RIG", rig, "getBeadAsync", bead.bead_id, owner())).ok;
    assert.deepEqual({ ...read.metadata, branch: undefined }, { ...metadata, branch: undefined });
  });

  test("optional arguments may be left undefined when they are padded, so that the context is in its place", async () => {
    const answers = [
      await on.rpc("RIG", rig, "listAgents", UNDEFINED, owner()),
      await on.rpc("RIG", rig, "getOrCreateAgent", "refinery", UNDEFINED, owner()),
      await on.rpc("TOWN", town.id, "getAlarmStatus", UNDEFINED, owner()),
      await on.rpc("TOWN", town.id, "sendMayorMessage", "hello", UNDEFINED, UNDEFINED, UNDEFINED, owner()),
    ];
    for (const { error } of answers) assert.equal(error, undefined);
    const { bead } = await on.sling(rig, "to be closed");
    const closed = await on.rpc("RIG", rig, "updateBeadStatus", bead.bead_id, "closed", "", UNDEFINED, owner());
    assert.equal(closed.ok?.status ?? closed.error, "closed");
  });

  test("without the padding the context is taken for an argument, and the call is refused", async () => {
    for (const call of /** @type {Call[]} */ ([["RIG", rig, "listAgents", owner()], ["TOWN", town.id, "sendMayorMessage", "hello", owner()]])) {
      assert.match((await on.rpc(...call)).error, /^Authentication required/);
    }
  });

  test("a refusal arrives as an Error with the contract's message", async () => {
    const id = randomUUID();
    const cyclic = [{ title: "a", depends_on: [1] }, { title: "b", depends_on: [0] }];
    /** @type {[Call, string][]} */
    const cases = [
      [["TOWN", town.id, "startConvoy", id], `Convoy not found: ${id}`],
      [["RIG", rig, "updateBeadStatus", id, "closed", "", null], `Bead ${id} not found`],
      [["RIG", rig, "hookBead", id, id], `Agent ${id} not found`],
      [["TOWN", town.id, "addRig", { rigId: id, name: "web", gitUrl: "https://git.example/x.git", defaultBranch: "main" }], `A rig named "web" already exists (id=${rig})`],
      [["TOWN", town.id, "slingConvoy", { rigId: rig, convoyTitle: "round", tasks: cyclic }],
        "Convoy dependency graph contains a cycle — 2 tasks are involved in circular dependencies"],
    ];
    for (const [call, message] of cases) {
      const answer = await on.rpc(...call, owner());
      assert.deepEqual({ message: answer.error, name: answer.name }, { message, name: "Error" });
    }
    assert.deepEqual((await on.rpc("TOWN", town.id, "listConvoys", owner())).ok, [], "a refused convoy leaves nothing");
  });

  test("a convoy is started once", async () => {
    const { ok } = await on.rpc("TOWN", town.id, "slingConvoy", { rigId: town.rigs.api, convoyTitle: "once", tasks: [{ title: "a" }] }, owner());
    assert.equal(ok.convoy.staged, true, "staged is the town's default");
    assert.deepEqual(ok.beads.map(({ agent }) => agent), [null]);
    assert.equal((await on.rpc("TOWN", town.id, "startConvoy", ok.convoy.id, owner())).ok.convoy.staged, false);
    assert.equal((await on.rpc("TOWN", town.id, "startConvoy", ok.convoy.id, owner())).error, `Convoy is not staged: ${ok.convoy.id}`);
  });
});

describe("objects that nobody made", () => {
  test("towns and rigs answer not found, whatever is asked", async () => {
    const id = randomUUID();
    for (const [binding, className, what] of [["TOWN", "TownDO", "Town"], ["RIG", "RigDO", "Rig"]]) {
      for (const [method, arity] of await table(className)) {
        const { error } = await on.rpc(binding, id, method, ...Array(arity).fill(null), owner());
        assert.match(error, new RegExp(`^(${what} ${id} not found|Forbidden: ${method} is internal)`), method);
      }
    }
  });

  test("an impossible name answers not found", async () => {
    for (const binding of ["TOWN", "RIG"]) {
      assert.equal((await on.rpc(binding, "no-uuid", binding === "TOWN" ? "listRigs" : "listBeads", ...(binding === "RIG" ? [{}] : []), owner())).error, "Not found");
    }
  });

  test("a registry without a town is empty", async () => {
    const nobody = () => context(tokens.user("nobody"));
    assert.deepEqual((await on.rpc("GASTOWN_USER", "nobody", "listTowns", nobody())).ok, []);
    assert.equal((await on.rpc("GASTOWN_USER", "nobody", "getTownAsync", town.id, nobody())).kind, "null");
  });
});

describe("sessions that listen", () => {
  const name = "principal:user:owner";
  const heard = () => on.harness("/__heard", { name });
  const listen = (binding, instance, topics, life = 300_000) => on.rpc(binding, instance, "listen", topics, new Date(Date.now() + life).toISOString(),
    context(tokens.internal("listen", { from: `session:${name}`, ...(binding !== "GASTOWN_USER" && { town: town.id }) })));

  test("a rig, a town and a registry tell a session what changed, and the feed tells what happened", async () => {
    for (const [binding, instance, topic] of [["RIG", rig, "rig"], ["TOWN", town.id, "convoys"], ["TOWN", town.id, "feed"], ["GASTOWN_USER", "first-timer", "towns"]]) {
      assert.equal((await listen(binding, instance, [topic])).kind, "undefined");
    }
    const { bead } = await on.sling(rig, "never told");
    assert.equal((await listen("RIG", rig, ["rig", `bead:${bead.bead_id}`])).kind, "undefined");
    await on.rpc("RIG", rig, "closeBead", bead.bead_id, "", owner());
    await on.rpc("TOWN", town.id, "sendMayorMessage", "never told", UNDEFINED, UNDEFINED, UNDEFINED, owner());
    await on.createTown("first-timer");
    const letters = await until("the session is told", async (note) => {
      const letters = await heard();
      note(letters);
      return ["rig", `bead:${bead.bead_id}`, "feed", "towns"].every((topic) => letters.some(({ subject }) => subject === topic)) && letters;
    });
    assert.deepEqual(letters.findLast(({ subject }) => subject.startsWith("bead:")).body,
      { terminal: true, outcome: { bead_id: bead.bead_id, status: "done", rig_id: rig } });
    const { ok: feed } = await on.rpc("TOWN", town.id, "listFeed", UNDEFINED, UNDEFINED, owner());
    const { number, kind, subject } = feed.at(-1);
    assert.deepEqual(letters.findLast(({ subject }) => subject === "feed").body, { terminal: false, outcome: { number, kind, subject } });
    assert.equal(kind, "mayor_message");
    assert.ok(!JSON.stringify(letters).includes("never told"));
  });

  test("a lease is for sessions and does not last for ever", async () => {
    assert.match((await listen("RIG", rig, ["rig"], 3_600_000)).error, /^expiresAt must be at most/);
    const notASession = context(tokens.internal("listen", { from: `town:${town.id}`, town: town.id }));
    assert.match((await on.rpc("RIG", rig, "listen", ["rig"], new Date().toISOString(), notASession)).error, /only a session listens/);
  });
});

// Last: it restarts the server.
describe("the alarm", () => {
  test("what a rig owes its town when the process is killed is delivered after the restart, with nobody asking the rig", async () => {
    const owed = await on.createFleetTown(["slow"]);
    await on.hang(owed.id); // the town does not take the rig's letters
    await on.sling(owed.rigs.slow, "unheard");
    await server.kill9();
    await server.start();
    const seen = await until("the town hears of the rig's work", async (note) => {
      const { ok, error } = await on.rpc("TOWN", owed.id, "getAlarmStatus", UNDEFINED, owner());
      note(ok ?? error);
      return ok?.agents.hooked === 1 && ok;
    });
    assert.equal(seen.rigs[0].rig_id, owed.rigs.slow);
  });
});
