// Owns: a patient MCP client: the official one, each call repeated until there is an answer.
// Does not: know any tool.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { setTimeout as sleep } from "node:timers/promises";

const VERSION = "2026-07-28";
const CALL_MS = 20_000;
const AGAIN_MS = 250;
const AGAIN_MAX_MS = 2_000;
/** Longer than any restart. */
const PATIENCE_MS = 180_000;

/** The tool said no. */
export class Refused extends Error {}

/**
 * A client of the MCP endpoint at `url`. `call` gives structured content; while nobody answers it asks again, so what
 * changes something needs an idempotency key. A refusal by the tool is a `Refused`.
 * @param {string} url
 * @param {string} token
 * @param {{ headers?: Record<string, string>, name?: string, patience?: number }} [options]
 */
export function mcpClient(url, token, { headers = {}, name = "gastown-demo", patience = PATIENCE_MS } = {}) {
  /** @type {Promise<Client> | null} */
  let connected = null;

  async function connection() {
    connected ??= (async () => {
      const client = new Client({ name, version: "1" }, { capabilities: {}, versionNegotiation: { mode: { pin: VERSION } } });
      await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { authorization: `Bearer ${token}`, ...headers } } }));
      return client;
    })();
    return connected;
  }

  async function close() {
    const client = await connected?.catch(() => null);
    connected = null;
    await client?.close().catch(() => {});
  }

  /** @returns {Promise<any>} */
  async function call(/** @type {string} */ tool, /** @type {Record<string, unknown>} */ args = {}) {
    const deadline = Date.now() + patience;
    for (let wait = AGAIN_MS; ; wait = Math.min(wait * 2, AGAIN_MAX_MS)) {
      try {
        const client = await connection();
        const result = await client.callTool({ name: tool, arguments: args }, { timeout: CALL_MS });
        const text = result.content?.find((part) => part.type === "text")?.text ?? "";
        if (!result.isError) return result.structuredContent ?? JSON.parse(text);
        if (!isPassing(text)) throw new Refused(`${tool}: ${text}`);
      } catch (error) {
        if (error instanceof Refused || isFinal(error)) throw error;
        if (Date.now() > deadline) throw new Error(`${tool}: no answer (${error.message})`, { cause: error });
        await close();
      }
      await sleep(wait);
    }
  }

  return { call, close, tools: async () => (await (await connection()).listTools()).tools };
}

/** A refusal that the same call may not meet again. */
const isPassing = (/** @type {string} */ text) => /did not answer in time|try again|temporarily|incident/i.test(text);

/** The server answered, and would answer so again: bad credentials, a call that it does not know. */
function isFinal(/** @type {any} */ error) {
  const status = error.status ?? error.code ?? error.data?.status;
  return [400, 401, 403, 404, 409].includes(status) || (typeof status === "number" && status <= -32_600 && status >= -32_602);
}
