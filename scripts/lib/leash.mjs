// Owns: ending a process group when the process that holds the other end of our stdin is gone, however it ended (kill -9 too).
// Does not: do anything else. Run as the group's leader: node leash.mjs SCRIPT [ARGUMENT…]

import { spawn } from "node:child_process";

const GRACE_MS = 3_000;

const child = spawn(process.execPath, process.argv.slice(2), { stdio: ["ignore", "inherit", "inherit"] });
child.once("exit", (code) => process.exit(code ?? 1));

// Whoever signals the group reaches the child as well, which decides how to end; we only follow it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});

process.stdin.once("close", () => {
  process.kill(-process.pid, "SIGTERM");
  setTimeout(() => process.kill(-process.pid, "SIGKILL"), GRACE_MS);
});
process.stdin.resume();
