// Owns: one `workerd serve` process with the Worker in it: its bundle, its configuration, its life, and what it logs.
// Does not: know any route of the Worker. Touches no process that it did not start.

import { build } from "esbuild";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { built, deployment, inRoot } from "./project.mjs";
import { takeViolations } from "./wire-fetch.mjs";

export const SECRETS = { NEXTAUTH_SECRET: "the-nextauth-secret-of-the-tests", GASTOWN_JWT_SECRET: "the-gastown-secret-of-the-tests" };
const START_MS = 30_000;
const STOP_MS = 3_000;
/** Never good news, whichever test runs. */
const ALARMING = /uncaught|panicked|unreachable|code had hung|"incident"/i;

/**
 * Starts workerd. `stop` it in `after`. Without options: the product with the harness around it, on a free port.
 * `features` names a build with cargo features; `entry` is the module around it, below the root of the checkout.
 * By itself workerd fetches nothing from this machine; with `loopback` the Worker reaches servers that the test runs.
 * `isolates: 2` runs the edge twice over the same objects; `urls` has an address for each, `url` is the first.
 * @param {{ vars?: Record<string, string>, features?: string, entry?: string, port?: number, isolates?: number, loopback?: boolean }} [options]
 */
export async function startWorkerd({ vars = {}, features = "", entry = "tests/workerd/harness.mjs", port = 0, isolates = 1, loopback = false } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "gastown-workerd-"));
  mkdirSync(join(dir, "state"));
  await bundle(dir, entry, built(features));
  const bindings = { ALLOWED_ORIGINS: "https://allowed.example", ...SECRETS, ...vars };
  writeFileSync(join(dir, "config.capnp"), configuration(bindings, join(dir, "state"), { port, isolates, loopback }));
  const server = new Workerd(dir, isolates);
  await server.start();
  return server;
}

/** @typedef {Workerd} Server */

class Workerd {
  #dir;
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #child;
  /** @type {Promise<unknown> | undefined} */
  #ended;
  /** @type {RegExp[]} */
  #forgiven = [];
  #isolates;
  log = "";
  /** @type {string[]} */
  urls = [];

  constructor(/** @type {string} */ dir, /** @type {number} */ isolates) {
    this.#dir = dir;
    this.#isolates = isolates;
  }

  get url() {
    return this.urls[0];
  }

  /** Where the objects' databases are. */
  get state() {
    return join(this.#dir, "state");
  }

  get pid() {
    return this.#child?.pid;
  }

  async start() {
    const started = Date.now();
    const child = spawn(inRoot("node_modules", ".bin", "workerd"), ["serve", "config.capnp", "--control-fd=3"], {
      cwd: this.#dir,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    this.#child = child;
    this.#ended = once(child, "exit");
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (this.log += chunk));
    let control = "";
    child.stdio[3]?.on("data", (chunk) => (control += chunk));
    const ports = () => [...control.matchAll(/"socket":"http(\d)".*?"port":(\d+).*\n/g)].sort().map(([, , port]) => port);
    while (ports().length < this.#isolates) {
      assert.ok(child.exitCode === null && Date.now() - started < START_MS, `workerd did not start:\n${this.log}`);
      await sleep(10);
    }
    this.urls = ports().map((port) => `http://127.0.0.1:${port}`);
  }

  /** The process is gone at once, in the middle of whatever it does. */
  async kill9() {
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  /** Ends the process (at once, unless it ended before) and starts it on the same state; the port is another one. */
  async restart() {
    await this.kill9();
    await this.start();
  }

  /** Log lines that match are expected by the test. */
  forgive(/** @type {RegExp} */ pattern) {
    this.#forgiven.push(pattern);
  }

  /** Ends the process and removes its state; fails when its log or the MCP messages that were seen have anything alarming in them. */
  async stop() {
    this.#child?.kill("SIGTERM");
    await Promise.race([this.#ended, sleep(STOP_MS, null, { ref: false })]);
    await this.kill9();
    rmSync(this.#dir, { recursive: true, force: true });
    const bad = this.log.split("\n").filter((line) => ALARMING.test(line) && !this.#forgiven.some((pattern) => pattern.test(line)));
    assert.deepEqual(bad.slice(0, 20), [], "workerd's log");
    assert.deepEqual(takeViolations(), [], "MCP messages on the wire");
  }
}

/** The entry and the Worker as one module; the wasm stays a file of its own. */
async function bundle(/** @type {string} */ dir, /** @type {string} */ entry, /** @type {{ js: string, wasm: string }} */ { js, wasm }) {
  await build({
    entryPoints: [inRoot(entry)],
    outfile: join(dir, "worker.js"),
    bundle: true,
    format: "esm",
    target: "esnext",
    external: ["cloudflare:*", "*.wasm"],
    logLevel: "warning",
    // src/entry.mjs names the product's build.
    plugins: [{ name: "build", setup: (bundler) => bundler.onResolve({ filter: /\/build\/index\.js$/ }, () => ({ path: js })) }],
  });
  copyFileSync(wasm, join(dir, "index_bg.wasm"));
}

/** The first isolate's Worker is "main", and has the objects; others only bind to them. */
function configuration(/** @type {Record<string, string>} */ vars, /** @type {string} */ state, /** @type {{ port: number, isolates: number, loopback: boolean }} */ { port, isolates, loopback }) {
  const { compatibilityDate, compatibilityFlags, objects } = deployment();
  const text = (/** @type {unknown} */ value) => JSON.stringify(value); // Cap'n Proto's strings have the same escapes for what we write
  const names = Array.from({ length: isolates }, (_, index) => (index === 0 ? "main" : `edge${index}`));
  const worker = (/** @type {string} */ name) => `const ${name} :Workerd.Worker = (
  modules = [
    (name = "worker", esModule = embed "worker.js"),
    (name = "./index_bg.wasm", wasm = embed "index_bg.wasm"),
  ],
  compatibilityDate = ${text(compatibilityDate)},
  compatibilityFlags = [${compatibilityFlags.map((flag) => text(flag)).join(", ")}],
  bindings = [
${objects.map(({ binding, className }) => `    (name = ${text(binding)}, durableObjectNamespace = (className = ${text(className)}, serviceName = "main")),`).join("\n")}
${Object.entries(vars).map(([name, value]) => `    (name = ${text(name)}, text = ${text(value)}),`).join("\n")}
  ],
${name === "main" ? `  durableObjectNamespaces = [
${objects.map(({ className }) => `    (className = ${text(className)}, uniqueKey = ${text(className)}, enableSql = true),`).join("\n")}
  ],
  durableObjectStorage = (localDisk = "state"),
` : ""}${loopback ? '  globalOutbound = "loopback",\n' : ""});
`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
${names.map((name) => `    (name = ${text(name)}, worker = .${name}),`).join("\n")}
    (name = "state", disk = (path = ${text(state)}, writable = true)),
    (name = "loopback", network = (allow = ["private"])),
  ],
  sockets = [
${names.map((name, index) => `    (name = "http${index}", address = "127.0.0.1:${index === 0 ? port : 0}", http = (), service = ${text(name)}),`).join("\n")}
  ],
);
${names.map(worker).join("")}`;
}
