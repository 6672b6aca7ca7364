// Owns: that the built Worker is the product and nothing else.
// Does not: say what the product is (tests/it/tools.rs does).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { built, inRoot } from "./lib/project.mjs";

test("nothing of the conformance fixture is in the Worker that is deployed", () => {
  const wasm = readFileSync(built().wasm);
  const json = (...path) => JSON.parse(readFileSync(inRoot("tests", ...path), "utf8"));
  for (const name of json("snapshots", "tools", "coordinator", "index.json")) assert.ok(wasm.includes(name), `${name} is looked for in the right place`);
  for (const { name } of json("conformance", "fixture", "tools.json")) assert.ok(!wasm.includes(name), name);
});
