// Owns: OAuth as MCP has it, with nothing left out: a real authorization server, the official clients, the Worker with WebCrypto.
// Does not: list every refusal or the life of cached keys (tests/it/oauth does, on the host).

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connectThrough, isUnauthorized, signingKey, startIssuer } from "./lib/issuer.mjs";
import { eras, modern } from "./lib/mcp.mjs";
import { SECRETS, startWorkerd } from "./lib/workerd.mjs";
import { sign, tokens } from "./lib/tokens.mjs";
import { until, world } from "./lib/world.mjs";

/**
 * @import { Issuer } from "./lib/issuer.mjs"
 * @import { Server } from "./lib/workerd.mjs"
 * @import { World } from "./lib/world.mjs"
 */

/** @type {import("./lib/issuer.mjs").Algorithm[]} */
const ALGS = ["RS256", "ES256", "EdDSA"];
let /** @type {Issuer} */ issuer, /** @type {Issuer} */ other, /** @type {Server} */ server, /** @type {World} */ on;
before(async () => {
  issuer = await startIssuer({ algs: ALGS });
  other = await startIssuer();
  server = await startWorkerd({ vars: { OAUTH_ISSUER: issuer.issuer }, loopback: true });
  on = world(server);
});
after(async () => {
  await server.stop();
  await Promise.all([issuer.stop(), other.stop()]);
});

const list = (token, path = "/mcp") => on.http("POST", path, { token, ...modern("tools/list") });
const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
const headerOf = (token) => JSON.parse(Buffer.from(token.split(".")[0], "base64url").toString());
const aud = () => `${server.url}/mcp`;

for (const era of eras) {
  describe(`the official ${era} client`, () => {
    test("goes from 401 over metadata, discovery, registration and PKCE to a token, and drives a town with it", async () => {
      const town = await on.createFleetTown(["web"]);
      for (const [index, path] of ["/mcp", `/towns/${town.id}/mcp`].entries()) {
        const alg = ALGS[(eras.indexOf(era) * 2 + index) % ALGS.length];
        issuer.useAlgorithm(alg);
        const { client, asked, token } = await connectThrough(server, { era, path });
        assert.equal(asked.get("resource"), server.url + path);
        assert.equal(asked.get("code_challenge_method"), "S256");
        assert.equal(asked.get("scope"), "gastown:read gastown:write");
        assert.deepEqual([claimsOf(token()).aud, claimsOf(token()).iss, headerOf(token()).alg], [server.url + path, issuer.issuer, alg]);
        const { towns } = (await client.callTool({ name: "list_towns", arguments: {} })).structuredContent;
        assert.ok(towns.some(({ id }) => id === town.id));
        const place = path === "/mcp" ? { town: town.id } : {};
        const slung = await client.callTool({ name: "sling", arguments: { ...place, rig: "web", title: `${era} ${index}` } });
        assert.match(slung.structuredContent.summary, /has it/, JSON.stringify(slung));
        await client.close();
      }
      issuer.useAlgorithm(ALGS[0]);
    });

    test("of a user who agrees to reading only sees the looking tools, and may step up when it needs more", async () => {
      const town = await on.createFleetTown(["web"]);
      issuer.grant("gastown:read");
      const { client, token, scopesAsked, again } = await connectThrough(server, { era });
      assert.equal(claimsOf(token()).scope, "gastown:read");
      const { tools } = await client.listTools();
      assert.ok(tools.length > 0 && tools.every(({ annotations }) => annotations.readOnlyHint));
      issuer.grant("gastown:read gastown:write");
      const sling = () => client.callTool({ name: "sling", arguments: { town: town.id, rig: "web", title: "stepped up" } });
      await assert.rejects(sling(), isUnauthorized);
      assert.equal(scopesAsked(), "gastown:read gastown:write");
      await again();
      assert.match((await sling()).structuredContent.summary, /has it/);
      await client.close();
    });
  });
}

