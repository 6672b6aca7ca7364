//! Tools that look at beads.

use crate::contract::shapes::{Bead, BeadFilter, BeadPosition, BeadStatus, BeadType};
use crate::rpc::table::LIST_BEADS;
use crate::tools::bead_view::BeadLine;
use crate::tools::paging;
use crate::tools::tool::{Answers, Coverage, Hints, Place, Plan, Reach, Tool};
use base::error::Failure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lists beads (work items) of a rig, or of every rig of the town, newest first. Use it to see what work exists and where
/// it stands.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListBeads {
    /// Rig id or name; all rigs when left out.
    rig: Option<String>,
    /// Only beads with this status.
    status: Option<BeadStatus>,
    /// Only beads of this type; work is `issue`.
    #[serde(rename = "type")]
    kind: Option<BeadType>,
    /// Beads per page, 1 to 200 (default 50).
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of beads.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BeadList {
    town: String,
    beads: Vec<BeadLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// Rigs asked.
    coverage: Coverage,
}

impl Tool for ListBeads {
    const NAME: &'static str = "list_beads";
    const TITLE: &'static str = "List beads";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"status":"open","limit":20}"#;
    type Output = BeadList;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let before: Option<BeadPosition> = paging::position(self.cursor.as_deref())?;
        // One more than shown tells whether there is a next page.
        let limit = i64::try_from(paging::limit(self.limit)?).unwrap_or_default() + 1;
        let filter = BeadFilter { status: self.status, kind: self.kind, limit: Some(limit), before, ..BeadFilter::default() };
        Ok(place.ask_rigs(&LIST_BEADS, (filter,))?)
    }

    fn render(self, answers: Answers, place: &Place) -> Result<BeadList, Failure> {
        let gathered = answers.gather::<Vec<Bead>>(&LIST_BEADS, place)?;
        let position = |bead: &Bead| BeadPosition { created_at: bead.created_at, bead_id: bead.bead_id.clone() };
        let beads: Vec<Bead> = gathered.answered.into_iter().flat_map(|(_, beads)| beads).collect();
        let mut beads = paging::order(beads, true, |bead| (bead.created_at, bead.bead_id.to_string()));
        let next_cursor = paging::cut(&mut beads, paging::limit(self.limit)?, position);
        let beads = beads.into_iter().map(BeadLine::from).collect();
        Ok(BeadList { town: place.town()?.to_string(), beads, next_cursor, coverage: gathered.coverage })
    }
}
