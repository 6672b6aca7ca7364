// Owns: filling a rig's database file while the server is down, because fifty thousand calls would take minutes.
// Does not: touch any file but those of the server it is given.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The database of a rig below the server's state. */
function database(/** @type {string} */ state, /** @type {string} */ rig) {
  const folder = join(state, "RigDO");
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".sqlite"))) {
    const db = new DatabaseSync(join(folder, file));
    const known = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'rig'").get();
    if (known && db.prepare("SELECT rig_id FROM rig").get()?.rig_id === rig) return db;
    db.close();
  }
  assert.fail(`no database of rig ${rig}`);
}

/**
 * Adds beads that have ended, a tenth of them failed, and events about them, spread over the last four weeks.
 * @param {string} state
 * @param {string} rig
 * @param {{ beads: number, events: number }} counts
 */
export function fill(state, rig, { beads, events }) {
  const db = database(state, rig);
  const id = (/** @type {string} */ prefix) => `printf('${prefix}%07x-0000-4000-8000-%012x', n, n)`;
  const at = (/** @type {number} */ count) => `${Date.now() - 28 * 86_400_000} + n * ${Math.floor((28 * 86_400_000) / count)}`;
  const numbers = (/** @type {number} */ count) => `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})`;
  db.exec("BEGIN");
  db.exec(`INSERT INTO beads (bead_id, type, status, title, body, rig_id, priority, labels, metadata, created_by, created_at, updated_at, closed_at, priority_rank, sequence)
    ${numbers(beads)} SELECT ${id("b")}, 'issue', iif(n % 10 = 0, 'failed', 'closed'), 'Filled bead ' || n, 'Some text about what was to be done, as people write it.',
      '${rig}', 'medium', '[]', '{"branch":"polecat/toast/b0000000"}', 'owner', ${at(beads)}, ${at(beads)}, ${at(beads)}, 1, -n FROM numbers`);
  db.exec(`INSERT INTO bead_events (bead_event_id, bead_id, agent_id, actor, event_type, old_value, new_value, metadata, created_at)
    ${numbers(events)} SELECT ${id("e")}, printf('b%07x-0000-4000-8000-%012x', 1 + n % ${beads}, 1 + n % ${beads}), NULL, 'owner', 'status_changed', 'open', 'closed', '{}', ${at(events)} FROM numbers`);
  db.exec("COMMIT");
  db.close();
}
