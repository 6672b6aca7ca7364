-- meta
CREATE TABLE meta (
  name TEXT PRIMARY KEY,      -- what
  value INTEGER NOT NULL      -- how much
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
-- towns
CREATE TABLE towns (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_by_user_id TEXT,                  -- of an organization's town
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  sequence INTEGER NOT NULL                 -- order of arrival
) STRICT, WITHOUT ROWID;
-- towns_sequence
CREATE INDEX towns_sequence ON towns (sequence);
-- rigs
CREATE TABLE rigs (
  id TEXT PRIMARY KEY,
  town_id TEXT NOT NULL,
  name TEXT NOT NULL,
  git_url TEXT NOT NULL,
  default_branch TEXT NOT NULL,
  platform_integration_id TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  sequence INTEGER NOT NULL                 -- order of arrival
) STRICT, WITHOUT ROWID;
-- rigs_town
CREATE INDEX rigs_town ON rigs (town_id, sequence);
