// Owns: what Node's test runner prints: its own "spec" report, with a table of times before the closing count.
// Does not: measure anything but the files.

import { basename } from "node:path";
import { Readable } from "node:stream";
import { spec as Spec } from "node:test/reporters";
import { table } from "./run.mjs";

/** Files that are told by name. */
const SLOWEST = 8;

/** @typedef {import("node:test/reporters").TestEvent} TestEvent */

/** The report of these events. */
export default async function* report(/** @type {AsyncIterable<TestEvent>} */ source) {
  yield* Readable.from(withTimes(source)).compose(new Spec());
}

async function* withTimes(/** @type {AsyncIterable<TestEvent>} */ source) {
  const started = Date.now();
  /** @type {Map<string, number>} */
  const files = new Map();
  let told = false;
  for await (const event of source) {
    if (event.type === "test:summary" && event.data.file !== undefined) files.set(event.data.file, event.data.duration_ms);
    // The count begins with a remark that belongs to no file.
    if (!told && event.type === "test:diagnostic" && event.data.nesting === 0 && event.data.file === undefined && /^tests \d/.test(event.data.message)) {
      told = true;
      for (const message of lines(Date.now() - started, files)) yield { type: "test:diagnostic", data: { ...event.data, message } };
    }
    yield event;
  }
}

function lines(/** @type {number} */ milliseconds, /** @type {Map<string, number>} */ files) {
  /** @type {import("./run.mjs").Time[]} */
  const before = JSON.parse(process.env.GASTOWN_TEST_TIMES ?? "[]");
  const slowest = [...files].sort(([, a], [, b]) => b - a).slice(0, SLOWEST);
  return table([...before, { name: "workerd tests, of which", milliseconds, code: 0 }, ...slowest.map(([file, duration]) => ({ name: `  ${basename(file)}`, milliseconds: duration, code: 0 }))]);
}
