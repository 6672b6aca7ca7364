//! Counts that cost the same in a rig of ten beads and of fifty thousand: beads per status, waiting beads per priority.
//!
//! Owns the two tally tables. Triggers keep them, so no statement that changes a bead can forget to.

use crate::contract::shapes::{BeadCounts, BeadStatus, Priority, Quality, QualityCounts};
use crate::objects::handler::Cx;
use crate::objects::store::sql::{execute, query, scalar};
use base::error::Fault;

/// Work that may be given out, as a condition on the row named: the condition of the index `beads_ready`.
macro_rules! ready {
    ($row:literal) => {
        concat!(
            $row,
            "type = 'issue' AND ",
            $row,
            "status = 'open' AND ",
            $row,
            "assignee_agent_id IS NULL AND ",
            $row,
            "blockers_open = 0 AND ",
            $row,
            "held = 0"
        )
    };
}
pub(super) use ready;

/// Creates the tallies; part of the first migration.
pub const CREATE_STATUS_TALLY: &str = "-- status_tally
CREATE TABLE status_tally (
  status TEXT PRIMARY KEY,
  beads INTEGER NOT NULL                    -- how many have it
) STRICT, WITHOUT ROWID";

/// See `CREATE_STATUS_TALLY`.
pub const CREATE_QUEUE_TALLY: &str = "-- queue_tally
CREATE TABLE queue_tally (
  priority_rank INTEGER PRIMARY KEY,
  waiting INTEGER NOT NULL                  -- how many are ready and wait
) STRICT";

/// See `CREATE_STATUS_TALLY`.
pub const CREATE_TALLY_INSERT: &str = concat!(
    "-- tally_insert
CREATE TRIGGER tally_insert AFTER INSERT ON beads BEGIN
  INSERT INTO status_tally (status, beads) VALUES (new.status, 1) ON CONFLICT (status) DO UPDATE SET beads = beads + 1;
  INSERT INTO queue_tally (priority_rank, waiting) SELECT new.priority_rank, 1 WHERE ",
    ready!("new."),
    " ON CONFLICT (priority_rank) DO UPDATE SET waiting = waiting + 1;
END"
);

/// See `CREATE_STATUS_TALLY`.
pub const CREATE_TALLY_DELETE: &str = concat!(
    "-- tally_delete
CREATE TRIGGER tally_delete AFTER DELETE ON beads BEGIN
  UPDATE status_tally SET beads = beads - 1 WHERE status = old.status;
  UPDATE queue_tally SET waiting = waiting - 1 WHERE priority_rank = old.priority_rank AND ",
    ready!("old."),
    ";
END"
);

/// See `CREATE_STATUS_TALLY`.
pub const CREATE_TALLY_STATUS: &str = "-- tally_status
CREATE TRIGGER tally_status AFTER UPDATE OF status ON beads WHEN old.status <> new.status BEGIN
  UPDATE status_tally SET beads = beads - 1 WHERE status = old.status;
  INSERT INTO status_tally (status, beads) VALUES (new.status, 1) ON CONFLICT (status) DO UPDATE SET beads = beads + 1;
END";

/// See `CREATE_STATUS_TALLY`.
pub const CREATE_TALLY_QUEUE: &str = concat!(
    "-- tally_queue
CREATE TRIGGER tally_queue AFTER UPDATE OF type, status, assignee_agent_id, blockers_open, held, priority_rank ON beads BEGIN
  UPDATE queue_tally SET waiting = waiting - 1 WHERE priority_rank = old.priority_rank AND ",
    ready!("old."),
    ";
  INSERT INTO queue_tally (priority_rank, waiting) SELECT new.priority_rank, 1 WHERE ",
    ready!("new."),
    " ON CONFLICT (priority_rank) DO UPDATE SET waiting = waiting + 1;
END"
);

/// Unfinished beads per quality; part of the third migration.
pub const CREATE_QUALITY_TALLY: [&str; 4] = [
    "-- quality_tally
CREATE TABLE quality_tally (
  quality TEXT PRIMARY KEY,
  beads INTEGER NOT NULL                    -- how many are not finished
) STRICT, WITHOUT ROWID",
    "-- quality_tally_insert
CREATE TRIGGER quality_tally_insert AFTER INSERT ON beads WHEN new.quality IS NOT NULL AND new.status NOT IN ('closed', 'failed') BEGIN
  INSERT INTO quality_tally (quality, beads) VALUES (new.quality, 1) ON CONFLICT (quality) DO UPDATE SET beads = beads + 1;
END",
    "-- quality_tally_delete
CREATE TRIGGER quality_tally_delete AFTER DELETE ON beads WHEN old.quality IS NOT NULL AND old.status NOT IN ('closed', 'failed') BEGIN
  UPDATE quality_tally SET beads = beads - 1 WHERE quality = old.quality;
END",
    "-- quality_tally_update
CREATE TRIGGER quality_tally_update AFTER UPDATE OF status, quality ON beads WHEN old.quality IS NOT NULL OR new.quality IS NOT NULL BEGIN
  UPDATE quality_tally SET beads = beads - 1 WHERE quality = old.quality AND old.status NOT IN ('closed', 'failed');
  INSERT INTO quality_tally (quality, beads) SELECT new.quality, 1 WHERE new.quality IS NOT NULL AND new.status NOT IN ('closed', 'failed')
    ON CONFLICT (quality) DO UPDATE SET beads = beads + 1;
END",
];

