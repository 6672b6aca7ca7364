// Owns: waiting on the real runtime: `wait_for` as a task and within a call, and what subscribers hear of what happened.
// Does not: repeat the cases of tests/it/wait and tests/it/subscriptions.rs; here it is real time, real streams, real clients.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, modern } from "./lib/mcp.mjs";
import { openSse } from "./lib/sse.mjs";
import { tokens } from "./lib/tokens.mjs";
import { takeViolations } from "./lib/wire-fetch.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, until, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

const META = "io.modelcontextprotocol";
const token = tokens.user("owner");
/** Generous: a look on a busy machine may take long; that it was woken at all is what counts. */
const SOON_MS = 5_000;
let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ town, /** @type {string} */ rig;
before(async () => {
  server = await startWorkerd();
  on = world(server);
  town = await on.createFleetTown(["web"]);
  rig = town.rigs.web;
});
after(async () => {
  await server.stop();
  assert.deepEqual(takeViolations(), []);
});

const owned = async (binding, name, method, ...args) => {
  const answer = await on.rpc(binding, name, method, ...args, context(token));
  assert.ok("ok" in answer, `${method}: ${answer.error}`);
  return answer.ok;
};
const close = (bead) => owned("RIG", rig, "closeBead", bead, "tester");
const fail = (bead) => owned("RIG", rig, "updateBeadStatus", bead, "failed", "tester", null);

/** A started convoy of two beads; its id and theirs. */
async function startConvoy() {
  const tasks = [{ title: "one" }, { title: "two" }];
  const { convoy, beads } = await owned("TOWN", town.id, "slingConvoy", { rigId: rig, convoyTitle: "c", tasks, staged: false, merge_mode: "review-and-merge" });
  return { id: convoy.id, beads: beads.map(({ bead }) => bead.bead_id) };
}

/** A modern request with more in its `_meta`. */
function request(method, params, more = {}) {
  const made = modern(method, params);
  Object.assign(made.body.params._meta, more);
  if (params.taskId) made.headers["mcp-name"] = params.taskId;
  return made;
}
const TASKS = { [`${META}/clientCapabilities`]: { extensions: { [`${META}/tasks`]: {} } } };
const result = async (made) => {
  const { json, text } = await on.http("POST", "/mcp", { token, ...made });
  assert.ok(json?.result, text);
  return json.result;
};
const waitFor = (args, more) => request("tools/call", { name: "wait_for", arguments: { town: town.id, ...args } }, more);

describe("wait_for", () => {
  test("is a task where tasks are taken: it ends by itself, and survives a restart", async () => {
    const convoy = await startConvoy();
    const begun = await result(waitFor({ convoy: convoy.id, timeout_seconds: 300 }, TASKS));
    assert.deepEqual([begun.resultType, begun.status], ["task", "working"]);
    const state = () => result(request("tasks/get", { taskId: begun.taskId }, TASKS));
    await close(convoy.beads[0]);
    assert.equal((await state()).status, "working");
    await server.restart();
    await fail(convoy.beads[1]);
    const ended = await until("the task ends", async (see) => {
      const now = await state();
      see(now);
      return now.status === "completed" && now;
    });
    const { done, status, total_beads, closed_beads, failed_beads } = ended.result.structuredContent;
    assert.deepEqual({ done, status, total_beads, closed_beads, failed_beads }, { done: true, status: "failed", total_beads: 2, closed_beads: 1, failed_beads: 1 });
  });

  test("ends as a task at its time", async () => {
    const convoy = await startConvoy();
    const begun = await result(waitFor({ convoy: convoy.id, timeout_seconds: 1 }, TASKS));
    const ended = await until("the task ends", async () => {
      const now = await result(request("tasks/get", { taskId: begun.taskId }, TASKS));
      return now.status === "completed" && now;
    });
    assert.equal(ended.result.structuredContent.done, false);
  });

  test("wakes within a call of a modern client without tasks, with progress", async () => {
    const bead = (await on.sling(rig, "wait for me")).bead.bead_id;
    const made = waitFor({ bead, timeout_seconds: 20 }, { progressToken: "p" });
    const stream = await openSse(`${server.url}/mcp`, { headers: { ...made.headers, authorization: `Bearer ${token}` }, body: made.body });
    const first = await stream.message();
    assert.deepEqual([first.method, first.params.progress, first.params.total], ["notifications/progress", 0, 20]);
    await sleep(300);
    await close(bead);
    let last = first;
    for (let next; (next = await stream.message(SOON_MS)); ) last = next;
    const { done, status, subject } = last.result.structuredContent;
    assert.deepEqual({ done, status, subject }, { done: true, status: "done", subject: "bead" });
  });

  for (const era of ["modern", "legacy"]) {
    test(`is called by the official ${era} client, which holds it to its output schema`, async () => {
      const { client, call, close: leave } = await connect(on, { era, token, path: `/towns/${town.id}/mcp` });
      try {
        const convoy = await startConvoy();
        const early = await call("wait_for", { convoy: convoy.id, timeout_seconds: 1 });
        assert.deepEqual([early.done, early.status], [false, "running"]);
        const progress = [];
        const args = { name: "wait_for", arguments: { convoy: convoy.id, timeout_seconds: 20 } };
        const options = { onprogress: (told) => progress.push(told), timeout: 30_000 };
        const waiting = era === "legacy" ? client.callTool(args, undefined, options) : client.callTool(args, options);
        await until("it waits", async () => progress.length > 0);
        for (const bead of convoy.beads) await close(bead);
        const { done, status } = (await waiting).structuredContent;
        assert.deepEqual({ done, status }, { done: true, status: "complete" });
        assert.equal(progress[0].total, 20);
      } finally {
        await leave();
      }
    });
  }
});

