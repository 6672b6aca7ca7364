-- rig_mayor: of the town
ALTER TABLE rig ADD COLUMN mayor_agent_id TEXT;
-- rig_parked: 1: nothing is given out, on purpose
ALTER TABLE rig ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;
-- rig_draining: 1: nothing is given out until the drain is over
ALTER TABLE rig ADD COLUMN draining INTEGER NOT NULL DEFAULT 0;
-- rig_drain_nonce: of the drain under way
ALTER TABLE rig ADD COLUMN drain_nonce TEXT;
-- rig_watched_until: until then the town is told what happens to beads
ALTER TABLE rig ADD COLUMN watched_until INTEGER NOT NULL DEFAULT 0;
-- bead_events
CREATE TABLE bead_events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, -- order, never used again
  bead_event_id TEXT NOT NULL,
  bead_id TEXT NOT NULL,                    -- the bead; the agent's id for what happens to an agent
  agent_id TEXT,                            -- the agent concerned
  actor TEXT,                               -- who did it: agent or user id; null: the rig itself, or its town
  event_type TEXT NOT NULL,
  old_value TEXT,
  new_value TEXT,
  metadata TEXT NOT NULL,                   -- JSON object
  created_at INTEGER NOT NULL
) STRICT;
-- bead_events_bead
CREATE INDEX bead_events_bead ON bead_events (bead_id, sequence);
-- bead_events_actor
CREATE INDEX bead_events_actor ON bead_events (actor, sequence) WHERE actor IS NOT NULL;
-- bead_events_created
CREATE INDEX bead_events_created ON bead_events (created_at, sequence);
-- beads_quality
ALTER TABLE beads ADD COLUMN quality TEXT CHECK (quality IN ('basic', 'shiny', 'chrome'));
-- quality_tally
CREATE TABLE quality_tally (
  quality TEXT PRIMARY KEY,
  beads INTEGER NOT NULL                    -- how many are not finished
) STRICT, WITHOUT ROWID;
-- quality_tally_insert
CREATE TRIGGER quality_tally_insert AFTER INSERT ON beads WHEN new.quality IS NOT NULL AND new.status NOT IN ('closed', 'failed') BEGIN
  INSERT INTO quality_tally (quality, beads) VALUES (new.quality, 1) ON CONFLICT (quality) DO UPDATE SET beads = beads + 1;
END;
-- quality_tally_delete
CREATE TRIGGER quality_tally_delete AFTER DELETE ON beads WHEN old.quality IS NOT NULL AND old.status NOT IN ('closed', 'failed') BEGIN
  UPDATE quality_tally SET beads = beads - 1 WHERE quality = old.quality;
END;
-- quality_tally_update
CREATE TRIGGER quality_tally_update AFTER UPDATE OF status, quality ON beads WHEN old.quality IS NOT NULL OR new.quality IS NOT NULL BEGIN
  UPDATE quality_tally SET beads = beads - 1 WHERE quality = old.quality AND old.status NOT IN ('closed', 'failed');
  INSERT INTO quality_tally (quality, beads) SELECT new.quality, 1 WHERE new.quality IS NOT NULL AND new.status NOT IN ('closed', 'failed')
    ON CONFLICT (quality) DO UPDATE SET beads = beads + 1;
