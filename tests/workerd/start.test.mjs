// Owns: `npm start` as a newcomer's script uses it, and a bare `wrangler dev` after it.
// Does not: test what the Worker does beyond what the demo fleet promises. One state serves all tests of this file, in order.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { connect } from "./lib/mcp.mjs";
import { command, freePort, untilReady } from "./lib/process.mjs";
import { until, world } from "./lib/world.mjs";

const state = mkdtempSync(join(tmpdir(), "gastown-start-"));
const TOWNS = ["frontend", "backend", "infra", "mobile"];
const running = [];
after(async () => {
  for (const each of running) if (!each.ended) await each.stop();
  rmSync(state, { recursive: true, force: true });
});

const run = (name, ...args) => {
  running.push(command(name, ...args));
  return running.at(-1);
};

/** Starts the fleet and gives the JSON line that it prints when it is ready. */
async function start(port) {
  const process = run("npm", "start", "--", "--port", String(port), "--json", "--persist-to", state);
  const line = await untilReady(process, async () => /^\{.*\}$/m.exec(process.out)?.[0]);
  return { process, fleet: JSON.parse(line) };
}

const isGone = (url) => fetch(url).then(() => false, () => true);
const on = (url) => world({ url: new URL(url).origin });
const client = (url, token, era = "modern") => connect(on(url), { era, token, path: new URL(url).pathname });

/** Beads and convoys of every town, by title. */
async function contents(fleet) {
  const fleetClient = await client(fleet.fleet_url, fleet.tokens.coordinator);
  const seen = {};
  for (const { name } of fleet.towns) {
    const { beads } = await fleetClient.call("list_beads", { town: name, type: "issue", limit: 200 });
    const { convoys } = await fleetClient.call("list_convoys", { town: name });
    seen[name] = { beads: beads.map(({ id, title }) => `${id} ${title}`).sort(), convoys: convoys.map(({ id, phase }) => `${id} ${phase}`).sort() };
  }
  await fleetClient.close();
  return seen;
}

describe("npm start", () => {
  let first, port;

  test("prints one JSON line with URLs and tokens that work for a client, over a seeded fleet", async () => {
    port = await freePort();
    const { process, fleet } = await start(port);
    assert.equal(fleet.fleet_url, `http://127.0.0.1:${port}/mcp`);
    assert.deepEqual(fleet.towns.map(({ name }) => name), TOWNS);
    assert.deepEqual(Object.keys(fleet.tokens).sort(), ["coordinator", "mayor", "observer"]);

    for (const era of ["modern", "legacy"]) {
      const coordinator = await client(fleet.fleet_url, fleet.tokens.coordinator, era);
      const { towns } = await coordinator.call("list_towns");
      assert.deepEqual(towns.map(({ id, name }) => `${id} ${name}`).sort(), fleet.towns.map(({ id, name }) => `${id} ${name}`).sort());
      for (const town of TOWNS) assert.ok((await coordinator.call("list_rigs", { town })).rigs.length >= 1, town);
      await coordinator.close();
    }
    const observer = await client(fleet.towns[1].url, fleet.tokens.observer);
    assert.ok(observer.tools.every(({ annotations }) => annotations.readOnlyHint));
    await observer.close();
    const mayor = await client(fleet.towns[0].url, fleet.tokens.mayor);
    assert.equal((await mayor.call("gt_prime")).name, "frontend");
    await mayor.close();

    first = await until("the running convoy's first bead is given out", async () => {
      const seen = await contents(fleet);
      return seen.backend.convoys.length === 1 && seen;
    });
    const phases = Object.values(first).flatMap(({ convoys }) => convoys.map((convoy) => convoy.split(" ")[1]));
    assert.deepEqual(phases.sort(), ["running", "staged"]);
    for (const town of TOWNS) assert.ok(first[town].beads.length >= 2, town);

    await process.stop();
    assert.ok(await isGone(`http://127.0.0.1:${port}/health`), "nothing is left on the port");
  });

  test("started again keeps everything, and seeds nothing twice", async () => {
    const { process, fleet } = await start(port);
    assert.deepEqual(await contents(fleet), first);
    await process.stop("SIGINT");
  });

  test("a port that is taken is one clear line and a failure", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => holder.once("listening", resolve));
    const { port: taken } = /** @type {import("node:net").AddressInfo} */ (holder.address());
    const refused = run("npm", "start", "--", "--port", String(taken), "--json", "--persist-to", state);
    await until("npm start gives up", async (note) => note(refused.log) && refused.ended, { within: 60_000 });
    assert.match(refused.log, new RegExp(`port ${taken} is in use`));
    assert.doesNotMatch(refused.log, /\n\s+at /, "no stack");
    holder.close();
  });

  // The [build] command of wrangler.toml is the same script.
  test("a bare wrangler dev serves the same state", async () => {
    const bare = run("npx", "wrangler", "dev", "--port", String(port), "--inspector-port", "0", "--persist-to", state);
    const url = `http://127.0.0.1:${port}`;
    const health = await untilReady(bare, () => fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) }).then((response) => response.json(), () => null));
    assert.deepEqual(health, { status: "ok" });
    assert.equal((await fetch(`${url}/mcp`, { method: "POST", body: "{}" })).status, 401);
    await bare.stop();
  });
});