describe("the Worker", () => {
  test("verifies every algorithm with WebCrypto, and Kilo's tokens beside them", async () => {
    for (const key of issuer.state.jwks) assert.equal((await list(await issuer.forge({ aud: aud() }, { key }))).status, 200, key.alg);
    assert.equal((await list(await issuer.forge({ aud: aud() }, { key: issuer.state.jwks[2], header: { typ: "JWT" } }))).status, 200);
    assert.equal((await list(tokens.user("owner"))).status, 200);
  });

  test("refuses what is not for it, not from its issuer, over, or altered", async () => {
    const good = await issuer.forge({ aud: aud() });
    const now = Math.floor(Date.now() / 1000);
    const cases = {
      "another audience": await issuer.forge({ aud: "https://other.example/mcp" }),
      "no audience": await issuer.forge({}),
      "another town's": [await issuer.forge({ aud: `${server.url}/towns/a/mcp` }), "/towns/b/mcp"],
      "another issuer": await other.forge({ aud: aud() }),
      "another issuer's key": await other.forge({ aud: aud(), iss: issuer.issuer }),
      "another issuer's key under a known name": await other.forge({ aud: aud(), iss: issuer.issuer }, { header: { kid: issuer.state.jwks[0].kid } }),
      expired: await issuer.forge({ aud: aud(), iat: now - 7200, exp: now - 3600 }),
      "not yet valid": await issuer.forge({ aud: aud(), nbf: now + 3600 }),
      "an altered signature": good.replace(/.{8}$/, "AAAAAAAA"),
      "altered claims": good.replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify({ ...claimsOf(good), sub: "stranger" })).toString("base64url")}.`),
      "the secret of Kilo": sign(SECRETS.NEXTAUTH_SECRET, claimsOf(good)),
      "the secret of Gastown": sign(SECRETS.GASTOWN_JWT_SECRET, claimsOf(good)),
      "no signature": `${Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url")}.${good.split(".")[1]}.`,
      "what is for the objects": sign(SECRETS.GASTOWN_JWT_SECRET, { scope: "exchanged", aud: "gastown-objects", userId: "owner", granted: "gastown:admin", orgMemberships: [], iat: now, exp: now + 60 }),
    };
    for (const [what, given] of Object.entries(cases)) {
      const [token, path] = [given].flat();
      const answer = await list(token, path);
      assert.equal(answer.status, 401, `${what}: ${answer.text}`);
      assert.match(answer.headers.get("www-authenticate"), /error="invalid_token", error_description="[^"]+"/, what);
      assert.ok(!answer.text.includes("eyJ"), what);
    }
  });

  test("answers 403 with a challenge to a scope that does not cover the call", async () => {
    const reader = await issuer.forge({ aud: aud(), scope: "gastown:read" });
    const town = await on.createFleetTown(["web"]);
    const answer = await on.http("POST", "/mcp", { token: reader, ...modern("tools/call", { name: "sling", arguments: { town: town.id, rig: "web", title: "x" } }) });
    assert.deepEqual([answer.status, answer.json.id, answer.json.error.code], [403, 1, -32600], answer.text);
    assert.match(answer.headers.get("www-authenticate"), /scope="gastown:read gastown:write", error="insufficient_scope"/);
    assert.equal((await list(await issuer.forge({ aud: aud(), scope: "openid" }))).status, 403);
    const created = await on.http("POST", "/api/users/owner/towns", { token: reader, body: { name: "x" } });
    assert.equal(created.status, 403, created.text);
    assert.match(created.headers.get("www-authenticate"), /insufficient_scope/);
  });

  test("finds a new key of the running server, and asks it no more than it must", async () => {
    const before = issuer.state.requests.filter((path) => path === "/jwks").length;
    assert.ok(before >= 1 && before <= 3, `${before} requests for keys so far`);
    const key = await signingKey("ES256");
    await issuer.useKeys(key, ...issuer.state.jwks);
    const token = await issuer.forge({ aud: aud() }, { key });
    await until("the new key is known", async () => (await list(token)).status === 200, { within: 45_000, every: 1_000 });
    assert.equal(issuer.state.requests.filter((path) => path === "/jwks").length, before + 1);
  });

  test("that was configured wrongly does not serve", async () => {
    const wrong = await startWorkerd({ vars: { OAUTH_ISSUER: "http://login.example" } });
    try {
      wrong.forgive(/OAUTH_ISSUER must be/);
      assert.equal((await world(wrong).http("GET", "/health")).status, 500);
    } finally {
      await wrong.stop();
    }
  });

  test("that cannot reach its authorization server says so and keeps taking Kilo's tokens", async () => {
    const alone = await startWorkerd({ vars: { OAUTH_ISSUER: issuer.issuer } }); // no way to this machine
    try {
      alone.forgive(/is not allowed|"incident"/);
      const at = world(alone);
      const token = await issuer.forge({ aud: `${alone.url}/mcp` });
      const answer = await at.http("POST", "/mcp", { token, ...modern("tools/list") });
      assert.equal(answer.status, 503, answer.text);
      assert.equal((await at.http("POST", "/mcp", { token: tokens.user("owner"), ...modern("tools/list") })).status, 200);
    } finally {
      await alone.stop();
    }
  });
});
