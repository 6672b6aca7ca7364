// Owns: the REST routes of agents on the real runtime: a polecat's and a refinery's life over HTTP, across a restart, and a
// container that takes a new token.
// Does not: test each rule of each route (tests/it/agent_plane.rs).

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { seconds, sign, tokens } from "./lib/tokens.mjs";
import { SECRETS, startWorkerd } from "./lib/workerd.mjs";
import { world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { World } from "./lib/world.mjs"
 */

const COMMIT = "9fceb02d0ae598e95dc970b74767f19372d61af8";

let /** @type {Server} */ server, /** @type {World} */ on;
before(async () => {
  server = await startWorkerd();
  on = world(server);
});
after(() => server.stop());

/** A town with one rig, and calls to that rig: `as(token)` gives `(method, path, body) → data`. */
async function town() {
  const { id, rigs: { web: rig } } = await on.createFleetTown(["web"]);
  const root = `/api/towns/${id}/rigs/${rig}`;
  const as = (token, headers) => (method, path, body) => on.rest(method, `${root}/${path}`, { token, body, headers });
  return { id, rig, root, as, container: as(tokens.container(id)), agent: (agent, role) => as(tokens.agent({ town: id, rig, agent, role })) };
}

describe("the routes of agents", () => {
  // S4-09, S4-10, S4-12, S4-16
  test("take work from sling to merge, across a restart", async () => {
    const at = await town();
    const { bead: { bead_id: bead }, agent } = await at.container("POST", "sling", { title: "Add a health check" });
    const polecat = at.agent(agent.id);
    const own = `agents/${agent.id}`;
    const primed = await polecat("GET", `${own}/prime`);
    assert.deepEqual([primed.hooked_bead.bead_id, primed.base_branch, primed.quality_gates], [bead, "main", []]);
    assert.equal((await polecat("POST", `${own}/heartbeat`, { worktree: "/w/toast", lastEventAt: new Date().toISOString() })).drainNonce, null);
    await polecat("POST", `${own}/status`, { message: "Writing the route." });
    await polecat("POST", `${own}/checkpoint`, { data: { next: "test" } });
    await at.container("POST", "agent-events", { agent_id: agent.id, event_type: "assistant", data: { text: "Done with the route." } });
    await server.restart();
    assert.deepEqual((await polecat("GET", `${own}/prime`)).agent.checkpoint, { next: "test" });
    assert.equal((await polecat("GET", `${own}/conversation`)).conversation, "assistant: Done with the route.");
    await polecat("POST", `${own}/done`, { branch: agent.branch, summary: "Added it." });
    await polecat("POST", `${own}/completed`, { status: "completed" });

    const { id: refinery } = await at.container("POST", "agents/get-or-create", { role: "refinery" });
    const [request] = await at.container("GET", "beads?type=merge_request");
    for (const judge of [at.agent(refinery), at.agent(refinery, "refinery")]) {
      const agents = await at.container("GET", `agents/${refinery}`);
      if (agents.current_hook_bead_id !== request.bead_id) await judge("POST", `agents/${refinery}/hook`, { bead_id: request.bead_id });
    }
    const judge = at.agent(refinery);
    const { rework_bead_id: rework } = await judge("POST", `agents/${refinery}/request-changes`, { feedback: "No test." });
    const worker = (await at.container("GET", `beads/${rework}`)).assignee_agent_bead_id;
    assert.equal((await at.agent(worker)("GET", `agents/${worker}/prime`)).rework_context.feedback, "No test.");
    await at.agent(worker)("POST", `agents/${worker}/done`, { branch: agent.branch });
    await judge("POST", `review-queue/${request.bead_id}/complete`, { status: "merged", commit_sha: COMMIT, base_commit: "bbbb222" });
    const merged = await at.container("GET", `beads/${bead}`);
    assert.deepEqual([merged.status, merged.merge_commit], ["closed", COMMIT]);
    const kinds = (await at.container("GET", `events?bead_id=${bead}`)).map(({ event_type }) => event_type);
    assert.ok(kinds.includes("review_completed") && kinds.includes("hooked"), kinds.join());
  });

  test("are the agent's own, and a change is made once", async () => {
    const at = await town();
    const { agent } = await at.container("POST", "sling", { title: "a" });
    const other = (await at.container("POST", "sling", { title: "b" })).agent;
    const route = `${at.root}/agents/${agent.id}/heartbeat`;
    const status = async (method, path, options) => (await on.http(method, path, options)).status;
    assert.equal(await status("POST", route, { token: tokens.agent({ town: at.id, rig: at.rig, agent: other.id }), body: {} }), 403);
    assert.equal(await status("POST", route, { token: tokens.user("owner"), body: {} }), 403);
    assert.equal(await status("POST", route, { body: {} }), 401);
    const token = tokens.agent({ town: at.id, rig: at.rig, agent: agent.id });
    const wrong = await on.http("GET", route, { token });
    assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "POST, OPTIONS"]);
    assert.equal(await status("POST", route, { token, body: "{" }), 400);
    const keyed = at.as(tokens.container(at.id), { "idempotency-key": "once" });
    const made = [1, 2].map(() => keyed("POST", "beads", { type: "issue", title: "once", labels: ["gt:held"] }));
    const [one, two] = await Promise.all(made);
    assert.equal(one.bead_id, two.bead_id);
  });

  test("of a container whose token has expired begin with a new one", async () => {
    const at = await town();
    const made = seconds() - 9 * 3600;
    const expired = sign(SECRETS.GASTOWN_JWT_SECRET, { townId: at.id, userId: "owner", scope: "container", iat: made, exp: made + 3600 });
    assert.equal((await on.http("GET", `${at.root}/beads`, { token: expired })).status, 401);
    const { token } = await on.rest("POST", `/api/towns/${at.id}/refresh-container-token`, { token: expired });
    assert.deepEqual(await at.as(token)("GET", "beads"), []);
    const forged = sign("another-secret-of-enough-bytes", { townId: at.id, userId: "owner", scope: "container", iat: made, exp: made + 3600 });
    assert.equal((await on.http("POST", `/api/towns/${at.id}/refresh-container-token`, { token: forged })).status, 401);
    const { agentId } = await on.rest("GET", `/api/towns/${at.id}/mayor-id`, { token });
    const mayor = `/api/towns/${at.id}/rigs/mayor-${at.id}/agents/${agentId}`;
    assert.equal((await on.rest("POST", `${mayor}/heartbeat`, { token: tokens.mayor(at.id), body: {} })).drainNonce, null);
  });
});
