//! The tables of a town, and how they came to be.
//!
//! Owns the migrations. A released migration is never edited: a change is a new one at the end of the list.

use crate::objects::idempotency::{CREATE_IDEMPOTENCY, CREATE_IDEMPOTENCY_INDEX};
use crate::objects::listeners::{CREATE_LISTENERS, CREATE_LISTENERS_EXPIRY, CREATE_LISTENERS_SESSION};
use crate::objects::outbox::{CREATE_INBOX, CREATE_OUTBOX, CREATE_OUTBOX_INDEX};
use crate::objects::store::meta::CREATE_META;
use crate::objects::store::migrate::Migration;
use crate::objects::town::mayor::mail::CREATE_MESSAGE_TALLY;
use crate::objects::town::views::feed::CREATE_FEED;

/// Every version, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    &[
        CREATE_META,
        CREATE_OUTBOX,
        CREATE_OUTBOX_INDEX,
        CREATE_INBOX,
        CREATE_IDEMPOTENCY,
        CREATE_IDEMPOTENCY_INDEX,
        "-- town
CREATE TABLE town (
  one INTEGER PRIMARY KEY CHECK (one = 1),  -- there is one row
  town_id TEXT NOT NULL,
  identity TEXT,                            -- JSON TownIdentity; null until the owner is known
  config TEXT NOT NULL,                     -- JSON object: what differs from the defaults
  mayor_agent_id TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT",
        "-- rigs
CREATE TABLE rigs (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  git_url TEXT NOT NULL,
  default_branch TEXT NOT NULL,
  config TEXT NOT NULL,                     -- JSON RigOverrideConfig
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  summary TEXT,                             -- JSON RigSummary: what the rig last told; null: nothing yet
  sequence INTEGER NOT NULL                 -- order of arrival
) STRICT, WITHOUT ROWID",
        "-- convoys
CREATE TABLE convoys (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('active', 'landed')),
  staged INTEGER NOT NULL,                  -- 1: beads exist but are not given out
  created_by TEXT,
  created_at INTEGER NOT NULL,
  landed_at INTEGER,
  feature_branch TEXT,
  merge_mode TEXT NOT NULL,
  ready_to_land INTEGER NOT NULL DEFAULT 0, -- 1: every bead is done, the landing merge is missing
  sequence INTEGER NOT NULL                 -- order of arrival
) STRICT, WITHOUT ROWID",
        "-- convoys_status
CREATE INDEX convoys_status ON convoys (status, sequence)",
        "-- convoy_beads
CREATE TABLE convoy_beads (
  bead_id TEXT PRIMARY KEY,
  convoy_id TEXT NOT NULL,
  rig_id TEXT NOT NULL,
  position INTEGER NOT NULL,                -- order within the convoy
  title TEXT NOT NULL,
  body TEXT,
  metadata TEXT NOT NULL,                   -- JSON object
  mirror TEXT NOT NULL,                     -- JSON ConvoyBead: what the rig last told
  status TEXT NOT NULL                      -- of the mirror, for counting
) STRICT, WITHOUT ROWID",
        "-- convoy_beads_convoy
CREATE INDEX convoy_beads_convoy ON convoy_beads (convoy_id, position)",
        "-- convoy_edges
CREATE TABLE convoy_edges (
  convoy_id TEXT NOT NULL,
  bead_id TEXT NOT NULL,                    -- waits
  depends_on_bead_id TEXT NOT NULL,         -- for this one
  PRIMARY KEY (convoy_id, bead_id, depends_on_bead_id)
) STRICT, WITHOUT ROWID",
        "-- mayor_messages
CREATE TABLE mayor_messages (
  id TEXT PRIMARY KEY,
  sender TEXT NOT NULL,
  message TEXT NOT NULL,
  ui_context TEXT,
  status TEXT NOT NULL CHECK (status IN ('queued', 'delivered', 'read', 'answered')),
  created_at INTEGER NOT NULL,
  sequence INTEGER NOT NULL                 -- order of arrival
) STRICT, WITHOUT ROWID",
        "-- mayor_messages_status
