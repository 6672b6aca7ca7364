// Owns: bringing the demo fleet into a running Worker through its HTTP routes, like any user.
// Does not: know the data (demo-fleet.mjs), sign tokens (it is given them), or decide whether to seed (start.mjs).

import { DEMO_FLEET, DEMO_USER } from "./demo-fleet.mjs";
import { Failure, say, sha256 } from "./lib/project.mjs";

const REQUEST_MS = 30_000;
const BEADS_MAX = 500;

/**
 * @typedef {import("./demo-fleet.mjs").Task} Task
 * @typedef {import("./demo-fleet.mjs").Convoy} Convoy
 * @typedef {import("./tokens.mjs").Mint} Mint
 * @typedef {{ id: string, name: string }} Named a town or a rig, of its routes' answers
 */

/**
 * Creates what is missing of the demo fleet. It looks before it creates, by name or title, so a run that was
 * interrupted is completed by the next one and nothing comes twice. `mint` signs tokens (tokens.mjs).
 * @param {string} url
 * @param {Mint} mint
 */
export async function seed(url, mint) {
  const user = `/api/users/${DEMO_USER}`;
  const asUser = caller(url, await mint("coordinator", { user: DEMO_USER }));
  /** @type {Named[]} */
  const towns = await asUser.get(`${user}/towns`);
  for (const wanted of DEMO_FLEET) {
    const town = towns.find(({ name }) => name === wanted.name) ?? (await asUser.post(`${user}/towns`, { name: wanted.name }));
    /** @type {Named[]} */
    const rigs = await asUser.get(`${user}/towns/${town.id}/rigs`);
    const asMayor = caller(url, await mint("mayor", { user: DEMO_USER, town: town.id }));
    for (const { beads, convoy, ...rig } of wanted.rigs) {
      const { id } = rigs.find(({ name }) => name === rig.name)
        ?? (await asUser.post(`${user}/rigs`, { town_id: town.id, default_branch: "main", ...rig }));
      await seedRig(asMayor, `/api/mayor/${town.id}/tools`, id, beads, convoy);
    }
    say(`seeded ${wanted.name}: ${wanted.rigs.map(({ name }) => name).join(", ")}`);
  }
}

/** The demo user's towns, in the demo fleet's order, others after them. */
export async function demoTowns(/** @type {string} */ url, /** @type {Mint} */ mint) {
  const asUser = caller(url, await mint("coordinator", { user: DEMO_USER }));
  /** @type {Named[]} */
  const towns = await asUser.get(`/api/users/${DEMO_USER}/towns`);
  const place = (/** @type {Named} */ { name }) => (DEMO_FLEET.findIndex((wanted) => wanted.name === name) + 1) || DEMO_FLEET.length + 1;
  return towns.sort((a, b) => place(a) - place(b)).map(({ id, name }) => ({ id, name }));
}

/**
 * @param {ReturnType<typeof caller>} asMayor
 * @param {string} tools the route of the Mayor's tools
 * @param {string} rigId
 * @param {Task[]} beads
 * @param {Convoy} [convoy]
 */
async function seedRig(asMayor, tools, rigId, beads, convoy) {
  /** @type {{ title: string }[]} */
  const there = await asMayor.get(`${tools}/rigs/${rigId}/beads?type=issue&limit=${BEADS_MAX}`);
  const isThere = (/** @type {{ title: string }} */ { title }) => there.some((bead) => bead.title === title);
  // The key covers the moment in which a convoy exists and its rig has not yet heard of the beads.
  const create = (/** @type {string} */ path, /** @type {object} */ body) => asMayor.post(path, body, { "idempotency-key": `demo-seed-${sha256(path, JSON.stringify(body)).slice(0, 32)}` });
  for (const bead of beads.filter((bead) => !isThere(bead))) await create(`${tools}/sling`, { rig_id: rigId, ...bead });
  // A convoy's beads are created together: one of them stands for all.
  if (convoy && !convoy.tasks.some(isThere)) await create(`${tools}/sling-batch`, { rig_id: rigId, ...convoy });
}

/** GET and POST with one token; gives `data` of the contract's envelope. */
function caller(/** @type {string} */ url, /** @type {string} */ token) {
  /** @type {(method: string, path: string, body?: object, headers?: Record<string, string>) => Promise<any>} */
  async function call(method, path, body, headers = {}) {
    const what = `${method} ${path}`;
    let status;
    let text;
    try {
      const response = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }), ...headers },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(REQUEST_MS),
      });
      ({ status } = response);
      text = await response.text();
    } catch (error) {
      throw new Failure(`seeding the demo fleet: ${what} got no answer (${error.cause?.message ?? error.message}); start again, it goes on where it stopped`);
    }
    const answer = parse(text);
    if (status >= 200 && status < 300 && answer?.success === true) return answer.data;
    throw new Failure(`seeding the demo fleet: ${what} answered ${status}: ${answer?.error ?? text.slice(0, 200)}`);
  }
  return {
    get: (/** @type {string} */ path) => call("GET", path),
    post: (/** @type {string} */ path, /** @type {object} */ body, /** @type {Record<string, string>} */ headers = {}) => call("POST", path, body, headers),
  };
}

function parse(/** @type {string} */ text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
