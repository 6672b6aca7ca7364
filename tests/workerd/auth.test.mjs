// Owns: what the edge does with tokens: whom it does not believe (401), whom it believes but refuses (403).
// Does not: repeat the same at the objects (objects.test.mjs), or test OAuth (oauth.test.mjs).

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { LEGACY, modern } from "./lib/mcp.mjs";
import { badTokens, tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ mine, /** @type {Town} */ sibling, /** @type {Town} */ foreign;
before(async () => {
  server = await startWorkerd();
  on = world(server);
  [mine, sibling, foreign] = [await on.createFleetTown(["web"]), await on.createFleetTown(["web"]), await on.createFleetTown(["web"], "stranger")];
  for (const town of [mine, sibling, foreign]) await on.sling(town.rigs.web, "secret plan", { token: tokens.user(town === foreign ? "stranger" : "owner") });
});
after(() => server.stop());

const doors = () => [["POST", "/mcp"], ["POST", `/towns/${mine.id}/mcp`], ["GET", `/api/mayor/${mine.id}/tools/beads`],
  ["GET", `/api/towns/${mine.id}/rigs/${mine.rigs.web}/beads`], ["GET", "/api/users/owner/towns"]];
const ask = (method, path, token, headers = {}) => on.http(method, path, {
  token, ...(method === "POST" ? { body: modern("tools/list").body } : {}), headers: { ...(method === "POST" && modern("tools/list").headers), ...headers },
});
/** No answer to somebody who may not know may tell anything. */
const tellsNothing = ({ text }) => {
  for (const secret of ["secret plan", mine.rigs.web, foreign.rigs.web, "eyJ"]) assert.ok(!text.includes(secret), text);
};

describe("401: not believed", () => {
  const challenged = (answer, path) => {
    assert.equal(answer.status, 401, answer.text);
    const challenge = answer.headers.get("www-authenticate");
    // The REST routes are part of the fleet's resource.
    const resource = path.startsWith("/api/") ? "/mcp" : path;
    assert.ok(challenge.startsWith(`Bearer resource_metadata="${server.url}/.well-known/oauth-protected-resource${resource}"`), challenge);
    tellsNothing(answer);
    return challenge;
  };

  test("without a token every door answers 401 and names its metadata, but no error", async () => {
    for (const [method, path] of doors()) assert.doesNotMatch(challenged(await ask(method, path), path), /error=/);
    for (const authorization of ["", "Bearer", "Basic dTpw", "Bearer  "]) {
      assert.doesNotMatch(challenged(await ask("POST", "/mcp", undefined, { authorization }), "/mcp"), /error=/, authorization);
    }
  });

  test("every bad token is refused at every door, with invalid_token and a reason, and nothing of it is repeated", async () => {
    for (const [reason, token] of Object.entries(badTokens({ town: mine.id }))) {
      for (const [method, path] of doors()) {
        assert.match(challenged(await ask(method, path, token), path), /error="invalid_token", error_description="[^"]+"/, reason);
      }
    }
  });

  test("an internal token from outside is refused", async () => {
    for (const method of ["listBeads", "deliver", "setTownId"]) {
      for (const [verb, path] of doors()) challenged(await ask(verb, path, tokens.internal(method, { town: mine.id })), path);
    }
  });

  test("two tokens in one request are none", async () => {
    const authorization = `Bearer ${tokens.user("owner")}, Bearer ${tokens.user("stranger")}`;
    const answer = await ask("POST", "/mcp", undefined, { authorization });
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.headers.get("www-authenticate"), /error="invalid_request"/);
    tellsNothing(answer);
  });

  test("the metadata that a challenge names is there", async () => {
    const challenge = challenged(await ask("POST", `/towns/${mine.id}/mcp`), `/towns/${mine.id}/mcp`);
    const response = await fetch(/resource_metadata="([^"]+)"/.exec(challenge)[1]);
    assert.equal((await response.json()).resource, `${server.url}/towns/${mine.id}/mcp`);
  });

  test("the word Bearer counts in any case", async () => {
    assert.equal((await ask("POST", "/mcp", undefined, { authorization: `bEaReR ${tokens.user("owner")}` })).status, 200);
  });
});

