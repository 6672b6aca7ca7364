//! The tables of a registry, and how they came to be.
//!
//! Owns the migrations. A released migration is never edited: a change is a new one at the end of the list.

use crate::objects::idempotency::{CREATE_IDEMPOTENCY, CREATE_IDEMPOTENCY_INDEX};
use crate::objects::listeners::{CREATE_LISTENERS, CREATE_LISTENERS_EXPIRY, CREATE_LISTENERS_SESSION};
use crate::objects::outbox::{CREATE_OUTBOX, CREATE_OUTBOX_INDEX};
use crate::objects::store::meta::CREATE_META;
use crate::objects::store::migrate::Migration;

/// Every version, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    &[
        CREATE_META,
        CREATE_IDEMPOTENCY,
        CREATE_IDEMPOTENCY_INDEX,
        "-- towns
CREATE TABLE towns (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_by_user_id TEXT,                  -- of an organization's town
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  sequence INTEGER NOT NULL                 -- order of arrival
) STRICT, WITHOUT ROWID",
        "-- towns_sequence
CREATE INDEX towns_sequence ON towns (sequence)",
        "-- rigs
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
) STRICT, WITHOUT ROWID",
        "-- rigs_town
CREATE INDEX rigs_town ON rigs (town_id, sequence)",
    ],
    &[CREATE_OUTBOX, CREATE_OUTBOX_INDEX, CREATE_LISTENERS, CREATE_LISTENERS_SESSION, CREATE_LISTENERS_EXPIRY],
];
