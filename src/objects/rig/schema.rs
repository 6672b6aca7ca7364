//! The tables of a rig, and how they came to be.
//!
//! Owns the migrations. A released migration is never edited: a change is a new one at the end of the list.

use crate::objects::idempotency::{CREATE_IDEMPOTENCY, CREATE_IDEMPOTENCY_INDEX};
use crate::objects::listeners::{CREATE_LISTENERS, CREATE_LISTENERS_EXPIRY, CREATE_LISTENERS_SESSION};
use crate::objects::outbox::{CREATE_INBOX, CREATE_OUTBOX, CREATE_OUTBOX_INDEX};
use crate::objects::rig::beads::events::CREATE_EVENTS;
use crate::objects::rig::counters::{
    CREATE_QUALITY_TALLY, CREATE_QUEUE_TALLY, CREATE_STATUS_TALLY, CREATE_TALLY_DELETE, CREATE_TALLY_INSERT, CREATE_TALLY_QUEUE,
    CREATE_TALLY_STATUS,
};
use crate::objects::store::meta::CREATE_META;
use crate::objects::store::migrate::Migration;

/// Every version, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    &[
        CREATE_META,
        CREATE_OUTBOX,
        CREATE_OUTBOX_INDEX,
        CREATE_INBOX,
        CREATE_IDEMPOTENCY,
        CREATE_IDEMPOTENCY_INDEX,
        "-- rig
CREATE TABLE rig (
  one INTEGER PRIMARY KEY CHECK (one = 1),  -- there is one row
  rig_id TEXT NOT NULL,
  town_id TEXT NOT NULL,
  name TEXT NOT NULL,
  git_url TEXT NOT NULL,
  default_branch TEXT NOT NULL,
  owner_user_id TEXT,                       -- copied from the town
  owner_org_id TEXT,                        -- copied from the town
  capacity INTEGER NOT NULL                 -- polecats that may live at once
) STRICT",
        "-- beads
CREATE TABLE beads (
  bead_id TEXT PRIMARY KEY,
  type TEXT NOT NULL CHECK (type IN ('issue', 'escalation', 'merge_request', 'molecule')),
  status TEXT NOT NULL CHECK (status IN ('open', 'in_progress', 'in_review', 'closed', 'failed')),
  title TEXT NOT NULL,
  body TEXT,
  rig_id TEXT NOT NULL,
  parent_bead_id TEXT,
  assignee_agent_id TEXT,                   -- who holds it
  priority TEXT NOT NULL,
  labels TEXT NOT NULL,                     -- JSON array
  metadata TEXT NOT NULL,                   -- JSON object
  dispatch_attempts INTEGER NOT NULL DEFAULT 0,
  last_dispatch_attempt_at INTEGER,
  created_by TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  closed_at INTEGER,
  blockers_open INTEGER NOT NULL DEFAULT 0, -- blockers that are not met
  merge_commit TEXT,                        -- evidence of the merge
  failure_reason TEXT,
  priority_rank INTEGER NOT NULL,           -- priority as a number, for order
  sequence INTEGER NOT NULL,                -- order of arrival
  held INTEGER NOT NULL DEFAULT 0,          -- 1: not to be dispatched (label, staged convoy)
  convoy_id TEXT
) STRICT, WITHOUT ROWID",
        "-- beads_ready
CREATE INDEX beads_ready ON beads (priority_rank DESC, sequence)
  WHERE type = 'issue' AND status = 'open' AND assignee_agent_id IS NULL AND blockers_open = 0 AND held = 0",
        "-- beads_created
CREATE INDEX beads_created ON beads (created_at, bead_id)",
        "-- beads_status
CREATE INDEX beads_status ON beads (status, created_at, bead_id)",
        // Nearly every bead is an issue, so a list of issues reads the index by time.
        "-- beads_type
CREATE INDEX beads_type ON beads (type, created_at, bead_id) WHERE type <> 'issue'",
        "-- beads_assignee
CREATE INDEX beads_assignee ON beads (assignee_agent_id, created_at, bead_id) WHERE assignee_agent_id IS NOT NULL",
        "-- beads_parent
CREATE INDEX beads_parent ON beads (parent_bead_id, created_at, bead_id) WHERE parent_bead_id IS NOT NULL",
        "-- beads_convoy
CREATE INDEX beads_convoy ON beads (convoy_id, sequence) WHERE convoy_id IS NOT NULL",
        CREATE_STATUS_TALLY,
        CREATE_QUEUE_TALLY,
        CREATE_TALLY_INSERT,
        CREATE_TALLY_DELETE,
        CREATE_TALLY_STATUS,
        CREATE_TALLY_QUEUE,
        "-- bead_dependencies
