-- town_parked: 1: no rig gives out work, on purpose
ALTER TABLE town ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;
-- town_drain_nonce: of the drain under way
ALTER TABLE town ADD COLUMN drain_nonce TEXT;
-- town_drain_started_at
ALTER TABLE town ADD COLUMN drain_started_at INTEGER;
-- town_watched_until: somebody watches the status until then
ALTER TABLE town ADD COLUMN watched_until INTEGER NOT NULL DEFAULT 0;
-- town_closing: 1: the town is deleted once its rigs are
ALTER TABLE town ADD COLUMN closing INTEGER NOT NULL DEFAULT 0;
-- town_mayor_status
ALTER TABLE town ADD COLUMN mayor_status TEXT NOT NULL DEFAULT 'idle';
-- town_mayor_active_at
ALTER TABLE town ADD COLUMN mayor_active_at INTEGER;
-- town_dashboard_context
ALTER TABLE town ADD COLUMN dashboard_context TEXT;
-- rigs_parked
ALTER TABLE rigs ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;
-- rigs_integration: as configureRig told
ALTER TABLE rigs ADD COLUMN platform_integration_id TEXT;
-- rigs_frames_seen: newest event of the rig that watchers were shown
ALTER TABLE rigs ADD COLUMN frames_seen INTEGER NOT NULL DEFAULT 0;
-- feed_actor
CREATE INDEX feed_actor ON feed (actor, number) WHERE actor IS NOT NULL;
-- convoys_forced_at: closed by hand then, whatever had become of its beads
ALTER TABLE convoys ADD COLUMN forced_at INTEGER;
-- convoys_forced_by
ALTER TABLE convoys ADD COLUMN forced_by TEXT;
-- convoys_title
CREATE INDEX convoys_title ON convoys (title);
-- convoy_beads_adopted: 1: the rig had the bead before the convoy
ALTER TABLE convoy_beads ADD COLUMN adopted INTEGER NOT NULL DEFAULT 0;
-- convoy_beads_details: JSON: what else the rig must know to make the bead
ALTER TABLE convoy_beads ADD COLUMN details TEXT NOT NULL DEFAULT '{}';
-- convoy_edges_until
ALTER TABLE convoy_edges ADD COLUMN until TEXT NOT NULL DEFAULT 'closed' CHECK (until IN ('closed', 'merged'));
-- convoy_edges_blocker
CREATE INDEX convoy_edges_blocker ON convoy_edges (depends_on_bead_id);
-- convoy_landings
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
) STRICT, WITHOUT ROWID;
-- escalations
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
) STRICT, WITHOUT ROWID;
-- escalations_open
CREATE INDEX escalations_open ON escalations (acknowledged, sequence);
-- escalations_sequence
CREATE INDEX escalations_sequence ON escalations (sequence);
-- escalations_acknowledged
CREATE INDEX escalations_acknowledged ON escalations (acknowledged_at) WHERE acknowledged_at IS NOT NULL;
-- escalations_due
CREATE INDEX escalations_due ON escalations (next_at) WHERE next_at IS NOT NULL;
