// Owns: `npm start`: setup, build, secrets, wrangler dev, the demo fleet, and what is printed once it is ready.
// Does not: do any of these itself; it puts them in order, and ends what it started.

import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "./build.mjs";
import { DEMO_USER } from "./demo-fleet.mjs";
import { connectText } from "./lib/connect.mjs";
import { ensureDevVars } from "./lib/dev-vars.mjs";
import { freePort, startWrangler, untilHealthy } from "./lib/dev-server.mjs";
import { lockOrFail } from "./lib/lock.mjs";
import { port, readOptions } from "./lib/options.mjs";
import { duration, Failure, root, runScript, say } from "./lib/project.mjs";
import { demoTowns, seed } from "./seed.mjs";
import { setup } from "./setup.mjs";

const HELP = `
Usage: npm start -- [options]

Serves a fleet of demo towns on 127.0.0.1 and prints how to connect MCP clients. The first run installs and
compiles what it needs (some minutes); later ones are ready in seconds. Ctrl-C stops it.

  --port N           port (default 8787; 0: any free port)
  --json             print one JSON line on stdout once ready, all else on stderr:
                     {fleet_url, towns: [{id, name, url}], tokens: {coordinator, observer, mayor}}; mayor is of towns[0]
  --fresh            start over: remove the state of earlier runs first
  --persist-to DIR   where state is kept (default .wrangler/state)
  -h, --help         this text`;

/** @satisfies {import("node:util").ParseArgsOptionsConfig} */
const OPTIONS = {
  port: { type: "string", default: "8787" },
  json: { type: "boolean", default: false },
  fresh: { type: "boolean", default: false },
  "persist-to": { type: "string", default: ".wrangler/state" },
};

const STOP = Symbol("told to stop");

/**
 * Runs wrangler until it ends or we are told to stop.
 * @param {{ port: number, persistTo: string, json: boolean, started: number }} options
 */
async function serve({ port, persistTo, json, started }) {
  await freePort(port); // again: somebody may have taken it while we built
  const server = startWrangler({ port, persistTo });
  const told = untilTold();
  try {
    const fleet = await Promise.race([told, ready(server, persistTo)]);
    if (fleet === STOP) return 0;
    say(`ready in ${duration(Date.now() - started)}`);
    process.stdout.write(json ? `${JSON.stringify(fleet)}\n` : connectText(fleet, port));
    const end = await Promise.race([told, server.ended]);
    if (end !== STOP) throw new Failure(`wrangler dev ended by itself (exit code ${end}), see its output above`);
    return 0;
  } finally {
    await server.stop();
  }
}

/**
 * Waits for the Worker, seeds it once, and gives what a client needs to connect.
 * @returns {Promise<import("./lib/connect.mjs").Fleet>}
 */
async function ready(/** @type {import("./lib/dev-server.mjs").DevServer} */ server, /** @type {string} */ persistTo) {
  await untilHealthy(server);
  const { mint } = await import("./tokens.mjs"); // only now: it needs npm's packages
  await seedOnce(server.url, persistTo, mint);
  const towns = await demoTowns(server.url, mint);
  return {
    fleet_url: `${server.url}/mcp`,
    towns: towns.map(({ id, name }) => ({ id, name, url: `${server.url}/towns/${id}/mcp` })),
    tokens: {
      coordinator: await mint("coordinator", { user: DEMO_USER }),
      observer: await mint("observer", { user: DEMO_USER }),
      mayor: towns.length > 0 ? await mint("mayor", { user: DEMO_USER, town: towns[0].id }) : null,
    },
  };
}

/** The marker lies beside the state: what a person deletes from a seeded fleet stays deleted. */
async function seedOnce(/** @type {string} */ url, /** @type {string} */ persistTo, /** @type {import("./tokens.mjs").Mint} */ mint) {
  const marker = seedMarker(persistTo);
  if (existsSync(marker) && (await demoTowns(url, mint)).length > 0) return;
  await seed(url, mint);
  mkdirSync(persistTo, { recursive: true });
  writeFileSync(marker, "The demo fleet was seeded into the state beside this file. `npm start -- --fresh` seeds a new one.\n");
}

const seedMarker = (/** @type {string} */ persistTo) => join(persistTo, "gastown-demo-seeded");

/** Only what wrangler and we keep there: the folder may be anybody's. */
function removeState(/** @type {string} */ persistTo) {
  rmSync(join(persistTo, "v3"), { recursive: true, force: true });
  rmSync(seedMarker(persistTo), { force: true });
  say(`removed the state in ${persistTo}`);
}

/**
 * Settles with STOP at the first signal.
 * @returns {Promise<typeof STOP>}
 */
function untilTold() {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => resolve(STOP));
  });
}

await runScript(async () => {
  const options = readOptions(OPTIONS, HELP);
  if (!options) return 0;
  const started = Date.now();
  const wantedPort = await freePort(port(options.port)); // before minutes of building
  await setup();
  await build();
  ensureDevVars();
  const persistTo = resolve(root, options["persist-to"]);
  const release = lockOrFail(join(persistTo, ".npm-start.lock"), (pid) =>
    `another npm start (pid ${pid ?? "unknown"}) uses the state in ${persistTo}: stop it, or give --persist-to another folder`);
  try {
    if (options.fresh) removeState(persistTo);
    return await serve({ port: wantedPort, persistTo, json: options.json, started });
  } finally {
    release();
  }
});
