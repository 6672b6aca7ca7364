// Owns: the town overview as clients find and read it, and in a real browser behind the official host bridge, with what
// the running Worker answers.
// Does not: test how the tool counts.
// GASTOWN_SHOTS=DIR keeps the screenshots.

import { getToolUiResourceUri, RESOURCE_MIME_TYPE } from "@modelcontextprotocol/ext-apps/app-bridge";
import { build } from "esbuild";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, beforeEach, afterEach, describe, test } from "node:test";
import { noBrowser, startBrowser } from "./lib/browser.mjs";
import { connect, eras, initialize, legacy } from "./lib/mcp.mjs";
import { inRoot } from "./lib/project.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, UNDEFINED, until, world } from "./lib/world.mjs";

/**
 * @import { Connection } from "./lib/mcp.mjs"
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

const TOOL = "get_town_status";
const HOSTILE = "<img src=x onerror=\"document.title='hit'\"><b>bold</b>";
/** What a host applies to a view that asks for no domain (specification 2026-01-26, "Content Security Policy"). */
const POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; media-src 'self' data:; connect-src 'none'";
/** The extension's key in capabilities. */
const EXTENSION = "io.modelcontextprotocol/ui";

let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Connection} */ client, /** @type {Town} */ town, pages, /** @type {string} */ url, chromium, /** @type {string} */ html;

/** The view that a tool names, as a host reads it. */
async function readView({ client, tools }) {
  const uri = getToolUiResourceUri(tools.find(({ name }) => name === TOOL));
  const { contents } = await client.readResource({ uri });
  return { uri, contents };
}

describe("the town overview as it is served", () => {
  let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ town;
  before(async () => {
    server = await startWorkerd();
    on = world(server);
    town = await on.createFleetTown(["web"]);
  });
  after(() => server.stop());
  const paths = () => ["/mcp", "/mcp/readonly", `/towns/${town.id}/mcp`];
  const HOST = { extensions: { [EXTENSION]: { mimeTypes: [RESOURCE_MIME_TYPE] } } };

  for (const era of eras) {
    test(`the ${era} client finds it at the tool, and reads it on every door, with a policy that allows no domain`, async () => {
      for (const path of paths()) {
        const host = await connect(on, { era, token: tokens.user("owner"), path, capabilities: HOST });
        const { uri, contents: [view, ...more] } = await readView(host);
        assert.deepEqual([view.uri, view.mimeType, more], [uri, RESOURCE_MIME_TYPE, []]);
        assert.match(view.text, /^<!doctype html>/i);
        assert.deepEqual(view._meta.ui.csp, { connectDomains: [], resourceDomains: [], frameDomains: [], baseUriDomains: [] });
        assert.ok((await host.client.listResources()).resources.some((listed) => listed.uri === uri && listed.mimeType === RESOURCE_MIME_TYPE));
        await host.close();
      }
    });

    test(`the ${era} client gets the same answer as a text, whether or not it shows views`, async () => {
      const [host, plain] = await Promise.all([HOST, {}].map((capabilities) => connect(on, { era, token: tokens.user("owner"), path: paths()[2], capabilities })));
      // Extensions are a field of server capabilities in the modern revision only; hosts of the others look at the tool.
      const declared = host.client.getServerCapabilities().extensions?.[EXTENSION];
      assert.deepEqual(declared, era === "modern" ? { mimeTypes: [RESOURCE_MIME_TYPE] } : undefined);
      assert.deepEqual(host.tools, plain.tools);
      // `call` checks that the text says what the structure says.
      const [shown, told] = [await host.call(TOOL), await plain.call(TOOL)];
      assert.deepEqual(Object.keys(shown), Object.keys(told));
      await Promise.all([host.close(), plain.close()]);
    });
  }

  test("only this tool names a view, and revisions that know no _meta of tools are not told", async () => {
    for (const [version, expected] of Object.entries({ "2025-11-25": [TOOL], "2025-06-18": [TOOL], "2025-03-26": [], "2024-11-05": [] })) {
      const { session } = await initialize(on, { token: tokens.user("owner"), version });
      const { json } = await on.http("POST", "/mcp", { token: tokens.user("owner"), ...legacy("tools/list", {}, { session, version }) });
      assert.deepEqual(json.result.tools.filter(({ _meta }) => _meta?.ui).map(({ name }) => name), expected, version);
    }
  });
});

