// Owns: which claims each kind of development token has, and signing it with this checkout's secrets.
// Does not: read options (token.mjs), or decide what a token may do (the Worker does). Needs npm's packages (jose).

import { SignJWT } from "jose";
import { readSecrets } from "./lib/dev-vars.mjs";
import { Failure } from "./lib/project.mjs";

const HOUR = 3600;
/** Verifiers refuse Gastown's own tokens when older than this, whatever `exp` says. */
const GASTOWN_MAX_AGE = 8 * HOUR;
const USER_LIFE = 30 * 24 * HOUR;

/**
 * Who a token is for. `ttl` is in seconds.
 * @typedef {object} Given
 * @property {string} [user]
 * @property {string} [town]
 * @property {string} [rig]
 * @property {string} [agent]
 * @property {string} [agentRole]
 * @property {{ orgId: string, role: string }[]} [orgs]
 * @property {number} [ttl]
 *
 * @typedef {object} Role
 * @property {string} secret
 * @property {number} life
 * @property {("user" | "town" | "rig" | "agent")[]} needs
 * @property {(given: Given) => import("jose").JWTPayload} claims
 *
 * @typedef {typeof mint} Mint
 */

/**
 * Each role: the secret, how long its tokens live, what must be given, and its claims.
 * coordinator and observer are Kilo user tokens; mayor, agent and container are Gastown's own.
 * @type {Record<string, Role>}
 */
const ROLES = {
  coordinator: { secret: "NEXTAUTH_SECRET", life: USER_LIFE, needs: ["user"], claims: userClaims },
  observer: { secret: "NEXTAUTH_SECRET", life: USER_LIFE, needs: ["user"], claims: (given) => ({ ...userClaims(given), scope: "gastown:read" }) },
  mayor: {
    secret: "GASTOWN_JWT_SECRET",
    life: GASTOWN_MAX_AGE,
    needs: ["user", "town"],
    // The rig id is what makes it the Mayor's.
    claims: ({ user, town, agent }) => ({ agentId: agent ?? `mayor-${town}`, rigId: `mayor-${town}`, townId: town, userId: user }),
  },
  agent: {
    secret: "GASTOWN_JWT_SECRET",
    life: GASTOWN_MAX_AGE,
    needs: ["user", "town", "rig", "agent"],
    claims: ({ user, town, rig, agent, agentRole }) => ({ agentId: agent, rigId: rig, townId: town, userId: user, ...(agentRole && { role: agentRole }) }),
  },
  container: {
    secret: "GASTOWN_JWT_SECRET",
    life: GASTOWN_MAX_AGE,
    needs: ["user", "town"],
    claims: ({ user, town }) => ({ townId: town, userId: user, scope: "container" }),
  },
};

export const roles = Object.keys(ROLES);

/**
 * A signed token.
 * @param {string | undefined} role
 * @param {Given} given
 */
export async function mint(role, given) {
  const kind = ROLES[role ?? ""];
  if (!kind) throw new Failure(`--role takes ${roles.join(", ")}, not "${role ?? ""}"`);
  const missing = kind.needs.filter((name) => !given[name]);
  if (missing.length > 0) throw new Failure(`a token for ${role} also needs ${missing.map((name) => `--${name} ID`).join(" ")}`);
  const ttl = given.ttl ?? kind.life;
  if (kind.secret === "GASTOWN_JWT_SECRET" && ttl > GASTOWN_MAX_AGE) {
    throw new Failure(`a token for ${role} lives at most 8h: the Worker refuses an older one`);
  }
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT(kind.claims(given))
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuedAt(now)
    .setExpirationTime(now + ttl)
    .sign(readSecrets()[kind.secret]);
}

function userClaims(/** @type {Given} */ { user, orgs = [] }) {
  return {
    version: 3,
    kiloUserId: user,
    apiTokenPepper: null, // must be there, even when the user has none
    gastownAccess: true,
    env: "development",
    ...(orgs.length > 0 && { orgMemberships: orgs }),
  };
}