/// How many beads are ready and wait for a polecat.
pub(super) fn queue_depth(cx: &Cx<'_>) -> Result<i64, Fault> {
    scalar(cx.sql, "-- tally_queue_depth\nSELECT coalesce(sum(waiting), 0) FROM queue_tally", ())
}

/// The place in the queue, the first being 1, of a waiting bead that came last of its priority.
pub(super) fn place_of_newest(cx: &Cx<'_>, priority: Priority) -> Result<i64, Fault> {
    scalar(cx.sql, "-- tally_place\nSELECT coalesce(sum(waiting), 0) FROM queue_tally WHERE priority_rank >= ?", (priority as i64,))
}

/// Unfinished beads per quality.
pub(super) fn qualities(cx: &Cx<'_>) -> Result<QualityCounts, Fault> {
    let tally: Vec<(Quality, i64)> = query(cx.sql, "-- tally_qualities\nSELECT quality, beads FROM quality_tally", ())?;
    let mut counts = QualityCounts::default();
    for (quality, beads) in tally {
        match quality {
            Quality::Basic => counts.basic = beads,
            Quality::Shiny => counts.shiny = beads,
            Quality::Chrome => counts.chrome = beads,
        }
    }
    Ok(counts)
}

/// Beads per status, as the contract's alarm status wants them.
pub(super) fn bead_counts(cx: &Cx<'_>) -> Result<BeadCounts, Fault> {
    let tally: Vec<(BeadStatus, i64)> = query(cx.sql, "-- tally_beads\nSELECT status, beads FROM status_tally", ())?;
    let mut counts = BeadCounts::default();
    for (status, beads) in tally {
        match status {
            BeadStatus::Open => counts.open = beads,
            BeadStatus::InProgress => counts.in_progress = beads,
            BeadStatus::InReview => counts.in_review = beads,
            BeadStatus::Failed => counts.failed = beads,
            // The contract counts what is left to do, and what went wrong.
            BeadStatus::Closed => {}
        }
    }
    Ok(counts)
}

/// Each counter table with the statement that recounts it.
const TRUTHS: [(&str, &str, &str); 3] = [
    ("status_tally", "SELECT status, beads FROM status_tally WHERE beads <> 0", "SELECT status, COUNT(*) FROM beads GROUP BY status"),
    (
        "queue_tally",
        "SELECT priority_rank, waiting FROM queue_tally WHERE waiting <> 0",
        concat!("SELECT priority_rank, COUNT(*) FROM beads WHERE ", ready!(""), " GROUP BY priority_rank"),
    ),
    (
        "quality_tally",
        "SELECT quality, beads FROM quality_tally WHERE beads <> 0",
        "SELECT quality, COUNT(*) FROM beads WHERE quality IS NOT NULL AND status NOT IN ('closed', 'failed') GROUP BY quality",
    ),
];

/// The counter tables that disagree with the beads.
pub(super) fn wrong(cx: &Cx<'_>) -> Result<Vec<String>, Fault> {
    let mut wrong = Vec::new();
    for (name, kept, truth) in TRUTHS {
        let differs: i64 = scalar(
            cx.sql,
            &format!(
                "-- tally_wrong\nSELECT EXISTS (SELECT * FROM ({kept}) EXCEPT SELECT * FROM ({truth})) OR EXISTS (SELECT * FROM ({truth}) EXCEPT SELECT * FROM ({kept}))"
            ),
            (),
        )?;
        if differs == 1 {
            wrong.push(name.to_owned());
        }
    }
    Ok(wrong)
}

/// Makes these tallies anew from the beads.
pub(super) fn rebuild(cx: &Cx<'_>, names: &[String]) -> Result<(), Fault> {
    for (name, _, truth) in TRUTHS.iter().filter(|(name, ..)| names.iter().any(|wrong| wrong == name)) {
        execute(cx.sql, &format!("-- tally_clear\nDELETE FROM {name}"), ())?;
        execute(cx.sql, &format!("-- tally_rebuild\nINSERT INTO {name} {truth}"), ())?;
    }
    Ok(())
}