/** Per test: the page, what it asked of the network, what it complained about, and which tools the view called. */
let page, view, requested, complaints, called;

describe("the town overview in Chromium", { skip: noBrowser }, () => {
  before(async () => {
    server = await startWorkerd();
    on = world(server);
    town = await on.createFleetTown(["web", "mute"]);
    const body = { town_id: town.id, name: HOSTILE, git_url: "https://git.example/hostile.git" };
    await on.rest("POST", "/api/users/owner/rigs", { token: tokens.user("owner"), body });
    client = await connect(on, { era: "modern", token: tokens.user("owner") });
    html = (await readView(client)).contents[0].text;
    for (const rig of ["web", "web", "web", HOSTILE]) await client.call("sling", { town: town.id, rig, title: "work" });
    const [bead] = (await client.call("list_beads", { town: town.id, rig: "web" })).beads;
    const lost = await on.rpc("RIG", town.rigs.web, "updateBeadStatus", bead.id, "failed", "", UNDEFINED, context(tokens.user("owner")));
    assert.ok(lost.ok, lost.error);
    // "mute" has nothing to do, so it never reports.
    await until("two rigs have reported, one of them the failure", async (note) => {
      const status = note(await client.call(TOOL, { town: town.id }));
      return status.coverage.answered === 2 && status.beads.failed === 1;
    });
    const host = (await build({ entryPoints: [inRoot("tests", "workerd", "lib", "apps-host.mjs")], bundle: true, format: "esm", write: false })).outputFiles[0].text;
    pages = createServer((request, response) => {
      const [type, body] = request.url === "/host.js" ? ["text/javascript", host] : ["text/html", '<!doctype html><meta charset="utf-8"><title>host</title><link rel="icon" href="data:,"><script type="module" src="/host.js"></script><body style="margin:0">'];
      response.writeHead(200, { "content-type": type }).end(body);
    }).listen(0, "127.0.0.1");
    await once(pages, "listening");
    url = `http://127.0.0.1:${pages.address().port}/`;
    chromium = await startBrowser();
  });
  after(async () => {
    await chromium?.stop();
    pages?.close();
    await server?.stop();
  });

  beforeEach(async () => {
    [requested, complaints, called] = [[], [], []];
    page = await chromium.browser.newPage({ viewport: { width: 720, height: 640 } });
    await page.route("**", (route) => {
      const asked = route.request().url();
      requested.push(asked);
      return asked.startsWith(url) ? route.continue() : route.abort();
    });
    page.setDefaultTimeout(10_000);
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
    await page.exposeFunction("callTool", (params) => {
      called.push(params);
      return client.client.callTool(params);
    });
    await page.goto(url);
    await page.waitForFunction(() => "host" in window);
  });
  afterEach(async () => {
    // Nothing was asked of the network but the host's own page; the policy had nothing to block; no script failed.
    assert.deepEqual([requested, complaints], [[url, `${url}host.js`], []]);
    await page.close();
  });

  /** Shows the view to a host of this context; `view` is then its frame. */
  async function show(hostContext = { theme: "light" }, more = {}) {
    const policed = html.replace('<meta charset="utf-8">', (first) => `${first}<meta http-equiv="Content-Security-Policy" content="${POLICY}">`);
    await page.evaluate((given) => /** @type {any} */ (window).host.show(given), { html: policed, hostContext, ...more });
    view = page.frameLocator("iframe");
  }
  const send = (method, params) => page.evaluate(([method, params]) => /** @type {any} */ (window).host.bridge[method](params), [method, params]);
  const textOf = (selector) => view.locator(selector).innerText();
  const seen = () => page.evaluate(() => /** @type {any} */ (window).host.seen);
  /** What a definition list shows, as an object. */
  const tiles = (selector) => view.locator(selector).evaluate((list) => Object.fromEntries([...list.children].map((tile) => [...tile.children].map((part) => part.textContent))));
  /** The rows of the table, by the text of their heads. */
  const rows = () => view.locator("tbody").evaluate((body) => Object.fromEntries([...body.rows].map(({ cells: [head, ...rest] }) => [head.textContent, rest.map((cell) => cell.textContent)])));
  const answer = (args = { town: town.id }) => client.client.callTool({ name: TOOL, arguments: args });
  const shot = async (name) => process.env.GASTOWN_SHOTS && page.screenshot({ path: join(process.env.GASTOWN_SHOTS, `${name}.png`), fullPage: true });

  /** The view with the Worker's answer in it. */
  async function showTown(hostContext, more) {
    const result = await answer();
    await show(hostContext, more);
    await send("sendToolInput", { arguments: { town: town.id } });
    await send("sendToolResult", result);
    await view.getByRole("heading", { name: town.name }).waitFor();
    return result.structuredContent;
  }

  test("shakes hands, and shows what the Worker answered", async () => {
    const status = await showTown();
    assert.deepEqual([(await seen()).initialized, (await seen()).app.name], [1, "gastown-town-overview"]);
    assert.equal(await view.getByRole("status").innerText(), status.summary);
    const atLeast = (value) => `≥ ${value}`;
    const { agents, beads } = status;
    assert.deepEqual(await tiles("#agents"), {
      Working: atLeast(agents.working), Waiting: atLeast(agents.waiting), Idle: atLeast(agents.idle),
      Stalled: atLeast(agents.stalled), Dead: atLeast(agents.dead), "All agents": atLeast(agents.total),
    });
    assert.deepEqual(await tiles("#beads"), {
      Open: atLeast(beads.open), "In progress": atLeast(beads.in_progress), "In review": atLeast(beads.in_review),
      Queued: atLeast(status.queue_depth), "Failed, not done": "≥ 1",
    });
    const web = status.rigs.find(({ name }) => name === "web");
    const shown = (await rows()).web;
    assert.deepEqual(shown.slice(0, 6), [web.agents, web.hooked, web.open, web.failed, web.queue_depth, web.capacity].map(String));
    assert.match(shown[6], /^\d+ s ago$/);
    assert.ok(web.agents >= 1 && web.failed === 1, JSON.stringify(web));
    assert.match(await textOf("#mayor"), /^Mayor: \w+, unread messages: 0 · oldest report: \d+ s ago$/);
    await shot("light");
  });

  test("a rig that has not reported is named, and is no zero", async () => {
    const { coverage } = await showTown();
    assert.deepEqual(coverage.missing.map(({ id }) => id), [town.rigs.mute]);
    const [{ id, name, reason }] = coverage.missing;
    assert.deepEqual((await rows())[name || id], [reason]);
  });

  test("totals that nobody reported are unknown", async () => {
    const result = await answer();
    const { coverage } = result.structuredContent;
    await show();
    await send("sendToolResult", { ...result, structuredContent: { ...result.structuredContent, rigs: [], coverage: { ...coverage, asked: 1, answered: 0 } } });
    await view.getByRole("table").waitFor();
    for (const list of ["#agents", "#beads"]) assert.deepEqual(new Set(Object.values(await tiles(list))), new Set(["unknown"]));
  });

  test("hostile text stays text", async () => {
    const status = await showTown();
    assert.ok(status.rigs.some(({ name }) => name === HOSTILE));
    await send("sendToolResult", await forged({ name: `«${HOSTILE}»`, summary: `«${HOSTILE}»`, mayor: { status: HOSTILE, queued_messages: HOSTILE } }));
    await view.getByRole("heading", { name: HOSTILE }).waitFor();
    assert.equal(await textOf("#summary"), HOSTILE);
    assert.ok(HOSTILE in (await rows()));
    await send("sendToolResult", { isError: true, content: [{ type: "text", text: HOSTILE }] });
    await view.getByRole("alert").waitFor();
    assert.equal(await textOf("#trouble"), HOSTILE);
    assert.deepEqual([await view.locator("img, b").count(), await view.locator("html").evaluate(() => document.title)], [0, "Town overview"]);
  });

  test("a host that hands on the text only is enough", async () => {
    const { content } = await answer();
    await show();
    await send("sendToolResult", { content });
    await view.getByRole("heading", { name: town.name }).waitFor();
  });

  test("follows the host's theme and its colours, at once and when they change", async () => {
    const background = () => view.locator("html").evaluate((html) => getComputedStyle(html).backgroundColor);
    await showTown({ theme: "dark" });
    assert.equal(await background(), "rgb(28, 28, 26)");
    await shot("dark");
    await send("setHostContext", { theme: "light" });
    await until("the light theme is taken over", async (note) => note(await background()) === "rgb(255, 255, 255)");
    await send("setHostContext", { theme: "light", styles: { variables: { "--color-background-primary": "rgb(1, 2, 3)" } } });
    await until("the host's colour is taken over", async (note) => note(await background()) === "rgb(1, 2, 3)");
  });

  test("Refresh, by keyboard, calls the tool with the same arguments and shows the new answer", async () => {
    const before = await showTown();
    await client.call("sling", { town: town.id, rig: "web", title: "one more" });
    await until("the town knows of it", async () => (await answer()).structuredContent.agents.total > before.agents.total || (await answer()).structuredContent.summary !== before.summary);
    await view.getByRole("button", { name: "Refresh" }).press("Enter");
    await until("the new summary is shown", async (note) => note(await textOf("#summary")) !== before.summary);
    assert.deepEqual(called.map(({ name, arguments: args }) => [name, args]), [[TOOL, { town: town.id }]]);
  });

  test("a refused refresh says so and leaves what was known", async () => {
    await showTown();
    await send("sendToolInput", { arguments: { town: randomUUID() } });
    await view.getByRole("button", { name: "Refresh" }).click();
    await view.getByRole("alert").waitFor();
    assert.match(await textOf("#trouble"), /not found/i);
    assert.ok("web" in (await rows()));
  });

  test("without tools at the host there is no Refresh", async () => {
    await showTown({ theme: "light" }, { serverTools: false });
    assert.equal(await view.getByRole("button").count(), 0);
  });

  test("believes nobody but the window that embeds it", async () => {
    const { summary } = await showTown();
    const message = { jsonrpc: "2.0", method: "ui/notifications/tool-result", params: await forged({ summary: "forged" }) };
    await view.locator("html").evaluate((_, message) => window.postMessage(message, "*"), message);
    // A frame beside it, of the same host.
    await page.evaluate((message) => new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.srcdoc = `<script>parent.frames[0].postMessage(${JSON.stringify(message).replaceAll("<", "\\u003c")}, "*"); parent.postMessage("sent", "*")</script>`;
      window.addEventListener("message", ({ data }) => data === "sent" && (frame.remove(), resolve(undefined)));
      document.body.append(frame);
    }), message);
    // What the bridge sends afterwards is handled after it.
    await send("sendToolCancelled", { reason: "to be sure" });
    await view.getByRole("alert").waitFor();
    assert.equal(await textOf("#summary"), summary);
  });

  test("tells its size, answers ping and teardown, and refuses what it does not know", async () => {
    await showTown();
    const height = await view.locator("html").evaluate((html) => Math.ceil(html.getBoundingClientRect().height));
    await until("the host knows the height", async (note) => note((await seen()).sizes.at(-1))?.height === height);
    const ask = (method) => page.evaluate((method) => new Promise((resolve) => {
      const take = ({ data }) => data.id === "raw" && (window.removeEventListener("message", take), resolve(data));
      window.addEventListener("message", take);
      document.querySelector("iframe").contentWindow.postMessage({ jsonrpc: "2.0", id: "raw", method }, "*");
    }), method);
    assert.deepEqual(await ask("ping"), { jsonrpc: "2.0", id: "raw", result: {} });
    assert.equal((await ask("tools/list")).error.code, -32601);
    assert.deepEqual(await send("teardownResource", {}), {});
  });

  test("can be used without seeing it: names, heads and regions", async () => {
    await showTown();
    const table = view.getByRole("table", { name: "Rigs" });
    assert.equal(await table.getByRole("columnheader").count(), 8);
    assert.equal(await table.getByRole("rowheader").count(), 3);
    assert.equal(await view.getByRole("main").count(), 1);
    await view.getByRole("region", { name: "Rigs" }).focus();
    await page.setViewportSize({ width: 320, height: 640 });
    assert.ok(await view.locator("html").evaluate((html) => html.scrollWidth <= html.clientWidth), "the page itself does not scroll sideways");
    await until("the frame has its height", async () => (await seen()).sizes.at(-1).width === 320);
    await shot("narrow");
  });
});

/** The Worker's answer with some of it replaced. */
async function forged(more) {
  const result = await client.client.callTool({ name: TOOL, arguments: { town: town.id } });
  return { content: result.content, structuredContent: { ...result.structuredContent, ...more } };
}
