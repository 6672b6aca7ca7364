// Owns: the REST routes as the contract has them (4.2, 4.4, 4.5): envelopes, statuses, and that they reach the objects.
// Does not: test who may (auth.test.mjs).

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, until, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
let /** @type {Server} */ server, /** @type {World} */ on;
before(async () => {
  server = await startWorkerd();
  on = world(server);
});
after(() => server.stop());

const failed = ({ status, json, text }, wanted, error) => {
  assert.deepEqual([status, json?.success], [wanted, false], text);
  if (error) assert.equal(json.error, error);
};

// Contract 4.4.
describe("the registry", () => {
  const token = tokens.user("owner");
  const post = (path, body, headers) => on.http("POST", `/api/users/owner/${path}`, { token, body, headers });
  const get = (path) => on.http("GET", `/api/users/owner/${path}`, { token });

  test("a town and a rig are created with 201 and read back", async () => {
    const created = await post("towns", { name: "frontend" });
    assert.equal(created.status, 201);
    const { data: town } = created.json;
    assert.match(town.id, UUID);
    assert.match(town.created_at, ISO);
    assert.deepEqual([town.name, town.owner_user_id], ["frontend", "owner"]);
    assert.deepEqual((await get(`towns/${town.id}`)).json, { success: true, data: town });
    assert.ok((await get("towns")).json.data.some(({ id }) => id === town.id));

    const made = await post("rigs", { town_id: town.id, name: "web", git_url: "https://git.example/web.git" });
    assert.equal(made.status, 201);
    const { data: rig } = made.json;
    assert.deepEqual([rig.town_id, rig.name, rig.git_url, rig.default_branch], [town.id, "web", "https://git.example/web.git", "main"]);
    assert.deepEqual((await get(`rigs/${rig.id}`)).json, { success: true, data: rig });
    assert.deepEqual((await get(`towns/${town.id}/rigs`)).json.data, [rig]);
    const [known] = (await on.rpc("TOWN", town.id, "listRigs", context(token))).ok;
    assert.deepEqual([known.id, known.name], [rig.id, "web"], "the town knows it too");
  });

  test("what is wrong with a body is 400 and names the field", async () => {
    const town = await on.createTown();
    const cases = [["towns", {}], ["towns", { name: "" }], ["towns", { name: "x".repeat(65) }], ["towns", { name: 7 }], ["towns", "{"], ["towns", "[]"],
      ["rigs", { name: "a", git_url: "https://git.example/a.git" }], ["rigs", { town_id: town.id, name: "a", git_url: "not a url" }],
      ["rigs", { town_id: town.id, name: "", git_url: "https://git.example/a.git" }]];
    for (const [path, body] of cases) failed(await post(path, body), 400);
  });

  test("what is not there is 404 in the contract's words", async () => {
    for (const id of [randomUUID(), "no-uuid"]) {
      failed(await get(`towns/${id}`), 404, "Town not found");
      failed(await get(`rigs/${id}`), 404, "Rig not found");
    }
    const rigOf = (town_id) => post("rigs", { town_id, name: "a", git_url: "https://git.example/a.git" });
    failed(await rigOf(randomUUID()), 404);
    failed(await rigOf("no-uuid"), 400);
    failed(await get("castles"), 404);
    const wrong = await on.http("PUT", "/api/users/owner/towns", { token, body: {} });
    failed(wrong, 405);
    assert.match(wrong.headers.get("allow"), /GET.*POST/);
  });

  test("a rig that the town refuses leaves no row in the registry", async () => {
    const town = await on.createFleetTown(["web"]);
    failed(await post("rigs", { town_id: town.id, name: "web", git_url: "https://git.example/other.git" }), 409);
    assert.deepEqual((await get(`towns/${town.id}/rigs`)).json.data.map(({ id }) => id), [town.rigs.web]);
  });

  test("a repeated creation with its idempotency key makes one town", async () => {
    const answers = await Promise.all([1, 2, 3].map(() => post("towns", { name: "once" }, { "idempotency-key": "town-once" })));
    for (const { status, json } of answers) assert.deepEqual([status, json], [201, answers[0].json]);
    assert.equal((await get("towns")).json.data.filter(({ name }) => name === "once").length, 1);
  });

  test("an organization's routes are the same", async () => {
    const member = tokens.user("alice", { orgMemberships: [{ orgId: "acme", role: "member" }] });
    const town = await on.rest("POST", "/api/orgs/acme/towns", { token: member, body: { name: "hq" } });
    assert.deepEqual([town.owner_org_id, town.created_by_user_id], ["acme", "alice"]);
    const rig = await on.rest("POST", "/api/orgs/acme/rigs", { token: member, body: { town_id: town.id, name: "web", git_url: "git@git.example:acme/web.git" } });
    assert.deepEqual(await on.rest("GET", `/api/orgs/acme/towns/${town.id}/rigs`, { token: member }), [rig]);
    assert.deepEqual(await on.rest("GET", "/api/orgs/acme/towns", { token: member }), [town]);
  });

  test("a user id with slashes and colons has a registry of its own", async () => {
    const user = "oauth/google:1";
    await on.rest("POST", `/api/users/${encodeURIComponent(user)}/towns`, { token: tokens.user(user), body: { name: "t" } });
    assert.equal((await on.rest("GET", `/api/users/${encodeURIComponent(user)}/towns`, { token: tokens.user(user) })).length, 1);
  });
});

