// Owns: what the ledger costs when it is large: a rig of 50,000 beads and 500,000 events beside an empty one, a convoy of 200
// beads over three rigs, and the memory of many towns.
// Does not: run wrk itself (wrk.mjs) or fail on a figure.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { modern } from "../tests/workerd/lib/mcp.mjs";
import { until } from "../tests/workerd/lib/world.mjs";
import { fill } from "./fill.mjs";
import { scenario } from "./wrk.mjs";

const BEADS = 50_000;
const EVENTS = 500_000;
const CONVOY_TASKS = 200;
const TASKS_MAX = 50;
const MANY = { towns: 100, rigs: 10, agents: 10 };

/** @typedef {import("./wrk.mjs").World} World */

export async function ledger(/** @type {World["server"]} */ server, /** @type {World} */ gastown, /** @type {string} */ token) {
  const call = (/** @type {string} */ name, /** @type {object} */ args) => modern("tools/call", { name, arguments: args });
  const town = await gastown.createFleetTown(["empty", "large", "one", "two", "three"]);
  const path = `/towns/${town.id}/mcp`;
  await gastown.sling(town.rigs.large, "the first"); // makes the database that is filled
  await server.kill9();
  fill(server.state, town.rigs.large, { beads: BEADS, events: EVENTS });
  await server.start();

  // In turns, so that what else the machine does meets both.
  for (const rig of ["empty", "large", "empty", "large"]) await scenario(gastown, `sling, ${rig} rig`, token, { path, ...call("sling", { rig, title: "Measure it" }) });
  for (const rig of ["empty", "large"]) await scenario(gastown, `list_beads of 100, ${rig} rig`, token, { path, ...call("list_beads", { rig, limit: 100 }) });
  await scenario(gastown, "town_feed of 100", token, { path, ...call("town_feed", { limit: 100 }) });

  const convoy = await convoyOver(gastown, path, token, ["one", "two", "three"]);
  await scenario(gastown, `convoy_status, ${CONVOY_TASKS} beads, 3 rigs`, token, { path, ...call("convoy_status", { convoy_id: convoy }) });
  await memory(server, gastown, token);
}

/** A convoy of many beads over these rigs; its id. */
async function convoyOver(/** @type {World} */ gastown, /** @type {string} */ path, /** @type {string} */ token, /** @type {string[]} */ rigs) {
  const ask = async (/** @type {string} */ name, /** @type {object} */ args) => {
    const { json, text } = await gastown.http("POST", path, { token, ...modern("tools/call", { name, arguments: args }) });
    assert.ok(json?.result?.structuredContent, text);
    return json.result.structuredContent;
  };
  const made = await ask("create_convoy", { name: "Two hundred beads" });
  const convoy = made.convoy_id ?? made.convoy.id;
  const beads = [];
  for (let n = 0; n < CONVOY_TASKS; n++) {
    const bead = await ask("create_bead", { rig: rigs[n % rigs.length], title: `bead ${n}`, held: true });
    beads.push(bead.bead?.id ?? bead.id);
  }
  for (let from = 0; from < beads.length; from += TASKS_MAX) await ask("update_convoy", { convoy, add_beads: beads.slice(from, from + TASKS_MAX) });
  await until("the convoy knows its beads", async () => (await ask("convoy_status", { convoy_id: convoy })).beads.length === CONVOY_TASKS);
  return convoy;
}

/** What the server's process holds before and after many towns with polecats came into being. */
async function memory(/** @type {World["server"]} */ server, /** @type {World} */ gastown, /** @type {string} */ token) {
  const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1]) / 1024;
  const before = resident();
  const towns = [];
  for (let n = 0; n < MANY.towns; n++) {
    const town = await gastown.createFleetTown(Array.from({ length: MANY.rigs }, (_, rig) => `rig-${rig}`));
    await gastown.configure(town.id, { max_polecats_per_rig: MANY.agents });
    await Promise.all(Object.values(town.rigs).map(async (rig) => {
      for (let agent = 0; agent < MANY.agents; agent++) await gastown.sling(rig, `work ${agent}`);
    }));
    towns.push(town);
  }
  const made = resident();
  const request = modern("tools/call", { name: "get_town_status", arguments: {} });
  await Promise.all(towns.map((town) => gastown.http("POST", `/towns/${town.id}/mcp`, { token, ...request })));
  console.log(`\nmemory of workerd: ${before.toFixed(0)} MiB before, ${made.toFixed(0)} MiB with ${MANY.towns} towns × ${MANY.rigs} rigs × ${MANY.agents} agents just made, ${resident().toFixed(0)} MiB after all their statuses were read`);
}
