-- listeners
CREATE TABLE listeners (
  topic TEXT NOT NULL,
  session TEXT NOT NULL,         -- instance that listens, as 'session:<name>'
  expires_at INTEGER NOT NULL,   -- it no longer does from then on (ms)
  PRIMARY KEY (topic, session)
) STRICT, WITHOUT ROWID;
-- listeners_session
CREATE INDEX listeners_session ON listeners (session);
-- listeners_expiry
CREATE INDEX listeners_expiry ON listeners (expires_at);
-- rig_listened_until
ALTER TABLE rig ADD COLUMN listened_until INTEGER NOT NULL DEFAULT 0;
