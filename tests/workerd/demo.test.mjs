// Owns: `npm run demo` as a person runs it: it ends by itself, ledger and repositories agree, and nothing is left running.
// Does not: judge the Worker's rules; the demo's own check (scripts/demo/verify.mjs) compares it with git.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { plan, scriptOf } from "../../scripts/demo/plan.mjs";
import { command } from "./lib/process.mjs";
import { until } from "./lib/world.mjs";

const dir = mkdtempSync(join(tmpdir(), "gastown-demo-test-"));
const running = [];
after(async () => {
  for (const each of running) if (!each.ended) await each.stop();
  rmSync(dir, { recursive: true, force: true });
});

const demo = (name, ...more) => {
  running.push(command("npm", "run", "--silent", "demo", "--", "--dir", join(dir, name), ...more));
  return running.at(-1);
};

/** Command lines of processes that work in this test's folder: workerd, runners, agents. */
function left(name) {
  if (!existsSync("/proc/self/cmdline")) return [];
  const read = (pid, file) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, "utf8");
    } catch {
      return ""; // it has ended meanwhile
    }
  };
  const pids = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  return pids.filter((pid) => `${read(pid, "cmdline")} ${read(pid, "environ")}`.includes(join(dir, name))).map((pid) => read(pid, "cmdline").replaceAll("\0", " "));
}

describe("the demo's plan", () => {
  test("is the same for the same seed, and has everything that goes wrong for every number of beads", () => {
    assert.deepEqual(plan({ seed: 7, beads: 30 }), plan({ seed: 7, beads: 30 }));
    assert.notDeepEqual(plan({ seed: 7, beads: 30 }), plan({ seed: 8, beads: 30 }));
    for (const beads of [9, 10, 17, 50, 120]) {
      const { convoys, singles } = plan({ seed: 3, beads });
      const tasks = [...singles, ...convoys.flatMap((convoy) => convoy.tasks)];
      assert.equal(tasks.length, beads);
      assert.equal(new Set(tasks.map(({ key }) => key)).size, beads);
      const count = (wrong) => tasks.filter((task) => scriptOf(task.body).do === wrong).length;
      assert.deepEqual([count("limit"), count("stall"), count("todo")], [2, 1, 1]);
      assert.ok(count("crash") >= 1);
      for (const convoy of convoys) convoy.tasks.forEach(({ depends_on: on }, index) => assert.ok(on.every((before) => before < index)));
      const limits = tasks.filter(({ limit }) => limit);
      assert.equal(limits[0].rig, limits[1].rig, "two beads conflict in one repository only");
    }
  });
});

describe("npm run demo", () => {
  test("works off a small plan: every bead merged once in git and in the ledger, whatever went wrong on the way", { timeout: 240_000 }, async (t) => {
    const run = demo("whole", "--beads", "9", "--polecats", "3", "--json", "--timeout", "200");
    await until("the demo ends", async (note) => note(run.log.slice(-2_000)) && run.ended, { within: 230_000, every: 200 });
    const line = /^\{.*\}$/m.exec(run.out)?.[0];
    assert.ok(line, `${run.out}\n${run.log}`);
    const account = JSON.parse(line);
    t.diagnostic(line);
    assert.deepEqual(account.findings, [], run.log);
    assert.deepEqual([account.ok, account.beads, account.convoys], [true, 9, 2]);
    assert.ok(account.merges >= 9, line);
    for (const what of ["conflicts", "rework", "failures_retried", "stalls_stopped"]) assert.ok(account[what] >= 1, `${what}: ${line}\n${run.log}`);
    assert.ok(account.polecats >= 3, line);
    assert.match(run.log.split("\n").slice(0, 3).join(" "), /thinking is scripted/);
    assert.doesNotMatch(run.log, /eyJ[\w-]+\.[\w-]+\.[\w-]+/, "no token is printed");
    assert.deepEqual(left("whole"), []);
  });

  test("told to stop it ends everything that it started", { timeout: 120_000 }, async () => {
    const run = demo("stopped", "--beads", "9");
    await until("agents work", async (note) => note(`${run.out}\n${run.log}`.slice(-2_000)) && (run.ended || /works on/.test(run.out)), { within: 90_000 });
    assert.ok(!run.ended, `${run.out}\n${run.log}`);
    await run.stop("SIGINT");
    assert.deepEqual(left("stopped"), []);
  });
});
