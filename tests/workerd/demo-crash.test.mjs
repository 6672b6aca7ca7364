// Owns: a fleet at work while the Worker is killed, ten times: after each restart the town's check is clean, and in the end all of it is merged, once.
// Does not: kill runners or agents (the runner's own tests do).

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { plan } from "../../scripts/demo/plan.mjs";
import { random } from "../../scripts/demo/random.mjs";
import { runPlan } from "../../scripts/demo/run.mjs";
import { WATCH } from "../../scripts/demo/town.mjs";
import { buildRunner } from "../../scripts/lib/runner.mjs";
import { freePort } from "./lib/process.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { until } from "./lib/world.mjs";

/** @import { Server } from "./lib/workerd.mjs" */

const KILLS = 10;
const SEED = 5;
const BEADS = 26;
/** Milliseconds between a restart and the next kill: with so many beads there is work left at each. */
const LIFE = { least: 500, most: 2_500 };

const dir = mkdtempSync(join(tmpdir(), "gastown-demo-crash-"));
let /** @type {Server} */ server;
before(async () => {
  server = await startWorkerd({ port: await freePort() });
});
after(async () => {
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** @type {import("../../scripts/tokens.mjs").Mint} */
const mint = async (role, { user, town }) => (role === "container" ? tokens.container(town, user) : tokens.user(user));

test("a fleet goes on working while the Worker is killed ten times, and nothing is lost or done twice", { timeout: 420_000 }, async (t) => {
  const stopped = new AbortController();
  const lines = [];
  let given;
  const ready = new Promise((resolve) => (given = resolve));
  const work = runPlan({
    url: server.url, mint, dir, program: await buildRunner(), plan: plan({ seed: SEED, beads: BEADS }), polecats: 3, within: 300_000, stopped: stopped.signal,
    // A Worker that is down is not a polecat that stalls.
    watch: { ...WATCH, nudge_after_seconds: 15, escalate_after_seconds: 25, stop_after_seconds: 30 },
    hear: ({ rig, agent, event, text }) => lines.push(`${rig} ${agent ?? "runner"} ${event}: ${text}`),
    ready: (town) => given(town),
  });
  work.catch(() => {}); // it is awaited below, whatever happens before
  try {
    const town = await Promise.race([ready, work.then(() => assert.fail("it ended before it began"))]);
    const next = random(SEED);
    for (let kill = 1; kill <= KILLS; kill++) {
      await sleep(LIFE.least + next() * (LIFE.most - LIFE.least));
      await server.kill9();
      await sleep(next() * 500);
      await server.start();
      await until(`the town's check is clean after kill ${kill}`, async (note) => {
        const { ok, findings } = await town.client.call("town_check", {});
        note(findings);
        return ok;
      }, { within: 60_000, every: 200 });
    }
    const { findings, figures } = await work;
    t.diagnostic(JSON.stringify(figures));
    assert.deepEqual(findings, [], lines.slice(-60).join("\n"));
    assert.equal(figures.beads, BEADS);
    assert.ok((await town.client.call("town_check", {})).ok);
  } catch (error) {
    error.message += `\n${lines.slice(-60).join("\n")}`;
    throw error;
  } finally {
    stopped.abort(new Error("the test ended"));
    await work.catch(() => {});
  }
});
