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
-- log_levels
CREATE TABLE log_levels (
  session TEXT PRIMARY KEY,
  level TEXT NOT NULL,
  expires_at INTEGER NOT NULL               -- when the session does
) STRICT, WITHOUT ROWID;
-- streams
CREATE TABLE streams (
  stream TEXT PRIMARY KEY,                  -- of a session: '<session>/<name>'; 'task:<id>'; else a name nobody guesses
  kind TEXT NOT NULL CHECK (kind IN ('session', 'call', 'subscription', 'watch', 'task')),
  session TEXT,                             -- the legacy session it belongs to
  generation INTEGER NOT NULL,              -- which connection serves it; 0: the one that began it
  last INTEGER NOT NULL,                    -- number of the last event
  sent INTEGER NOT NULL,                    -- events up to here were handed to a connection
  has_ended INTEGER NOT NULL,               -- nothing follows the last event
  subscription_id TEXT,                     -- JSON, put into the _meta of every message
  farewell TEXT,                            -- sent when the server ends the stream
  closes_at INTEGER NOT NULL,               -- when the server ends the connection
  expires_at INTEGER NOT NULL               -- forgotten then, unless it is used before
) STRICT, WITHOUT ROWID;
-- streams_expiry
CREATE INDEX streams_expiry ON streams (expires_at);
-- streams_session
CREATE INDEX streams_session ON streams (session) WHERE session IS NOT NULL;
-- events
CREATE TABLE events (
  stream TEXT NOT NULL,
  number INTEGER NOT NULL,                  -- grows by one
  bytes INTEGER NOT NULL,
  data TEXT NOT NULL,                       -- a JSON-RPC message
  PRIMARY KEY (stream, number)
) STRICT, WITHOUT ROWID;
-- routes
CREATE TABLE routes (
  stream TEXT NOT NULL,                     -- where a change is heard
  name TEXT NOT NULL,                       -- by which it is taken away again
  source TEXT NOT NULL,                     -- who tells of it, as 'rig:<id>'; 'self' for this object
  topic TEXT NOT NULL,                      -- of what
  town TEXT,                                -- the source's town, if it has one
  method TEXT NOT NULL,                     -- of the notification
  params TEXT NOT NULL,                     -- likewise, JSON
  PRIMARY KEY (stream, name, source, topic, method, params) -- two resources may hear of the same topic
) STRICT, WITHOUT ROWID;
-- routes_topic
CREATE INDEX routes_topic ON routes (source, topic);
-- leases
CREATE TABLE leases (
  source TEXT PRIMARY KEY,                  -- who tells this object of changes
  expires_at INTEGER NOT NULL               -- until then, unless it is asked again
) STRICT, WITHOUT ROWID;
-- client_messages
CREATE TABLE client_messages (
  session TEXT NOT NULL,
  id TEXT NOT NULL,                         -- of our request; 'cancel:' and the client's for a cancellation
  answer TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (session, id)
) STRICT, WITHOUT ROWID;
-- client_messages_expiry
CREATE INDEX client_messages_expiry ON client_messages (expires_at);
-- spent
CREATE TABLE spent (
  what TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL               -- nobody can use it after this anyway
) STRICT, WITHOUT ROWID;
-- spent_expiry
CREATE INDEX spent_expiry ON spent (expires_at);
-- tasks
CREATE TABLE tasks (
  id TEXT PRIMARY KEY,
  principal TEXT NOT NULL,
  version INTEGER NOT NULL,
  body TEXT NOT NULL,                       -- kept::Task, JSON
  due_at INTEGER,                           -- when it ends by itself
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- tasks_due
CREATE INDEX tasks_due ON tasks (due_at) WHERE due_at IS NOT NULL;
-- tasks_expiry
CREATE INDEX tasks_expiry ON tasks (expires_at);