describe("a subscriber of a town and its feed", () => {
  /** Reads until the outcome of this kind has come for each of the URIs. */
  async function hears(stream, uris, kind) {
    const found = new Map();
    while (found.size < uris.length) {
      const message = await stream.message(SOON_MS);
      assert.ok(message, "the stream ended");
      const outcome = message.params?._meta?.["gastown/outcome"];
      if (outcome?.kind === kind) found.set(message.params.uri, outcome);
    }
    assert.deepEqual([...found.keys()].sort(), [...uris].sort());
    return found.get(uris[0]);
  }

  test("hears of messages for the Mayor and of convoys that ended or landed, with the outcome", async () => {
    const [failing, landing] = [await startConvoy(), await startConvoy()];
    const own = `gastown://towns/${town.id}`;
    const uris = [own, `${own}/feed`];
    const made = request("subscriptions/listen", { notifications: { resourceSubscriptions: uris } });
    const stream = await openSse(`${server.url}/mcp`, { headers: { ...made.headers, authorization: `Bearer ${token}` }, body: made.body });
    assert.deepEqual((await stream.message()).params.notifications.resourceSubscriptions, uris);

    const sent = await owned("TOWN", town.id, "sendMayorMessage", "hold the release", null, null, null);
    const told = await hears(stream, uris, "mayor_message");
    assert.equal(told.subject, sent.messageId);
    assert.ok(Number.isInteger(told.number));

    await close(failing.beads[0]);
    await fail(failing.beads[1]);
    assert.equal((await hears(stream, uris, "convoy_ended")).subject, failing.id);

    for (const bead of landing.beads) await close(bead);
    const { beads } = await until("the town knows", async () => {
      const now = await owned("TOWN", town.id, "getConvoyStatus", landing.id);
      return now.closed_beads === 2 && now;
    });
    // No refinery tells of merges yet; the rig's letter is what will.
    const letters = beads.map((bead) => ({ kind: "bead", subject: bead.bead_id, generation: 1e6, body: { ...bead, merge_commit: "c0ffee" } }));
    const answer = await on.rpc("TOWN", town.id, "deliver", letters, context(tokens.internal("deliver", { town: town.id, from: `rig:${rig}` })));
    assert.ok("ok" in answer, answer.error);
    assert.equal((await hears(stream, uris, "convoy_landed")).subject, landing.id);
    await stream.close();
  });
});

describe("the folders of skills", () => {
  const read = (uri) => on.http("POST", "/mcp", { token, ...request("resources/directory/read", { uri }) });

  test("are read one level at a time; what is no folder is refused", async () => {
    const { extensions } = (await result(request("server/discover", {}))).capabilities;
    assert.deepEqual(extensions[`${META}/skills`], { directoryRead: true });
    const folder = "skill://gastown/gastown-coordinator";
    const { resources } = (await read(folder)).json.result;
    assert.deepEqual(resources.map(({ uri, mimeType }) => [uri, mimeType]), [[`${folder}/SKILL.md`, "text/markdown"], [`${folder}/references`, "inode/directory"]]);
    const [file] = (await read(`${folder}/references`)).json.result.resources;
    const made = request("resources/read", { uri: file.uri });
    made.headers["mcp-name"] = file.uri;
    assert.match((await result(made)).contents[0].text, /^# Reading a convoy/);
    for (const uri of [`${folder}/SKILL.md`, "skill://gastown/nothing", "gastown://fleet"]) {
      assert.equal((await read(uri)).json.error.code, -32602, uri);
    }
  });
});
