//! The town's configuration: defaults, limits, and how an update is merged (Gastown contract 3.9).
//!
//! Owns the merge and how secrets are shown; `settings` says which keys exist. Only differences from the defaults are stored.

use super::{settings, state, topics};
use crate::contract::limits::rig::POLECATS_PER_RIG_DEFAULT;
use crate::contract::masking::{SECRETS, is_masked};
use crate::contract::shapes::{MergeMode, TownConfig};
use crate::contract::watch::{THRESHOLDS, WatchSettings};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::store::sql::execute;
use crate::objects::town::outbox_letters;
use crate::objects::town::rigs::breaker;
use base::error::{Code, Failure, refuse};
use base::json::object;
use serde_json::{Map, Value};

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

/// Settings that are merged key by key.
const MERGED: [&str; 3] = ["refinery", "custom_instructions", WATCH];
/// The thresholds of the watch.
const WATCH: &str = "watch";
/// Largest configuration, in bytes of JSON.
const CONFIG_BYTES_MAX: usize = 64 * 1024;

/// Defaults, then the town's settings, then its owner.
fn effective(town: &state::TownState) -> TownConfig {
    let mut config = defaults();
    config.insert(WATCH.to_owned(), object(THRESHOLDS.iter().map(|threshold| (threshold.name, Value::from(threshold.default)))).into());
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

/// The thresholds of the watch.
pub(super) fn watch(town: &state::TownState) -> WatchSettings {
    WatchSettings::of(town.config.get(WATCH))
}

/// Commands that must succeed before work is submitted; the rigs tell their agents.
pub(super) fn gates(town: &state::TownState) -> Option<&Value> {
    town.config.get("refinery").and_then(|refinery| refinery.get("gates"))
}

/// Whether convoys are staged unless the call says otherwise.
pub(super) fn staged_default(town: &state::TownState) -> bool {
    effective(town).get("staged_convoys_default").and_then(Value::as_bool).unwrap_or(true)
}

/// How convoys merge unless the call says otherwise.
pub(super) fn merge_mode_default(town: &state::TownState) -> MergeMode {
    effective(town).get("convoy_merge_mode").and_then(Value::as_str).and_then(MergeMode::parse).unwrap_or(MergeMode::ReviewThenLand)
}

/// `getTownConfig`. Secrets are in clear, as the contract has it: the edge masks them.
pub(crate) fn get_config(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    json(&effective(&*state::require(cx)?))
}

/// `updateTownConfig`: a shallow merge; `refinery`, `custom_instructions` and `watch` are merged by key; null removes a key, and
/// so does an empty `default_model`. A masked secret keeps the stored one. Owner fields cannot be set here. Nothing is
/// changed when any value is refused.
pub(crate) fn update_config(cx: &Cx<'_>, _caller: &Caller, (update,): (TownConfig,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let mut changed = state::TownState::clone(&town);
    for (key, new) in update {
        if !new.is_null() || settings::TOWN.iter().all(|setting| setting.name != key) {
            settings::check("a town", settings::TOWN, "", &key, &new)?;
        }
        if new.is_null() || (key == "default_model" && new == "") {
            changed.config.remove(&key);
            continue;
        }
        let old = effective(&changed).remove(&key).unwrap_or_default();
        match merge(&key, old, new) {
            Some(merged) => changed.config.insert(key, merged),
            None => changed.config.remove(&key),
        };
    }
    watch(&changed).check()?;
    let text = serde_json::to_string(&changed.config).unwrap_or_default();
    if text.len() > CONFIG_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("the configuration may have at most {CONFIG_BYTES_MAX} bytes of JSON")));
    }
    execute(cx.sql, "-- config_update\nUPDATE town SET config = ?", (text,))?;
    cx.forget();
    let has_changed = |key: &str| changed.config.get(key) != town.config.get(key);
    let is_told = capacity(&changed) != capacity(&town) || has_changed("formulas") || has_changed(WATCH) || gates(&changed) != gates(&town);
    if is_told {
        outbox_letters::rigs_changed(cx)?;
    }
    if has_changed(WATCH) {
        breaker::look(cx, &changed)?;
    }
    topics::changed(cx, &town, topics::TOWN)?;
    json(&effective(&changed))
}

/// The value to store; `None` when a mask stands for a secret that does not exist.
fn merge(key: &str, old: Value, new: Value) -> Option<Value> {
    Some(match (old, new) {
        (Value::Object(old), Value::Object(new)) if MERGED.contains(&key) => {
            let mut merged = old;
            merged.extend(new);
            Value::Object(merged)
        }
        (Value::Object(old), Value::Object(new)) if SECRETS.contains(&key) => {
            let mut kept = Map::new();
            for (name, value) in new {
                if let Some(value) = if is_masked(&value) { old.get(&name).cloned() } else { Some(value) } {
                    kept.insert(name, value);
                }
            }
            Value::Object(kept)
        }
        (old, new) if SECRETS.contains(&key) && is_masked(&new) => return old.is_string().then_some(old),
        (_, new) => new,
    })
}
