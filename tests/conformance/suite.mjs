// Owns: the official conformance suite against a server: which sets there are, running one, and judging what it found.
// Does not: build or start the server, or excuse anything but what warnings.json gives a reason for.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inRoot, innerEnv, npmTools } from "../../scripts/lib/project.mjs";
import { startWorkerd } from "../workerd/lib/workerd.mjs";

const SUITE = inRoot("node_modules", "@modelcontextprotocol", "conformance", "dist", "index.js");
const EXPECTED_FAILURES = inRoot("tests", "conformance", "expected-failures.yml");
const WARNINGS = inRoot("tests", "conformance", "warnings.json");
/** Longer than any scenario takes that comes to an end. */
const SCENARIO_MS = 30_000;
const OUTPUT_CHARS_MAX = 4_000;

/**
 * The sets, by name. A revision's are its requirements, scored or not; the skills' scenarios belong to no revision and
 * are run one by one.
 * @type {Record<string, string[][]>}
 */
export const SETS = {
  "2025-11-25": [["--requirements", "2025-11-25"]],
  "2026-07-28": [["--requirements", "2026-07-28"]],
  skills: ["enumeration", "manifest", "directory"].map((part) => ["--scenario", `sep-2640-skills-${part}`]),
};

/** Starts the build with the fixture that the suite asks for, without the tests' harness around it. */
export function startFixture(/** @type {{ port?: number, vars?: Record<string, string> }} */ { port = 0, vars = {} } = {}) {
  return startWorkerd({ features: "conformance", entry: "src/entry.mjs", port, vars: { LOOPBACK_ONLY: "true", ALLOWED_ORIGINS: "", ...vars } });
}

/**
 * Runs a set against a server and judges it. `url` is the MCP endpoint. Gives `report`, the text for a person, and
 * `failures`, one line for each thing that is wrong: none is a pass.
 */
export async function runSet(/** @type {string} */ name, /** @type {string} */ url) {
  const out = inRoot("out", "conformance", name);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  /** @type {string[]} */
  const ran = [];
  let printed = "";
  for (const selection of SETS[name]) {
    const { code, text } = await runSuite([...selection, "--url", url, "--output-dir", out, "--timeout", String(SCENARIO_MS), "--expected-failures", EXPECTED_FAILURES]);
    printed += text;
    const named = [...text.matchAll(/^=== Running scenario: (\S+) ===$/gm)].map(([, scenario]) => scenario);
    if (selection[0] === "--scenario") named.push(selection[1]);
    if (named.length === 0) return broken(name, `the suite ran no scenario (exit code ${code}):\n${text.slice(-OUTPUT_CHARS_MAX)}`);
    ran.push(...named);
  }
  const results = readResults(out);
  const known = JSON.parse(readFileSync(WARNINGS, "utf8"))[name];
  return judge(name, ran.map((scenario) => ({ scenario, checks: results.get(scenario), printed })), known);
}

/**
 * Its exit code says less than its files: it knows the scored scenarios only.
 * @returns {Promise<{ code: number | null, text: string }>}
 */
function runSuite(/** @type {string[]} */ args) {
  return new Promise((resolve, reject) => {
    const child = spawn(npmTools.node, [SUITE, "server", ...args], { env: innerEnv({ NO_COLOR: "1" }), stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, text }));
  });
}

/** @typedef {{ id: string, status: string, errorMessage?: string, description?: string }} Check */

/** Checks by scenario: the suite writes server-<scenario>-<time>/checks.json. */
function readResults(/** @type {string} */ out) {
  /** @type {Map<string, Check[]>} */
  const results = new Map();
  for (const folder of readdirSync(out)) {
    const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(folder)?.[1];
    const file = join(out, folder, "checks.json");
    if (scenario && existsSync(file)) results.set(scenario, JSON.parse(readFileSync(file, "utf8")));
  }
  return results;
}

/**
 * The verdict on a set. `known` maps `scenario:check-id` of a warning, or `scenario:skipped` of a scenario that checks
 * nothing, to the reason why it stands; one that no longer occurs is a failure too, so that the list stays true.
 * @param {string} name
 * @param {{ scenario: string, checks?: Check[], printed?: string }[]} results
 * @param {Record<string, string>} [known]
 */
export function judge(name, results, known) {
  /** @type {string[]} */
  const lines = [];
  /** @type {string[]} */
  const failures = [];
  const remarks = new Map();
  const count = { passed: 0, failed: 0, checksPassed: 0, checksFailed: 0, checksSkipped: 0 };
  for (const { scenario, checks, printed = "" } of results) {
    /** @type {Pick<Check, "id" | "errorMessage" | "description">[]} */
    const failed = checks ? checks.filter(({ status }) => status === "FAILURE") : [{ id: "no-result", errorMessage: why(scenario, printed) }];
    for (const { id, errorMessage, description } of failed) failures.push(`${scenario}:${id} — ${oneLine(errorMessage ?? description)}`);
    const passed = (checks ?? []).filter(({ status }) => status === "SUCCESS");
    // That what went over the wire is valid says nothing about the scenario.
    const own = (checks ?? []).filter(({ id }) => !id.startsWith("wire-schema-"));
    if (failed.length === 0 && own.every(({ status }) => status === "SKIPPED" || status === "INFO")) {
      remarks.set(`${scenario}:skipped`, own.map(({ errorMessage, description }) => errorMessage ?? description).join(" "));
    }
    for (const { id, errorMessage, description } of (checks ?? []).filter(({ status }) => status === "WARNING")) {
      remarks.set(`${scenario}:${id}`, errorMessage ?? description);
    }
    count[failed.length > 0 ? "failed" : "passed"] += 1;
    count.checksPassed += passed.length;
    count.checksFailed += failed.length;
    count.checksSkipped += (checks ?? []).filter(({ status }) => status === "SKIPPED").length;
  }
  for (const [key, text] of remarks) {
    const reason = known?.[key];
    lines.push(`  warning ${key} — ${oneLine(text)}${reason ? ` (stands: ${reason})` : ""}`);
    if (!reason) failures.push(`${key} — warning without a reason in warnings.json: ${oneLine(text)}`);
  }
  for (const key of Object.keys(known ?? {})) {
    if (!remarks.has(key)) failures.push(`${key} — is in warnings.json and no longer occurs: remove it there`);
  }
  const head = `${name}: scenarios ${count.passed} passed, ${count.failed} failed; checks ${count.checksPassed} passed, ${count.checksFailed} failed, ${count.checksSkipped} skipped; ${remarks.size} warnings`;
  return { ...count, failures, report: [head, ...lines, ...failures.map((failure) => `  FAILED  ${failure}`)].join("\n") };
}

const broken = (/** @type {string} */ name, /** @type {string} */ why) => ({ failures: [why], report: `${name}: ${why}` });

/** What the suite said about a scenario of which it wrote no result. */
function why(/** @type {string} */ scenario, /** @type {string} */ printed) {
  return new RegExp(`^Failed to run scenario ${scenario}:.*(?:\\n.*)?`, "m").exec(printed)?.[0] ?? `the suite wrote no result: ${printed.slice(-OUTPUT_CHARS_MAX)}`;
}

const oneLine = (text = "") => text.replaceAll(/\s+/g, " ").trim().slice(0, 600);
