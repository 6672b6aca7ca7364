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
-- rig
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
) STRICT;
-- beads
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
) STRICT, WITHOUT ROWID;
-- beads_ready
CREATE INDEX beads_ready ON beads (priority_rank DESC, sequence)
  WHERE type = 'issue' AND status = 'open' AND assignee_agent_id IS NULL AND blockers_open = 0 AND held = 0;
-- beads_created
CREATE INDEX beads_created ON beads (created_at, bead_id);
-- beads_status
CREATE INDEX beads_status ON beads (status, created_at, bead_id);
-- beads_type
CREATE INDEX beads_type ON beads (type, created_at, bead_id) WHERE type <> 'issue';
-- beads_assignee
CREATE INDEX beads_assignee ON beads (assignee_agent_id, created_at, bead_id) WHERE assignee_agent_id IS NOT NULL;
-- beads_parent
CREATE INDEX beads_parent ON beads (parent_bead_id, created_at, bead_id) WHERE parent_bead_id IS NOT NULL;
-- beads_convoy
CREATE INDEX beads_convoy ON beads (convoy_id, sequence) WHERE convoy_id IS NOT NULL;
-- status_tally
CREATE TABLE status_tally (
  status TEXT PRIMARY KEY,
  beads INTEGER NOT NULL                    -- how many have it
) STRICT, WITHOUT ROWID;
-- queue_tally
CREATE TABLE queue_tally (
  priority_rank INTEGER PRIMARY KEY,
  waiting INTEGER NOT NULL                  -- how many are ready and wait
) STRICT;
-- tally_insert
CREATE TRIGGER tally_insert AFTER INSERT ON beads BEGIN
  INSERT INTO status_tally (status, beads) VALUES (new.status, 1) ON CONFLICT (status) DO UPDATE SET beads = beads + 1;
  INSERT INTO queue_tally (priority_rank, waiting) SELECT new.priority_rank, 1 WHERE new.type = 'issue' AND new.status = 'open' AND new.assignee_agent_id IS NULL AND new.blockers_open = 0 AND new.held = 0 ON CONFLICT (priority_rank) DO UPDATE SET waiting = waiting + 1;
END;
-- tally_delete
CREATE TRIGGER tally_delete AFTER DELETE ON beads BEGIN
  UPDATE status_tally SET beads = beads - 1 WHERE status = old.status;
  UPDATE queue_tally SET waiting = waiting - 1 WHERE priority_rank = old.priority_rank AND old.type = 'issue' AND old.status = 'open' AND old.assignee_agent_id IS NULL AND old.blockers_open = 0 AND old.held = 0;
END;
-- tally_status
CREATE TRIGGER tally_status AFTER UPDATE OF status ON beads WHEN old.status <> new.status BEGIN
  UPDATE status_tally SET beads = beads - 1 WHERE status = old.status;
  INSERT INTO status_tally (status, beads) VALUES (new.status, 1) ON CONFLICT (status) DO UPDATE SET beads = beads + 1;
END;
-- tally_queue
CREATE TRIGGER tally_queue AFTER UPDATE OF type, status, assignee_agent_id, blockers_open, held, priority_rank ON beads BEGIN
  UPDATE queue_tally SET waiting = waiting - 1 WHERE priority_rank = old.priority_rank AND old.type = 'issue' AND old.status = 'open' AND old.assignee_agent_id IS NULL AND old.blockers_open = 0 AND old.held = 0;
  INSERT INTO queue_tally (priority_rank, waiting) SELECT new.priority_rank, 1 WHERE new.type = 'issue' AND new.status = 'open' AND new.assignee_agent_id IS NULL AND new.blockers_open = 0 AND new.held = 0 ON CONFLICT (priority_rank) DO UPDATE SET waiting = waiting + 1;
END;
-- bead_dependencies
CREATE TABLE bead_dependencies (
  bead_id TEXT NOT NULL,                    -- waits
  depends_on_bead_id TEXT NOT NULL,         -- for this one
  dependency_type TEXT NOT NULL CHECK (dependency_type IN ('blocks', 'tracks', 'parent-child')),
  PRIMARY KEY (bead_id, depends_on_bead_id)
) STRICT, WITHOUT ROWID;
-- bead_dependents
CREATE INDEX bead_dependents ON bead_dependencies (depends_on_bead_id, dependency_type);
-- agents
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
) STRICT, WITHOUT ROWID;
-- agents_living_name
CREATE UNIQUE INDEX agents_living_name ON agents (name) WHERE status <> 'dead';
-- agents_hook
CREATE UNIQUE INDEX agents_hook ON agents (current_hook_bead_id) WHERE current_hook_bead_id IS NOT NULL;
-- agents_role
CREATE INDEX agents_role ON agents (role, status, created_at);
-- mail
CREATE TABLE mail (
  id TEXT PRIMARY KEY,
  from_agent_id TEXT NOT NULL,
  to_agent_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  delivered_at INTEGER,                     -- null: not read yet
  sequence INTEGER NOT NULL                 -- order of arrival
) STRICT, WITHOUT ROWID;
-- mail_waiting
CREATE INDEX mail_waiting ON mail (to_agent_id, sequence) WHERE delivered_at IS NULL;
