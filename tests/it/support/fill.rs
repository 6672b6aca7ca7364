//! A rig filled by SQL, as large as a test wants it: what years of work would leave behind.
//!
//! Owns the shape of that work: nearly all of it is closed, some failed, some waits, and every tenth bead begins a chain.

use super::HostSql;
use base::time::Timestamp;
use gastown_mcp::contract::ids::{BeadId, RigId};
use gastown_mcp::objects::rig::messages::READ_KEPT_MILLIS;

/// Numbers from 1 to `count`, as the beginning of a statement.
fn numbers(count: i64) -> String {
    format!("WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})")
}

/// The id of the bead with this number.
pub fn bead_id(number: i64) -> BeadId {
    BeadId::parse(&format!("{number:08x}-0000-4000-8000-{number:012x}")).unwrap()
}

/// The same in SQL.
const BEAD_ID: &str = "printf('%08x-0000-4000-8000-%012x', n, n)";

/// Beads, a second apart, the newest at `at`; every tenth is a merge request. The newest 1,000 issues are open.
pub fn fill_beads(sql: &HostSql, rig: &RigId, count: i64, at: Timestamp) {
    let last = at.millis();
    sql.rows::<()>(&format!(
        "{} INSERT INTO beads (bead_id, type, status, title, rig_id, parent_bead_id, priority, labels, metadata, created_by, created_at,
           updated_at, closed_at, blockers_open, merge_commit, failure_reason, priority_rank, sequence, quality)
         SELECT {BEAD_ID}, iif(n % 10 = 0, 'merge_request', 'issue'),
           CASE WHEN n > {count} - 1000 THEN 'open' WHEN n % 50 = 1 THEN 'failed' ELSE 'closed' END,
           'task ' || n, '{rig}', NULL, 'medium', '[]', '{{}}', 'user-owner', {last} - ({count} - n) * 1000, {last} - ({count} - n) * 1000,
           {last}, iif(n > {count} - 1000 AND n % 10 > 1, 1, 0), NULL, NULL, 1, -{count} + n - 1, iif(n % 3 = 0, 'shiny', NULL)
         FROM numbers",
        numbers(count)
    ));
    sql.rows::<()>(&format!(
        "{} INSERT INTO bead_dependencies (bead_id, depends_on_bead_id, dependency_type)
         SELECT {BEAD_ID}, {}, 'blocks' FROM numbers WHERE n % 10 > 1",
        numbers(count),
        BEAD_ID.replace(", n", ", n - 1")
    ));
    sql.rows::<()>(&format!(
        "{} INSERT INTO merge_requests (bead_id, source_bead_id, branch, target_branch)
         SELECT {BEAD_ID}, {}, 'polecat/toast/' || n, 'main' FROM numbers WHERE n % 10 = 0",
        numbers(count),
        BEAD_ID.replace(", n", ", n - 1")
    ));
}

/// Events a millisecond apart, the oldest at `at`, ten of each bead in turn.
pub fn fill_events(sql: &HostSql, count: i64, at: Timestamp) {
    sql.rows::<()>(&format!(
        "{} INSERT INTO bead_events (bead_event_id, bead_id, agent_id, actor, event_type, old_value, new_value, metadata, created_at)
         SELECT {BEAD_ID}, {}, NULL, iif(n % 2 = 0, 'user-owner', NULL), 'status_changed', 'open', 'closed', '{{}}', {} + n FROM numbers",
        numbers(count),
        BEAD_ID.replace(", n", ", n / 10 + 1"),
        at.millis()
    ));
}

/// Messages to a polecat that is gone, all read at `at`; thirty days later they go.
pub fn fill_messages(sql: &HostSql, count: i64, at: Timestamp) {
    sql.rows::<()>(&format!(
        "{} INSERT INTO messages (id, channel, sender, recipient, subject, body, created_at, delivered_at, expires_at, sequence)
         SELECT {BEAD_ID}, 'mail', 'mayor', 'nobody', 's', 'b', {at}, {at}, {at} + {READ_KEPT_MILLIS}, n FROM numbers",
        numbers(count),
        at = at.millis()
    ));
}
