// Owns: WebSockets on a town's status with a real client: who is let in, what comes, and that they outlive the town's time
// in memory.
// Does not: test every frame (tests/it/town/watch.rs).

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { seconds, tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, until, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

const token = tokens.user("owner");
/** The runtime takes an idle object out of memory after about ten seconds. */
const HIBERNATES_MS = 20_000;
let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ town;
before(async () => {
  server = await startWorkerd({ isolates: 2 });
  on = world(server);
  town = await on.createFleetTown(["web"]);
});
after(() => server.stop());

/**
 * A connection; `frames` has what came. Resolves once it is open, or to the reason why it is not: `status` stays 0 with this
 * client. A browser's client sends `protocols`, others the header.
 */
async function connect(/** @type {{ jwt?: string, protocols?: string[], headers?: Record<string, string>, isolate?: number, at?: string }} */ { jwt = token, protocols, headers = { authorization: `Bearer ${jwt}` }, isolate = 0, at = town.id } = {}) {
  const url = `${server.urls[isolate].replace("http", "ws")}/api/towns/${at}/status/ws`;
  // Node's WebSocket takes headers as well.
  const socket = new WebSocket(url, /** @type {any} */ ({ protocols, headers: protocols ? {} : headers }));
  const client = { socket, frames: [], texts: [], isOpen: false, closed: null };
  socket.addEventListener("message", ({ data }) => (data.startsWith("{") ? client.frames.push(JSON.parse(data)) : client.texts.push(data)));
  socket.addEventListener("close", ({ code, reason }) => (client.closed = { code, reason }));
  await /** @type {Promise<void>} */ (new Promise((resolve) => ["open", "error"].forEach((event) => socket.addEventListener(event, () => ((client.isOpen = event === "open"), resolve())))));
  return client;
}
/**
 * The code in the frame that closes a connection. Read from the bytes: workerd leaves the TCP connection open after a close
 * that comes from an alarm, and clients tell the code only once that is gone.
 */
async function closeCode(jwt) {
  const { port, hostname } = new URL(server.url);
  const tcp = net.connect(Number(port), hostname);
  const lines = [`GET /api/towns/${town.id}/status/ws HTTP/1.1`, `Host: ${hostname}:${port}`, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`, `Authorization: Bearer ${jwt}`, "", ""];
  tcp.write(lines.join("\r\n"));
  let last;
  tcp.on("data", (data) => (last = data));
  // Frame type 8: its first two bytes of text are the code (RFC 6455, 5.5.1).
  await until("a frame that closes", async (note) => note(last?.[0]) === 0x88, { within: 10_000 });
  tcp.destroy();
  return last.readUInt16BE(2);
}
const close = async (client) => {
  client.socket.close();
  await until("it is closed", async () => client.closed);
};
const frame = (client, fits) => until("the frame", async (note) => note(client.frames).find(fits), { within: 10_000 });
const isSnapshot = ({ alarm }) => alarm !== undefined;
const isBead = (type, bead) => ({ channel, ...frame }) => channel === "bead" && frame.type === type && frame.beadId === bead;

describe("a connection on a town's status", () => {
  test("gets the status first, then what happens, and answers ping", async () => {
    const client = await connect();
    assert.ok(client.isOpen);
    const first = await frame(client, isSnapshot);
    assert.equal(client.frames[0], first);
    assert.equal(first.townName, town.name);
    const { bead } = await on.sling(town.rigs.web, "seen as it happens");
    const created = await frame(client, isBead("bead.created", bead.bead_id));
    assert.deepEqual([created.title, created.rigId, created.status], ["seen as it happens", town.rigs.web, "open"]);
    await frame(client, (seen) => isSnapshot(seen) && seen.beads.open === 1);
    await on.rpc("RIG", town.rigs.web, "closeBead", bead.bead_id, "", context(token));
    await frame(client, isBead("bead.closed", bead.bead_id));
    client.socket.send("ping");
    await until("pong", async () => client.texts.includes("pong"));
    client.socket.send("anything else");
    client.socket.send(new Uint8Array(8));
    await on.rpc("TOWN", town.id, "broadcastUiAction", { type: "navigate", page: "beads" }, context(token));
    const { action } = await frame(client, ({ channel }) => channel === "ui_action");
    assert.deepEqual(action, { type: "navigate", page: "beads" });
    client.socket.send("x".repeat(2_000));
    await until("it is sent away", async () => client.closed?.code === 1009);
  });

  test("is opened by a browser with its token among the protocols, on any isolate", async () => {
    const client = await connect({ protocols: ["gastown-status", `bearer.${token}`], isolate: 1 });
    assert.ok(client.isOpen);
    assert.equal(client.socket.protocol, "gastown-status");
    await frame(client, isSnapshot);
    await close(client);
  });

  test("is refused before the upgrade with a wrong token, town or origin", async () => {
    for (const options of [
      { headers: {} },
      { jwt: "garbage" },
      { jwt: tokens.user("stranger") },
      { jwt: tokens.user("owner", { iat: seconds() - 7_200, exp: seconds() - 3_600 }) },
      { headers: { authorization: `Bearer ${token}`, origin: "https://evil.example" } },
      { protocols: ["gastown-status", "bearer.garbage"] },
      { at: "00000000-0000-4000-8000-000000000000" },
    ]) {
      assert.equal((await connect(options)).isOpen, false, JSON.stringify(options));
    }
    const plain = (query) => on.http("GET", `/api/towns/${town.id}/status/ws${query}`, query ? {} : { token });
    assert.deepEqual([(await plain("")).status, (await plain(`?token=${token}`)).status], [426, 401]);
  });

  test("is closed when its token has ended", async () => {
    const exp = seconds() + 3;
    assert.equal(await closeCode(tokens.user("owner", { exp })), 4001);
    assert.ok(Date.now() >= exp * 1_000, "not before");
  });

  test("outlives the town's time in memory: it answers, and hears what happens", async () => {
    const own = await on.createFleetTown(["quiet"]);
    const client = await connect({ at: own.id });
    await frame(client, isSnapshot);
    const before = await on.harness("/__made", { name: own.id });
    await sleep(HIBERNATES_MS);
    client.socket.send("ping");
    await until("pong", async () => client.texts.includes("pong"));
    assert.equal(await on.harness("/__made", { name: own.id }), before, "a ping does not wake the town");
    const { bead } = await on.sling(own.rigs.quiet, "after the pause");
    await frame(client, isBead("bead.created", bead.bead_id));
    assert.ok((await on.harness("/__made", { name: own.id })) > before, "the town had left memory");
    await close(client);
  });

  test("is one of fifty at most; one that is closed makes room", async () => {
    const own = await on.createFleetTown([]);
    const clients = [];
    for (let batch = 0; batch < 6; batch++) clients.push(...(await Promise.all(Array.from({ length: 10 }, () => connect({ at: own.id })))));
    assert.equal(clients.filter(({ isOpen }) => isOpen).length, 50);
    await close(clients.find(({ isOpen }) => isOpen));
    await until("there is room", async () => (await connect({ at: own.id })).isOpen);
    await Promise.all(clients.filter(({ isOpen, closed }) => isOpen && !closed).map(close));
  });
});
