//! What happened in a town and in its rigs, in one order: the shapes, and the cursor that continues it.
//!
//! Owns names and types of fields, and the form of the cursor. What is merged, and in which order, `town::activity` says.

use super::{BeadEventRecord, Coverage};
use crate::contract::ids::{BeadId, RigId, TownId};
use base::time::Timestamp;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The source of what the town itself tells; every other source is a rig's id.
pub const TOWN_SOURCE: &str = "town";
/// The cursor in front of the oldest that is kept.
pub const FROM_START: &str = "start";
/// Longest cursor, in bytes; one of a town with as many rigs as it may have is shorter.
const CURSOR_BYTES_MAX: usize = 32 * 1024;

/// Embedded: an event as a watched rig tells it, and the title of its bead; null for what happens to an agent.
pub type RigFrame = (BeadEventRecord, Option<String>);

/// Embedded `getActivity`, input. Without a cursor: the newest.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ActivityInput {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// 1 to 200, 50 unless it says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Only what this agent or user did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Only what happened to this bead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bead: Option<BeadId>,
    /// Only what happened in this rig.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rig_id: Option<RigId>,
    /// Asks only the rigs that have told of something newer than the cursor.
    #[serde(default)]
    pub told: bool,
}

/// Embedded `getActivity`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Oldest first.
    pub entries: Vec<ActivityEntry>,
    /// Goes on behind the last entry.
    pub cursor: String,
    /// There is more behind the last entry already.
    pub more: bool,
    /// Of the rigs asked. What happened in one that did not answer comes with a later page.
    pub coverage: Coverage,
    /// Sources of which something between the cursor and this page is no longer kept.
    pub gaps: Vec<String>,
}

/// Embedded: one thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActivityEntry {
    /// `town` or a rig's id.
    pub source: String,
    /// Its place in the source's order.
    pub number: i64,
    pub at: Timestamp,
    pub kind: String,
    /// The id of what it happened to.
    pub subject: String,
    pub actor: Option<String>,
    /// Text in it was written by agents or users.
    pub detail: Map<String, Value>,
}

/// How far a reader has come, in each source. A source that is not there stands at its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityCursor {
    /// Of which town.
    pub of: TownId,
    /// Numbers by source.
    places: Map<String, Value>,
}

impl ActivityCursor {
    /// In front of everything.
    #[must_use]
    pub fn start(of: TownId) -> Self {
        Self { of, places: Map::new() }
    }

    /// The place in a source.
    #[must_use]
    pub fn position(&self, source: &str) -> i64 {
        self.places.get(source).and_then(Value::as_i64).unwrap_or_default()
    }

    /// Moves within a source.
    pub fn set(&mut self, source: &str, number: i64) {
        if number != self.position(source) {
            self.places.insert(source.to_owned(), Value::from(number));
        }
    }

    /// As clients keep it.
    #[must_use]
    pub fn write(&self) -> String {
        Base64UrlUnpadded::encode_string(json!({"of": self.of.as_str(), "at": self.places}).to_string().as_bytes())
    }

    /// Reads what `write` wrote; `None` for anything else.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > CURSOR_BYTES_MAX {
            return None;
        }
        let json = String::from_utf8(Base64UrlUnpadded::decode_vec(text).ok()?).ok()?;
        let read: Value = serde_json::from_str(&json).ok()?;
        let of = TownId::parse(read.get("of")?.as_str()?).ok()?;
        let places = read.get("at")?.as_object()?.clone();
        let is_number = |place: &Value| place.as_i64().is_some_and(|number| (0..1 << 52).contains(&number));
        places.values().all(is_number).then_some(Self { of, places })
    }
}
