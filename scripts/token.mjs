// Owns: `npm run token`, the command line that prints one development token.
// Does not: know claims or secrets (tokens.mjs).

import { readOptions, seconds } from "./lib/options.mjs";
import { Failure, runScript } from "./lib/project.mjs";
import { setupNpm } from "./setup.mjs";

const HELP = `
Usage: npm run --silent token -- --role ROLE [options]

Prints one development token, signed with the secrets in .dev.vars (which \`npm start\` generates).
It is good for this checkout's local fleet only.

  --role ROLE         coordinator  all towns of a user (a Kilo user token)
                      observer     the same, read-only
                      mayor        one town's Mayor; needs --town
                      agent        one agent; needs --town --rig --agent
                      container    a town's container; needs --town
  --user ID           the user, or the town's owner (default demo-user, who owns the demo fleet)
  --town ID           the town's id, not its name: \`npm start\` prints them
  --rig ID            the rig's id
  --agent ID          the agent's id (for a Mayor: mayor-<town>)
  --agent-role ROLE   polecat or refinery, signed into an agent's token (left out: the Worker looks it up)
  --org ID[:ROLE]     membership of an organization in a user token, role member unless given; may be repeated
  --ttl TIME          90s, 30m, 8h, 7d … (default 30d for users; 8h, the longest there is, for the others)
  -h, --help          this text

  TOKEN=$(npm run --silent token -- --role observer)`;

/** @satisfies {import("node:util").ParseArgsOptionsConfig} */
const OPTIONS = {
  role: { type: "string" },
  user: { type: "string", default: "demo-user" },
  town: { type: "string" },
  rig: { type: "string" },
  agent: { type: "string" },
  "agent-role": { type: "string" },
  org: { type: "string", multiple: true },
  ttl: { type: "string" },
};

await runScript(async () => {
  const options = readOptions(OPTIONS, HELP);
  if (!options) return;
  const { role, user, town, rig, agent, "agent-role": agentRole, org = [], ttl } = options;
  if (agentRole && !["polecat", "refinery"].includes(agentRole)) throw new Failure(`--agent-role takes polecat or refinery, not "${agentRole}"`);
  const orgs = org.map((text) => {
    const [orgId, orgRole = "member"] = text.split(":");
    return { orgId, role: orgRole };
  });
  await setupNpm();
  const { mint } = await import("./tokens.mjs");
  const token = await mint(role, { user, town, rig, agent, agentRole, orgs, ttl: ttl === undefined ? undefined : seconds(ttl) });
  process.stdout.write(`${token}\n`);
});
