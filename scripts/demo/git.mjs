// Owns: running git as a child process, with nothing of this machine's configuration that could decide something.
// Does not: know any repository of the demo.

import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** Worktrees of one repository share its references: somebody else may hold a lock for a moment. */
const TRIES = 8;
const LOCKED = /\.lock'|cannot lock ref|Unable to create|failed to update ref/;

/** The trimmed stdout of a git command in a folder. Fails with git's words in `stderr` and its exit code in `code`. */
export async function git(/** @type {string} */ cwd, /** @type {string[]} */ ...args) {
  for (let tries = 1; ; tries++) {
    const { code, out, err } = await run(cwd, args);
    if (code === 0) return out.trim();
    if (tries === TRIES || !LOCKED.test(err)) {
      throw Object.assign(new Error(`git ${args.join(" ")}: ${err.trim() || out.trim() || `exit code ${code}`}`), { code, stderr: err, stdout: out });
    }
    await sleep(100 * tries);
  }
}

/** Whether a git command succeeds. */
export const succeeds = (/** @type {string} */ cwd, /** @type {string[]} */ ...args) => git(cwd, ...args).then(() => true, () => false);

/** @returns {Promise<{ code: number | null, out: string, err: string }>} */
function run(/** @type {string} */ cwd, /** @type {string[]} */ args) {
  return new Promise((resolve, reject) => {
    const child = spawn("git", args, {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", GIT_EDITOR: "true", LC_ALL: "C" },
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (err += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, out, err }));
  });
}