END;
-- beads_type_status
CREATE INDEX beads_type_status ON beads (type, status, created_at, bead_id) WHERE type <> 'issue';
-- beads_staged: 1: the convoy it belongs to is staged
ALTER TABLE beads ADD COLUMN staged INTEGER NOT NULL DEFAULT 0;
-- beads_staged_before: only convoys held beads without a label
UPDATE beads SET staged = held WHERE convoy_id IS NOT NULL;
-- dependencies_until
ALTER TABLE bead_dependencies ADD COLUMN until TEXT NOT NULL DEFAULT 'closed' CHECK (until IN ('closed', 'merged'));
-- remote_blockers
CREATE TABLE remote_blockers (
  bead_id TEXT PRIMARY KEY,                 -- a bead of another rig that one of ours waits for
  status TEXT NOT NULL,                     -- as the town last told
  merged INTEGER NOT NULL                   -- 1: with evidence
) STRICT, WITHOUT ROWID;
-- merge_requests
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
) STRICT, WITHOUT ROWID;
-- merge_requests_source
CREATE INDEX merge_requests_source ON merge_requests (source_bead_id) WHERE source_bead_id IS NOT NULL;
-- merge_requests_convoy
CREATE INDEX merge_requests_convoy ON merge_requests (convoy_id, sequence) WHERE convoy_id IS NOT NULL;
-- merge_requests_waiting
CREATE INDEX merge_requests_waiting ON merge_requests (not_before) WHERE not_before IS NOT NULL;
-- merge_requests_branch
CREATE INDEX merge_requests_branch ON merge_requests (branch, sequence);
-- beads_requests
CREATE INDEX beads_requests ON beads (status, updated_at) WHERE type = 'merge_request';
-- bead_events_reviews
CREATE INDEX bead_events_reviews ON bead_events (sequence)
  WHERE event_type IN ('review_submitted', 'review_completed', 'pr_created', 'pr_creation_failed', 'rework_requested');
-- rig_formulas: JSON {name: {description?, vars?, steps}}: the town's own, besides the built-in ones
ALTER TABLE rig ADD COLUMN formulas TEXT NOT NULL DEFAULT '{}';
-- molecules
CREATE TABLE molecules (
  id TEXT PRIMARY KEY,
  bead_id TEXT NOT NULL UNIQUE,             -- the work it structures
  formula TEXT NOT NULL,                    -- JSON {name, steps: [{title, instructions}]}
  current_step INTEGER NOT NULL,            -- zero-based; the number of steps when it is through
  status TEXT NOT NULL CHECK (status IN ('active', 'completed', 'failed')),
  summaries TEXT NOT NULL,                  -- JSON array: what was said of each step that is through
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- messages
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
) STRICT, WITHOUT ROWID;
-- messages_waiting
CREATE INDEX messages_waiting ON messages (recipient, sequence) WHERE delivered_at IS NULL;
-- messages_recipient
CREATE INDEX messages_recipient ON messages (recipient, created_at, id);
-- messages_created
CREATE INDEX messages_created ON messages (created_at, id);
-- messages_expiry
CREATE INDEX messages_expiry ON messages (expires_at) WHERE expires_at IS NOT NULL;
-- messages_from_mail: what was read goes thirty days later
INSERT INTO messages (id, channel, sender, recipient, subject, body, created_at, delivered_at, expires_at, sequence)
  SELECT id, 'mail', from_agent_id, to_agent_id, subject, body, created_at, delivered_at, delivered_at + 2592000000, sequence FROM mail;
-- mail_moved
DROP TABLE mail;
-- agent_events
CREATE TABLE agent_events (
  agent_id TEXT NOT NULL,
  id INTEGER NOT NULL,                      -- of the agent's events, from one without gaps
  event_type TEXT NOT NULL,
  data TEXT NOT NULL,                       -- JSON
  created_at INTEGER NOT NULL,
  PRIMARY KEY (agent_id, id)
) STRICT, WITHOUT ROWID;
-- bead_events_hooked: which agent was given what
CREATE INDEX bead_events_hooked ON bead_events (agent_id, created_at, sequence) WHERE event_type = 'hooked';
-- beads_triage
CREATE INDEX beads_triage ON beads (bead_id) WHERE status = 'open' AND instr(labels, '"gt:triage-request"') > 0;
-- agents_identity
CREATE UNIQUE INDEX agents_identity ON agents (identity) WHERE status <> 'dead';
-- beads_convoy_joined: number of the newest membership that the town told of
ALTER TABLE beads ADD COLUMN convoy_joined INTEGER NOT NULL DEFAULT 0;
-- dependencies_convoy: the convoy whose town says so; null: made in this rig
ALTER TABLE bead_dependencies ADD COLUMN convoy_id TEXT;
-- convoys_known
CREATE TABLE convoys_known (
  convoy_id TEXT PRIMARY KEY,
  newest INTEGER NOT NULL                   -- number of the newest membership: an older one that is not here is gone
) STRICT, WITHOUT ROWID;
