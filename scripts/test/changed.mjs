// Owns: what a change can break: from the files that differ to the parts and test files that see them.
// Does not: run anything but git.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { Failure, inRoot, root, say } from "../lib/project.mjs";
import { output } from "../lib/run.mjs";
import { testFiles } from "./workerd.mjs";

/** @typedef {"js" | "rust" | "host" | "importers" | "workerd"} Effect a check, the test files that import the file, or all of them */

/** The first that matches says what a file can break. Of a file that no line knows anything can. @type {[RegExp, Effect[]][]} */
const RULES = [
  [/^tests\/(workerd|conformance)\/.*\.mjs$|^(scripts|bench)\//, ["js", "importers"]],
  [/tsconfig\.json$|^\.oxlintrc\.json$/, ["js"]],
  [/\.md$/, ["host"]],
  [/^tests\/(it|proptest-regressions)\/|^tests\/simulate\.rs$/, ["rust", "host"]],
  [/^src\/runner\//, ["rust", "host", "importers"]],
  [/^(rustfmt|clippy)\.toml$/, ["rust"]],
  [/^(LICENSE|\.gitignore)$/, []],
];

/** What stands for files that are no modules: what builds and starts the runner. */
const STANDS_FOR = /** @type {[RegExp, string][]} */ ([[/^src\/runner\//, "scripts/lib/runner.mjs"]]);

/** The files that differ from a revision: by default where this branch left main. Paths from the root; not yet committed ones too. */
export function changedSince(/** @type {string | undefined} */ since) {
  const base = since ?? ["main", "origin/main"].map((branch) => output("git", ["merge-base", "HEAD", branch])).find((found) => found !== null) ?? "HEAD";
  const differ = output("git", ["diff", "--name-only", base]);
  const untracked = output("git", ["ls-files", "--others", "--exclude-standard"]);
  if (differ === null || untracked === null) throw new Failure(`git does not tell what changed since ${base}: give a revision with --since, or leave it out`);
  const files = `${differ}\n${untracked}`.split("\n").filter(Boolean);
  say(`${files.length} files differ from ${base.slice(0, 12)}`);
  return files;
}

/**
 * What can break when these files change.
 * @param {string[]} changed paths from the root
 * @returns {import("./parts.mjs").Plan}
 */
export function planOf(changed) {
  /** @type {Set<"js" | "rust" | "host">} */
  const checks = new Set();
  /** @type {Set<string>} */
  const seen = new Set();
  let all = false;
  for (const file of changed) {
    for (const effect of RULES.find(([pattern]) => pattern.test(file))?.[1] ?? /** @type {Effect[]} */ (["js", "rust", "host", "workerd"])) {
      if (effect === "workerd") all = true;
      else if (effect === "importers") seen.add(STANDS_FOR.find(([pattern]) => pattern.test(file))?.[1] ?? file);
      else checks.add(effect);
    }
  }
  const files = testFiles().filter((file) => all || [...modulesOf(relative(root, file))].some((module) => seen.has(module)));
  return { checks, files };
}

/** A module and all that it imports or starts as an npm script, by paths from the root. */
function modulesOf(/** @type {string} */ file, /** @type {Set<string>} */ found = new Set()) {
  if (found.has(file) || !existsSync(inRoot(file))) return found;
  found.add(file);
  const text = readFileSync(inRoot(file), "utf8");
  for (const [, path] of text.matchAll(/(?:from|import)\s*\(?"(\.[^"]+\.mjs)"/g)) modulesOf(join(dirname(file), path), found);
  for (const [, name] of text.matchAll(/"npm", (?:"run", )?(?:"--silent", )?"([\w:-]+)"/g)) for (const script of scriptOf(name)) modulesOf(script, found);
  return found;
}

/** The file that an npm script runs. */
function scriptOf(/** @type {string} */ name) {
  /** @type {{ scripts: Record<string, string> }} */
  const { scripts } = JSON.parse(readFileSync(inRoot("package.json"), "utf8"));
  return [...(scripts[name] ?? "").matchAll(/scripts\/\S+\.mjs/g)].map(([path]) => path);
}
