//! Pages: how long a list may be and how it goes on.
//!
//! Owns the cursor, which is opaque to clients, says by itself where it ended, and survives any restart.

pub use base::order::sort;

use base::error::{Code, Refusal};
use base::time::Timestamp;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Entries on a page unless the call says otherwise.
pub const LIMIT_DEFAULT: usize = 50;
/// Entries on a page at most.
pub const LIMIT_MAX: usize = 200;

/// How many entries a page has.
///
/// # Errors
/// `InvalidArgument` when the number is out of range.
pub fn limit(asked: Option<usize>) -> Result<usize, Refusal> {
    match asked {
        None => Ok(LIMIT_DEFAULT),
        Some(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(Refusal::new(Code::InvalidArgument, format!("limit must be from 1 to {LIMIT_MAX}"))),
    }
}

/// Writes a position as a cursor.
#[must_use]
pub fn cursor(position: &impl Serialize) -> String {
    Base64UrlUnpadded::encode_string(&serde_json::to_vec(position).unwrap_or_default())
}

/// Reads a cursor of an earlier answer.
///
/// # Errors
/// `InvalidArgument` when it is none of ours.
pub fn position<P: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<P>, Refusal> {
    let Some(cursor) = cursor else { return Ok(None) };
    let text = Base64UrlUnpadded::decode_vec(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let read = text.and_then(|text| serde_json::from_str(&text).ok());
    match read {
        Some(position) => Ok(Some(position)),
        None => Err(Refusal::new(Code::InvalidArgument, "cursor: not a cursor of this tool").hint("Leave it out to begin at the start.")),
    }
}

/// Puts entries in the order of their keys: a time, and an id for what happened at the same time.
pub fn order<T>(entries: Vec<T>, newest_first: bool, key: impl Fn(&T) -> (Timestamp, String)) -> Vec<T> {
    let dated = |entry: &T| {
        let (at, id) = key(entry);
        (at.millis(), id)
    };
    sort(entries, newest_first, dated)
}

/// Keeps the first page of `entries` (sorted already) and the cursor of the next one.
pub fn cut<T, P: Serialize>(entries: &mut Vec<T>, limit: usize, position: impl Fn(&T) -> P) -> Option<String> {
    if entries.len() <= limit {
        return None;
    }
    entries.truncate(limit);
    entries.last().map(|last| cursor(&position(last)))
}