describe("403: believed, but not for this", () => {
  const forbidden = (answer, what) => {
    assert.equal(answer.status, 403, `${what}: ${answer.text}`);
    tellsNothing(answer);
  };

  // S0-02, S1-16
  test("a Mayor of one town is refused at every door of another, of the same owner too", async () => {
    for (const other of [sibling, foreign]) {
      for (const token of [tokens.mayor(mine.id), tokens.container(mine.id)]) {
        for (const path of [`/towns/${other.id}/mcp`, `/towns/${other.id}/mcp/readonly`]) forbidden(await ask("POST", path, token), path);
        for (const route of ["rigs", "beads", "agents", "convoys", `rigs/${other.rigs.web}/beads`, `rigs/${other.rigs.web}/agents`]) {
          forbidden(await ask("GET", `/api/mayor/${other.id}/tools/${route}`, token), route);
        }
        for (const list of ["beads", "agents"]) forbidden(await ask("GET", `/api/towns/${other.id}/rigs/${other.rigs.web}/${list}`, token), list);
      }
    }
  });

  test("a Mayor who names another town's rig under its own town is refused", async () => {
    for (const list of ["beads", "agents"]) {
      const answer = await ask("GET", `/api/mayor/${mine.id}/tools/rigs/${sibling.rigs.web}/${list}`, tokens.mayor(mine.id));
      forbidden(answer, list);
      assert.equal(answer.json.error, "Rig not found in this town");
    }
  });

  test("a user is refused at every door of a town of somebody else, admin or not", async () => {
    const token = tokens.user("owner", { isAdmin: true, gastownAccess: true });
    forbidden(await ask("POST", `/towns/${foreign.id}/mcp`, token), "MCP");
    for (const list of ["beads", "agents"]) forbidden(await ask("GET", `/api/towns/${foreign.id}/rigs/${foreign.rigs.web}/${list}`, token), list);
    for (const path of ["/api/users/stranger/towns", `/api/users/stranger/towns/${foreign.id}`, `/api/users/stranger/towns/${foreign.id}/rigs`]) forbidden(await ask("GET", path, token), path);
    const created = await on.http("POST", "/api/users/stranger/towns", { token, body: { name: "x" } });
    forbidden(created, "create");
  });

  test("a tool call that names a town of somebody else is a refusal, never an empty list", async () => {
    for (const [name, args] of /** @type {[string, object][]} */ ([["list_rigs", {}], ["list_beads", {}], ["list_agents", {}], ["list_convoys", {}], ["get_town_status", {}],
      ["sling", { rig: foreign.rigs.web, title: "x" }], ["send_mayor_message", { message: "x" }]])) {
      const answer = await on.http("POST", "/mcp", { token: tokens.user("owner"), ...modern("tools/call", { name, arguments: { town: foreign.id, ...args } }) });
      assert.equal(answer.json.result?.isError, true, `${name}: ${answer.text}`);
      assert.match(answer.json.result.content[0].text, /forbidden/i, name);
      assert.ok(!answer.text.includes("secret plan"));
    }
  });

  test("an organization's town is its members', but not its billing manager's", async () => {
    const member = (role) => tokens.user(`user-${role}`, { orgMemberships: [{ orgId: "acme", role }] });
    const town = await on.rest("POST", "/api/orgs/acme/towns", { token: member("owner"), body: { name: "hq" } });
    for (const role of ["owner", "member"]) {
      const { json } = await on.http("POST", `/towns/${town.id}/mcp`, { token: member(role), ...modern("tools/call", { name: "list_rigs" }) });
      assert.deepEqual(json.result.structuredContent.rigs, [], role);
    }
    for (const role of ["billing_manager", "guest"]) {
      forbidden(await ask("POST", `/towns/${town.id}/mcp`, member(role)), role);
      forbidden(await ask("GET", "/api/orgs/acme/towns", member(role)), role);
    }
    forbidden(await ask("GET", "/api/orgs/acme/towns", tokens.user("owner")), "no member");
  });

  test("roles without an MCP profile are told where to go", async () => {
    const agent = tokens.agent({ town: mine.id, rig: mine.rigs.web, agent: randomUUID() });
    forbidden(await ask("POST", `/towns/${mine.id}/mcp`, tokens.container(mine.id)), "a container that names no agent");
    assert.equal((await ask("POST", `/towns/${mine.id}/mcp`, agent)).status, 404, "an agent that lives nowhere");
    for (const token of [agent, tokens.mayor(mine.id)]) forbidden(await ask("POST", "/mcp", token), "fleet door");
    forbidden(await ask("GET", `/api/mayor/${mine.id}/tools/rigs`, tokens.user("owner")), "Mayor routes take a Mayor's token");
    forbidden(await ask("GET", `/api/mayor/${mine.id}/tools/rigs`, agent), "an agent is no Mayor");
  });

  test("an agent reads its own rig and no other", async () => {
    const other = await on.createRig(mine.id);
    const token = tokens.agent({ town: mine.id, rig: mine.rigs.web, agent: randomUUID() });
    assert.equal((await ask("GET", `/api/towns/${mine.id}/rigs/${mine.rigs.web}/beads`, token)).status, 200);
    forbidden(await ask("GET", `/api/towns/${mine.id}/rigs/${other.id}/beads`, token), "another rig");
  });

  test("both eras are refused alike", async () => {
    const body = { jsonrpc: "2.0", id: 1, method: "initialize", params: { protocolVersion: LEGACY, capabilities: {}, clientInfo: { name: "t", version: "1" } } };
    forbidden(await on.http("POST", `/towns/${foreign.id}/mcp`, { token: tokens.user("owner"), body }), "initialize");
    assert.equal((await on.http("POST", "/mcp", { body })).status, 401);
  });
});
