// Owns: how large the Worker is that users deploy and isolates load.
// Does not: time anything (the benchmarks do).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { built } from "./lib/project.mjs";

// Under half of what the smallest plan of Cloudflare takes; this is what must not grow unseen.
const BYTES_MAX = 1280 * 1024;

test("wasm and JavaScript together, gzipped, are at most 1280 KiB", (t) => {
  const { js, wasm } = built({ profile: "release" });
  const [jsBytes, wasmBytes] = [js, wasm].map((file) => gzipSync(readFileSync(file), { level: 9 }).length);
  t.diagnostic(`wasm ${(wasmBytes / 1024).toFixed(1)} KiB + JavaScript ${(jsBytes / 1024).toFixed(1)} KiB gzipped`);
  assert.ok(jsBytes + wasmBytes <= BYTES_MAX, `${jsBytes + wasmBytes} bytes, over ${BYTES_MAX}`);
});
