// Owns: `npm run check:rust`: format, lints and documentation of every Rust package, for the host and for the Worker.
// Does not: hold a rule: rustfmt.toml, clippy.toml and the lints in Cargo.toml do.

import { readOptions } from "../lib/options.mjs";
import { isMain, oldestRust, root, runScript, say } from "../lib/project.mjs";
import { output, runToEnd } from "../lib/run.mjs";

const HELP = `
Usage: npm run check:rust -- [format|lints|docs]…

Checks that rustfmt changes nothing, and that clippy and rustdoc have nothing to say. Without names, all three.`;

/** The target whose code no host build sees: the Worker's. */
const WASM = ["--target", "wasm32-unknown-unknown"];
const DOCS = ["doc", "--quiet", "--no-deps", "--document-private-items"];

/**
 * What each check runs, one after the other. A newer compiler knows lints that this code has not seen, so warnings are errors
 * with the Rust that Cargo.toml names and only speak with others.
 * @type {Record<string, { needs: string, runs: string[][] }>}
 */
const CHECKS = {
  format: { needs: "fmt", runs: [["fmt", "--all", "--check"]] },
  lints: { needs: "clippy", runs: [["clippy", "--quiet", "--workspace", "--all-targets", "--all-features"], ["clippy", "--quiet", "--package", "gastown-mcp-shell", "--all-features", ...WASM]] },
  docs: { needs: "doc", runs: [[...DOCS, "--workspace"], [...DOCS, "--package", "gastown-mcp-shell", ...WASM]] },
};

export const rustChecks = Object.keys(CHECKS);

/** Runs one check. 0 when there is nothing, and when its tool is not installed, which is said. */
export async function checkRust(/** @type {string} */ name, /** @type {import("node:child_process").StdioOptions} */ stdio = ["ignore", "inherit", "inherit"]) {
  const check = CHECKS[name];
  if (!check) throw new TypeError(`no check ${name}`);
  const { needs, runs } = check;
  if (needs !== "doc" && output("cargo", [needs, "--version"]) === null) {
    say(`cargo ${needs} is not installed, so the ${name} is not checked (rustup component add ${needs === "fmt" ? "rustfmt" : needs})`);
    return 0;
  }
  const isNamed = (output("rustc", ["--version"]) ?? "").startsWith(`rustc ${oldestRust()}.`);
  if (!isNamed) say(`this is not Rust ${oldestRust()}, so warnings of ${needs} are no errors`);
  const denied = isNamed ? "-D warnings" : "";
  for (const args of runs) {
    const env = { ...process.env, ...(needs === "doc" ? { RUSTDOCFLAGS: denied } : {}) };
    const flags = needs === "clippy" && isNamed ? ["--", "-D", "warnings"] : [];
    const code = await runToEnd("cargo", [...args, ...flags], { cwd: root, env, stdio });
    if (code !== 0) return code;
  }
  return 0;
}

if (isMain(import.meta)) {
  await runScript(async () => {
    const options = readOptions({}, HELP, { positionals: true });
    if (!options) return 0;
    const names = options.positionals.length > 0 ? options.positionals : rustChecks;
    let failed = 0;
    for (const name of names) if ((await checkRust(name)) !== 0) failed = 1;
    return failed;
  });
}
