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

export const SECRETS = { NEXTAUTH_SECRET: "the-nextauth-secret-of-the-tests", GASTOWN_JWT_SECRET: "the-gastown-secret-of-the-tests" };
const START_MS = 30_000;
const STOP_MS = 3_000;
/** Never good news, whichever test runs. */
const ALARMING = /uncaught|panicked|unreachable|code had hung|"incident"/i;

/**
 * Starts workerd with the harness around the Worker. `stop` it in `after`. By itself workerd fetches nothing from this
 * machine; with `loopback` the Worker reaches servers that the test runs.
 */
export async function startWorkerd({ vars = {}, loopback = false } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "gastown-workerd-"));
  mkdirSync(join(dir, "state"));
  await bundle(dir);
  writeFileSync(join(dir, "config.capnp"), configuration({ ALLOWED_ORIGINS: "https://allowed.example", ...SECRETS, ...vars }, join(dir, "state"), loopback));
  const server = new Workerd(dir);
  await server.start();
  return server;
}

class Workerd {
  #dir;
  #child;
  #ended;
  #forgiven = [];
  log = "";
  url = "";

  constructor(dir) {
    this.#dir = dir;
  }

  async start() {
    const started = Date.now();
    const child = spawn(inRoot("node_modules", ".bin", "workerd"), ["serve", "config.capnp", "--control-fd=3"], {
      cwd: this.#dir,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    this.#child = child;
    this.#ended = once(child, "exit");
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (this.log += chunk));
    let control = "";
    child.stdio[3].on("data", (chunk) => (control += chunk));
    while (!/"event":"listen".*\n/.test(control)) {
      assert.ok(child.exitCode === null && Date.now() - started < START_MS, `workerd did not start:\n${this.log}`);
      await sleep(10);
    }
    this.url = `http://127.0.0.1:${/"port":(\d+)/.exec(control)[1]}`;
  }

  /** The process is gone at once, in the middle of whatever it does. */
  async kill9() {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** Ends the process (at once, unless it ended before) and starts it on the same state; the port is another one. */
  async restart() {
    await this.kill9();
    await this.start();
  }

  /** Log lines that match are expected by the test. */
  forgive(pattern) {
    this.#forgiven.push(pattern);
  }

  /** Ends the process and removes its state; fails when the log has anything alarming in it. */
  async stop() {
    this.#child.kill("SIGTERM");
    await Promise.race([this.#ended, sleep(STOP_MS, null, { ref: false })]);
    await this.kill9();
    rmSync(this.#dir, { recursive: true, force: true });
    const bad = this.log.split("\n").filter((line) => ALARMING.test(line) && !this.#forgiven.some((pattern) => pattern.test(line)));
    assert.deepEqual(bad.slice(0, 20), [], "workerd's log");
  }
}

/** The harness and the Worker as one module; the wasm stays a file of its own. */
async function bundle(dir) {
  await build({
    entryPoints: [inRoot("tests", "workerd", "harness.mjs")],
    outfile: join(dir, "worker.js"),
    bundle: true,
    format: "esm",
    target: "esnext",
    external: ["cloudflare:*", "*.wasm"],
    logLevel: "warning",
  });
  copyFileSync(built().wasm, join(dir, "index_bg.wasm"));
}

function configuration(vars, state, loopback) {
  const { compatibilityDate, compatibilityFlags, objects } = deployment();
  const text = JSON.stringify; // Cap'n Proto's strings have the same escapes for what we write
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .main), (name = "state", disk = (path = ${text(state)}, writable = true)),
    (name = "loopback", network = (allow = ["private"])) ],
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (), service = "main") ],
);
const main :Workerd.Worker = (
  modules = [
    (name = "worker", esModule = embed "worker.js"),
    (name = "./index_bg.wasm", wasm = embed "index_bg.wasm"),
  ],
  compatibilityDate = ${text(compatibilityDate)},
  compatibilityFlags = [${compatibilityFlags.map((flag) => text(flag)).join(", ")}],
  bindings = [
${objects.map(({ binding, className }) => `    (name = ${text(binding)}, durableObjectNamespace = ${text(className)}),`).join("\n")}
${Object.entries(vars).map(([name, value]) => `    (name = ${text(name)}, text = ${text(value)}),`).join("\n")}
  ],
  durableObjectNamespaces = [
${objects.map(({ className }) => `    (className = ${text(className)}, uniqueKey = ${text(className)}, enableSql = true),`).join("\n")}
  ],
  durableObjectStorage = (localDisk = "state"),
${loopback ? '  globalOutbound = "loopback",\n' : ""});
`;
}
