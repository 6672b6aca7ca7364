//! The configuration of a rig: its overrides of the town's settings, and where its code is.
//!
//! Owns the `config` column of the rigs. Holds no secret: no container clones anything here.

use crate::contract::ids::RigId;
use crate::contract::shapes::{RigConfig, RigRecord};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::store::sql::execute;
use crate::objects::town::{config, outbox_letters, rigs, settings, state, topics};
use base::error::{Code, Failure, Refusal, refuse};
use serde_json::{Map, Value};

/// Largest configuration of a rig, in bytes of JSON.
const CONFIG_BYTES_MAX: usize = 16 * 1024;
/// Longest platform integration id, in bytes.
const INTEGRATION_BYTES_MAX: usize = 200;
/// The override that `configureRig` may set too.
const MERGE_STRATEGY: &str = "merge_strategy";

/// Polecats that this rig may have at once.
pub(in crate::objects::town) fn capacity(town: &state::TownState, overrides: &Map<String, Value>) -> i64 {
    overrides.get("max_concurrent_polecats").and_then(Value::as_i64).unwrap_or_else(|| config::capacity(town))
}

/// Times that a bead of this rig is given out before it fails, unless that is left to the rig.
pub(in crate::objects::town) fn attempts_max(overrides: &Map<String, Value>) -> Option<i64> {
    overrides.get("max_dispatch_attempts").and_then(Value::as_i64)
}

/// `updateRigConfig`: replaces all overrides; a setting left out is the town's again. Null for an unknown rig.
pub(crate) fn update_rig_config(cx: &Cx<'_>, _caller: &Caller, (id, overrides): (RigId, Map<String, Value>)) -> Result<Answer, Failure> {
    let Some(mut rig) = rigs::find(cx, &id)? else { return Ok(Answer::Json("null".to_owned())) };
    rig.config = overrides;
    write(cx, &rig)?;
    json(&rig)
}

/// Checks and stores the overrides.
fn write(cx: &Cx<'_>, rig: &RigRecord) -> Result<(), Failure> {
    for (name, value) in &rig.config {
        settings::check("a rig", settings::RIG, "", name, value)?;
    }
    let text = Value::Object(rig.config.clone()).to_string();
    if text.len() > CONFIG_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("a rig's configuration may have at most {CONFIG_BYTES_MAX} bytes of JSON")));
    }
    execute(
        cx.sql,
        "-- rig_config_write\nUPDATE rigs SET config = ?, platform_integration_id = ?, updated_at = ? WHERE id = ?",
        (text, &rig.platform_integration_id, cx.now.millis(), &rig.id),
    )?;
    outbox_letters::rig_changed(cx, &rig.id)?;
    topics::changed(cx, &*state::require(cx)?, topics::RIGS)
}

/// `configureRig`: where the rig's code is and how it is merged. Nothing is cloned, so no token is taken.
pub(crate) fn configure_rig(cx: &Cx<'_>, _caller: &Caller, (told,): (RigConfig,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    if told.kilocode_token.is_some() {
        let refusal = Refusal::new(Code::Unsupported, "kilocodeToken is not supported by embedded towns: no container needs it");
        return Err(refusal.hint("Call again without it.").into());
    }
    if told.town_id != town.town_id {
        return Err(refuse(Code::InvalidArgument, format!("townId must be {}, the town that was called", town.town_id)));
    }
    if told.platform_integration_id.as_ref().is_some_and(|id| id.len() > INTEGRATION_BYTES_MAX) {
        return Err(refuse(Code::InvalidArgument, format!("platformIntegrationId must have at most {INTEGRATION_BYTES_MAX} bytes")));
    }
    let mut rig = rigs::find(cx, &told.rig_id)?.ok_or_else(|| rigs::unknown(&told.rig_id))?;
    rig.git_url = told.git_url;
    rig.default_branch = told.default_branch;
    rigs::write(cx, &rig)?;
    rig.platform_integration_id = told.platform_integration_id.or(rig.platform_integration_id);
    if let Some(strategy) = told.merge_strategy {
        rig.config.insert(MERGE_STRATEGY.to_owned(), Value::from(strategy));
    }
    write(cx, &rig)?;
    Ok(Answer::Void)
}

/// `getRigConfig`: the same read back; `userId` is the owner of the town, or its creator in an organization.
pub(crate) fn get_rig_config(cx: &Cx<'_>, _caller: &Caller, (id,): (RigId,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let config = rigs::find(cx, &id)?.map(|rig| RigConfig {
        town_id: town.town_id.clone(),
        rig_id: rig.id,
        git_url: rig.git_url,
        default_branch: rig.default_branch,
        user_id: town.identity.as_ref().map(|identity| identity.owner_user_id.clone()).unwrap_or_default(),
        kilocode_token: None,
        platform_integration_id: rig.platform_integration_id,
        merge_strategy: rig.config.get(MERGE_STRATEGY).and_then(Value::as_str).map(str::to_owned),
    });
    json(&config)
}