// Contract 4.5; S1-11 … S1-17.
describe("the Mayor's routes", () => {
  let /** @type {Town} */ town, token;
  const tools = (path) => `/api/mayor/${town.id}/tools/${path}`;
  const post = (path, body, headers) => on.http("POST", tools(path), { token, body, headers });
  const get = (path) => on.http("GET", tools(path), { token });
  before(async () => {
    town = await on.createFleetTown(["web", "api", "ops"]);
    token = tokens.mayor(town.id);
  });

  test("sling answers 201 with the bead in the rig named and the polecat that has it (S1-11, S1-24)", async () => {
    const { status, json } = await post("sling", { rig_id: town.rigs.web, title: "do it", body: "so", labels: ["a"], metadata: { ticket: 1 } });
    assert.deepEqual([status, json.success], [201, true]);
    const { bead, agent } = json.data;
    assert.deepEqual([bead.rig_id, bead.title, bead.body, bead.labels, bead.metadata.ticket, bead.status], [town.rigs.web, "do it", "so", ["a"], 1, "open"]);
    assert.deepEqual([agent.name, agent.role, agent.current_hook_bead_id], ["Toast", "polecat", bead.bead_id]);
    assert.equal(bead.assignee_agent_bead_id, agent.id);
  });

  test("a Mayor works on every rig of its town (S1-17)", async () => {
    for (const rig of Object.values(town.rigs)) assert.equal((await post("sling", { rig_id: rig, title: "anywhere" })).status, 201);
  });

  test("lists rigs (S1-12)", async () => {
    assert.deepEqual((await get("rigs")).json.data.map(({ id, name }) => [id, name]), Object.entries(town.rigs).map(([name, id]) => [id, name]));
  });

  test("beads and agents without a rig come from all rigs, with one from that rig only (S1-13, S1-14)", async () => {
    const beads = (await get("beads?type=issue")).json.data;
    assert.deepEqual(new Set(beads.map(({ rig_id }) => rig_id)), new Set(Object.values(town.rigs)));
    const agents = (await get("agents")).json.data;
    assert.deepEqual(new Set(agents.map(({ rig_id }) => rig_id)), new Set(Object.values(town.rigs)));
    for (const list of ["beads", "agents"]) {
      const some = (await get(`rigs/${town.rigs.api}/${list}`)).json.data;
      assert.ok(some.length > 0 && some.every(({ rig_id }) => rig_id === town.rigs.api), list);
    }
    assert.equal((await get("beads?status=closed")).json.data.length, 0);
    assert.equal((await get(`rigs/${town.rigs.web}/beads?limit=1`)).json.data.length, 1);
    failed(await get("beads?status=bogus"), 400);
    failed(await get("beads?limit=many"), 400);
  });

  test("mail reaches an agent in any rig, and is read once (S1-15)", async () => {
    const { agent } = (await post("sling", { rig_id: town.rigs.ops, title: "mail me" })).json.data;
    const mail = { rig_id: town.rigs.ops, to_agent_id: agent.id, subject: "hello", body: "stop", from_agent_id: `mayor-${town.id}` };
    const sent = await post("mail", mail);
    assert.deepEqual([sent.status, sent.json], [200, { success: true, data: { sent: true } }]);
    const read = () => on.rpc("RIG", town.rigs.ops, "checkMail", agent.id, context(token));
    assert.deepEqual((await read()).ok.map(({ subject, body }) => [subject, body]), [["hello", "stop"]]);
    assert.deepEqual((await read()).ok, []);
    failed(await post("mail", { ...mail, to_agent_id: randomUUID() }), 404);
    failed(await post("mail", { ...mail, subject: undefined }), 400);
  });

  test("sling-batch answers 201 with convoy and beads; convoys are listed, read and started once", async () => {
    const tasks = [{ title: "a" }, { title: "b", depends_on: [0] }];
    const { status, json } = await post("sling-batch", { rig_id: town.rigs.api, convoy_title: "Payments API", tasks });
    assert.equal(status, 201);
    const { convoy, beads } = json.data;
    assert.deepEqual([convoy.staged, convoy.total_beads, convoy.status, convoy.merge_mode], [true, 2, "active", "review-then-land"]);
    assert.match(convoy.feature_branch, new RegExp(`^convoy/payments-api/${convoy.id.slice(0, 8)}/head$`));
    assert.deepEqual(beads.map(({ bead, agent }) => [bead.title, bead.metadata.convoy_id, agent]), [["a", convoy.id, null], ["b", convoy.id, null]]);
    assert.deepEqual((await get("convoys")).json.data.map(({ id }) => id), [convoy.id]);
    const detail = (await get(`convoys/${convoy.id}`)).json.data;
    assert.deepEqual(detail.dependency_edges, [{ bead_id: beads[1].bead.bead_id, depends_on_bead_id: beads[0].bead.bead_id, until: "closed" }]);
    const started = await post(`convoys/${convoy.id}/start`);
    assert.deepEqual([started.status, started.json.data.convoy.staged], [200, false]);
    failed(await post(`convoys/${convoy.id}/start`), 404, "Convoy not found or not staged");
    failed(await post(`convoys/${randomUUID()}/start`), 404, "Convoy not found or not staged");
    failed(await get(`convoys/${randomUUID()}`), 404, "Convoy not found");
    await until("the ready bead of the convoy is given out, the other is not", async (note) => {
      const { data } = note((await get(`convoys/${convoy.id}`)).json);
      return data.beads[0].assignee_agent_name && !data.beads[1].assignee_agent_name;
    });
  });

  test("several tasks without any order are refused, unless they are said to be parallel", async () => {
    const body = { rig_id: town.rigs.api, convoy_title: "c", tasks: [{ title: "a" }, { title: "b" }] };
    const refused = await post("sling-batch", body);
    failed(refused, 400);
    assert.match(refused.json.error, /depends_on.*parallel: true/);
    assert.equal((await post("sling-batch", { ...body, parallel: true })).status, 201);
  });

  test("a rig of no town or of another is 403, in the contract's words", async () => {
    const other = await on.createFleetTown(["web"]);
    const noRig = await post("mail", { rig_id: "no-uuid", to_agent_id: randomUUID(), subject: "s", body: "b", from_agent_id: "mayor" });
    assert.ok([400, 403, 404].includes(noRig.status), noRig.text);
    for (const rig of [randomUUID(), other.rigs.web]) {
      failed(await post("sling", { rig_id: rig, title: "x" }), 403, "Rig not found in this town");
      failed(await post("sling-batch", { rig_id: rig, convoy_title: "c", tasks: [{ title: "a" }] }), 403, "Rig not found in this town");
      failed(await post("mail", { rig_id: rig, to_agent_id: randomUUID(), subject: "s", body: "b", from_agent_id: "mayor" }), 403, "Rig not found in this town");
      for (const list of ["beads", "agents"]) failed(await get(`rigs/${rig}/${list}`), 403, "Rig not found in this town");
    }
  });

  test("bad bodies are 400, unknown routes 404, wrong methods 405", async () => {
    for (const body of [{}, { rig_id: town.rigs.web }, { rig_id: town.rigs.web, title: "" }, { rig_id: "web", title: "x" }, { rig_id: town.rigs.web, title: 7 }, "{", "[]"]) {
      failed(await post("sling", body), 400);
    }
    failed(await get("wasteland/browse"), 404);
    failed(await get("sling"), 405);
    failed(await post("agents", {}), 405);
  });

  test("an Idempotency-Key makes a sling happen once", async () => {
    const answers = await Promise.all([1, 2, 3].map(() => post("sling", { rig_id: town.rigs.ops, title: "just once" }, { "idempotency-key": "rest-1" })));
    for (const { json } of answers) assert.deepEqual(json, answers[0].json);
    assert.equal((await get(`rigs/${town.rigs.ops}/beads`)).json.data.filter(({ title }) => title === "just once").length, 1);
    failed(await post("sling", { rig_id: town.rigs.ops, title: "another" }, { "idempotency-key": "rest-1" }), 409);
  });
});

