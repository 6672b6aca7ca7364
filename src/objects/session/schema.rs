//! The tables of a session object, and how they came to be.
//!
//! Owns the migrations. A released migration is never edited: a change is a new one at the end of the list.

use crate::objects::outbox::{CREATE_INBOX, CREATE_OUTBOX, CREATE_OUTBOX_INDEX};
use crate::objects::store::meta::CREATE_META;
use crate::objects::store::migrate::Migration;

/// Every version, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    &[
        CREATE_META,
        "-- ended_sessions
CREATE TABLE ended_sessions (
  session_id TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL               -- the id is worthless from then on, and so is this row
) STRICT, WITHOUT ROWID",
        "-- ended_sessions_expiry
CREATE INDEX ended_sessions_expiry ON ended_sessions (expires_at)",
    ],
    &[
        CREATE_OUTBOX,
        CREATE_OUTBOX_INDEX,
        CREATE_INBOX,
        "-- log_levels
CREATE TABLE log_levels (
  session TEXT PRIMARY KEY,
  level TEXT NOT NULL,
  expires_at INTEGER NOT NULL               -- when the session does
) STRICT, WITHOUT ROWID",
        "-- streams
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
) STRICT, WITHOUT ROWID",
        "-- streams_expiry
CREATE INDEX streams_expiry ON streams (expires_at)",
        "-- streams_session
CREATE INDEX streams_session ON streams (session) WHERE session IS NOT NULL",
        "-- events
CREATE TABLE events (
  stream TEXT NOT NULL,
  number INTEGER NOT NULL,                  -- grows by one
  bytes INTEGER NOT NULL,
  data TEXT NOT NULL,                       -- a JSON-RPC message
  PRIMARY KEY (stream, number)
) STRICT, WITHOUT ROWID",
        "-- routes
CREATE TABLE routes (
  stream TEXT NOT NULL,                     -- where a change is heard
  name TEXT NOT NULL,                       -- by which it is taken away again
  source TEXT NOT NULL,                     -- who tells of it, as 'rig:<id>'; 'self' for this object
  topic TEXT NOT NULL,                      -- of what
  town TEXT,                                -- the source's town, if it has one
  method TEXT NOT NULL,                     -- of the notification
  params TEXT NOT NULL,                     -- likewise, JSON
  PRIMARY KEY (stream, name, source, topic, method, params) -- two resources may hear of the same topic
) STRICT, WITHOUT ROWID",
        "-- routes_topic
CREATE INDEX routes_topic ON routes (source, topic)",
        "-- leases
CREATE TABLE leases (
  source TEXT PRIMARY KEY,                  -- who tells this object of changes
  expires_at INTEGER NOT NULL               -- until then, unless it is asked again
) STRICT, WITHOUT ROWID",
        "-- client_messages
CREATE TABLE client_messages (
  session TEXT NOT NULL,
  id TEXT NOT NULL,                         -- of our request; 'cancel:' and the client's for a cancellation
  answer TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (session, id)
) STRICT, WITHOUT ROWID",
        "-- client_messages_expiry
CREATE INDEX client_messages_expiry ON client_messages (expires_at)",
        "-- spent
CREATE TABLE spent (
  what TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL               -- nobody can use it after this anyway
) STRICT, WITHOUT ROWID",
        "-- spent_expiry
CREATE INDEX spent_expiry ON spent (expires_at)",
        "-- tasks
CREATE TABLE tasks (
  id TEXT PRIMARY KEY,
  principal TEXT NOT NULL,
  version INTEGER NOT NULL,
  body TEXT NOT NULL,                       -- kept::Task, JSON
  due_at INTEGER,                           -- when it ends by itself
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID",
        "-- tasks_due
CREATE INDEX tasks_due ON tasks (due_at) WHERE due_at IS NOT NULL",
        "-- tasks_expiry
CREATE INDEX tasks_expiry ON tasks (expires_at)",
    ],
    &[
        "-- routes_receipt: 1: the source is told when such a notification has gone out
ALTER TABLE routes ADD COLUMN receipt INTEGER NOT NULL DEFAULT 0",
        "-- receipts
CREATE TABLE receipts (
  stream TEXT NOT NULL,
  number INTEGER NOT NULL,                  -- of the event
  source TEXT NOT NULL,                     -- who wants to know, as 'town:<id>'
  topic TEXT NOT NULL,
  receipt INTEGER NOT NULL,                 -- what it is told then
  generation INTEGER,                       -- connection that the event was handed to; null: none yet
  handed_at INTEGER,
  is_proving INTEGER NOT NULL DEFAULT 0,    -- 1: that connection was handed something else since
  PRIMARY KEY (stream, number)
) STRICT, WITHOUT ROWID",
    ],
];
