-- meta
CREATE TABLE meta (
  name TEXT PRIMARY KEY,      -- what
  value INTEGER NOT NULL      -- how much
) STRICT, WITHOUT ROWID;
-- outbox
CREATE TABLE outbox (
  kind TEXT NOT NULL,            -- what sort of subject
  subject TEXT NOT NULL,         -- which one
  target TEXT NOT NULL,          -- instance that must hear of it, as 'rig:<id>' or 'town:<id>'
  generation INTEGER NOT NULL,   -- grows with every change of the subject
  attempts INTEGER NOT NULL,     -- failed deliveries of this generation
  next_at INTEGER NOT NULL,      -- not before this time (ms)
  PRIMARY KEY (kind, subject, target)
) STRICT, WITHOUT ROWID;
-- outbox_due
CREATE INDEX outbox_due ON outbox (next_at);
-- inbox
CREATE TABLE inbox (
  source TEXT NOT NULL,          -- who sent, as 'rig:<id>' or 'town:<id>'
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  generation INTEGER NOT NULL,   -- newest one applied
  PRIMARY KEY (source, kind, subject)
) STRICT, WITHOUT ROWID;
-- idempotency
CREATE TABLE idempotency (
  principal TEXT NOT NULL,       -- whose key
  key TEXT NOT NULL,             -- as the caller chose it
  method TEXT NOT NULL,          -- what was called
  digest TEXT NOT NULL,          -- SHA-256 of the arguments
  reply TEXT NOT NULL,           -- what was answered; empty for a void answer
  created_at INTEGER NOT NULL,   -- ms
  PRIMARY KEY (principal, key)
) STRICT, WITHOUT ROWID;
-- idempotency_created
CREATE INDEX idempotency_created ON idempotency (created_at);
-- town
CREATE TABLE town (
  one INTEGER PRIMARY KEY CHECK (one = 1),  -- there is one row
  town_id TEXT NOT NULL,
  identity TEXT,                            -- JSON TownIdentity; null until the owner is known
  config TEXT NOT NULL,                     -- JSON object: what differs from the defaults
  mayor_agent_id TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
-- rigs
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
) STRICT, WITHOUT ROWID;
-- convoys
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
) STRICT, WITHOUT ROWID;
-- convoys_status
CREATE INDEX convoys_status ON convoys (status, sequence);
-- convoy_beads
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
) STRICT, WITHOUT ROWID;
-- convoy_beads_convoy
CREATE INDEX convoy_beads_convoy ON convoy_beads (convoy_id, position);
-- convoy_edges
CREATE TABLE convoy_edges (
  convoy_id TEXT NOT NULL,
  bead_id TEXT NOT NULL,                    -- waits
  depends_on_bead_id TEXT NOT NULL,         -- for this one
  PRIMARY KEY (convoy_id, bead_id, depends_on_bead_id)
) STRICT, WITHOUT ROWID;
-- mayor_messages
CREATE TABLE mayor_messages (
  id TEXT PRIMARY KEY,
  sender TEXT NOT NULL,
  message TEXT NOT NULL,
  ui_context TEXT,
  status TEXT NOT NULL CHECK (status IN ('queued', 'delivered', 'read', 'answered')),
  created_at INTEGER NOT NULL,
  sequence INTEGER NOT NULL                 -- order of arrival
) STRICT, WITHOUT ROWID;
-- mayor_messages_status
CREATE INDEX mayor_messages_status ON mayor_messages (status, sequence);
-- message_tally
CREATE TABLE message_tally (
  status TEXT PRIMARY KEY,
  messages INTEGER NOT NULL                 -- how many have it
) STRICT, WITHOUT ROWID;
-- message_tally_insert
CREATE TRIGGER message_tally_insert AFTER INSERT ON mayor_messages BEGIN
  INSERT INTO message_tally (status, messages) VALUES (new.status, 1) ON CONFLICT (status) DO UPDATE SET messages = messages + 1;
END;
-- message_tally_update
CREATE TRIGGER message_tally_update AFTER UPDATE OF status ON mayor_messages WHEN old.status <> new.status BEGIN
  UPDATE message_tally SET messages = messages - 1 WHERE status = old.status;
  INSERT INTO message_tally (status, messages) VALUES (new.status, 1) ON CONFLICT (status) DO UPDATE SET messages = messages + 1;
END;
-- message_tally_delete
CREATE TRIGGER message_tally_delete AFTER DELETE ON mayor_messages BEGIN
  UPDATE message_tally SET messages = messages - 1 WHERE status = old.status;
END;
