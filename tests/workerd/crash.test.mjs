// Owns: kill -9 in the middle of work: what was acknowledged is there, exactly once, and what was not can be repeated.
// Does not: restart politely, ever. `npm run crash` runs this file alone.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { modern, plain } from "./lib/mcp.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { UNDEFINED, context, until, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { World } from "./lib/world.mjs"
 */

const SLINGS = 100;
const BATCHES = 10;
const TASKS = 3;
const MESSAGES = 20;
const CONVOYS = 24;
const IN_FLIGHT = 24;
/** Kills, each after this many more acknowledgements. At most IN_FLIGHT more come before it takes effect, so work is left each time. */
const KILLS = 3;
const ACKS_PER_LIFE = 15;

const token = tokens.user("owner");
let /** @type {Server} */ server, /** @type {World} */ on;
before(async () => {
  server = await startWorkerd();
  on = world(server);
});
after(() => server.stop());

/** A tool call on the town's door; its structured content, or an error when there was no proper answer. */
async function call(town, name, args) {
  const { json, text } = await on.http("POST", `/towns/${town.id}/mcp`, { token, ...modern("tools/call", { name, arguments: args }) });
  assert.equal(json?.result?.isError ?? false, false, text);
  assert.ok(json?.result?.structuredContent, text);
  return json.result.structuredContent;
}

async function allBeads(town) {
  const beads = [];
  for (let cursor; ; ) {
    const page = await call(town, "list_beads", { limit: 37, type: "issue", ...(cursor && { cursor }) });
    beads.push(...page.beads);
    if (!(cursor = page.next_cursor)) return beads;
  }
}

/**
 * Works on the jobs that have no answer yet, several at once, until all have one or `enough` more have; then kills the
 * server with the others in flight. Jobs whose answer was lost stay without.
 * @typedef {{ name: string, args: Record<string, any>, answer?: any, lost?: boolean }} Job
 */
