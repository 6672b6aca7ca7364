// Owns: `npm run conformance` and `npm run conformance:serve`: building and starting the fixture, and the exit code.
// Does not: know what the suite checks (tests/conformance/suite.mjs).

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { build } from "./build.mjs";
import { port, readOptions } from "./lib/options.mjs";
import { duration, Failure, runScript, say } from "./lib/project.mjs";

const HELP = `
Usage: npm run conformance -- [SET…]
       npm run conformance:serve -- [--port N]

Runs the official conformance suite against the Worker with the suite's fixture in it (cargo feature "conformance"),
or serves that build at http://127.0.0.1:N/mcp until interrupted. It asks for no token, on this machine only.

  SET…         2025-11-25, 2026-07-28, skills; all of them unless named
  --serve      serve, run nothing
  --port N     the port to serve on (8788)
  -h, --help   this text`;

const randomSecret = () => randomBytes(32).toString("base64url");

await runScript(async () => {
  const options = readOptions({ serve: { type: "boolean" }, port: { type: "string", default: "8788" } }, HELP, { positionals: true });
  if (!options) return 0;
  const wanted = port(options.port);
  await build({ features: "conformance" });
  // Not before: on a fresh checkout the build installs what this imports.
  const suite = await import("../tests/conformance/suite.mjs");
  return options.serve ? serve(suite, wanted) : run(suite, options.positionals);
});

/** @typedef {typeof import("../tests/conformance/suite.mjs")} Suite */

/** Runs the sets side by side, each on a server of its own. 1 unless all pass. */
async function run(/** @type {Suite} */ { SETS, startFixture, runSet }, /** @type {string[]} */ named) {
  const unknown = named.find((name) => !(name in SETS));
  if (unknown) throw new Failure(`there is no set "${unknown}"; there are ${Object.keys(SETS).join(", ")}`);
  const started = Date.now();
  const verdicts = await Promise.all((named.length > 0 ? named : Object.keys(SETS)).map(async (name) => {
    const server = await startFixture();
    try {
      const verdict = await runSet(name, `${server.url}/mcp`);
      process.stdout.write(`${verdict.report}\n`);
      return verdict;
    } finally {
      await server.stop();
    }
  }));
  say(`conformance: done in ${duration(Date.now() - started)}; what was checked is in out/conformance`);
  return verdicts.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

async function serve(/** @type {Suite} */ { startFixture }, /** @type {number} */ wanted) {
  const server = await startFixture({ port: wanted, vars: { NEXTAUTH_SECRET: randomSecret(), GASTOWN_JWT_SECRET: randomSecret() } });
  process.stdout.write(`${server.url}/mcp\n`);
  await Promise.race(["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => once(process, signal)));
  await server.stop();
  return 0;
}
