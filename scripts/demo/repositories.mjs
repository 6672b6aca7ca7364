// Owns: the demo's repositories: bare ones in a folder of its own, each with a small project, and reading what became of them.
// Does not: merge or push anything after the seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { git } from "./git.mjs";

/** Where work waits when the project is seeded; polecats and the check refer to it. */
export const SEED_TAG = "seed";

const FILES = (/** @type {string} */ name) => ({
  "README.md": `# ${name}\n\nA project of the Gastown demo. What was done is in changes/, one file for each bead.\n`,
  "settings.txt": "# One line that two beads change.\nlimit = 10\n",
  "changes/000-seed.md": "# The beginning\n",
  // The gate that the refinery runs on what it has merged.
  "check.mjs": `// Every change says why, and nothing is left open or half merged.
import { readdirSync, readFileSync } from "node:fs";

const files = [...readdirSync("changes").map((name) => \`changes/\${name}\`), "settings.txt"];
const complaints = files.flatMap((file) => {
  const text = readFileSync(file, "utf8");
  return [[/TODO/, "has something left open"], [/^[<>=]{7}/m, "has a conflict in it"]].filter(([found]) => found.test(text)).map(([, what]) => \`\${file} \${what}\`);
});
if (!/^limit = \\d+$/m.test(readFileSync("settings.txt", "utf8"))) complaints.push("settings.txt has no limit");
if (complaints.length > 0) {
  console.error(complaints.join("\\n"));
  process.exit(1);
}
`,
});

/** @typedef {{ name: string, path: string, seed: string }} Repository `path` is the bare repository's, `seed` a commit */

/**
 * Makes a bare repository with the project on main.
 * @returns {Promise<Repository>}
 */
export async function makeRepository(/** @type {string} */ dir, /** @type {string} */ name) {
  const bare = join(dir, "repositories", `${name}.git`);
  const work = join(dir, "seeding", name);
  mkdirSync(bare, { recursive: true });
  mkdirSync(join(work, "changes"), { recursive: true });
  await git(bare, "init", "--quiet", "--bare", "--initial-branch=main");
  // Nothing is swept up while agents work.
  await git(bare, "config", "gc.auto", "0");
  await git(bare, "config", "receive.autogc", "false");
  await git(work, "init", "--quiet", "--initial-branch=main");
  for (const [file, text] of Object.entries(FILES(name))) writeFileSync(join(work, file), text);
  await git(work, "add", "--all");
  await git(work, "-c", "user.name=Gastown demo", "-c", "user.email=demo@gastown.invalid", "commit", "--quiet", "--message", "The project begins");
  await git(work, "tag", SEED_TAG);
  await git(work, "push", "--quiet", bare, "main", SEED_TAG);
  return { name, path: bare, seed: await git(bare, "rev-parse", SEED_TAG) };
}

/**
 * Merges by a refinery that are in a branch and not in the seed, along every line: [{commit, request, landing, beads}], with
 * the beads whose commits each brought. `landing` is true for those of a convoy's branch, which brings again what was merged there.
 */
export async function merges(/** @type {Repository} */ { path, seed }, /** @type {string} */ branch) {
  const found = await git(path, "log", "--merges", "--format=%H%x1f%B%x1e", branch, `^${seed}`);
  const all = found.split("\x1e").map((entry) => entry.trim()).filter(Boolean).map((entry) => {
    const [commit, message] = entry.split("\x1f");
    return { commit, request: /^Merge-Request: (\S+)$/m.exec(message)?.[1], landing: message.startsWith("Merge convoy/") };
  });
  const ours = all.flatMap(({ request, ...merge }) => (request ? [{ request, ...merge }] : [])); // the others are a polecat's, of the target into its branch
  return Promise.all(ours.map(async (merge) => ({ ...merge, beads: await beadsIn(path, `${merge.commit}^1..${merge.commit}`) })));
}

/** Beads that commits of a range name in their trailers. */
async function beadsIn(/** @type {string} */ path, /** @type {string} */ range) {
  const trailers = await git(path, "log", "--format=%(trailers:key=Bead,valueonly)", range);
  return [...new Set(trailers.split("\n").map((line) => line.trim()).filter(Boolean))];
}

/** Whether a commit is in a branch. */
export const contains = (/** @type {Repository} */ { path }, /** @type {string} */ branch, /** @type {string} */ commit) => git(path, "merge-base", "--is-ancestor", commit, branch).then(() => true, () => false);

/** Names in changes/ as they are at a commit, without the seed's own. */
export async function changesAt(/** @type {Repository} */ { path }, /** @type {string} */ commit) {
  const names = await git(path, "ls-tree", "--name-only", commit, "changes/").catch(() => "");
  return names.split("\n").filter((name) => name && !name.endsWith("000-seed.md")).map((name) => name.slice("changes/".length, -".md".length));
}

/** A file as it is at a commit; null when it is not there. */
export const fileAt = (/** @type {Repository} */ { path }, /** @type {string} */ commit, /** @type {string} */ file) => git(path, "show", `${commit}:${file}`).catch(() => null);