CREATE INDEX mayor_messages_status ON mayor_messages (status, sequence)",
        CREATE_MESSAGE_TALLY[0],
        CREATE_MESSAGE_TALLY[1],
        CREATE_MESSAGE_TALLY[2],
        CREATE_MESSAGE_TALLY[3],
    ],
    &[
        CREATE_LISTENERS,
        CREATE_LISTENERS_SESSION,
        CREATE_LISTENERS_EXPIRY,
        "-- town_listened_until
ALTER TABLE town ADD COLUMN listened_until INTEGER NOT NULL DEFAULT 0",
        CREATE_FEED[0],
        CREATE_FEED[1],
    ],
    &[
        "-- town_parked: 1: no rig gives out work, on purpose
ALTER TABLE town ADD COLUMN parked INTEGER NOT NULL DEFAULT 0",
        "-- town_drain_nonce: of the drain under way
ALTER TABLE town ADD COLUMN drain_nonce TEXT",
        "-- town_drain_started_at
ALTER TABLE town ADD COLUMN drain_started_at INTEGER",
        "-- town_watched_until: somebody watches the status until then
ALTER TABLE town ADD COLUMN watched_until INTEGER NOT NULL DEFAULT 0",
        "-- town_closing: 1: the town is deleted once its rigs are
ALTER TABLE town ADD COLUMN closing INTEGER NOT NULL DEFAULT 0",
        "-- town_mayor_status
ALTER TABLE town ADD COLUMN mayor_status TEXT NOT NULL DEFAULT 'idle'",
        "-- town_mayor_active_at
ALTER TABLE town ADD COLUMN mayor_active_at INTEGER",
        "-- town_dashboard_context
ALTER TABLE town ADD COLUMN dashboard_context TEXT",
        "-- rigs_parked
ALTER TABLE rigs ADD COLUMN parked INTEGER NOT NULL DEFAULT 0",
        "-- rigs_integration: as configureRig told
ALTER TABLE rigs ADD COLUMN platform_integration_id TEXT",
        "-- rigs_frames_seen: newest event of the rig that watchers were shown
ALTER TABLE rigs ADD COLUMN frames_seen INTEGER NOT NULL DEFAULT 0",
        "-- feed_actor
CREATE INDEX feed_actor ON feed (actor, number) WHERE actor IS NOT NULL",
        "-- convoys_forced_at: closed by hand then, whatever had become of its beads
ALTER TABLE convoys ADD COLUMN forced_at INTEGER",
        "-- convoys_forced_by
ALTER TABLE convoys ADD COLUMN forced_by TEXT",
        "-- convoys_title
CREATE INDEX convoys_title ON convoys (title)",
        "-- convoy_beads_adopted: 1: the rig had the bead before the convoy
ALTER TABLE convoy_beads ADD COLUMN adopted INTEGER NOT NULL DEFAULT 0",
        "-- convoy_beads_details: JSON: what else the rig must know to make the bead
ALTER TABLE convoy_beads ADD COLUMN details TEXT NOT NULL DEFAULT '{}'",
        "-- convoy_edges_until
ALTER TABLE convoy_edges ADD COLUMN until TEXT NOT NULL DEFAULT 'closed' CHECK (until IN ('closed', 'merged'))",
        "-- convoy_edges_blocker
CREATE INDEX convoy_edges_blocker ON convoy_edges (depends_on_bead_id)",
        "-- convoy_landings
CREATE TABLE convoy_landings (
  convoy_id TEXT NOT NULL,
  rig_id TEXT NOT NULL,                     -- a landing merge per repository
  status TEXT NOT NULL CHECK (status IN ('waiting', 'in_review', 'merged', 'failed')),
  attempts INTEGER NOT NULL,
  merge_commit TEXT,
  is_empty INTEGER NOT NULL DEFAULT 0,      -- 1: the branch was at its base, nothing was merged
  failure TEXT,
  updated_at INTEGER NOT NULL,
  round INTEGER NOT NULL,                   -- which order this is; reports of earlier ones say nothing
  PRIMARY KEY (convoy_id, rig_id)
) STRICT, WITHOUT ROWID",
        "-- escalations
CREATE TABLE escalations (
  id TEXT PRIMARY KEY,
  source_rig_id TEXT NOT NULL,              -- empty when no rig is concerned
  source_agent_id TEXT,
  severity TEXT NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
  category TEXT,
  message TEXT NOT NULL,
  acknowledged INTEGER NOT NULL DEFAULT 0,
  re_escalation_count INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  acknowledged_at INTEGER,
  acknowledged_by TEXT,
  bead_id TEXT,                             -- in the rig: the escalation bead or the triage request
  next_at INTEGER,                          -- raised again then; null: never
  sequence INTEGER NOT NULL                 -- order of arrival
) STRICT, WITHOUT ROWID",
        "-- escalations_open
CREATE INDEX escalations_open ON escalations (acknowledged, sequence)",
        "-- escalations_sequence
CREATE INDEX escalations_sequence ON escalations (sequence)",
        "-- escalations_acknowledged
CREATE INDEX escalations_acknowledged ON escalations (acknowledged_at) WHERE acknowledged_at IS NOT NULL",
        "-- escalations_due
CREATE INDEX escalations_due ON escalations (next_at) WHERE next_at IS NOT NULL",
    ],
    &[
        "-- town_breaker_opened_at: no rig gives out work since then, because too much has failed; null: they do
ALTER TABLE town ADD COLUMN breaker_opened_at INTEGER",
        "-- town_breaker_counts_from: earlier failures do not count
ALTER TABLE town ADD COLUMN breaker_counts_from INTEGER NOT NULL DEFAULT 0",
        "-- town_breaker_escalation: what stands for it in the inbox
ALTER TABLE town ADD COLUMN breaker_escalation TEXT",
    ],
    &[
        "-- mayor_messages_delivered_at
ALTER TABLE mayor_messages ADD COLUMN delivered_at INTEGER",
        "-- mayor_messages_read_at
ALTER TABLE mayor_messages ADD COLUMN read_at INTEGER",
        "-- mayor_messages_answered_at
ALTER TABLE mayor_messages ADD COLUMN answered_at INTEGER",
        "-- mayor_messages_touched: number of the last thing that became of it; its sequence until it is read or answered
ALTER TABLE mayor_messages ADD COLUMN touched INTEGER NOT NULL DEFAULT 0",
        "-- mayor_messages_touch
UPDATE mayor_messages SET touched = sequence",
        "-- mayor_messages_touched_index
CREATE INDEX mayor_messages_touched ON mayor_messages (touched)",
        "-- mayor_messages_status_dropped
DROP INDEX mayor_messages_status",
        "-- mayor_messages_status
CREATE INDEX mayor_messages_status ON mayor_messages (status, touched)",
        "-- mayor_replies
CREATE TABLE mayor_replies (
  id TEXT PRIMARY KEY,
  message_id TEXT NOT NULL,
  author TEXT NOT NULL,                     -- agent id of the Mayor that wrote it
  text TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  sequence INTEGER NOT NULL                 -- in one order with the messages
) STRICT, WITHOUT ROWID",
        "-- mayor_replies_message
CREATE INDEX mayor_replies_message ON mayor_replies (message_id, sequence)",
    ],
    &[
        "-- convoys_follow_up_of: the convoy whose failed beads this one does anew
ALTER TABLE convoys ADD COLUMN follow_up_of TEXT",
        "-- convoys_follow_up
CREATE INDEX convoys_follow_up ON convoys (follow_up_of, sequence) WHERE follow_up_of IS NOT NULL",
    ],
    &["-- escalations_source_bead: what it is about
ALTER TABLE escalations ADD COLUMN source_bead_id TEXT"],
];