// Contract 4.2, S0-25, S0-26.
describe("the rig plane", () => {
  test("owner, observer, Mayor, container and agent read beads, one bead and agents", async () => {
    const town = await on.createFleetTown(["web"]);
    const { bead, agent } = await on.sling(town.rigs.web, "read me");
    const base = `/api/towns/${town.id}/rigs/${town.rigs.web}`;
    const readers = [tokens.user("owner"), tokens.observer("owner"), tokens.mayor(town.id), tokens.container(town.id), tokens.agent({ town: town.id, rig: town.rigs.web, agent: agent.id })];
    for (const token of readers) {
      assert.deepEqual((await on.rest("GET", `${base}/beads?type=issue`, { token })).map(({ bead_id }) => bead_id), [bead.bead_id]);
      assert.equal((await on.rest("GET", `${base}/beads/${bead.bead_id}`, { token })).title, "read me");
      assert.deepEqual((await on.rest("GET", `${base}/agents?role=polecat`, { token })).map(({ id }) => id), [agent.id]);
    }
    const get = (path) => on.http("GET", path, { token: readers[0] });
    failed(await get(`${base}/beads/${randomUUID()}`), 404, "Bead not found");
    failed(await get(`${base}/beads?status=bogus`), 400);
    failed(await get(`/api/towns/${town.id}/rigs/${randomUUID()}/beads`), 404);
    failed(await get(`/api/towns/no-uuid/rigs/${town.rigs.web}/beads`), 404);
  });
});
