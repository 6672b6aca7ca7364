-- meta
CREATE TABLE meta (
  name TEXT PRIMARY KEY,      -- what
  value INTEGER NOT NULL      -- how much
) STRICT, WITHOUT ROWID;
-- ended_sessions
CREATE TABLE ended_sessions (
  session_id TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL               -- the id is worthless from then on, and so is this row
) STRICT, WITHOUT ROWID;
-- ended_sessions_expiry
CREATE INDEX ended_sessions_expiry ON ended_sessions (expires_at);
