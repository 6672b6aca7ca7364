// Owns: a real authorization server (oidc-provider) on this machine: its keys, its one user who agrees to everything, and
// the official clients' way through it.
// Does not: know what the Worker believes of its tokens.

import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { exportJWK, generateKeyPair, importJWK, SignJWT } from "jose";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { MODERN } from "./mcp.mjs";

const REDIRECT = "http://127.0.0.1:9/callback"; // nobody listens: the browser stops here
const SCOPES = "gastown:read gastown:write gastown:admin";
/** @type {Record<string, { Client: any, Transport: any, options: object }>} */
const ERAS = {
  legacy: { Client: LegacyClient, Transport: LegacyTransport, options: {} },
  modern: { Client: ModernClient, Transport: ModernTransport, options: { versionNegotiation: { mode: { pin: MODERN } } } },
};

/** Both clients say it with an error of this class; one of them does not name it. */
export const isUnauthorized = (/** @type {Error} */ error) => error.constructor.name === "UnauthorizedError";

let keys = 0;

/**
 * @typedef {import("oidc-provider").AsymmetricSigningAlgorithm} Algorithm
 * @typedef {import("oidc-provider").JWK & import("jose").JWK & { alg: Algorithm, kid: string }} Key
 * @typedef {Awaited<ReturnType<typeof startIssuer>>} Issuer
 * @typedef {{ alg: Algorithm, granted: string, jwks: Key[], requests: string[] }} State what the server's tokens are made with, and the paths it was asked for
 */

/**
 * A private signing key as a JWK with an id of its own.
 * @returns {Promise<Key>}
 */
export async function signingKey(/** @type {Algorithm} */ alg) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, ...(alg === "EdDSA" && { crv: "Ed25519" }) });
  const jwk = /** @type {Key} */ (await exportJWK(privateKey));
  return { ...jwk, alg, use: "sig", kid: `key-${++keys}` };
}

/**
 * Starts the server. Its tokens are signed with the first of `algs` until `useAlgorithm`. `stop` it in `after`.
 * @param {{ algs?: Algorithm[], user?: string }} [options]
 */
