// Owns: tokens as the contract describes them (5.1), and the ways in which one can be wrong.
// Does not: share code with scripts/tokens.mjs, on purpose: two readings of the contract check one another.

import { createHmac } from "node:crypto";
import { SECRETS } from "./workerd.mjs";

const HOUR = 3600;
export const seconds = () => Math.floor(Date.now() / 1000);
const base64url = (/** @type {unknown} */ value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** @typedef {Record<string, unknown>} Claims */

/**
 * A JWT with exactly this header and these claims, signed with HMAC.
 * @param {string} secret
 * @param {Claims | string} claims a text stands for itself
 * @param {{ header?: object, hash?: string }} [options]
 */
export function sign(secret, claims, { header = { alg: "HS256", typ: "JWT" }, hash = "sha256" } = {}) {
  const input = `${base64url(header)}.${base64url(claims)}`;
  return `${input}.${createHmac(hash, secret).update(input).digest("base64url")}`;
}

export const userClaims = (/** @type {string} */ user, /** @type {Claims} */ more = {}) => ({ version: 3, kiloUserId: user, apiTokenPepper: null, iat: seconds(), exp: seconds() + HOUR, ...more });
export const gastownClaims = (/** @type {Claims} */ more) => ({ iat: seconds(), exp: seconds() + HOUR, ...more });

const kilo = (/** @type {Claims} */ claims) => sign(SECRETS.NEXTAUTH_SECRET, claims);
const gastown = (/** @type {Claims} */ claims) => sign(SECRETS.GASTOWN_JWT_SECRET, gastownClaims(claims));

export const tokens = {
  user: (/** @type {string} */ user, /** @type {Claims} */ more = {}) => kilo(userClaims(user, more)),
  observer: (/** @type {string} */ user) => kilo(userClaims(user, { scope: "gastown:read" })),
  mayor: (/** @type {string} */ town, user = "owner") => gastown({ agentId: `mayor-${town}`, rigId: `mayor-${town}`, townId: town, userId: user }),
  agent: (/** @type {{ town: string, rig: string, agent: string, user?: string, role?: string }} */ { town, rig, agent, user = "owner", role }) => gastown({ agentId: agent, rigId: rig, townId: town, userId: user, ...(role && { role }) }),
  container: (/** @type {string} */ town, user = "owner") => gastown({ townId: town, userId: user, scope: "container" }),
  /** What our own objects sign for one method; life at most 60 s. */
  internal: (/** @type {string} */ method, /** @type {{ town?: string, from?: string, life?: number }} */ { town, from = "edge", life = 60 } = {}) =>
    gastown({ scope: "internal", from, method, ...(town && { townId: town }), exp: seconds() + life }),
};

/**
 * Tokens that must not be believed, each with the reason. `good` are the claims of a token that would be believed, so that
 * what is named is all that is wrong with it.
 * @param {{ town: string }} of
 * @returns {Record<string, string>}
 */
export function badTokens({ town }) {
  const { NEXTAUTH_SECRET: kiloSecret, GASTOWN_JWT_SECRET: gastownSecret } = SECRETS;
  const good = userClaims("owner");
  const agent = gastownClaims({ agentId: `mayor-${town}`, rigId: `mayor-${town}`, townId: town, userId: "owner" });
  const [head, body, signature] = sign(kiloSecret, good).split(".");
  return {
    "not a JWT": "abc",
    "two parts": `${head}.${body}`,
    "four parts": `${head}.${body}.${signature}.${signature}`,
    "an empty signature": `${head}.${body}.`,
    "an altered signature": `${head}.${body}.${signature.slice(0, -2)}${signature.endsWith("AA") ? "BB" : "AA"}`,
    "altered claims": `${head}.${base64url({ ...good, kiloUserId: "admin" })}.${signature}`,
    "claims that are no JSON": sign(kiloSecret, "{{"),
    "alg none": `${base64url({ alg: "none", typ: "JWT" })}.${body}.`,
    "alg none with a signature": `${base64url({ alg: "none", typ: "JWT" })}.${body}.${signature}`,
    "alg RS256": sign(kiloSecret, good, { header: { alg: "RS256", typ: "JWT" } }),
    "alg HS512": sign(kiloSecret, good, { header: { alg: "HS512", typ: "JWT" }, hash: "sha512" }),
    "a critical header": sign(kiloSecret, good, { header: { alg: "HS256", typ: "JWT", crit: ["exp"] } }),
    "a secret of nobody": sign("another-secret-of-enough-bytes", good),
    "an empty secret": sign("", good),
    "user claims signed by Gastown": sign(gastownSecret, good),
    "Mayor claims signed by Kilo": sign(kiloSecret, agent),
    expired: sign(kiloSecret, { ...good, iat: seconds() - 2 * HOUR, exp: seconds() - HOUR }),
    "not yet valid": sign(kiloSecret, { ...good, nbf: seconds() + HOUR }),
    "version 2": sign(kiloSecret, { ...good, version: 2 }),
    "version as text": sign(kiloSecret, { ...good, version: "3" }),
    "no version": sign(kiloSecret, { ...good, version: undefined }),
    "another audience": sign(kiloSecret, { ...good, aud: ["kilo-api", "kilo-gateway"] }),
    "no pepper": sign(kiloSecret, { ...good, apiTokenPepper: undefined }),
    "an empty pepper": sign(kiloSecret, { ...good, apiTokenPepper: "" }),
    "no user": sign(kiloSecret, { ...good, kiloUserId: "" }),
    "a null expiry": sign(kiloSecret, { ...good, exp: null }),
    "an unknown scope": sign(kiloSecret, { ...good, scope: "calendar:read" }),
    "an expired Mayor": sign(gastownSecret, { ...agent, iat: seconds() - 3 * HOUR, exp: seconds() - HOUR }),
    "a Mayor older than eight hours": sign(gastownSecret, { ...agent, iat: seconds() - 9 * HOUR, exp: seconds() + HOUR }),
    "a Mayor of two towns": sign(gastownSecret, { ...agent, rigId: "mayor-00000000-0000-4000-8000-000000000000" }),
    "a Mayor without a user": sign(gastownSecret, { ...agent, userId: undefined }),
    "a Gastown token of an unknown scope": sign(gastownSecret, { ...agent, scope: "root" }),
  };
}
