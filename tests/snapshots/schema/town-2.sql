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
-- town_listened_until
ALTER TABLE town ADD COLUMN listened_until INTEGER NOT NULL DEFAULT 0;
-- feed
CREATE TABLE feed (
  number INTEGER PRIMARY KEY,               -- grows by one; the newest entry is never dropped, so none is used twice
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,                    -- id of what it happened to
  actor TEXT,                               -- who did it; null: the town saw it happen
  detail TEXT NOT NULL                      -- JSON object; titles in it were written by agents or users
) STRICT;
-- feed_trim
CREATE TRIGGER feed_trim AFTER INSERT ON feed BEGIN
  DELETE FROM feed WHERE number <= new.number - 10000;
END;
