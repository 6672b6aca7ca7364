// Owns: where things are, and what wrangler.toml says about the Worker that is tested.
// Does not: start anything.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../../", import.meta.url));
export const inRoot = (/** @type {string[]} */ ...parts) => join(root, ...parts);

/** The parts of wrangler.toml that workerd must be told, so that what is tested is what is deployed. */
export function deployment() {
  const text = readFileSync(inRoot("wrangler.toml"), "utf8").replace(/^\s*#.*$/gm, "");
  const compatibilityDate = /^compatibility_date\s*=\s*"([^"]+)"/m.exec(text)?.[1];
  assert.ok(compatibilityDate, "wrangler.toml has a compatibility_date");
  const compatibilityFlags = [...(/^compatibility_flags\s*=\s*\[([^\]]*)\]/m.exec(text)?.[1] ?? "").matchAll(/"([^"]+)"/g)].map(([, flag]) => flag);
  const objects = [...text.matchAll(/\{\s*name\s*=\s*"(\w+)",\s*class_name\s*=\s*"(\w+)"\s*\}/g)].map(([, binding, className]) => ({ binding, className }));
  return { compatibilityDate, compatibilityFlags, objects };
}

/** The built Worker's files, of the product or of the build with these cargo features; says how to make them when they are missing. */
export function built(features = "") {
  const files = { js: inRoot("build", features, "index.js"), wasm: inRoot("build", features, "index_bg.wasm") };
  for (const file of Object.values(files)) {
    if (!existsSync(file)) throw new Error(`${file} is missing: run \`npm run build${features && ` -- --features ${features}`}\` first (npm test does)`);
  }
  return files;
}
