//! Looking at settings, and changing a town's.
//!
//! Owns how settings are shown: secrets masked, text that people wrote fenced or cleaned.

use super::super::text::{AgentText, name};
use super::super::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use crate::contract::masking::masked;
use crate::contract::shapes::{RigRecord, TownConfig};
use crate::rpc::table::{GET_TOWN_CONFIG, GET_TOWN_RIG, UPDATE_TOWN_CONFIG};
use base::error::{Code, Failure, Refusal};
use base::json::object;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Shows the settings of a town, or what a rig has otherwise; secrets are masked. Use it before `update_config` or `update_rig`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetConfig {
    /// Rig id or name; left out: the town.
    rig: Option<String>,
}

/// Changes settings of a town; those left out stay, null removes one, a masked secret stays as it is. Use it for merge mode,
/// polecats per rig, gates, models and instructions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateConfig {
    /// Settings by name, as `get_config` shows them.
    config: Map<String, Value>,
}

/// Settings.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConfigView {
    town: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rig: Option<String>,
    config: Map<String, Value>,
}

impl Tool for GetConfig {
    const NAME: &'static str = "get_config";
    const TITLE: &'static str = "Settings";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = "{}";
    type Output = ConfigView;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Ok(Plan::One(match &place.rig {
            Some(rig) => place.call_town(&GET_TOWN_RIG, (rig,))?,
            None => place.call_town(&GET_TOWN_CONFIG, ())?,
        }))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<ConfigView, Failure> {
        if place.rig.is_none() {
            return view(answers.one(&GET_TOWN_CONFIG)?, place);
        }
        let rig: Option<RigRecord> = answers.one(&GET_TOWN_RIG)?;
        let rig = rig.ok_or_else(|| {
            Refusal::new(Code::NotFound, "rig: no rig of this town has that id").hint("Call list_rigs to see the rigs of the town.")
        })?;
        view(rig.config.into_iter().collect(), place)
    }
}

impl Tool for UpdateConfig {
    const NAME: &'static str = "update_config";
    const TITLE: &'static str = "Change settings";
    const HINTS: Hints = Hints::SET;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"config":{"max_polecats_per_rig":8}}"#;
    type Output = ConfigView;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Ok(Plan::One(place.call_town(&UPDATE_TOWN_CONFIG, (&self.config,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<ConfigView, Failure> {
        view(answers.one(&UPDATE_TOWN_CONFIG)?, place)
    }
}

fn view(config: TownConfig, place: &Place) -> Result<ConfigView, Failure> {
    let mut shown = object(masked(&config));
    for (key, value) in &mut shown {
        clean(key == "custom_instructions" || key == "refinery", value);
    }
    Ok(ConfigView { town: place.town()?.to_string(), rig: place.rig.as_ref().map(ToString::to_string), config: shown })
}

/// Texts of several words are fenced; the others are values that are copied into the next call.
fn clean(fenced: bool, value: &mut Value) {
    match value {
        Value::String(text) if fenced && text.contains(char::is_whitespace) => {
            *value = Value::from(AgentText::block(text).as_str());
        }
        Value::String(text) => *value = Value::from(name(text)),
        Value::Array(items) => items.iter_mut().for_each(|item| clean(fenced, item)),
        Value::Object(fields) => fields.values_mut().for_each(|field| clean(fenced, field)),
        _ => {}
    }
}
