//! The tool that shows what happened to beads and agents, as the rigs wrote it down.

use super::bead::{EventLine, bead_id};
use crate::contract::shapes::{BeadEventFilter, BeadEventRecord};
use crate::rpc::table::LIST_BEAD_EVENTS;
use crate::tools::paging;
use crate::tools::text::word;
use crate::tools::tool::{Answers, Coverage, Hints, Place, Plan, Reach, Tool};
use base::error::{Failure, Refusal};
use base::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Events of a list unless the call says otherwise.
const LIMIT_DEFAULT: usize = 30;

/// Lists what happened to a bead, or to all beads and agents of a rig or town, newest first. Use it to find out how something came
/// about; `{get_bead}` shows how it stands.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListBeadEvents {
    /// Bead id; all beads when left out.
    bead: Option<String>,
    /// Rig id or name; all rigs when left out.
    rig: Option<String>,
    /// Only what happened after this time (ISO 8601).
    since: Option<String>,
    /// How many, 1 to 200 (default 30).
    limit: Option<usize>,
}

/// What happened.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BeadEventList {
    town: String,
    summary: String,
    events: Vec<Happening>,
    /// Rigs asked.
    coverage: Coverage,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Happening {
    /// Bead id; the agent's for what happened to one.
    subject: String,
    rig: String,
    #[serde(flatten)]
    event: EventLine,
}

impl ListBeadEvents {
    fn limit(&self) -> Result<usize, Refusal> {
        paging::limit(self.limit.or(Some(LIMIT_DEFAULT)))
    }

    fn since(&self) -> Result<Option<Timestamp>, Refusal> {
        let wrong = || Refusal::argument("since", "expected a time in ISO 8601, as in 2026-01-31T12:00:00Z");
        self.since.as_deref().map(|text| Timestamp::parse_iso(text).ok_or_else(wrong)).transpose()
    }
}

impl Tool for ListBeadEvents {
    const NAME: &'static str = "list_bead_events";
    const TITLE: &'static str = "List bead events";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"rig":"api","limit":10}"#;
    type Output = BeadEventList;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let filter = BeadEventFilter {
            bead_id: self.bead.as_deref().map(|id| bead_id("bead", id)).transpose()?,
            since: self.since()?,
            limit: Some(i64::try_from(self.limit()?).unwrap_or_default()),
            ..BeadEventFilter::default()
        };
        Ok(place.ask_rigs(&LIST_BEAD_EVENTS, (filter,))?)
    }

    fn render(self, answers: Answers, place: &Place) -> Result<BeadEventList, Failure> {
        let limit = self.limit()?;
        let gathered = answers.gather::<Vec<BeadEventRecord>>(&LIST_BEAD_EVENTS, place)?;
        let all = gathered.answered.into_iter().flat_map(|(rig, events)| events.into_iter().map(move |event| (rig.id.clone(), event)));
        let mut all = paging::order(all.collect(), true, |(_, event)| (event.created_at, format!("{:020}", event.sequence)));
        let may_be_more = all.len() >= limit;
        all.truncate(limit);
        let more = if may_be_more { " There may be more before these: ask for more with limit." } else { "" };
        Ok(BeadEventList {
            town: place.town()?.to_string(),
            summary: format!("{} shown, newest first.{more}", all.len()),
            events: all
                .into_iter()
                .map(|(rig, event)| Happening { subject: word(&event.bead_id), rig, event: EventLine::from(&event) })
                .collect(),
            coverage: gathered.coverage,
        })
    }
}