export async function startIssuer({ algs = ["RS256"], user = "owner" } = {}) {
  const { Provider } = await quietly(() => import("oidc-provider"));
  /** @type {import("oidc-provider").default} */
  let current;
  const server = createServer((request, response) => void (request.url?.startsWith("/agree/") ? agree(request, response) : current.callback()(request, response)));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const issuer = `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
  /** @type {State} */
  const state = { alg: algs[0], granted: SCOPES, jwks: [], requests: [] };
  server.on("request", ({ url = "" }) => state.requests.push(url.split("?")[0]));

  /** The same server with other keys. Clients and grants stay: they are in the module's memory. */
  async function useKeys(/** @type {Key[]} */ ...jwks) {
    state.jwks = jwks;
    current = await quietly(() => new Provider(issuer, configuration(state)));
    current.on("server_error", (_, error) => console.error(error));
  }

  /** The user agrees to whatever is asked, as far as `state.granted` goes. */
  async function agree(/** @type {import("node:http").IncomingMessage} */ request, /** @type {import("node:http").ServerResponse} */ response) {
    const { prompt, params, session } = await current.interactionDetails(request, response);
    if (prompt.name === "login") return current.interactionFinished(request, response, { login: { accountId: user } });
    const grant = new current.Grant({ accountId: session?.accountId, clientId: String(params.client_id) });
    const { missingOIDCScope, missingResourceScopes = {} } = /** @type {{ missingOIDCScope?: string[], missingResourceScopes?: Record<string, string[]> }} */ (prompt.details);
    if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(" "));
    const allowed = (/** @type {string[]} */ scopes) => scopes.filter((scope) => state.granted.split(" ").includes(scope));
    for (const [resource, scopes] of Object.entries(missingResourceScopes)) {
      grant.addResourceScope(resource, allowed(scopes).join(" "));
      grant.rejectResourceScope(resource, scopes.filter((scope) => !allowed(scopes).includes(scope)).join(" "));
    }
    return current.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  }

  await useKeys(...(await Promise.all(algs.map(signingKey))));
  return {
    issuer,
    state,
    useKeys,
    useAlgorithm: (/** @type {Algorithm} */ alg) => (state.alg = alg),
    /** What the user agrees to from now on. */
    grant: (/** @type {string} */ scopes) => (state.granted = scopes),
    stop: () => new Promise((resolve) => server.close(resolve) && server.closeAllConnections()),

    /** A token that the server could have issued, but with these claims: really signed with its key. */
    async forge(/** @type {import("jose").JWTPayload} */ claims, { header = {}, key = state.jwks[0] } = {}) {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({ iss: issuer, sub: user, scope: SCOPES, client_id: "forger", iat: now, exp: now + 3600, ...claims })
        .setProtectedHeader({ alg: key.alg, typ: "at+jwt", kid: key.kid, ...header })
        .sign(await importJWK(key, key.alg));
    },
  };
}

/** @returns {import("oidc-provider").Configuration} */
function configuration(/** @type {State} */ state) {
  return {
    jwks: { keys: state.jwks },
    scopes: ["openid", ...SCOPES.split(" ")],
    ttl: Object.fromEntries(["AccessToken", "AuthorizationCode", "Grant", "IdToken", "Interaction", "Session"].map((kind) => [kind, 3600])),
    cookies: { keys: ["a secret of the tests"] },
    clientDefaults: { id_token_signed_response_alg: state.jwks[0].alg },
    interactions: { url: (_, { uid }) => `/agree/${uid}` },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        // RFC 8707: the token is for the resource that the client names, and for nothing else.
        getResourceServerInfo: (_, resource) => ({ scope: SCOPES, audience: resource, accessTokenFormat: "jwt", accessTokenTTL: 3600, jwt: { sign: { alg: state.alg } } }),
      },
    },
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256", "EdDSA"] },
  };
}

/** What a client keeps: everything in memory, and the way to a user who has a browser. */
function provider() {
  /** @type {Record<string, any>} */
  const kept = {};
  return {
    kept,
    redirectUrl: REDIRECT,
    clientMetadata: { client_name: "tests", redirect_uris: [REDIRECT], application_type: "native", grant_types: ["authorization_code"], response_types: ["code"], token_endpoint_auth_method: "none" },
    clientInformation: () => kept.client,
    saveClientInformation: (/** @type {any} */ client) => void (kept.client = client),
    tokens: () => kept.tokens,
    saveTokens: (/** @type {any} */ tokens) => void (kept.tokens = tokens),
    saveCodeVerifier: (/** @type {any} */ verifier) => void (kept.verifier = verifier),
    codeVerifier: () => kept.verifier,
    redirectToAuthorization: (/** @type {any} */ url) => void (kept.authorizationUrl = url),
    discoveryState: () => kept.discovery,
    saveDiscoveryState: (/** @type {any} */ discovery) => void (kept.discovery = discovery),
    invalidateCredentials: () => void delete kept.tokens,
  };
}

/** The browser: follows redirects with its cookies until it would call the client back; gives that URL. */
async function browse(/** @type {string | URL} */ start) {
  const jar = new Map();
  let url = new URL(start);
  for (let hop = 0; hop < 20; hop += 1) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, { redirect: "manual", headers: { cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      if (value) jar.set(name, value); else jar.delete(name);
    }
    const location = response.headers.get("location");
    assert.ok(location, `${url} answered ${response.status}: ${await response.text()}`);
    url = new URL(location, url);
    if (url.href.startsWith(REDIRECT)) {
      assert.ok(url.searchParams.has("code"), url.href);
      return url;
    }
  }
  throw new Error("the browser is sent around in circles");
}

/** An official client that has no token: it is refused, discovers, registers, asks its user, and connects. */
export async function connectThrough(/** @type {{ url: string }} */ server, /** @type {{ era: string, path?: string }} */ { era, path = "/mcp" }) {
  const { Client, Transport, options } = ERAS[era];
  const auth = provider();
  const open = () => new Transport(new URL(server.url + path), { authProvider: auth });
  const first = open();
  const client = () => new Client({ name: "tests", version: "1" }, options);
  await assert.rejects(client().connect(first), isUnauthorized);
  /** @type {URLSearchParams} */
  const asked = auth.kept.authorizationUrl.searchParams;
  /** The user agrees, and the client takes its code to the token endpoint. */
  const finish = async (/** @type {any} */ transport) => {
    const { searchParams } = await browse(auth.kept.authorizationUrl);
    await transport.finishAuth(searchParams.get("code"), searchParams.get("iss") ?? undefined);
  };
  await finish(first);
  const transport = open();
  /** @type {import("./mcp.mjs").OfficialClient} */
  const connected = client();
  await connected.connect(transport);
  return { client: connected, asked, token: () => /** @type {string} */ (auth.kept.tokens.access_token), scopesAsked: () => auth.kept.authorizationUrl.searchParams.get("scope"), again: () => finish(transport) };
}

/**
 * oidc-provider warns at length about what is on purpose here: http, and keys in memory.
 * @template T
 * @param {() => T | Promise<T>} work
 */
async function quietly(work) {
  const { warn, info } = console;
  Object.assign(console, { warn() {}, info() {} });
  try {
    return await work();
  } finally {
    Object.assign(console, { warn, info });
  }
}
