// Owns: a town's feed as an event stream, as a program reads it that loses its connection, or the whole server.
// Does not: test what is in which entry (tests/it/town/activity.rs).

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openSse } from "./lib/sse.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, UNDEFINED, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

const token = tokens.user("owner");
let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ town;
before(async () => {
  server = await startWorkerd({ isolates: 2 });
  on = world(server);
  town = await on.createFleetTown(["web", "api"]);
});
after(() => server.stop());

const path = (query = "") => `/api/towns/${town.id}/feed${query}`;
const follow = (last, { isolate = 0, ...more } = {}) =>
  openSse(server.urls[isolate] + path(), { headers: { accept: "text/event-stream", authorization: `Bearer ${token}`, ...(last && { "last-event-id": last }) }, ...more });
/** Events up to the first that fits, past comments. */
async function upTo(stream, fits) {
  const seen = [];
  for (;;) {
    const event = await stream.take();
    assert.ok(event, "the stream goes on");
    if (!event.data) continue;
    seen.push({ id: event.id, kind: event.event, ...JSON.parse(event.data) });
    if (fits(seen.at(-1))) return seen;
  }
}
const page = async (query) => on.rest("GET", path(query), { token });

describe("the feed as an event stream", () => {
  test("tells at once what happens in any rig and in the town", async () => {
    const stream = await follow();
    assert.equal(stream.headers.get("cache-control"), "no-cache");
    const [first] = await upTo(stream, () => true);
    assert.deepEqual([first.kind, first.source], ["town_created", "town"]);
    const { bead } = await on.sling(town.rigs.web, "followed");
    const seen = await upTo(stream, ({ kind, subject }) => kind === "hooked" && subject === bead.bead_id);
    assert.equal(seen.at(-1).source, town.rigs.web);
    const began = Date.now();
    await on.sling(town.rigs.api, "and here");
    await upTo(stream, ({ kind, source }) => kind === "hooked" && source === town.rigs.api);
    assert.ok(Date.now() - began < 3_000, "within the pace");
    await stream.close();
  });

  test("goes on behind any event after kill -9, on another isolate, with nothing twice", async () => {
    const stream = await follow();
    await on.sling(town.rigs.web, "before");
    const seen = await upTo(stream, ({ kind, number, source }) => kind === "hooked" && source === town.rigs.web && number > 2);
    await on.sling(town.rigs.api, "nobody was told of this");
    await server.restart();
    const all = (await page("?cursor=start&limit=200")).entries;
    for (const from of [seen[0], seen.at(-1)]) {
      const back = await follow(from.id, { isolate: 1 });
      const at = all.findIndex(({ source, number }) => source === from.source && number === from.number);
      const rest = await upTo(back, ({ source, number }) => source === all.at(-1).source && number === all.at(-1).number);
      assert.deepEqual(rest.map(({ source, number }) => [source, number]), all.slice(at + 1).map(({ source, number }) => [source, number]));
      await back.quiet(1_500);
      await back.close();
    }
  });

  test("is refused to who may not see the town, before it begins", async () => {
    const ask = async (headers) => (await on.http("GET", path(), { headers: { accept: "text/event-stream", ...headers } })).status;
    assert.equal(await ask({}), 401);
    assert.equal(await ask({ authorization: `Bearer ${tokens.user("stranger")}` }), 403);
    assert.equal(await ask({ authorization: `Bearer ${token}`, origin: "https://evil.example" }), 403);
    assert.equal(await ask({ authorization: `Bearer ${token}`, "last-event-id": "garbage" }), 400);
  });

  test("is one page for who wants no stream, and by RPC", async () => {
    const { entries, cursor, coverage } = await page("?limit=3");
    assert.equal(entries.length, 3);
    assert.deepEqual([coverage.asked, coverage.answered], [2, 2]);
    assert.deepEqual((await page(`?cursor=${cursor}`)).entries, []);
    const { ok } = await on.rpc("TOWN", town.id, "getActivity", UNDEFINED, context(token));
    assert.equal(ok.cursor, cursor);
  });
});
