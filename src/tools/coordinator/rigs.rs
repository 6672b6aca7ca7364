//! Tools that look at rigs.

use crate::contract::shapes::RigRecord;
use crate::rpc::table::LIST_RIGS;
use crate::tools::paging;
use crate::tools::text::{AgentText, name};
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::Failure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Lists the rigs (repositories) of a town, oldest first. Use it to find where work goes: sling takes a rig's id or name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRigs {
    /// Rigs per page, 1 to 200 (default 50).
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of rigs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RigList {
    town: String,
    rigs: Vec<RigLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A rig in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RigLine {
    id: String,
    name: String,
    git_url: String,
    default_branch: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<AgentText>,
    created_at: String,
}

impl Tool for ListRigs {
    const NAME: &'static str = "list_rigs";
    const TITLE: &'static str = "List rigs";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = "{}";
    type Output = RigList;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        paging::limit(self.limit)?;
        paging::position::<usize>(self.cursor.as_deref())?;
        Ok(Plan::One(place.call_town(&LIST_RIGS, ())?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<RigList, Failure> {
        let limit = paging::limit(self.limit)?;
        let shown: usize = paging::position(self.cursor.as_deref())?.unwrap_or(0);
        // Rigs are listed in the order in which they were added, so a position is a count.
        let all: Vec<RigRecord> = answers.one(&LIST_RIGS)?;
        let next_cursor = (all.len() > shown.saturating_add(limit)).then(|| paging::cursor(&shown.saturating_add(limit)));
        let rigs = all.into_iter().skip(shown).take(limit).map(RigLine::from).collect();
        Ok(RigList { town: place.town()?.to_string(), rigs, next_cursor })
    }
}

impl From<RigRecord> for RigLine {
    fn from(rig: RigRecord) -> Self {
        Self {
            id: rig.id.to_string(),
            name: name(&rig.name),
            git_url: name(&rig.git_url),
            default_branch: name(&rig.default_branch),
            purpose: rig.config.get("purpose").and_then(Value::as_str).map(AgentText::line),
            created_at: rig.created_at.to_string(),
        }
    }
}
