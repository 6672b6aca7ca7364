// Owns: one run at a time, between processes, by a lock directory with a heartbeat.
// Does not: know what is protected.

import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure, say } from "./project.mjs";

const HEARTBEAT_MS = 2_000;
/** A holder that died without a word is recognised by its pid; this covers a pid that was reused or is on another host. */
const STALE_MS = 30_000;
const TELL_EVERY_MS = 10_000;

/**
 * Waits for the lock, runs the body with it, and gives it back.
 * @template T
 * @param {string} dir
 * @param {string} what
 * @param {() => Promise<T>} body
 */
export async function withLock(dir, what, body) {
  let told = 0;
  let release = take(dir);
  while (!release) {
    if (Date.now() - told > TELL_EVERY_MS) {
      told = Date.now();
      say(`waiting for another run that is busy with ${what} (pid ${holder(dir) ?? "unknown"})`);
    }
    await sleep(250);
    release = take(dir);
  }
  try {
    return await body();
  } finally {
    release();
  }
}

/**
 * Takes the lock or fails with the given line at once. Gives the function that releases it.
 * @param {string} dir
 * @param {(pid: number | null) => string} message
 */
export function lockOrFail(dir, message) {
  const release = take(dir);
  if (!release) throw new Failure(message(holder(dir)));
  return release;
}

function take(/** @type {string} */ dir) {
  mkdirSync(dirname(dir), { recursive: true });
  if (!make(dir)) {
    if (!isStale(dir)) return null;
    clearStale(dir);
    if (!make(dir)) return null;
  }
  writeFileSync(join(dir, "pid"), String(process.pid));
  const heartbeat = setInterval(() => touch(dir), HEARTBEAT_MS);
  heartbeat.unref();
  const release = () => {
    clearInterval(heartbeat);
    process.off("exit", release);
    if (holder(dir) === process.pid) rmSync(dir, { recursive: true, force: true });
  };
  process.on("exit", release); // also when a failure or a signal handler ends the process
  return release;
}

/** Atomic: of several processes exactly one succeeds. */
function make(/** @type {string} */ dir) {
  try {
    mkdirSync(dir);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw new Failure(`cannot create the lock ${dir}: ${error.message}`);
  }
}

function isStale(/** @type {string} */ dir) {
  const pid = holder(dir);
  // Without a pid yet, the holder is between its two writes: give it time.
  return age(dir) > STALE_MS || (pid !== null && !isAlive(pid));
}

/** Since the last heartbeat; 0 when it was released meanwhile. */
function age(/** @type {string} */ dir) {
  try {
    return Date.now() - statSync(dir).mtimeMs;
  } catch {
    return 0;
  }
}

/**
 * Removes a stale lock, one process at a time and after looking again: of two that found it stale, the slower must not
 * remove the lock that the quicker one took meanwhile.
 */
function clearStale(/** @type {string} */ dir) {
  const guard = `${dir}.clearing`;
  if (!make(guard)) {
    // Its holder needs a moment only; an older one is left from a crash.
    if (age(guard) > STALE_MS) rmSync(guard, { recursive: true, force: true });
    return;
  }
  if (isStale(dir)) rmSync(dir, { recursive: true, force: true });
  rmSync(guard, { recursive: true, force: true });
}

function holder(/** @type {string} */ dir) {
  try {
    return Number(readFileSync(join(dir, "pid"), "utf8")) || null;
  } catch {
    return null;
  }
}

function isAlive(/** @type {number} */ pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function touch(/** @type {string} */ dir) {
  try {
    const now = new Date();
    utimesSync(dir, now, now);
  } catch {
    // Gone: somebody cleared the cache. The work goes on; the next run installs again.
  }
}
