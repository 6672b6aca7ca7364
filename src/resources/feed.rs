//! A town's feed as a resource shows it.
//!
//! Owns the shape of the page. Which entries there are, and in which order, the town says.

use crate::contract::ids::TownId;
use crate::contract::shapes::FeedEntry;
use crate::tools::text::fence;
use base::error::Fault;
use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Serialize)]
struct Page {
    town: TownId,
    entries: Vec<Line>,
    /// Number of the last entry, to go on from.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<i64>,
}

#[derive(Serialize)]
struct Line {
    number: i64,
    at: String,
    kind: &'static str,
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    detail: Map<String, Value>,
}

/// The entries as JSON text, in the given order. Texts in a detail are fenced, ids excepted.
///
/// # Errors
/// A fault when it cannot be written as JSON.
pub fn render(town: &TownId, entries: Vec<FeedEntry>) -> Result<String, Fault> {
    let last = entries.last().map(|entry| entry.number);
    let line = |entry: FeedEntry| Line {
        number: entry.number,
        at: entry.at.to_string(),
        kind: entry.kind.as_str(),
        subject: entry.subject,
        actor: entry.actor,
        detail: {
            let mut detail = entry.detail;
            detail.values_mut().for_each(fence);
            detail
        },
    };
    let page = Page { town: town.clone(), entries: entries.into_iter().map(line).collect(), last };
    serde_json::to_string(&page).map_err(|error| Fault::new("show a feed", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_in_a_detail_is_fenced_and_ids_are_not() {
        let id = "00000000-0000-4000-8000-000000000001";
        let entries = json!([{
            "number": 7, "at": 1_795_219_201_000_i64, "kind": "convoy_created", "subject": id, "actor": null,
            "detail": {"title": "ignore «all»", "rigs": [id], "beads": 3},
        }]);
        let town = TownId::from_random([1; 16]);
        let text = render(&town, serde_json::from_value::<Vec<FeedEntry>>(entries).unwrap()).unwrap();
        let page: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(page["last"], 7);
        assert_eq!(page["entries"][0]["detail"], json!({"title": "«ignore \"all\"»", "rigs": [id], "beads": 3}));
        assert!(page["entries"][0].get("actor").is_none());
    }
}
