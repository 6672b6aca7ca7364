//! The town's configuration: defaults, limits, and how an update is merged (Gastown contract 3.9).
//!
//! Owns which keys exist. Only what differs from the defaults is stored.

use super::{letters, state, topics};
use crate::error::{Code, Failure, Refusal, refuse};
use crate::rpc::model::{MergeMode, TownConfig};
use crate::rpc::serve::{Answer, Caller, Cx, json};
use crate::store::sql::execute;
use serde_json::{Map, Value};

/// Polecats that a rig may have at once unless the town says otherwise.
pub const POLECATS_PER_RIG_DEFAULT: i64 = 5;
/// Most polecats that a rig may be allowed.
pub const POLECATS_PER_RIG_MAX: i64 = 50;
/// Longest custom instructions, in characters.
const INSTRUCTIONS_CHARS_MAX: usize = 2_000;

/// The configuration of a town that has set nothing.
fn defaults() -> TownConfig {
    let defaults = r#"{
        "env_vars": {}, "git_auth": {}, "owner_type": "user", "merge_strategy": "pr",
        "refinery": {
            "gates": [], "auto_merge": true, "require_clean_merge": true, "code_review": true, "review_mode": "comments",
            "auto_resolve_pr_feedback": true, "auto_merge_delay_minutes": 5
        },
        "staged_convoys_default": true, "convoy_merge_mode": "review-then-land", "disable_ai_coauthor": false
    }"#;
    serde_json::from_str(defaults).unwrap_or_default()
}

/// Keys that may be set besides those with a default.
const OPTIONAL_KEYS: [&str; 13] = [
    "max_polecats_per_rig",
    "default_model",
    "role_models",
    "small_model",
    "kilocode_token",
    "alarm_interval_active",
    "alarm_interval_idle",
    "container",
    "github_cli_pat",
    "git_author_name",
    "git_author_email",
    "custom_instructions",
    "formulas",
];
/// Settings that are merged key by key.
const MERGED: [&str; 2] = ["refinery", "custom_instructions"];
/// Settings that hold secrets, at the top or one level down.
const SECRET: [&str; 4] = ["env_vars", "git_auth", "github_cli_pat", "kilocode_token"];
/// Largest configuration, in bytes of JSON.
const CONFIG_BYTES_MAX: usize = 64 * 1024;

/// Defaults, then what the town has set, then who owns it.
fn effective(town: &state::TownState) -> TownConfig {
    let mut config = defaults();
    config.extend(town.config.clone());
    let owner = town.owner();
    config.insert("owner_type".to_owned(), Value::from(if owner.org_id.is_some() { "org" } else { "user" }));
    if let Some(id) = owner.org_id.as_ref().or(owner.user_id.as_ref()) {
        config.insert("owner_id".to_owned(), Value::from(id.as_str()));
    }
    if let Some(user) = owner.user_id {
        config.insert("owner_user_id".to_owned(), Value::from(user));
    }
    if let Some(org) = owner.org_id {
        config.insert("organization_id".to_owned(), Value::from(org));
    }
    config
}

/// Polecats that each rig of the town may have at once.
pub(super) fn capacity(town: &state::TownState) -> i64 {
    town.config.get("max_polecats_per_rig").and_then(Value::as_i64).unwrap_or(POLECATS_PER_RIG_DEFAULT)
}

/// Whether convoys are staged unless the call says otherwise.
pub(super) fn staged_default(town: &state::TownState) -> bool {
    effective(town).get("staged_convoys_default").and_then(Value::as_bool).unwrap_or(true)
}

/// How convoys merge unless the call says otherwise.
pub(super) fn merge_mode_default(town: &state::TownState) -> MergeMode {
    effective(town).get("convoy_merge_mode").and_then(Value::as_str).and_then(MergeMode::parse).unwrap_or(MergeMode::ReviewThenLand)
}

/// `getTownConfig`. Secrets are in clear, as the contract has it: whoever shows this to anyone masks them.
pub(crate) fn get_config(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    json(&effective(&*state::require(cx)?))
}

