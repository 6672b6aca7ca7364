// Owns: Kilo's Mayor plugin (contract 6) against the built Worker: every call that it makes, over HTTP, with both of its tokens.
// Does not: test every refusal (tests/it/mayor_plugin) or the other REST routes (rest.test.mjs).

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { gastownClaims, seconds, sign, tokens } from "./lib/tokens.mjs";
import { SECRETS, startWorkerd } from "./lib/workerd.mjs";
import { context, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { World } from "./lib/world.mjs"
 */

const AGENT = randomUUID();
let /** @type {Server} */ server, /** @type {World} */ on;
before(async () => {
  server = await startWorkerd();
  on = world(server);
});
after(() => server.stop());

/** The plugin: `GASTOWN_CONTAINER_TOKEN` or `GASTOWN_SESSION_TOKEN`, `GASTOWN_AGENT_ID`, `GASTOWN_TOWN_ID`. */
function plugin(town, /** @type {{ container?: string, session?: string }} */ { container, session }) {
  let token = container ?? session;
  const headers = container ? { "x-gastown-agent-id": AGENT } : {};

  /** One request; a container's token that is refused is exchanged once, and the request repeated. */
  async function request(method, path, body) {
    const first = await on.http(method, path, { token, body, headers });
    if (first.status !== 401 || !container) return first;
    const refreshed = await on.http("POST", `/api/towns/${town}/refresh-container-token`, { token });
    if (refreshed.status !== 200) return first;
    token = refreshed.json.data.token;
    return on.http(method, path, { token, body, headers });
  }
  const send = (method, path, body) => request(method, `/api/mayor/${town}/tools/${path}`, body);
  const get = (path) => send("GET", path);
  const post = (path, body) => send("POST", path, body);

  const calls = {
    gt_sling: (args) => post("sling", args),
    gt_sling_batch: (args) => post("sling-batch", args),
    gt_list_rigs: () => get("rigs"),
    gt_list_beads: ({ rig_id, ...query }) => get(`rigs/${rig_id}/beads?${new URLSearchParams(query)}`),
    gt_list_agents: ({ rig_id }) => get(`rigs/${rig_id}/agents`),
    gt_list_convoys: () => get("convoys"),
    gt_convoy_status: ({ convoy_id }) => get(`convoys/${convoy_id}`),
    gt_convoy_start: ({ convoy_id }) => post(`convoys/${convoy_id}/start`),
    gt_convoy_close: ({ convoy_id }) => post(`convoys/${convoy_id}/close`),
    gt_convoy_update: ({ convoy_id, ...body }) => send("PATCH", `convoys/${convoy_id}`, body),
    gt_convoy_add_bead: ({ convoy_id, ...body }) => post(`convoys/${convoy_id}/add-bead`, body),
    gt_convoy_remove_bead: ({ convoy_id, ...body }) => post(`convoys/${convoy_id}/remove-bead`, body),
    gt_mail_send: (args) => post("mail", { ...args, from_agent_id: AGENT }),
    gt_nudge: ({ rig_id, ...body }) => request("POST", `/api/towns/${town}/rigs/${rig_id}/nudge`, { mode: "wait-idle", ...body }),
    gt_bead_update: ({ rig_id, bead_id, ...body }) => send("PATCH", `rigs/${rig_id}/beads/${bead_id}`, body),
    gt_bead_reassign: ({ rig_id, bead_id, agent_id }) => post(`rigs/${rig_id}/beads/${bead_id}/reassign`, { agent_id }),
    gt_bead_delete: ({ rig_id, bead_id }) =>
      Array.isArray(bead_id) ? post(`rigs/${rig_id}/beads/bulk-delete`, { bead_ids: bead_id }) : send("DELETE", `rigs/${rig_id}/beads/${bead_id}`),
    gt_agent_reset: ({ rig_id, agent_id }) => post(`rigs/${rig_id}/agents/${agent_id}/reset`),
    gt_escalation_acknowledge: ({ escalation_id }) => post(`escalations/${escalation_id}/acknowledge`),
    gt_ui_action: ({ action_json }) => post("ui-action", { action: JSON.parse(action_json) }),
    gt_wasteland_browse: (query) => get(`wasteland/browse?${new URLSearchParams(query)}`),
    gt_wasteland_claim: (args) => post("wasteland/claim", args),
    gt_wasteland_post: (args) => post("wasteland/post", args),
    gt_wasteland_done: (args) => post("wasteland/done", args),
    gt_babysit_pr: (args) => post("babysit-pr", args),
  };
  return {
    send,
    request,
    used: new Set(),
    /** What is behind a tool: the whole answer. */
    answer(name, args = {}) {
      this.used.add(name);
      return calls[name](args);
    },
    /** The data of a tool's answer. */
    async tool(name, args) {
      const { status, json, text } = await this.answer(name, args);
      assert.ok(status >= 200 && status < 300 && json?.success === true, `${name} answered ${status}: ${text}`);
      return json.data;
    },
    unused: (used) => Object.keys(calls).filter((name) => !used.has(name)),
  };
}

const refused = ({ status, json, text }, wanted, error) => assert.deepEqual([status, json?.success, json?.error], [wanted, false, error], text);

const kinds = {
  "its session token": (town) => ({ session: tokens.mayor(town) }),
  "the container's token": (town) => ({ container: tokens.container(town) }),
};

for (const [kind, make] of Object.entries(kinds)) {
  test(`the plugin makes every call with ${kind}`, async () => {
    const town = await on.createFleetTown(["web", "api"]);
    const { web, api } = town.rigs;
    const kilo = plugin(town.id, make(town.id));

    assert.deepEqual((await kilo.tool("gt_list_rigs")).map(({ id, town_id }) => [id, town_id]), [[web, town.id], [api, town.id]]);
    const one = await kilo.tool("gt_sling", { rig_id: web, title: "one", body: "so", metadata: { ticket: 1 }, labels: ["a"] });
    const two = await kilo.tool("gt_sling", { rig_id: web, title: "two" });
    assert.deepEqual([one.agent.name, two.agent.name], ["Toast", "Maple"]);
    assert.equal((await kilo.tool("gt_list_beads", { rig_id: web, status: "open", type: "issue" })).length, 2);
    assert.equal((await kilo.tool("gt_list_agents", { rig_id: web })).length, 2);

    const bead = { rig_id: web, bead_id: one.bead.bead_id };
    assert.equal((await kilo.tool("gt_bead_update", { ...bead, title: "first", priority: "high" })).title, "first");
    await kilo.tool("gt_bead_update", { rig_id: web, bead_id: two.bead.bead_id, status: "closed" });
    assert.equal((await kilo.tool("gt_bead_reassign", { ...bead, agent_id: two.agent.id })).assignee_agent_bead_id, two.agent.id);
    assert.deepEqual(await kilo.tool("gt_mail_send", { rig_id: web, to_agent_id: two.agent.id, subject: "s", body: "b" }), { sent: true });
    const { nudge_id } = await kilo.tool("gt_nudge", { rig_id: web, target_agent_id: two.agent.id, message: "look", mode: "queue" });
    const pending = (await kilo.send("GET", `rigs/${web}/agents/${two.agent.id}/pending-nudges`)).json.data;
    assert.deepEqual(pending.map((nudge) => [nudge.nudge_id, nudge.message]), [[nudge_id, "look"]]);
    assert.deepEqual(await kilo.tool("gt_agent_reset", { rig_id: web, agent_id: two.agent.id }), { reset: true });

    const tasks = [{ title: "a" }, { title: "b", depends_on: [0] }];
    const { convoy, beads } = await kilo.tool("gt_sling_batch", { rig_id: api, convoy_title: "Payments", tasks });
    assert.equal(convoy.staged, true);
    const at = { convoy_id: convoy.id };
    assert.deepEqual((await kilo.tool("gt_list_convoys")).map(({ id }) => id), [convoy.id]);
    assert.equal((await kilo.tool("gt_convoy_update", { ...at, merge_mode: "review-and-merge" })).merge_mode, "review-and-merge");
    const { bead: more } = await kilo.tool("gt_sling", { rig_id: api, title: "c", labels: ["gt:held"] });
    const joined = { ...at, bead_id: more.bead_id };
    assert.deepEqual(await kilo.tool("gt_convoy_add_bead", { ...joined, depends_on: [beads[1].bead.bead_id] }), { total_beads: 3 });
    assert.deepEqual(await kilo.tool("gt_convoy_remove_bead", joined), { total_beads: 2 });
    assert.equal((await kilo.tool("gt_convoy_start", at)).convoy.staged, false);
    refused(await kilo.answer("gt_convoy_start", at), 404, "Convoy not found or not staged");
    assert.equal((await kilo.tool("gt_convoy_status", at)).beads.length, 2);
    assert.equal((await kilo.tool("gt_convoy_close", at)).status, "landed");

    assert.deepEqual(await kilo.tool("gt_bead_delete", bead), { deleted: true });
    refused(await kilo.answer("gt_bead_delete", bead), 404, "Bead not found");
    refused(await kilo.answer("gt_bead_delete", { rig_id: web, bead_id: more.bead_id }), 403, "Bead does not belong to this rig");
    const none = Array.from({ length: 4_999 }, () => randomUUID());
    assert.deepEqual(await kilo.tool("gt_bead_delete", { rig_id: api, bead_id: [more.bead_id, ...none] }), { deleted: 1 });
    assert.equal((await kilo.answer("gt_bead_delete", { rig_id: api, bead_id: [...none, more.bead_id, randomUUID()] })).status, 400);

    const escalation = { townId: town.id, source_rig_id: web, severity: "low", message: "Toast hangs." };
    const { ok: raised } = await on.rpc("TOWN", town.id, "routeEscalation", escalation, context(tokens.user("owner")));
    assert.deepEqual((await kilo.send("GET", "escalations?acknowledged=false")).json.data.map(({ id }) => id), [raised.id]);
    assert.equal((await kilo.tool("gt_escalation_acknowledge", { escalation_id: raised.id })).acknowledged, 1);
    const drawer = { type: "open_bead_drawer", beadId: more.bead_id, rigId: api };
    assert.deepEqual(await kilo.tool("gt_ui_action", { action_json: JSON.stringify(drawer) }), { broadcast: true });
    refused(await kilo.answer("gt_ui_action", { action_json: JSON.stringify({ ...drawer, rigId: randomUUID() }) }), 400, "Rig not found in this town");
    for (const [name, args] of [
      ["gt_wasteland_browse", { status: "open", limit: 20 }],
      ["gt_wasteland_claim", { item_id: "w-1" }],
      ["gt_wasteland_post", { title: "t", description: "d" }],
      ["gt_wasteland_done", { item_id: "w-1", evidence: "https://git.example/pr/1" }],
    ]) refused(await kilo.answer(name, args), 404, "Town is not connected to a wasteland");
    assert.equal((await kilo.answer("gt_babysit_pr", { rig_id: web, pr_url: "https://git.example/pr/1" })).status, 501);
    assert.deepEqual(kilo.unused(kilo.used), [], "every tool was called");
  });
}

describe("beyond the plugin", () => {
  test("a container's token that has expired is exchanged, and a Mayor's own is not", async () => {
    const town = await on.createFleetTown();
    const old = { iat: seconds() - 9 * 3600, exp: seconds() - 3600 };
    const expired = (claims) => sign(SECRETS.GASTOWN_JWT_SECRET, gastownClaims({ townId: town.id, userId: "owner", ...claims, ...old }));
    assert.equal((await plugin(town.id, { container: expired({ scope: "container" }) }).tool("gt_list_rigs")).length, 1);
    const session = expired({ agentId: `mayor-${town.id}`, rigId: `mayor-${town.id}` });
    assert.equal((await plugin(town.id, { session }).answer("gt_list_rigs")).status, 401);
  });

  test("a Mayor reads what it decides about, makes a rig and deletes it", async () => {
    const town = await on.createFleetTown();
    const kilo = plugin(town.id, kinds["its session token"](town.id));
    const read = async (path) => {
      const { status, json, text } = await kilo.send("GET", path);
      assert.equal(status, 200, `${path}: ${text}`);
      return json.data;
    };
    const made = await kilo.send("POST", "rigs", { name: "docs", git_url: "https://git.example/docs.git" });
    assert.deepEqual([made.status, made.json.data.default_branch], [201, "main"]);
    const rig = made.json.data.id;
    const { bead } = await kilo.tool("gt_sling", { rig_id: rig, title: "t" });
    assert.equal((await read(`rigs/${rig}/beads/${bead.bead_id}`)).bead.title, "t");
    assert.ok((await read(`rigs/${rig}/beads/${bead.bead_id}/events`)).length > 0);
    assert.ok((await read(`rigs/${rig}/events?limit=1`)).length === 1);
    assert.ok("needsAttention" in (await read("merge-queue")) && "alarm" in (await read("status")) && "staged_convoys_default" in (await read("config")));
    assert.equal((await kilo.send("DELETE", `rigs/${rig}`)).status, 409);
    const container = plugin(town.id, kinds["the container's token"](town.id));
    assert.equal((await container.send("DELETE", `rigs/${rig}?force=true`)).status, 403);
    assert.deepEqual((await kilo.send("DELETE", `rigs/${rig}?force=true`)).json, { success: true, data: { deleted: true } });
    assert.equal((await kilo.tool("gt_list_rigs")).length, 1);
    for (const at of [kilo, container]) {
      assert.equal((await at.request("GET", `/api/towns/${town.id}/mayor-id`)).status, 200);
    }
  });

  test("a bad body lists its issues with their places", async () => {
    const town = await on.createFleetTown();
    const kilo = plugin(town.id, kinds["its session token"](town.id));
    const { status, json } = await kilo.answer("gt_sling_batch", { rig_id: town.rigs.web, convoy_title: "c", tasks: [{ title: "a" }, { title: 7 }], parallel: true });
    assert.deepEqual([status, json.error, json.issues[0].path], [400, "Invalid request body", ["tasks", 1, "title"]]);
  });
});