CREATE TABLE bead_dependencies (
  bead_id TEXT NOT NULL,                    -- waits
  depends_on_bead_id TEXT NOT NULL,         -- for this one
  dependency_type TEXT NOT NULL CHECK (dependency_type IN ('blocks', 'tracks', 'parent-child')),
  PRIMARY KEY (bead_id, depends_on_bead_id)
) STRICT, WITHOUT ROWID",
        "-- bead_dependents
CREATE INDEX bead_dependents ON bead_dependencies (depends_on_bead_id, dependency_type)",
        "-- agents
CREATE TABLE agents (
  id TEXT PRIMARY KEY,
  rig_id TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('polecat', 'refinery')),
  name TEXT NOT NULL,
  identity TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('idle', 'working', 'waiting', 'stalled', 'dead')),
  current_hook_bead_id TEXT,                -- the bead it holds
  dispatch_attempts INTEGER NOT NULL DEFAULT 0,
  last_activity_at INTEGER,
  checkpoint TEXT NOT NULL DEFAULT 'null',  -- JSON
  created_at INTEGER NOT NULL,
  agent_status_message TEXT,
  agent_status_updated_at INTEGER,
  branch TEXT,                              -- of the hooked bead
  fence INTEGER NOT NULL DEFAULT 0          -- of the newest hook
) STRICT, WITHOUT ROWID",
        "-- agents_living_name
CREATE UNIQUE INDEX agents_living_name ON agents (name) WHERE status <> 'dead'",
        "-- agents_hook
CREATE UNIQUE INDEX agents_hook ON agents (current_hook_bead_id) WHERE current_hook_bead_id IS NOT NULL",
        "-- agents_role
CREATE INDEX agents_role ON agents (role, status, created_at)",
        "-- mail
CREATE TABLE mail (
  id TEXT PRIMARY KEY,
  from_agent_id TEXT NOT NULL,
  to_agent_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  delivered_at INTEGER,                     -- null: not read yet
  sequence INTEGER NOT NULL                 -- order of arrival
) STRICT, WITHOUT ROWID",
        "-- mail_waiting
