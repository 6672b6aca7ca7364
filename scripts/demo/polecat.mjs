// Owns: a polecat of the demo: an MCP client that edits, commits and pushes for real. Only its thinking is scripted: the bead says what to write.
// Does not: touch anything outside its worktree. The runner starts it, once for each order.

import { existsSync, readdirSync, readFileSync, writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { change, here, live, look, me, say, think } from "./agent.mjs";
import { succeeds } from "./git.mjs";
import { scriptOf } from "./plan.mjs";

const inTree = (/** @type {string[]} */ ...parts) => join(me.worktree, ...parts);
const SETTINGS = "settings.txt";

await live(async () => {
  const prime = await look("gt_prime");
  const bead = prime.hooked_bead ?? prime.bead;
  if (!bead) throw new Error("gt_prime names no bead");
  const rework = isRework(bead);
  say(`works on "${me.title}"${me.attempt > 1 ? `, attempt ${me.attempt}` : ""}`);
  await change("gt_status", { message: `Working on ${me.branch}`.slice(0, 280) });
  await think();
  if (rework) await repair();
  else await write(scriptOf(JSON.stringify(bead)) ?? { key: me.bead });
  await steps();
  await submit();
});

function isRework(/** @type {{ labels?: string[] }} */ { labels = [] }) {
  return labels.some((label) => label.includes("gt:rework"));
}

/** The bead's own file, and what goes wrong with it. */
async function write(/** @type {{ key?: string, do?: string, limit?: string }} */ { key, do: wrong, limit }) {
  const file = `changes/${key}.md`;
  const returned = existsSync(inTree(file));
  if (!returned) {
    // As if it had begun before anybody else: what it changes is as old as the project.
    if (wrong === "limit") await here("reset", "--quiet", "--hard", "seed");
    mkdirSync(inTree("changes"), { recursive: true });
    writeFileSync(inTree(file), `# ${me.title}\n\nBead ${me.bead}, by ${me.name}.\n${wrong === "todo" ? "TODO: say why\n" : ""}`);
    if (limit) writeFileSync(inTree(SETTINGS), settings().replace(/limit = \d+/, `limit = ${limit}`));
    await here("add", "--all");
    await here("commit", "--quiet", "--message", `${me.title}\n\nBead: ${me.bead}`);
    say(`committed ${file}`);
  }
  await think();
  if (me.attempt === 1 && wrong === "crash") {
    say("crashes, as the demo's plan has it");
    process.exit(1);
  }
  if (me.attempt === 1 && wrong === "stall") {
    say("hangs from now on, as the demo's plan has it");
    await new Promise((resolve) => setInterval(resolve, 2 ** 30).ref() && undefined);
  }
  if (returned) await catchUp();
}

/** Merges what has happened in the target since, and settles the line that both changed. */
async function catchUp() {
  await here("fetch", "--quiet", "origin");
  if (await succeeds(me.worktree, "merge", "--quiet", "--no-edit", `origin/${me.base}`)) return;
  const conflicting = (await here("diff", "--name-only", "--diff-filter=U")).split("\n").filter(Boolean);
  say(`resolves a conflict in ${conflicting.join(", ")}`);
  if (conflicting.length !== 1 || conflicting[0] !== SETTINGS) throw new Error(`it does not know how to resolve ${conflicting.join(", ")}`);
  const wanted = [...settings().matchAll(/limit = (\d+)/g)].map(([, number]) => Number(number));
  writeFileSync(inTree(SETTINGS), settings().replace(/<{7}[^]*>{7}[^\n]*\n/, `limit = ${Math.max(...wanted)}\n`));
  await here("add", SETTINGS);
  await here("commit", "--quiet", "--message", `Merge ${me.base}\n\nBead: ${me.bead}`);
}

/** What the refinery asked for. */
async function repair() {
  const files = readdirSync(inTree("changes")).filter((name) => readFileSync(inTree("changes", name), "utf8").includes("TODO"));
  for (const name of files) {
    const text = readFileSync(inTree("changes", name), "utf8");
    writeFileSync(inTree("changes", name), text.replace(/TODO.*/, "Why: the refinery asked."));
  }
  if (files.length === 0) return say("finds nothing left to change");
  await here("commit", "--quiet", "--all", "--message", `Settle what was left open\n\nBead: ${me.bead}`);
  say(`changed ${files.join(", ")}`);
}

/** Reports on the steps of the bead's formula, if it has any. */
async function steps() {
  for (let done = 0; done < 20; done++) {
    const molecule = await look("gt_mol_current").catch(() => null);
    if (!molecule?.step?.gate) return;
    await change("gt_mol_advance", { summary: "Done by the demo's script." });
  }
}

async function submit() {
  await here("push", "--quiet", "--force-with-lease", "origin", `HEAD:refs/heads/${me.branch}`);
  await here("fetch", "--quiet", "origin");
  const base = await here("merge-base", `origin/${me.base}`, "HEAD");
  await change("gt_checkpoint", { data: { branch: me.branch, commit: await here("rev-parse", "HEAD") } });
  await change("gt_done", { branch: me.branch, summary: `${me.title}: written down`, base_commit: base });
  say(`submitted ${me.branch}`);
}

function settings() {
  return readFileSync(inTree(SETTINGS), "utf8");
}
