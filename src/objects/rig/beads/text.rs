//! Length limits of the texts of a bead.
//!
//! Owns the limits and the refusals that name them. Stores nothing.

use base::error::{Code, Refusal};
use serde_json::{Map, Value};

/// Longest title, in characters.
pub const TITLE_CHARS_MAX: usize = 500;
/// Longest body, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Most labels on a bead.
pub const LABELS_MAX: usize = 50;
/// Longest label, in characters.
pub const LABEL_CHARS_MAX: usize = 100;
/// Longest author or reason of failure, in bytes.
pub const NOTE_BYTES_MAX: usize = 2_000;
/// Largest metadata object, in bytes of JSON.
pub const METADATA_BYTES_MAX: usize = 16 * 1024;
/// Deepest metadata, in levels: letters and answers wrap it and must still be readable (`serde_json` reads 128).
pub const METADATA_LEVELS_MAX: usize = 32;
/// Checks the texts of a bead.
///
/// # Errors
/// `InvalidArgument` that names the field and the limit.
pub fn check_text(title: &str, body: Option<&str>) -> Result<(), Refusal> {
    if title.trim().is_empty() || title.chars().count() > TITLE_CHARS_MAX {
        return Err(Refusal::new(Code::InvalidArgument, format!("title must have 1 to {TITLE_CHARS_MAX} characters")));
    }
    if body.is_some_and(|body| body.len() > BODY_BYTES_MAX) {
        return Err(Refusal::new(Code::InvalidArgument, format!("body must have at most {BODY_BYTES_MAX} bytes")));
    }
    Ok(())
}

/// The JSON text of a bead's labels.
///
/// # Errors
/// `InvalidArgument` when there are too many, or one is too long.
pub(in crate::objects::rig) fn check_labels(labels: &[String]) -> Result<String, Refusal> {
    if labels.len() > LABELS_MAX || labels.iter().any(|label| label.chars().count() > LABEL_CHARS_MAX) {
        let message = format!("labels: at most {LABELS_MAX}, each of at most {LABEL_CHARS_MAX} characters");
        return Err(Refusal::new(Code::InvalidArgument, message));
    }
    Ok(serde_json::to_string(labels).unwrap_or_default())
}

/// The JSON text of a bead's metadata.
///
/// # Errors
/// `InvalidArgument` when there is too much of it, or it goes too deep.
pub fn check_metadata(metadata: &Map<String, Value>) -> Result<String, Refusal> {
    if 1 + metadata.values().map(levels).max().unwrap_or_default() > METADATA_LEVELS_MAX {
        return Err(Refusal::new(Code::InvalidArgument, format!("metadata: at most {METADATA_LEVELS_MAX} levels")));
    }
    let text = serde_json::to_string(metadata).unwrap_or_default();
    if text.len() > METADATA_BYTES_MAX {
        return Err(Refusal::new(Code::InvalidArgument, format!("metadata: at most {METADATA_BYTES_MAX} bytes of JSON")));
    }
    Ok(text)
}

/// How deep arrays and objects go.
pub(in crate::objects::rig) fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(levels).max().unwrap_or_default(),
        _ => 0,
    }
}

/// Checks a note: an author, a reason.
///
/// # Errors
/// `InvalidArgument` that names the field and the limit.
pub(in crate::objects::rig) fn check_note(field: &str, text: &str) -> Result<(), Refusal> {
    if text.len() > NOTE_BYTES_MAX {
        return Err(Refusal::new(Code::InvalidArgument, format!("{field} must have at most {NOTE_BYTES_MAX} bytes")));
    }
    Ok(())
}
