// Owns: what `npm start` tells a person: URLs, tokens, and configuration to paste into MCP clients.
// Does not: start, mint or seed anything.

/**
 * What `npm start --json` prints.
 * @typedef {object} Fleet
 * @property {string} fleet_url
 * @property {{ id: string, name: string, url: string }[]} towns
 * @property {{ coordinator: string, observer: string, mayor: string | null }} tokens
 */

/**
 * The text for a running fleet.
 * @param {Fleet} fleet
 * @param {number} port
 */
export function connectText({ fleet_url: url, towns, tokens }, port) {
  const town = towns[0];
  return `
Gastown is ready.

  Fleet (all towns)   ${url}
${towns.map(({ name, url: townUrl }) => `  ${`Town ${name}`.padEnd(18)}  ${townUrl}`).join("\n")}

Tokens (development only; more: npm run token -- --help)

  Coordinator, all towns (30 days):
  ${tokens.coordinator}

  Observer, read-only (30 days):
  ${tokens.observer}
${town ? `
  Mayor of ${town.name}, for its town URL (8 hours):
  ${tokens.mayor}
` : ""}
Claude Code

  claude mcp add --transport http gastown ${url} --header "Authorization: Bearer ${tokens.coordinator}"
${town ? `  claude mcp add --transport http gastown-${town.name} ${town.url} --header "Authorization: Bearer ${tokens.mayor}"
` : ""}
mcporter, Kiloclaw's client: config/mcporter.json

${indent(JSON.stringify({ mcpServers: { gastown: { description: "Gastown towns", url, headers: { Authorization: "Bearer ${GASTOWN_TOKEN}" } } } }, null, 2))}

Codex: ~/.codex/config.toml

  [mcp_servers.gastown]
  url = "${url}"
  bearer_token_env_var = "GASTOWN_TOKEN"

mcporter and Codex read the token from the environment:

  export GASTOWN_TOKEN=${tokens.coordinator}

Logs follow. Ctrl-C stops the fleet; its state stays (npm start -- --fresh starts over).${port === 8787 ? "" : `\nOn this port again: npm start -- --port ${port}`}
`;
}

const indent = (/** @type {string} */ text) => text.replace(/^/gm, "  ");
