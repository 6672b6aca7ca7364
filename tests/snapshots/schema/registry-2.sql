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
