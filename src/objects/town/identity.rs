//! The identity of a town: its id, then its owner.
//!
//! Owns the two calls that provisioning makes, and the question for the owner.

use super::state;
use crate::contract::ids::{AgentId, TownId};
use crate::contract::shapes::{FeedKind, OwnerType, RuntimeMode, TownIdentity, TownIdentityState};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::store::sql::execute;
use crate::objects::town::outbox_letters;
use crate::objects::town::views::feed;
use base::error::{Code, Failure, refuse};
use serde_json::json as value;

/// `setTownId`. Saying the same id again changes nothing.
pub(crate) fn set_town_id(cx: &Cx<'_>, _caller: &Caller, (id,): (TownId,)) -> Result<Answer, Failure> {
    if id.as_str() != cx.instance.name() {
        return Err(refuse(Code::InvalidArgument, format!("townId must be {}, the town that was called", cx.instance.name())));
    }
    execute(
        cx.sql,
        "-- identity_set_town_id\nINSERT INTO town (one, town_id, config, mayor_agent_id, created_at) VALUES (1, ?, '{}', ?, ?) ON CONFLICT (one) DO NOTHING",
        (&id, AgentId::from_random(cx.random()), cx.now.millis()),
    )?;
    cx.forget();
    Ok(Answer::Void)
}

/// `initializePrivateTownIdentity`, once.
pub(crate) fn initialize_identity(cx: &Cx<'_>, _caller: &Caller, (identity,): (TownIdentity,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    if town.identity.is_some() {
        return Err(refuse(Code::Conflict, "Town identity already initialized"));
    }
    if identity.owner_type == OwnerType::Org && identity.organization_id.as_deref().unwrap_or_default().is_empty() {
        return Err(refuse(Code::InvalidArgument, "organizationId is required when ownerType is org"));
    }
    let text = serde_json::to_string(&identity).unwrap_or_default();
    execute(cx.sql, "-- identity_initialize\nUPDATE town SET identity = ?", (text,))?;
    cx.forget();
    outbox_letters::rigs_changed(cx)?;
    let detail = value!({"name": identity.town_name});
    feed::write(cx, &town, FeedKind::TownCreated, town.town_id.as_str(), Some(&identity.created_by_user_id), &detail)?;
    Ok(Answer::Void)
}

/// `getPrivateTownIdentity`; null until the owner is known.
pub(crate) fn get_identity(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    json(&state::require(cx)?.identity)
}

/// `requiresRuntimeAuthorization`: never, nothing runs here that would have to be authorized.
pub(crate) fn requires_runtime(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    state::require(cx)?;
    json(&false)
}

/// `getTownIdentityState`.
pub(crate) fn get_identity_state(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    let state = match state::require(cx)?.identity.clone() {
        Some(identity) if identity.runtime_mode == RuntimeMode::Modern => TownIdentityState::Modern { identity },
        identity => TownIdentityState::Legacy { identity },
    };
    json(&state)
}
