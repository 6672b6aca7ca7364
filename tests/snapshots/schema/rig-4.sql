-- orders: what a runner is told to run: one for each hook, whose fence is its id
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
) STRICT;
-- orders_open: one for each hook
CREATE UNIQUE INDEX orders_open ON orders (agent_id) WHERE ended_at IS NULL;
-- orders_agent
CREATE INDEX orders_agent ON orders (agent_id, id);
-- orders_waiting
CREATE INDEX orders_waiting ON orders (id) WHERE ended_at IS NULL;
-- orders_ended
CREATE INDEX orders_ended ON orders (ended_at) WHERE ended_at IS NOT NULL;
-- orders_of_hooks: those that there are
INSERT INTO orders (id, agent_id, bead_id, created_at, progress_at)
  SELECT coalesce((SELECT value FROM meta WHERE name = 'change'), 0) + row_number() OVER (ORDER BY id), id, current_hook_bead_id, coalesce(last_activity_at, created_at), coalesce(last_activity_at, created_at)
  FROM agents WHERE current_hook_bead_id IS NOT NULL;
-- agents_order: of the newest hook
UPDATE agents SET fence = (SELECT orders.id FROM orders WHERE orders.agent_id = agents.id) WHERE current_hook_bead_id IS NOT NULL;
-- change_after_orders
UPDATE meta SET value = value + (SELECT COUNT(*) FROM orders) WHERE name = 'change';
-- beads_not_before: it is not given out again before
ALTER TABLE beads ADD COLUMN not_before INTEGER;
-- beads_reviewable
CREATE INDEX beads_reviewable ON beads (priority_rank DESC, sequence)
  WHERE type = 'merge_request' AND status = 'open' AND assignee_agent_id IS NULL AND blockers_open = 0 AND held = 0;
-- beads_resting
CREATE INDEX beads_resting ON beads (not_before) WHERE not_before IS NOT NULL;
-- rig_watch: JSON: the thresholds of the watch that the town has set
ALTER TABLE rig ADD COLUMN watch TEXT NOT NULL DEFAULT '{}';
-- rig_resumed_at: end of the last pause, which is no silence
ALTER TABLE rig ADD COLUMN resumed_at INTEGER NOT NULL DEFAULT 0;
-- rig_attempts_max: times that a bead is given out before it fails
ALTER TABLE rig ADD COLUMN attempts_max INTEGER;
-- rig_breaker_open: 1: too much has failed in the town, nothing is given out
ALTER TABLE rig ADD COLUMN breaker_open INTEGER NOT NULL DEFAULT 0;
-- alerts: what the watch has raised and is not over
CREATE TABLE alerts (
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,                    -- an agent, a bead, or the rig
  since INTEGER NOT NULL,
  over_at INTEGER,                          -- when it was first seen to be so no longer; null: it is so
  escalation_id TEXT,                       -- the escalation that stands for it
  PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;
