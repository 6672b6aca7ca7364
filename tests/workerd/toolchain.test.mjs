// Which Rust builds this: any from the version that Cargo.toml names on, whoever installed it.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { inRoot, npmTools, oldestRust, root } from "../../scripts/lib/project.mjs";

// With one, rustup fetches what it names, or updates the toolchain to add a target, at the first `cargo` in the checkout.
test("no toolchain file sends rustup for a download", () => {
  for (const name of ["rust-toolchain.toml", "rust-toolchain"]) assert.equal(existsSync(inRoot(name)), false, name);
});

test("an older Rust is refused with the version that is wanted", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gastown-old-rust-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "rustc"), "#!/bin/sh\necho 'rustc 1.84.1 (old)'\n", { mode: 0o755 });
  const env = { ...process.env, PATH: folder + delimiter + (process.env.PATH ?? "") };
  const { status, stderr } = spawnSync(npmTools.node, ["scripts/setup.mjs"], { cwd: root, env, encoding: "utf8" });
  assert.equal(status, 1);
  assert.ok(stderr.includes(`Rust 1.84 is too old: this needs ${oldestRust()} or newer`), stderr);
});
