// Owns: what the demo says to people: its first lines, a line for each thing that happens, the summary.
// Does not: find out any of it.

/** The first lines. What is scripted is said before anything else. */
export function headline(/** @type {import("./plan.mjs").Plan} */ { seed, rigs, convoys, singles }, /** @type {number} */ polecats) {
  const all = [...singles, ...convoys.flatMap(({ tasks }) => tasks)];
  const count = (/** @type {string} */ wrong) => all.filter((task) => task.do === wrong).length;
  return [
    "Gastown demo. The agents' thinking is scripted: what each writes, and what goes wrong, is in the plan. No model runs.",
    "All else is real: the Worker, the orders, processes, MCP calls, heartbeats, git worktrees, commits, merges and conflicts.",
    `Plan (seed ${seed}): ${all.length} beads in ${rigs.length} rigs (${rigs.join(", ")}), ${convoys.filter(({ tasks }) => tasks.length > 0).length} convoys, ${polecats} polecats at a time in each rig.`,
    `To go wrong: ${count("crash")} crash, ${count("stall")} stalls, ${count("todo")} is sent back, ${count("limit")} change the same line.`,
    "",
  ];
}

/** A line of a runner, or null when it is not for people. */
export function describeLine(/** @type {import("./runners.mjs").Line} */ { event, rig, agent = "", stream, text }) {
  if (["taken", "completed", "token", "connected", "stopping", "stopped"].includes(event)) return null;
  if (event === "output") return `  ${rig.padEnd(7)} ${agent.padEnd(9)} ${stream === "stderr" ? "! " : ""}${text}`;
  return `  ${rig.padEnd(7)} runner    ${text}`;
}

/** A step of a bead, as the town has it. */
export const describeStep = (/** @type {import("./follow.mjs").Step} */ { title, status }) => `* ${title.replace(/^«(.*)»$/su, "$1")}: ${status}`;

/**
 * The account at the end.
 * @param {import("./run.mjs").Figures} figures
 * @param {string[]} findings
 */
export function summaryText(figures, findings) {
  /** @type {[string, string | number][]} */
  const rows = [
    ["seconds", figures.seconds],
    ["beads, all merged", figures.beads],
    ["convoys, all landed", figures.convoys],
    ["polecats", `${figures.polecats} in ${figures.polecat_processes} processes`],
    ["reviews", `${figures.refinery_processes} refinery processes`],
    ["merges", figures.merges],
    ["conflicts resolved", figures.conflicts],
    ["changes asked for", figures.rework],
    ["failures retried", figures.failures_retried],
    ["stalled, stopped by the watch", figures.stalls_stopped],
  ];
  const verdict = findings.length === 0 ? ["The repositories and the ledger agree: every bead is merged once, with its change, and nothing else is there."]
    : [`${findings.length} things do not agree:`, ...findings.map((finding) => `  ${finding}`)];
  return ["", ...rows.map(([name, value]) => `  ${name.padEnd(31)} ${value}`), "", ...verdict];
}
