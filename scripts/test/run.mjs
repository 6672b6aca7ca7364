// Owns: running parts: lanes side by side, one after the other in a lane, whole outputs, and the time that each took.
// Does not: know what any part does (parts.mjs).

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duration, Failure, say } from "../lib/project.mjs";

const TELL_EVERY_MS = 30_000;

/**
 * @typedef {ReturnType<typeof import("./parts.mjs").partsOf>[number]} Part
 * @typedef {{ name: string, milliseconds: number, code: number }} Time
 */

/**
 * Runs the parts and gives the names of those that failed. A failed part keeps only those from running that need it; an
 * interrupted one all.
 */
export async function runParts(/** @type {Part[]} */ parts) {
  const dir = mkdtempSync(join(tmpdir(), "gastown-test-"));
  const started = Date.now();
  /** @type {Time[]} */
  const times = [];
  /** @type {Set<string>} */
  const running = new Set();
  const heartbeat = setInterval(() => say(`still running: ${[...running].join(", ")} (${duration(Date.now() - started)})`), TELL_EVERY_MS);
  try {
    const sideBySide = parts.filter(({ lane }) => lane !== "workerd");
    const lanes = [...new Set(sideBySide.map(({ lane }) => lane))];
    await Promise.all(lanes.map(async (lane) => {
      for (const part of sideBySide.filter((each) => each.lane === lane)) await run(part, lanes.length > 1);
    }));
    for (const part of parts) if (!sideBySide.includes(part)) await run(part, false);
  } finally {
    clearInterval(heartbeat);
    rmSync(dir, { recursive: true, force: true });
  }
  if (!times.some(({ name }) => name === "workerd tests")) for (const line of table(times)) say(line); // else its reporter does
  return times.filter(({ code }) => code !== 0).map(({ name }) => name);

  /** Runs one part. Beside others its output waits until it is whole. */
  async function run(/** @type {Part} */ part, /** @type {boolean} */ held) {
    const { name, needs = [] } = part;
    const missing = times.find((time) => needs.includes(time.name) && time.code !== 0);
    if (missing) {
      say(`${name}: not run, as ${missing.name} failed`);
      times.push({ name, milliseconds: 0, code: 1 });
      return;
    }
    say(`${name} …`);
    running.add(name);
    const begun = Date.now();
    const file = join(dir, name);
    const fd = held ? openSync(file, "w") : undefined;
    const code = await part.run(["ignore", fd ?? "inherit", fd ?? "inherit"], times);
    running.delete(name);
    if (fd !== undefined) {
      closeSync(fd);
      process.stdout.write(readFileSync(file));
    }
    if (typeof code === "string") throw new Failure(`${name} ended by ${code}`);
    times.push({ name, milliseconds: Date.now() - begun, code });
    say(`${name}: ${code === 0 ? "passed" : "FAILED"} after ${duration(Date.now() - begun)}`);
  }
}

/** How long the parts took, as lines. */
export function table(/** @type {Time[]} */ times) {
  return ["time  part", ...times.map(({ name, milliseconds, code }) => `${duration(milliseconds).padStart(12)}  ${name}${code === 0 ? "" : " (failed)"}`)];
}
