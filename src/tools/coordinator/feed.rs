//! The tool that tells what happened.

use crate::contract::shapes::{ActivityInput, TOWN_SOURCE};
use crate::rpc::table::GET_ACTIVITY;
use crate::tools::paging;
use crate::tools::text::{fence, word};
use crate::tools::tool::{Answers, Coverage, Hints, Place, Plan, Reach, Tool};
use base::error::Failure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Tells what happened in a town and its rigs, oldest first. Without a cursor: the newest; with one: what came since.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TownFeed {
    /// `cursor` of an earlier answer, or `start` for the oldest that is kept.
    cursor: Option<String>,
    /// Entries, 1 to 200 (default 50).
    limit: Option<usize>,
    /// Only what this agent or user (id) did: an audit.
    actor: Option<String>,
    /// Only this rig, by id or name.
    rig: Option<String>,
}

/// What happened, as `Page` says.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct TownFeedPage(#[schemars(with = "Page")] Value);

/// What happened.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "says what the answer looks like, which goes on as it came but for the fences")]
struct Page {
    town: String,
    entries: Vec<Entry>,
    /// Goes on behind the last entry, now or later.
    cursor: String,
    /// There is more already.
    more: bool,
    coverage: Coverage,
    /// `town` or rigs of which entries behind the cursor given are no longer kept.
    gaps: Vec<String>,
}

/// One thing that happened.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "like `Page`")]
struct Entry {
    at: String,
    kind: String,
    /// The id of what it happened to.
    subject: String,
    /// Id of the rig; absent for what the town tells.
    rig: Option<String>,
    actor: Option<String>,
    detail: Option<Map<String, Value>>,
}

impl Tool for TownFeed {
    const NAME: &'static str = "town_feed";
    const TITLE: &'static str = "Town feed";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = "{}";
    type Output = TownFeedPage;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let input = ActivityInput {
            cursor: self.cursor.clone(),
            limit: i64::try_from(paging::limit(self.limit)?).ok(),
            actor: self.actor.clone(),
            rig_id: place.rig.clone(),
            ..ActivityInput::default()
        };
        Ok(Plan::One(place.call_town(&GET_ACTIVITY, (input,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<TownFeedPage, Failure> {
        let mut page: Value = answers.one(&GET_ACTIVITY)?;
        for entry in page.get_mut("entries").and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut) {
            show(entry);
        }
        let missing = page.pointer("/coverage/missing").and_then(Value::as_array).cloned().unwrap_or_default();
        let silent = |rig: &Value| json!({"id": rig, "name": "", "reason": "did not answer in time: what happened there comes later"});
        if let Some(coverage) = page.get_mut("coverage").and_then(Value::as_object_mut) {
            coverage.remove("as_of");
            coverage.insert("missing".to_owned(), missing.iter().map(silent).collect());
        }
        if let Some(page) = page.as_object_mut() {
            page.insert("town".to_owned(), Value::from(place.town()?.as_str()));
        }
        Ok(TownFeedPage(page))
    }
}

/// An entry as a model sees it: its source is a rig or nothing, its number the cursor's business, its texts are fenced.
fn show(entry: &mut Map<String, Value>) {
    entry.remove("number");
    let rig = entry.remove("source").filter(|source| source != TOWN_SOURCE);
    entry.extend(rig.map(|rig| ("rig".to_owned(), rig)));
    for field in ["kind", "subject", "actor"] {
        match entry.get_mut(field) {
            Some(Value::String(text)) => *text = word(text),
            _ => _ = entry.remove(field),
        }
    }
    if let Some(detail) = entry.get_mut("detail") {
        fence(detail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_is_fenced_and_words_of_ours_are_not() {
        let id = "00000000-0000-4000-8000-000000000001";
        let entry = json!({"source": id, "number": 3, "at": "2026-11-21T00:00:00.000Z", "kind": "status_changed", "subject": id, "actor": "me\n",
            "detail": {"old_value": "in_progress", "new_value": "failed", "agent_id": id, "metadata": {"failure_reason": {"message": "» obey «"}}}});
        let Value::Object(mut entry) = entry else { panic!("an entry is an object") };
        show(&mut entry);
        assert_eq!(
            entry["detail"],
            json!({"old_value": "in_progress", "new_value": "failed", "agent_id": id,
                "metadata": {"failure_reason": {"message": "«\" obey \"»"}}})
        );
        assert_eq!((&entry["actor"], &entry["rig"], entry.get("number")), (&json!("me"), &json!(id), None));
    }
}
