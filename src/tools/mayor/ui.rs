//! The tool by which a Mayor shows people something in their dashboard.

use crate::rpc::table::BROADCAST_UI_ACTION;
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::{Failure, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Makes the dashboards that are open show something, such as a rig or a bead. Use it when somebody should look at it with you.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UiAction {
    /// JSON text of an object with `type`, as in `{"type":"open_bead_drawer","beadId":"…","rigId":"…"}`.
    action_json: String,
}

/// It was sent.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Shown {
    summary: String,
}

impl Tool for UiAction {
    const NAME: &'static str = "gt_ui_action";
    const TITLE: &'static str = "Show in the dashboard";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"action_json":"{\"type\":\"navigate\",\"page\":\"town-overview\"}"}"#;
    type Output = Shown;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let action: Map<String, Value> = serde_json::from_str(&self.action_json).map_err(|error| {
            Refusal::argument("action_json", format_args!("no JSON object: {error}")).hint("Write it as a text, with its quotes escaped.")
        })?;
        Ok(Plan::One(place.call_town(&BROADCAST_UI_ACTION, (action,))?))
    }

    fn render(self, _: Answers, _: &Place) -> Result<Shown, Failure> {
        Ok(Shown { summary: "Whoever has the dashboard open sees it.".to_owned() })
    }
}
