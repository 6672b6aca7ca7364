// Owns: `npm run check:dependencies`: licences, sources, doubled versions and unused dependencies of the Rust packages.
// Does not: hold a list: deny.toml does, and `workspace.metadata.cargo-machete` in Cargo.toml for dependencies that no source names.

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { readOptions } from "../lib/options.mjs";
import { Failure, inRoot, isMain, oldestRust, root, runScript } from "../lib/project.mjs";

const HELP = `
Usage: npm run check:dependencies

Checks the Rust packages against deny.toml: licences, sources, and packages in more than one version. Each dependency of a
manifest is named in its package's sources. Takes a second.`;

/** @typedef {{ id: string, name: string, version: string, rust_version: string | null, license: string | null, source: string | null, manifest_path: string, dependencies: Dependency[] }} Package */
/** @typedef {{ name: string, rename: string | null, kind: "dev" | "build" | null }} Dependency */
/** @typedef {{ packages: Package[], workspace_members: string[], resolve: { nodes: { id: string }[] }, metadata: { "cargo-machete"?: { ignored: string[] } } | null }} Metadata */
/** @typedef {{ workspace: { dependencies?: object } }} Manifest */
/** @typedef {{ graph: { targets: string[] }, licenses: { allow: string[] }, bans: { skip: { crate: string, reason: string }[] }, sources: { "allow-registry": string[] } }} Rules */

/**
 * Refuses dependencies that break a rule, one line each.
 * @throws {Failure}
 */
export async function checkDependencies() {
  const wrong = await problems();
  if (wrong.length > 0) throw new Failure(`dependencies:\n${wrong.join("\n")}`);
}

/** The rules that dependencies break. */
async function problems() {
  // Loaded here: this module is imported before npm has installed anything.
  const { parse } = await import("smol-toml");
  const manifest = parse(readFileSync(inRoot("Cargo.toml"), "utf8"));
  const rules = /** @type {Rules} */ (/** @type {unknown} */ (parse(readFileSync(inRoot("deny.toml"), "utf8"))));
  const graphs = rules.graph.targets.map((target) => metadata("--filter-platform", target));
  const [first] = graphs;
  if (!first) throw new Failure("deny.toml names no target");
  const ids = new Set(graphs.flatMap(({ resolve }) => resolve.nodes.map(({ id }) => id)));
  const packages = graphs.flatMap((graph) => graph.packages).filter(({ id }, index, all) => ids.has(id) && all.findIndex((other) => other.id === id) === index);
  const members = packages.filter(({ id }) => first.workspace_members.includes(id));
  return [
    ...licences(packages, rules.licenses.allow),
    ...sources(packages, rules.sources["allow-registry"]),
    ...versions(packages, rules.bans.skip),
    ...unused(members, first.metadata?.["cargo-machete"]?.ignored ?? []),
    ...notInherited(members, /** @type {Manifest} */ (/** @type {unknown} */ (manifest))),
    ...members.filter(({ rust_version }) => rust_version !== oldestRust()).map(({ name }) => `${name} names another rust-version than ${oldestRust()}`),
  ];
}

/** @returns {Metadata} */
function metadata(/** @type {string[]} */ ...args) {
  const options = { cwd: root, encoding: /** @type {const} */ ("utf8"), maxBuffer: 64 * 1024 * 1024 };
  const { status, stdout, stderr } = spawnSync("cargo", ["metadata", "--format-version", "1", "--locked", ...args], options);
  if (status !== 0) throw new Failure(`cargo metadata --locked fails: ${stderr || "cargo is not on the PATH"}`);
  return JSON.parse(stdout);
}

function licences(/** @type {Package[]} */ packages, /** @type {string[]} */ allow) {
  const wrong = packages.filter(({ license }) => !allows(license ?? "", allow)).map(({ name, version, license }) => `licence of ${name} ${version}: ${license ?? "none"}`);
  const idle = allow.filter((known) => !packages.some(({ license }) => words(license ?? "").includes(known)));
  return [...wrong, ...idle.map((known) => `deny.toml allows ${known}, which no dependency has`)];
}

/**
 * The parts of a licence expression; packages from before SPDX wrote a stroke for OR.
 * @returns {string[]}
 */
const words = (/** @type {string} */ expression) => expression.replaceAll("/", " OR ").match(/[()]|[^\s()]+/g) ?? [];

