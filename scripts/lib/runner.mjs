// Owns: building the runner's program and saying where it is.
// Does not: start it.

import { spawnSync } from "node:child_process";
import { Failure, root } from "./project.mjs";
import { step } from "./run.mjs";

/** Builds the program unless it is up to date (cargo knows); gives its path. */
export async function buildRunner() {
  const args = ["build", "--package", "gastown-runner", "--bin", "gastown-runner"];
  // Once without a word: when nothing has changed there is nothing to tell. It ends in a moment then.
  const found = executable(spawnSync("cargo", [...args, "--offline", "--message-format=json", "--quiet"], { cwd: root, encoding: "utf8", timeout: 2_000 }));
  if (found) return found;
  await step("Building the runner", "cargo", [...args, "--quiet"]);
  const built = executable(spawnSync("cargo", [...args, "--message-format=json", "--quiet"], { cwd: root, encoding: "utf8" }));
  if (!built) throw new Failure("cargo built the runner and does not say where it is");
  return built;
}

function executable(/** @type {{ status: number | null, stdout: string }} */ { status, stdout }) {
  if (status !== 0) return null;
  const artifacts = stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  return artifacts.find(({ executable: path, target }) => path && target?.name === "gastown-runner")?.executable ?? null;
}
