// Owns: whom the objects refuse when they are called directly, past the edge: each verifies its caller by itself.
// Does not: test the edge's own refusals (auth.test.mjs).

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { deployment } from "./lib/project.mjs";
import { badTokens, tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ town, /** @type {string} */ rig, /** @type {Town} */ other;
before(async () => {
  server = await startWorkerd();
  on = world(server);
  town = await on.createFleetTown(["web", "api"]);
  other = await on.createFleetTown(["web"]);
  const member = tokens.user("owner", { orgMemberships: [{ orgId: "acme", role: "owner" }] });
  await on.rest("POST", "/api/orgs/acme/towns", { token: member, body: { name: "hq" } });
  await on.rpc("SESSION", "principal:user:owner", "endSession", "s", Date.now() + 60_000, context(tokens.internal("endSession")));
  rig = town.rigs.web;
});
after(() => server.stop());

/** Instance names that exist, per binding. */
const names = () => ({ TOWN: town.id, RIG: rig, GASTOWN_USER: "owner", GASTOWN_ORG: "acme", SESSION: "principal:user:owner" });
const table = (className) => on.harness("/__table", { className });

/** Calls every method of every object with null arguments and this context, as RPC and on the fast path. */
async function everyMethod(caller, check) {
  for (const { binding, className } of deployment().objects) {
    for (const [method, arity] of await table(className)) {
      const args = Array(arity).fill(null);
      check(await on.rpc(binding, names()[binding], method, ...args, caller(binding)), `${className}.${method}`);
      const { ok } = await on.rpc(binding, names()[binding], "call", method, JSON.stringify(args), JSON.stringify(caller(binding) ?? null));
      check({ error: JSON.parse(ok.replace(/^!/, "")).message, isRefusal: ok.startsWith("!") }, `${className}.call(${method})`);
    }
  }
}

// S1-16, S1-17.
describe("whom the objects refuse, called directly", () => {
  const refused = (pattern) => (answer, what) => assert.match(answer.error ?? "not refused", pattern, what);

  test("every method refuses a call without a context", async () => {
    await everyMethod(() => undefined, refused(/^Authentication required/));
    await everyMethod(() => ({}), refused(/^Authentication required/));
  });

  test("every method refuses every bad token", async () => {
    const bad = Object.entries(badTokens({ town: town.id }));
    for (const [reason, jwt] of bad) {
      assert.match((await on.rpc("RIG", rig, "listBeads", {}, context(jwt))).error ?? "not refused", /^Invalid token/, reason);
    }
    for (const reason of ["a secret of nobody", "expired", "alg none"]) {
      const jwt = badTokens({ town: town.id })[reason];
      await everyMethod(() => context(jwt), refused(/^Invalid token/));
    }
  });

  test("every method refuses a user who does not own the object", async () => {
    await everyMethod(() => context(tokens.user("mallory", { isAdmin: true, gastownAccess: true })), refused(/^Forbidden/));
  });

  test("every method of a town and its rigs refuses the Mayor and the container of another town", async () => {
    for (const jwt of [tokens.mayor(other.id), tokens.container(other.id), tokens.agent({ town: other.id, rig: other.rigs.web, agent: randomUUID() })]) {
      for (const [binding, className] of [["TOWN", "TownDO"], ["RIG", "RigDO"]]) {
        for (const [method, arity] of await table(className)) {
          refused(/^Forbidden/)(await on.rpc(binding, names()[binding], method, ...Array(arity).fill(null), context(jwt)), method);
        }
      }
    }
  });

  test("a Mayor sees its own town in the registry, and no other", async () => {
    const mayor = context(tokens.mayor(other.id));
    assert.deepEqual((await on.rpc("GASTOWN_USER", "owner", "listTowns", mayor)).ok.map(({ id }) => id), [other.id]);
    assert.match((await on.rpc("GASTOWN_USER", "owner", "getTownAsync", town.id, mayor)).error, /^Forbidden/);
    assert.match((await on.rpc("GASTOWN_USER", "owner", "listRigs", town.id, mayor)).error, /^Forbidden/);
    assert.match((await on.rpc("GASTOWN_USER", "owner", "createTown", { name: "x" }, mayor)).error, /^Forbidden/);
  });

  test("an agent is good for its own rig, and reports for itself only", async () => {
    const agent = randomUUID();
    const jwt = tokens.agent({ town: town.id, rig, agent });
    assert.match((await on.rpc("RIG", town.rigs.api, "listBeads", {}, context(jwt))).error, /^Forbidden/);
    assert.match((await on.rpc("RIG", rig, "hookBead", randomUUID(), randomUUID(), context(jwt))).error, /^Forbidden/);
    assert.match((await on.rpc("RIG", rig, "slingBead", { rigId: rig, title: "x" }, context(jwt))).error, /^Forbidden/);
  });

  test("a read-only user changes nothing", async () => {
    const observer = () => context(tokens.observer("owner"));
    assert.ok((await on.rpc("RIG", rig, "listBeads", {}, observer())).ok);
    for (const [binding, name, method, ...args] of /** @type {[string, string, string, ...unknown[]][]} */ ([
      ["RIG", rig, "slingBead", { rigId: rig, title: "x" }],
      ["TOWN", town.id, "sendMayorMessage", "x", null, null, null],
      ["TOWN", town.id, "updateTownConfig", { max_polecats_per_rig: 9 }],
      ["GASTOWN_USER", "owner", "createTown", { name: "x" }],
    ])) {
      assert.match((await on.rpc(binding, name, method, ...args, observer())).error ?? "not refused", /^Forbidden/, method);
    }
  });

  test("an object that is told another town than its own refuses", async () => {
    const elsewhere = context(tokens.user("owner"), { townId: other.id });
    assert.match((await on.rpc("RIG", rig, "listBeads", {}, elsewhere)).error, /^Rig not found in this town/);
    assert.match((await on.rpc("TOWN", town.id, "listRigs", elsewhere)).error, /^Forbidden/);
  });

  test("an internal token is good for the one method it names, for its town, and for a minute", async () => {
    const deliver = (jwt) => on.rpc("RIG", rig, "deliver", [], context(jwt));
    const from = `town:${town.id}`;
    assert.equal((await deliver(tokens.internal("deliver", { town: town.id, from }))).kind, "undefined");
    assert.match((await deliver(tokens.user("owner"))).error, /^Forbidden: deliver is internal/);
    assert.match((await deliver(tokens.internal("convoyBeads", { town: town.id, from }))).error, /^Forbidden/);
    assert.match((await deliver(tokens.internal("deliver", { town: other.id, from: `town:${other.id}` }))).error, /^Forbidden/);
    assert.match((await deliver(tokens.internal("deliver", { town: town.id, from: `town:${other.id}` }))).error, /^Forbidden/);
    assert.match((await deliver(tokens.internal("deliver", { town: town.id, from, life: 3600 }))).error, /^Invalid token/);
    assert.match((await on.rpc("RIG", rig, "listBeads", {}, context(tokens.internal("listBeads", { town: town.id, from })))).error, /^Forbidden/);
  });
});