/** Whether an expression can be met by these licences: OR binds weakest, then AND. An exception with WITH only adds permissions. */
export function allows(/** @type {string} */ expression, /** @type {string[]} */ allow) {
  const rest = words(expression);
  /** @returns {boolean} */
  const any = () => {
    let met = all();
    while (rest[0] === "OR") {
      rest.shift();
      met = all() || met;
    }
    return met;
  };
  const all = () => {
    let met = one();
    while (rest[0] === "AND") {
      rest.shift();
      met = one() && met;
    }
    return met;
  };
  const one = () => {
    const word = rest.shift();
    if (word === "(") {
      const met = any();
      rest.shift();
      return met;
    }
    if (rest[0] === "WITH") rest.splice(0, 2);
    return word !== undefined && allow.includes(word);
  };
  return any() && rest.length === 0;
}

function sources(/** @type {Package[]} */ packages, /** @type {string[]} */ registries) {
  const known = registries.map((registry) => `registry+${registry}`);
  return packages.filter(({ source }) => source !== null && !known.includes(source)).map(({ name, source }) => `source of ${name}: ${source}`);
}

function versions(/** @type {Package[]} */ packages, /** @type {{ crate: string, reason: string }[]} */ skip) {
  const skipped = (/** @type {Package} */ { name, version }) => skip.find(({ crate }) => crate === `${name}@${version}`);
  const wrong = packages
    .filter((own) => !skipped(own) && packages.some((other) => other.name === own.name && other.id !== own.id && !skipped(other)))
    .map(({ name, version }) => `more than one version: ${name} ${version}`);
  const idle = skip.filter(({ crate }) => !packages.some((own) => skipped(own)?.crate === crate && packages.some((other) => other.name === own.name && other.id !== own.id)));
  return [...wrong, ...idle.map(({ crate }) => `deny.toml skips ${crate}, which is not there twice`)];
}

/** Dependencies that no source of their package names. What only tests name is a dev-dependency. */
function unused(/** @type {Package[]} */ members, /** @type {string[]} */ ignored) {
  const folders = members.map(({ manifest_path }) => dirname(manifest_path));
  const found = [];
  for (const { name: owner, manifest_path, dependencies } of members) {
    const folder = dirname(manifest_path);
    const files = rustFiles(folder, folders.filter((other) => other !== folder));
    const text = (/** @type {(path: string) => boolean} */ holds) => files.filter((path) => holds(relative(folder, path))).map((path) => readFileSync(path, "utf8").replaceAll(/^\s*\/\/.*$/gm, "")).join("\n");
    const isTest = (/** @type {string} */ path) => /(^|\/)(tests|benches)\//.test(path);
    const texts = { code: text((path) => !isTest(path)), all: text(() => true) };
    for (const { name, rename, kind } of dependencies) {
      const word = (rename ?? name).replaceAll("-", "_");
      const isNamed = new RegExp(`\\b${word}::|\\buse ${word}\\b|\\bextern crate ${word}\\b`).test(kind === "dev" ? texts.all : texts.code);
      if (!isNamed && !ignored.includes(name)) found.push(`${owner} does not use its ${kind ?? "normal"} dependency ${name}`);
    }
  }
  const needed = ignored.filter((name) => !members.some(({ dependencies }) => dependencies.some((dependency) => dependency.name === name)));
  return [...found, ...needed.map((name) => `cargo-machete ignores ${name}, which is no dependency`)];
}

/** @returns {string[]} */
function rustFiles(/** @type {string} */ folder, /** @type {string[]} */ others) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isFile()) return entry.name.endsWith(".rs") ? [path] : [];
    const isElsewhere = others.includes(path) || entry.name.startsWith(".") || ["target", "node_modules", "build", "out", "fuzz"].includes(entry.name);
    return isElsewhere || !entry.isDirectory() ? [] : rustFiles(path, others);
  });
}

/** Dependencies of the workspace that no package takes over. */
function notInherited(/** @type {Package[]} */ members, /** @type {Manifest} */ manifest) {
  const known = new Set(members.flatMap(({ dependencies }) => dependencies.map(({ name }) => name)));
  return Object.keys(manifest.workspace.dependencies ?? {}).filter((name) => !known.has(name)).map((name) => `no package takes ${name} from the workspace's dependencies`);
}

if (isMain(import.meta)) {
  await runScript(async () => {
    if (readOptions({}, HELP)) await checkDependencies();
  });
}
