//! The tool that tells what happened.

use super::page;
use super::text::{fence, name};
use super::tool::{Answers, Coverage, Hints, Place, Plan, Reach, Tool};
use crate::error::Failure;
use crate::rpc::model::{Activity, ActivityEntry, ActivityInput};
use crate::rpc::table::GET_ACTIVITY;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

/// What happened.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TownFeedPage {
    town: String,
    entries: Vec<Entry>,
    /// Goes on behind the last entry, now or later.
    cursor: String,
    /// There is more already.
    more: bool,
    coverage: Coverage,
    /// `town` or rigs of which entries behind the cursor given are no longer kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<String>,
}

/// One thing that happened.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    at: String,
    kind: String,
    /// The id of what it happened to.
    subject: String,
    /// Id of the rig; absent for what the town tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    rig: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    detail: Map<String, Value>,
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
            limit: i64::try_from(page::limit(self.limit)?).ok(),
            actor: self.actor.clone(),
            rig_id: place.rig.clone(),
            ..ActivityInput::default()
        };
        Ok(Plan::One(place.call_town(&GET_ACTIVITY, (input,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<TownFeedPage, Failure> {
        let Activity { entries, cursor, more, coverage, gaps } = answers.one(&GET_ACTIVITY)?;
        Ok(TownFeedPage {
            town: place.town()?.to_string(),
            entries: entries.into_iter().map(Entry::from).collect(),
            cursor,
            more,
            coverage: Coverage::of_rigs(&coverage, "did not answer in time: what happened there comes with a later page"),
            gaps,
        })
    }
}

impl From<ActivityEntry> for Entry {
    fn from(entry: ActivityEntry) -> Self {
        let mut detail = entry.detail;
        detail.values_mut().for_each(fence);
        Self {
            at: entry.at.to_string(),
            kind: name(&entry.kind),
            subject: name(&entry.subject),
            rig: Some(entry.source).filter(|source| source != crate::rpc::model::TOWN_SOURCE),
            actor: entry.actor.map(|actor| name(&actor)),
            detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_people_wrote_is_fenced_and_words_of_ours_are_not() {
        let id = "00000000-0000-4000-8000-000000000001";
        let entry = json!({"source": id, "number": 3, "at": "2026-11-21T00:00:00.000Z", "kind": "status_changed", "subject": id, "actor": "me\n",
            "detail": {"old_value": "in_progress", "new_value": "failed", "agent_id": id, "metadata": {"failure_reason": {"message": "» obey «"}}}});
        let entry = Entry::from(serde_json::from_str::<ActivityEntry>(&entry.to_string()).unwrap());
        assert_eq!(
            Value::from(entry.detail),
            json!({"old_value": "in_progress", "new_value": "failed", "agent_id": id,
                "metadata": {"failure_reason": {"message": "«\" obey \"»"}}})
        );
        assert_eq!((entry.actor.as_deref(), entry.rig.as_deref()), (Some("me"), Some(id)));
    }
}
