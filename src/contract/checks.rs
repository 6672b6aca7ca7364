//! What people may write: texts and metadata of beads, names of towns and rigs, addresses of repositories.
//!
//! Owns the refusals, which name the field and the limit. Stores nothing.

use super::limits::bead::{
    BODY_BYTES_MAX, LABEL_CHARS_MAX, LABELS_MAX, METADATA_BYTES_MAX, METADATA_LEVELS_MAX, NOTE_BYTES_MAX, TITLE_CHARS_MAX,
};
use super::limits::rig::{BRANCH_BYTES_MAX, GIT_URL_BYTES_MAX, NAME_CHARS_MAX};
use base::error::{Code, Refusal};
use serde_json::{Map, Value};

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
pub fn check_labels(labels: &[String]) -> Result<String, Refusal> {
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
#[must_use]
pub fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(levels).max().unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Checks a note: an author, a reason.
///
/// # Errors
/// `InvalidArgument` that names the field and the limit.
pub fn check_note(field: &str, text: &str) -> Result<(), Refusal> {
    if text.len() > NOTE_BYTES_MAX {
        return Err(Refusal::new(Code::InvalidArgument, format!("{field} must have at most {NOTE_BYTES_MAX} bytes")));
    }
    Ok(())
}

/// Checks a rig's or town's name.
///
/// # Errors
/// `InvalidArgument`.
pub fn check_name(name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(Refusal::new(Code::InvalidArgument, format!("name must have 1 to {NAME_CHARS_MAX} characters")));
    }
    Ok(())
}

/// Checks where a rig's code is.
///
/// # Errors
/// `InvalidArgument`.
pub fn check_repository(git_url: &str, default_branch: &str) -> Result<(), Refusal> {
    if git_url.is_empty() || git_url.len() > GIT_URL_BYTES_MAX {
        return Err(Refusal::new(Code::InvalidArgument, format!("git_url must have 1 to {GIT_URL_BYTES_MAX} bytes")));
    }
    if default_branch.is_empty() || default_branch.len() > BRANCH_BYTES_MAX {
        return Err(Refusal::new(Code::InvalidArgument, format!("default_branch must have 1 to {BRANCH_BYTES_MAX} bytes")));
    }
    Ok(())
}