/// `updateTownConfig`: a shallow merge; `refinery` and `custom_instructions` are merged by key; null removes a key, and
/// so does an empty `default_model`. A masked secret keeps the stored one. Owner fields cannot be set here. Nothing is
/// changed when any value is refused.
pub(crate) fn update_config(cx: &Cx<'_>, _caller: &Caller, (update,): (TownConfig,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let mut changed = state::TownState::clone(&town);
    let known = defaults();
    for (key, new) in update {
        if key.starts_with("owner") || (!known.contains_key(&key) && !OPTIONAL_KEYS.contains(&key.as_str())) {
            return Err(refuse(Code::InvalidArgument, format!("{key} is not a setting of a town")));
        }
        if new.is_null() || (key == "default_model" && new == "") {
            changed.config.remove(&key);
            continue;
        }
        check(&key, &new)?;
        let old = effective(&changed).remove(&key).unwrap_or_default();
        changed.config.insert(key.clone(), merge(&key, old, new));
    }
    let text = serde_json::to_string(&changed.config).unwrap_or_default();
    if text.len() > CONFIG_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("the configuration may have at most {CONFIG_BYTES_MAX} bytes of JSON")));
    }
    execute(cx.sql, "-- config_update\nUPDATE town SET config = ?", (text,))?;
    cx.forget();
    if capacity(&changed) != capacity(&town) || changed.config.get("formulas") != town.config.get("formulas") {
        letters::rigs_changed(cx)?;
    }
    topics::changed(cx, &town, topics::TOWN)?;
    json(&effective(&changed))
}

fn merge(key: &str, old: Value, new: Value) -> Value {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) if MERGED.contains(&key) => {
            let mut merged = old;
            merged.extend(new);
            Value::Object(merged)
        }
        (Value::Object(old), Value::Object(new)) if SECRET.contains(&key) => {
            let mut kept = Map::new();
            for (name, value) in new {
                if let Some(value) = if is_masked(&value) { old.get(&name).cloned() } else { Some(value) } {
                    kept.insert(name, value);
                }
            }
            Value::Object(kept)
        }
        (old @ Value::String(_), new) if SECRET.contains(&key) && is_masked(&new) => old,
        (_, new) => new,
    }
}

/// Whether this is how a secret was shown: four stars and up to four characters.
fn is_masked(value: &Value) -> bool {
    value.as_str().and_then(|text| text.strip_prefix("****")).is_some_and(|rest| rest.chars().count() <= 4)
}

fn check(key: &str, new: &Value) -> Result<(), Refusal> {
    if key == "formulas" {
        return crate::rig::formulas::check(new);
    }
    let within = |low: i64, high: i64| new.as_i64().is_some_and(|number| (low..=high).contains(&number));
    let (fits, allowed) = match key {
        "max_polecats_per_rig" => (within(1, POLECATS_PER_RIG_MAX), "a whole number from 1 to 50"),
        "alarm_interval_active" => (within(5, 600), "seconds from 5 to 600"),
        "alarm_interval_idle" => (within(30, 3_600), "seconds from 30 to 3600"),
        "staged_convoys_default" | "disable_ai_coauthor" => (new.is_boolean(), "true or false"),
        "convoy_merge_mode" => (new.as_str().and_then(MergeMode::parse).is_some(), "review-then-land or review-and-merge"),
        "merge_strategy" => (matches!(new.as_str(), Some("direct" | "pr")), "direct or pr"),
        "env_vars" => {
            (new.as_object().is_some_and(|vars| vars.iter().all(is_env_var)), "an object of texts; names like NAME_1, not GASTOWN_…")
        }
        "git_auth" | "role_models" => (new.as_object().is_some_and(|texts| texts.values().all(Value::is_string)), "an object of texts"),
        "refinery" => (new.as_object().is_some_and(|fields| fields.iter().all(is_refinery_field)), "an object of refinery settings"),
        "container" => (new.is_object(), "an object"),
        "custom_instructions" => (
            new.as_object().is_some_and(|texts| {
                texts.values().all(|text| text.as_str().is_some_and(|text| text.chars().count() <= INSTRUCTIONS_CHARS_MAX))
            }),
            "an object of texts of at most 2000 characters",
        ),
        _ => (new.is_string(), "a text"),
    };
    if fits { Ok(()) } else { Err(Refusal::new(Code::InvalidArgument, format!("{key} must be {allowed}"))) }
}

/// Gastown contract 3.9.
fn is_env_var((name, value): (&String, &Value)) -> bool {
    let legal = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let starts = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    value.is_string() && legal && starts && !name.starts_with("GASTOWN_")
}

/// Gastown contract 3.9.
fn is_refinery_field((name, value): (&String, &Value)) -> bool {
    match name.as_str() {
        "gates" => value.as_array().is_some_and(|gates| gates.iter().all(Value::is_string)),
        "auto_merge" | "require_clean_merge" | "code_review" | "auto_resolve_pr_feedback" | "auto_resolve_merge_conflicts" => {
            value.is_boolean()
        }
        "review_mode" => matches!(value.as_str(), Some("rework" | "comments")),
        "auto_merge_delay_minutes" => value.is_null() || value.as_u64().is_some(),
        _ => false,
    }
}
