//! The tool by which an agent looks at one bead of its rig.

use crate::contract::ids::BeadId;
use crate::contract::shapes::Bead;
use crate::rpc::table::{GET_BEAD, GET_HOOKED_BEAD};
use crate::tools::bead_view::BeadLine;
use crate::tools::text::AgentText;
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Shows how one bead of your rig stands: yours unless you name another. Use it to see whether something you depend on is done.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeadStatus {
    /// Bead id; the one on your hook when left out.
    bead: Option<String>,
}

/// A bead.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BeadShown {
    summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bead: Option<BeadLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<AgentText>,
}

impl Tool for BeadStatus {
    const NAME: &'static str = "gt_bead_status";
    const TITLE: &'static str = "Look at a bead";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"bead":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d"}"#;
    type Output = BeadShown;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let call = match &self.bead {
            None => place.call_rig(&GET_HOOKED_BEAD, (place.agent()?,))?,
            Some(id) => place.call_rig(&GET_BEAD, (BeadId::parse(id.trim()).map_err(|_| unknown())?,))?,
        };
        Ok(Plan::One(call))
    }

    fn render(self, answers: Answers, _: &Place) -> Result<BeadShown, Failure> {
        let bead: Option<Bead> = answers.one(&GET_BEAD)?;
        let Some(bead) = bead else {
            if self.bead.is_some() {
                return Err(unknown().into());
            }
            return Ok(BeadShown { summary: "Nothing is on your hook.".to_owned(), bead: None, body: None });
        };
        let body = bead.body.as_deref().map(AgentText::block);
        let line = BeadLine::from(bead);
        Ok(BeadShown { summary: line.summary(), bead: Some(line), body })
    }
}

fn unknown() -> Refusal {
    Refusal::of_argument(Code::NotFound, "bead", "your rig has no such bead").hint("Leave it out to see the one on your hook.")
}