async function work(town, /** @type {Job[]} */ jobs, enough = Infinity) {
  const open = jobs.filter(({ answer }) => !answer);
  let acknowledged = 0;
  let killed;
  const worker = async () => {
    for (let job; !killed && (job = open.shift()); ) {
      try {
        job.answer = await call(town, job.name, job.args);
        if (++acknowledged === enough) killed = server.kill9();
      } catch (error) {
        if (!killed) throw error; // nothing but the kill may cost an answer
        job.lost = true;
      }
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  await killed;
  return acknowledged;
}

describe("kill -9", () => {
  test("in the middle of many changes loses none that was acknowledged, and repeating all of them does nothing twice", async (t) => {
    const town = await on.createFleetTown(["web", "api"]);
    const rigs = ["web", "api"];
    /** @type {(Job & { order: number })[]} */
    const jobs = [
      ...Array.from({ length: SLINGS }, (_, n) => ({ name: "sling", args: { rig: rigs[n % 2], title: `sling ${n}`, idempotency_key: `sling-${n}` } })),
      ...Array.from({ length: BATCHES }, (_, n) => ({
        name: "sling_batch",
        args: {
          rig: rigs[n % 2], convoy_title: `batch ${n}`, staged: false, idempotency_key: `batch-${n}`,
          tasks: Array.from({ length: TASKS }, (_, task) => ({ title: `batch ${n} task ${task}`, depends_on: task ? [task - 1] : [] })),
        },
      })),
      ...Array.from({ length: MESSAGES }, (_, n) => ({ name: "send_mayor_message", args: { message: `message ${n}`, idempotency_key: `message-${n}` } })),
    ].map((job, index) => ({ ...job, order: (index * 37) % 130 })).sort((one, other) => one.order - other.order);
    assert.equal(jobs.length, 130);

    for (let life = 1; life <= KILLS; life++) {
      const acknowledged = await work(town, jobs, ACKS_PER_LIFE);
      assert.ok(jobs.some(({ answer }) => !answer), "the kill came in the middle");
      await server.start();
      const titles = new Set((await allBeads(town)).map(({ title }) => plain(title)));
      for (const { name, args, answer } of jobs) {
        if (name === "sling" && answer) assert.ok(titles.has(args.title), `${args.title} was acknowledged and is gone`);
      }
      const unheard = jobs.filter(({ name, args, answer, lost }) => name === "sling" && lost && !answer && titles.has(args.title)).length;
      t.diagnostic(`life ${life}: ${acknowledged} acknowledged, ${unheard} slings done whose answer was lost`);
    }

    // All once more, with the same keys: those without an answer get one, the others the same.
    const earlier = jobs.map(({ answer }) => answer);
    for (const job of jobs) job.answer = undefined;
    await work(town, jobs);
    for (const [index, { answer, args }] of jobs.entries()) {
      if (earlier[index]) assert.deepEqual(answer, earlier[index], args.idempotency_key);
    }

    const wanted = jobs.flatMap(({ name, args }) => (name === "sling" ? [args.title] : (args.tasks ?? []).map(({ title }) => title)));
    const beads = await until("every bead has reached its rig", async (note) => {
      const seen = await allBeads(town);
      note(seen.length);
      return seen.length >= wanted.length && seen;
    });
    assert.deepEqual(beads.map(({ title }) => plain(title)).sort(), wanted.sort(), "each exactly once");
    assert.equal(new Set(beads.map(({ id }) => id)).size, beads.length);
    for (const { name, answer } of jobs) {
      if (name === "sling") assert.ok(beads.some(({ id, title }) => id === answer.bead.id && title === answer.bead.title), "the bead that was answered is the bead that is there");
    }
    assert.equal((await call(town, "list_convoys", {})).convoys.length, BATCHES);

    // One hook per polecat, one polecat per bead, whatever was interrupted.
    const { agents } = await call(town, "list_agents", { role: "polecat" });
    const hooks = agents.map(({ hook }) => hook).filter(Boolean);
    assert.deepEqual([agents.length, new Set(hooks).size], [10, 10]);

    // The mirror: what the rigs told the town agrees with the rigs, so nothing is owed any more.
    await until("the town has heard everything", async (note) => {
      const status = note(await call(town, "get_town_status", {}));
      const open = beads.filter(({ status: word }) => word === "open" || word === "hooked").length;
      return status.mayor.queued_messages === MESSAGES && status.beads.open === open && status.agents.hooked === 10 && !status.alarm.next_fire_at
        && status.queue_depth === beads.filter(({ status: word, waits_for }) => word === "open" && !waits_for).length;
    });
  });

  test("in the middle of convoys over two rigs: all of it converges, nothing starts early, and the town's check is clean", async (t) => {
    const town = await on.createFleetTown(["web", "api"]);
    const key = (name) => ({ idempotency_key: name });
    /** @type {Job[]} */
    const batches = Array.from({ length: CONVOYS }, (_, n) => ({
      name: "sling_batch",
      args: {
        rig: "web", convoy_title: `over ${n}`, staged: n % 3 === 0, merge_mode: "review-and-merge", ...key(`over-${n}`),
        tasks: [{ title: `over ${n} task 0` }, { title: `over ${n} task 1`, rig: "api", depends_on: [0] }, { title: `over ${n} task 2`, depends_on: [1], until: "merged" }],
      },
    }));
    /** @type {Job[]} */
    const empty = Array.from({ length: CONVOYS }, (_, n) => ({ name: "create_convoy", args: { name: `empty ${n}`, ...key(`empty-${n}`) } }));
    const jobs = [...batches, ...empty];
    const close = async (rig) => {
      const { ok } = await on.rpc("RIG", town.rigs[rig], "listAgents", UNDEFINED, context(token));
      const held = ok.find((agent) => agent.current_hook_bead_id);
      if (held) await on.rpc("RIG", town.rigs[rig], "closeBead", held.current_hook_bead_id, held.id, context(token));
    };
    const enough = 5;
    for (let life = 1; life <= KILLS && jobs.filter(({ answer }) => !answer).length > enough; life++) {
      // Beads end meanwhile, so letters go both ways when the server dies.
      const ends = ["web", "api", "web", "api"].map((rig) => close(rig).catch(() => {}));
      const acknowledged = await work(town, jobs, enough);
      await Promise.all(ends);
      await server.start();
      t.diagnostic(`life ${life}: ${acknowledged} acknowledged`);
    }
    await work(town, jobs);
    assert.ok(jobs.every(({ answer }) => answer));
    const { convoys } = await call(town, "list_convoys", { limit: 200 });
    assert.equal(convoys.length, jobs.length, "each exactly once");

    const admin = async (args) => {
      const { json, text } = await on.http("POST", `/towns/${town.id}/mcp?toolsets=all`, { token, ...modern("tools/call", { name: "town_check", arguments: args }) });
      assert.ok(json?.result?.structuredContent, text);
      return json.result.structuredContent;
    };
    const clean = await until("town and rigs agree", async (note) => {
      const found = note(await admin({}));
      return found.ok && found.in_flight === 0 && found;
    });
    assert.deepEqual([clean.beads, clean.coverage.answered], [CONVOYS * 3, 2]);
    // Whoever works has everything that it waited for.
    for (const { id } of convoys) {
      const { beads, dependencies } = await call(town, "convoy_status", { convoy_id: id });
      const status = Object.fromEntries(beads.map((bead) => [bead.id, bead.status]));
      for (const [waiter, blocker] of dependencies) {
        if (status[waiter] !== "open") assert.ok(["done", "merged"].includes(status[blocker]), `${waiter} is ${status[waiter]}, ${blocker} ${status[blocker]}`);
      }
    }
    // Between the work of a change and its reply.
    await on.loseReplies(town.id, "updateConvoy");
    const convoy = convoys.find(({ title }) => plain(title) === "empty 0").id;
    const { ok: bead } = await on.rpc("RIG", town.rigs.api, "createBead", { type: "issue", title: "joins" }, context(token));
    const request = { convoy, add_beads: [bead.bead_id], ...key("joins") };
    const lost = call(town, "update_convoy", request).then(() => "answered", () => "lost");
    await until("the bead has joined", async (note) => note((await call(town, "convoy_status", { convoy_id: convoy })).progress.total) === 1);
    await server.restart();
    assert.equal(await lost, "lost");
    const again = await call(town, "update_convoy", request);
    assert.equal(again.convoy.total, 1);
    assert.deepEqual(await call(town, "update_convoy", request), again);
    await until("town and rigs agree again", async (note) => note(await admin({})).ok);
  });

  for (const [name, object, method, args] of /** @type {[string, string, string, object][]} */ ([
    ["sling", "rig", "slingBead", { rig: "web", title: "unheard" }],
    ["sling_batch", "town", "slingConvoy", { rig: "web", convoy_title: "unheard", tasks: [{ title: "unheard" }], staged: false }],
    ["send_mayor_message", "town", "sendMayorMessage", { message: "unheard" }],
  ])) {
    test(`between the work of ${name} and its reply: the same key gives the answer of what was done`, async () => {
      const town = await on.createFleetTown(["web"]);
      await on.loseReplies(object === "rig" ? town.rigs.web : town.id, method);
      const request = { ...args, idempotency_key: "lost" };
      const lost = call(town, name, request).then(() => "answered", () => "lost");
      // A reading answer leaves the object only after the write that it shows is on disk.
      await until("the work is done", async (note) => {
        if (name === "send_mayor_message") return note((await call(town, "get_town_status", {})).mayor.queued_messages) === 1;
        if (name === "sling_batch") return note((await call(town, "list_convoys", {})).convoys.length) === 1;
        return note((await allBeads(town)).length) === 1;
      });
      await server.restart();
      assert.equal(await lost, "lost");
      const first = await call(town, name, request);
      assert.deepEqual(await call(town, name, request), first);
      const beads = await until("the bead is in its rig", async () => {
        const seen = await allBeads(town);
        return (name === "send_mayor_message" || seen.length > 0) && seen;
      });
      assert.equal(beads.length, name === "send_mayor_message" ? 0 : 1);
      assert.equal((await call(town, "list_convoys", {})).convoys.length, name === "sling_batch" ? 1 : 0);
      assert.equal((await call(town, "get_town_status", {})).mayor.queued_messages, name === "send_mayor_message" ? 1 : 0);
    });
  }
});
