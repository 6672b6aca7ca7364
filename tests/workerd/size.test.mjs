// Owns: how large the Worker is that users deploy and isolates load.
// Does not: time anything (the benchmarks do).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { built } from "./lib/project.mjs";

/** The budget of today: raise it in the change that needs it, and say there what the bytes are for. */
const KIBIBYTES_MAX = 1_280;
/** What all that is planned may come to; two thirds of what the smallest plan of Cloudflare takes. */
const KIBIBYTES_IN_THE_END = 2_000;
const BYTES_MAX = KIBIBYTES_MAX * 1024;

test("wasm and JavaScript together, gzipped, stay within their budget", (t) => {
  assert.ok(KIBIBYTES_MAX <= KIBIBYTES_IN_THE_END, `no change may raise the budget over ${KIBIBYTES_IN_THE_END} KiB`);
  const { js, wasm } = built();
  const [jsBytes, wasmBytes] = [js, wasm].map((file) => gzipSync(readFileSync(file), { level: 9 }).length);
  t.diagnostic(`wasm ${(wasmBytes / 1024).toFixed(1)} KiB + JavaScript ${(jsBytes / 1024).toFixed(1)} KiB gzipped, of ${KIBIBYTES_MAX} KiB`);
  assert.ok(jsBytes + wasmBytes <= BYTES_MAX, `${jsBytes + wasmBytes} bytes, over ${BYTES_MAX}`);
});