CREATE INDEX mail_waiting ON mail (to_agent_id, sequence) WHERE delivered_at IS NULL",
    ],
    &[
        CREATE_LISTENERS,
        CREATE_LISTENERS_SESSION,
        CREATE_LISTENERS_EXPIRY,
        "-- rig_listened_until
ALTER TABLE rig ADD COLUMN listened_until INTEGER NOT NULL DEFAULT 0",
    ],
    &[
        "-- rig_mayor: of the town
ALTER TABLE rig ADD COLUMN mayor_agent_id TEXT",
        "-- rig_parked: 1: nothing is given out, on purpose
ALTER TABLE rig ADD COLUMN parked INTEGER NOT NULL DEFAULT 0",
        "-- rig_draining: 1: nothing is given out until the drain is over
ALTER TABLE rig ADD COLUMN draining INTEGER NOT NULL DEFAULT 0",
        "-- rig_drain_nonce: of the drain under way
ALTER TABLE rig ADD COLUMN drain_nonce TEXT",
        "-- rig_watched_until: until then the town is told what happens to beads
ALTER TABLE rig ADD COLUMN watched_until INTEGER NOT NULL DEFAULT 0",
        CREATE_EVENTS[0],
        CREATE_EVENTS[1],
        CREATE_EVENTS[2],
        CREATE_EVENTS[3],
        "-- beads_quality
ALTER TABLE beads ADD COLUMN quality TEXT CHECK (quality IN ('basic', 'shiny', 'chrome'))",
        CREATE_QUALITY_TALLY[0],
        CREATE_QUALITY_TALLY[1],
        CREATE_QUALITY_TALLY[2],
        CREATE_QUALITY_TALLY[3],
        "-- beads_type_status
CREATE INDEX beads_type_status ON beads (type, status, created_at, bead_id) WHERE type <> 'issue'",
        "-- beads_staged: 1: the convoy it belongs to is staged
ALTER TABLE beads ADD COLUMN staged INTEGER NOT NULL DEFAULT 0",
        "-- beads_staged_before: only convoys held beads without a label
UPDATE beads SET staged = held WHERE convoy_id IS NOT NULL",
        "-- dependencies_until
ALTER TABLE bead_dependencies ADD COLUMN until TEXT NOT NULL DEFAULT 'closed' CHECK (until IN ('closed', 'merged'))",
        "-- remote_blockers
CREATE TABLE remote_blockers (
  bead_id TEXT PRIMARY KEY,                 -- a bead of another rig that one of ours waits for
  status TEXT NOT NULL,                     -- as the town last told
  merged INTEGER NOT NULL                   -- 1: with evidence
) STRICT, WITHOUT ROWID",
        "-- merge_requests
CREATE TABLE merge_requests (
  bead_id TEXT PRIMARY KEY,                 -- the merge_request bead
  source_bead_id TEXT,                      -- whose work it merges; null: a convoy's landing
  source_agent_id TEXT,
  convoy_id TEXT,                           -- the convoy that lands
  branch TEXT NOT NULL,
  target_branch TEXT NOT NULL,
  merge_commit TEXT,
  base_commit TEXT,                         -- what the target was at; merged at the same commit means nothing was merged
  pr_url TEXT,
  retry_count INTEGER NOT NULL DEFAULT 0,
  landing_round INTEGER NOT NULL DEFAULT 0, -- which order of the town a landing carries out
  not_before INTEGER,                       -- a failed landing is tried again then
  sequence INTEGER NOT NULL DEFAULT 0       -- order of arrival
) STRICT, WITHOUT ROWID",
        "-- merge_requests_source
CREATE INDEX merge_requests_source ON merge_requests (source_bead_id) WHERE source_bead_id IS NOT NULL",
        "-- merge_requests_convoy
CREATE INDEX merge_requests_convoy ON merge_requests (convoy_id, sequence) WHERE convoy_id IS NOT NULL",
        "-- merge_requests_waiting
CREATE INDEX merge_requests_waiting ON merge_requests (not_before) WHERE not_before IS NOT NULL",
        "-- merge_requests_branch
CREATE INDEX merge_requests_branch ON merge_requests (branch, sequence)",
        "-- beads_requests
CREATE INDEX beads_requests ON beads (status, updated_at) WHERE type = 'merge_request'",
        "-- bead_events_reviews
CREATE INDEX bead_events_reviews ON bead_events (sequence)
  WHERE event_type IN ('review_submitted', 'review_completed', 'pr_created', 'pr_creation_failed', 'rework_requested')",
        "-- rig_formulas: JSON {name: {description?, vars?, steps}}: the town's own, besides the built-in ones
ALTER TABLE rig ADD COLUMN formulas TEXT NOT NULL DEFAULT '{}'",
        "-- molecules
CREATE TABLE molecules (
  id TEXT PRIMARY KEY,
  bead_id TEXT NOT NULL UNIQUE,             -- the work it structures
  formula TEXT NOT NULL,                    -- JSON {name, steps: [{title, instructions}]}
  current_step INTEGER NOT NULL,            -- zero-based; the number of steps when it is through
  status TEXT NOT NULL CHECK (status IN ('active', 'completed', 'failed')),
  summaries TEXT NOT NULL,                  -- JSON array: what was said of each step that is through
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID",
        "-- messages
CREATE TABLE messages (
  id TEXT PRIMARY KEY,
  channel TEXT NOT NULL CHECK (channel IN ('mail', 'nudge', 'handoff')),
  sender TEXT NOT NULL,
  recipient TEXT NOT NULL,                  -- an agent's id, or 'mayor'
  subject TEXT NOT NULL,                    -- empty for nudges
  body TEXT NOT NULL,
  bead_id TEXT,                             -- hand-offs only: the work that changes hands
  source TEXT,                              -- nudges only: on whose account
  mode TEXT CHECK (mode IN ('wait-idle', 'immediate', 'queue')), -- nudges only
  priority TEXT CHECK (priority IN ('normal', 'urgent')), -- nudges only
  created_at INTEGER NOT NULL,
  delivered_at INTEGER,                     -- null: not read yet
  expires_at INTEGER,                       -- it is dropped then; null for durable messages that nobody has read
  sequence INTEGER NOT NULL                 -- order of arrival
) STRICT, WITHOUT ROWID",
        "-- messages_waiting
CREATE INDEX messages_waiting ON messages (recipient, sequence) WHERE delivered_at IS NULL",
        "-- messages_recipient
CREATE INDEX messages_recipient ON messages (recipient, created_at, id)",
        "-- messages_created
CREATE INDEX messages_created ON messages (created_at, id)",
        "-- messages_expiry
CREATE INDEX messages_expiry ON messages (expires_at) WHERE expires_at IS NOT NULL",
        "-- messages_from_mail: what was read goes thirty days later
INSERT INTO messages (id, channel, sender, recipient, subject, body, created_at, delivered_at, expires_at, sequence)
  SELECT id, 'mail', from_agent_id, to_agent_id, subject, body, created_at, delivered_at, delivered_at + 2592000000, sequence FROM mail",
        "-- mail_moved
DROP TABLE mail",
        "-- agent_events
CREATE TABLE agent_events (
  agent_id TEXT NOT NULL,
  id INTEGER NOT NULL,                      -- of the agent's events, from one without gaps
  event_type TEXT NOT NULL,
  data TEXT NOT NULL,                       -- JSON
  created_at INTEGER NOT NULL,
  PRIMARY KEY (agent_id, id)
) STRICT, WITHOUT ROWID",
        "-- bead_events_hooked: which agent was given what
CREATE INDEX bead_events_hooked ON bead_events (agent_id, created_at, sequence) WHERE event_type = 'hooked'",
        "-- beads_triage
CREATE INDEX beads_triage ON beads (bead_id) WHERE status = 'open' AND instr(labels, '\"gt:triage-request\"') > 0",
        "-- agents_identity
CREATE UNIQUE INDEX agents_identity ON agents (identity) WHERE status <> 'dead'",
        "-- beads_convoy_joined: number of the newest membership that the town told of
ALTER TABLE beads ADD COLUMN convoy_joined INTEGER NOT NULL DEFAULT 0",
        "-- dependencies_convoy: the convoy whose town says so; null: made in this rig
ALTER TABLE bead_dependencies ADD COLUMN convoy_id TEXT",
        "-- convoys_known
CREATE TABLE convoys_known (
  convoy_id TEXT PRIMARY KEY,
  newest INTEGER NOT NULL                   -- number of the newest membership: an older one that is not here is gone
) STRICT, WITHOUT ROWID",
    ],
    &[
        "-- orders: what a runner is told to run: one for each hook, whose fence is its id
CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  agent_id TEXT NOT NULL,
  bead_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  runner TEXT,                              -- who took it; null: nobody has
  handed_at INTEGER,                        -- when
  process TEXT,                             -- who works on it; null: nobody said
  worktree TEXT,                            -- where, as its runner says
  started_at INTEGER,                       -- first sign of life
  heartbeat_at INTEGER,                     -- newest heartbeat; null: it has none, and is not held to any
  progress_at INTEGER NOT NULL,             -- newest thing that was done
  nudged_at INTEGER,                        -- when the watch asked whether it is stuck
  escalated_at INTEGER,                     -- when the watch told somebody
  ended_at INTEGER,
  outcome TEXT CHECK (outcome IN ('done', 'released', 'failed', 'lost', 'stopped'))
) STRICT",
        "-- orders_open: one for each hook
CREATE UNIQUE INDEX orders_open ON orders (agent_id) WHERE ended_at IS NULL",
        "-- orders_agent
CREATE INDEX orders_agent ON orders (agent_id, id)",
        "-- orders_waiting
CREATE INDEX orders_waiting ON orders (id) WHERE ended_at IS NULL",
        "-- orders_ended
CREATE INDEX orders_ended ON orders (ended_at) WHERE ended_at IS NOT NULL",
        "-- orders_of_hooks: those that there are
INSERT INTO orders (id, agent_id, bead_id, created_at, progress_at)
  SELECT coalesce((SELECT value FROM meta WHERE name = 'change'), 0) + row_number() OVER (ORDER BY id), id, current_hook_bead_id, coalesce(last_activity_at, created_at), coalesce(last_activity_at, created_at)
  FROM agents WHERE current_hook_bead_id IS NOT NULL",
        "-- agents_order: of the newest hook
UPDATE agents SET fence = (SELECT orders.id FROM orders WHERE orders.agent_id = agents.id) WHERE current_hook_bead_id IS NOT NULL",
        "-- change_after_orders
UPDATE meta SET value = value + (SELECT COUNT(*) FROM orders) WHERE name = 'change'",
        "-- beads_not_before: it is not given out again before
ALTER TABLE beads ADD COLUMN not_before INTEGER",
        "-- beads_reviewable
CREATE INDEX beads_reviewable ON beads (priority_rank DESC, sequence)
  WHERE type = 'merge_request' AND status = 'open' AND assignee_agent_id IS NULL AND blockers_open = 0 AND held = 0",
        "-- beads_resting
CREATE INDEX beads_resting ON beads (not_before) WHERE not_before IS NOT NULL",
        "-- rig_watch: JSON: the thresholds of the watch that the town has set
ALTER TABLE rig ADD COLUMN watch TEXT NOT NULL DEFAULT '{}'",
        "-- rig_resumed_at: end of the last pause, which is no silence
ALTER TABLE rig ADD COLUMN resumed_at INTEGER NOT NULL DEFAULT 0",
        "-- rig_attempts_max: times that a bead is given out before it fails
ALTER TABLE rig ADD COLUMN attempts_max INTEGER",
        "-- rig_breaker_open: 1: too much has failed in the town, nothing is given out
ALTER TABLE rig ADD COLUMN breaker_open INTEGER NOT NULL DEFAULT 0",
        "-- alerts: what the watch has raised and is not over
CREATE TABLE alerts (
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,                    -- an agent, a bead, or the rig
  since INTEGER NOT NULL,
  over_at INTEGER,                          -- when it was first seen to be so no longer; null: it is so
  escalation_id TEXT,                       -- the escalation that stands for it
  PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID",
    ],
    &["-- rig_gates: JSON: commands that must succeed before work is submitted, as the town has them
ALTER TABLE rig ADD COLUMN gates TEXT NOT NULL DEFAULT '[]'"],
];
