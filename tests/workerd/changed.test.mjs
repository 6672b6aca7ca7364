// Owns: what `npm test -- --changed` runs for a change.
// Does not: ask git.

import assert from "node:assert/strict";
import { basename } from "node:path";
import { test } from "node:test";
import { planOf } from "../../scripts/test/changed.mjs";
import { neededBuilds, testFiles } from "../../scripts/test/workerd.mjs";

const all = testFiles();
const plan = (...changed) => {
  const { checks, files } = planOf(changed);
  return { checks: [...checks].sort(), files: files.map((file) => basename(file, ".test.mjs")).sort() };
};

test("a core breaks anything, and so does a file that no rule knows", () => {
  for (const file of ["src/objects/rig/assignment/sling.rs", "src/shell/entry.rs", "Cargo.lock", "a-new-folder/of-something.xyz"]) {
    assert.deepEqual(planOf([file]).checks, new Set(["js", "rust", "host"]), file);
    assert.equal(planOf([file]).files.length, all.length, file);
  }
});

test("a document breaks what reads documents", () => {
  assert.deepEqual(plan("README.md"), { checks: ["host"], files: [] });
});

test("a host test breaks itself", () => {
  assert.deepEqual(plan("tests/it/store.rs"), { checks: ["host", "rust"], files: [] });
});

test("a test on workerd breaks itself, what it is made of those that import it", () => {
  assert.deepEqual(plan("tests/workerd/hang.test.mjs"), { checks: ["js"], files: ["hang"] });
  assert.deepEqual(plan("tests/workerd/lib/issuer.mjs"), { checks: ["js"], files: ["oauth"] });
  const importers = plan("tests/workerd/lib/world.mjs").files;
  assert.ok(importers.includes("rest") && importers.includes("start") && !importers.includes("size"), importers.join());
});

test("a script breaks the tests that import it or run it through npm", () => {
  assert.deepEqual(plan("scripts/seed.mjs").files, ["start"]);
  assert.deepEqual(plan("scripts/demo/git.mjs").files, ["demo", "demo-crash"]);
  assert.deepEqual(plan("bench/run.mjs"), { checks: ["js"], files: [] });
});

test("the runner breaks what starts it", () => {
  const { checks, files } = plan("src/runner/main.rs");
  assert.deepEqual(checks, ["host", "rust"]);
  assert.ok(files.includes("demo") && !files.includes("rest"), files.join());
});

test("every file finds the builds that it needs", () => {
  const needed = (name) => [...neededBuilds(all.filter((file) => basename(file) === `${name}.test.mjs`))].sort();
  assert.deepEqual(needed("size"), ["release"]);
  assert.deepEqual(needed("rest"), ["dev"]);
  assert.deepEqual(needed("restart"), ["conformance"]);
  assert.deepEqual(needed("asking"), ["conformance", "dev"]);
  assert.deepEqual(needed("conformance"), ["conformance"]);
  assert.deepEqual(needed("start"), ["dev"]);
  assert.deepEqual(needed("changed"), []);
});
