//! Making tokens: the internal ones that our objects call each other with, the exchanged ones that stand for an OAuth
//! access token behind the edge, and development tokens.
//!
//! Owns which claims each kind has. Kilo mints the real user, agent and container tokens; `verify` believes
//! only those forms. Ids are taken as they come: `verify` is the judge.

use super::Keys;
use super::claims::AUDIENCE;
use super::principal::{OrgMembership, Principal, Scope};
use super::verify::{
    AUDIENCE_OBJECTS, INTERNAL_LIFE_MAX_MS, MAYOR_RIG_PREFIX, ROLE_POLECAT, ROLE_REFINERY, SCOPE_CONTAINER, SCOPE_EXCHANGED, SCOPE_INTERNAL,
};
use crate::contract::ids::{RigId, TownId};
use base::error::Fault;
use base::time::Timestamp;
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header};
use serde::Serialize;

/// The user and the reach of a user token.
#[derive(Debug, Clone, Copy)]
pub struct UserClaims<'a> {
    /// `kiloUserId`.
    pub user_id: &'a str,
    /// `orgMemberships`.
    pub orgs: &'a [OrgMembership],
    /// `scope`; `None` leaves the claim out, which means everything.
    pub scope: Option<Scope>,
}

/// The agent of an agent token.
#[derive(Debug, Clone, Copy)]
pub enum AgentPlace<'a> {
    /// The Mayor of the town.
    Mayor,
    /// A worker in this rig.
    Polecat(&'a RigId),
    /// The merging agent of this rig; says so in the claim `role`.
    Refinery(&'a RigId),
}

/// One agent of a town.
#[derive(Debug, Clone, Copy)]
pub struct AgentClaims<'a> {
    /// `agentId`.
    pub agent_id: &'a str,
    /// `rigId`, and `role` where there is one.
    pub place: AgentPlace<'a>,
    /// `townId`.
    pub town: &'a TownId,
    /// `userId`.
    pub user_id: &'a str,
    /// `fence`: the dispatch order that the token is good for; `None`: for every order of the agent.
    pub fence: Option<i64>,
}

/// One call that an object makes on its own account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternalClaims {
    /// `townId`; only calls that concern no town have none.
    pub town: Option<TownId>,
    /// `from`: the object that calls, so that the token names its owner.
    pub from: String,
    /// `method`: the only method that the token is good for.
    pub method: String,
}

/// A modern Kilo user token (Gastown contract 5.1) for Gastown's audience, not exchangeable, with a null pepper.
///
/// # Errors
/// `Fault` when the claims cannot be written as JSON, which does not happen.
pub fn mint_user(keys: &Keys, claims: &UserClaims<'_>, life_seconds: i64, now: Timestamp) -> Result<String, Fault> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        version: u8,
        kilo_user_id: &'a str,
        api_token_pepper: (),
        aud: &'static str,
        token_purpose: &'static str,
        credential_exchange: bool,
        org_memberships: &'a [OrgMembership],
        #[serde(skip_serializing_if = "Option::is_none")]
        scope: Option<&'static str>,
        iat: i64,
        exp: i64,
    }
    let (iat, exp) = span(now, life_seconds);
    let wire = Wire {
        version: 3,
        kilo_user_id: claims.user_id,
        api_token_pepper: (),
        aud: AUDIENCE,
        token_purpose: "human-api",
        credential_exchange: false,
        org_memberships: claims.orgs,
        scope: claims.scope.map(Scope::granted),
        iat,
        exp,
    };
    sign(keys.kilo(), wire)
}

/// An agent token (Gastown contract 5.1, last row). Believed for eight hours at most, even with a longer `life_seconds`.
///
/// # Errors
/// `Fault` when the claims cannot be written as JSON, which does not happen.
pub fn mint_agent(keys: &Keys, claims: &AgentClaims<'_>, life_seconds: i64, now: Timestamp) -> Result<String, Fault> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        agent_id: &'a str,
        rig_id: String,
        town_id: &'a TownId,
        user_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        fence: Option<i64>,
        iat: i64,
        exp: i64,
    }
    let (rig_id, role) = match claims.place {
        AgentPlace::Mayor => (format!("{MAYOR_RIG_PREFIX}{}", claims.town), None),
        // A token that came with an order carries its role, which saves a look-up.
        AgentPlace::Polecat(rig) => (rig.to_string(), claims.fence.map(|_| ROLE_POLECAT)),
        AgentPlace::Refinery(rig) => (rig.to_string(), Some(ROLE_REFINERY)),
    };
    let (iat, exp) = span(now, life_seconds);
    sign(
        keys.gastown(),
        Wire { agent_id: claims.agent_id, rig_id, town_id: claims.town, user_id: claims.user_id, role, fence: claims.fence, iat, exp },
    )
}

/// A container token (Gastown contract 5.1, third row). Believed for eight hours at most.
///
/// # Errors
/// `Fault` when the claims cannot be written as JSON, which does not happen.
pub fn mint_container(keys: &Keys, town: &TownId, user_id: &str, life_seconds: i64, now: Timestamp) -> Result<String, Fault> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        town_id: &'a TownId,
        user_id: &'a str,
        scope: &'static str,
        iat: i64,
        exp: i64,
    }
    let (iat, exp) = span(now, life_seconds);
    sign(keys.gastown(), Wire { town_id: town, user_id, scope: SCOPE_CONTAINER, iat, exp })
}

/// The token of one call that an object makes on its own account (alarm, outbox). Lives a minute.
///
/// # Errors
/// `Fault` when the claims cannot be written as JSON, which does not happen.
pub fn mint_internal(keys: &Keys, claims: &InternalClaims, now: Timestamp) -> Result<String, Fault> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        scope: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        town_id: Option<&'a TownId>,
        from: &'a str,
        method: &'a str,
        iat: i64,
        exp: i64,
    }
    let (iat, exp) = span(now, INTERNAL_LIFE_MAX_MS / 1000);
    sign(
        keys.gastown(),
        Wire { scope: SCOPE_INTERNAL, town_id: claims.town.as_ref(), from: &claims.from, method: &claims.method, iat, exp },
    )
}

/// The token that objects get for a user with an OAuth access token. Lives a minute; the edge does not take it.
///
/// # Errors
/// `Fault` when the claims cannot be written as JSON, which does not happen.
pub fn mint_exchanged(keys: &Keys, user: &Principal, now: Timestamp) -> Result<String, Fault> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        scope: &'static str,
        aud: &'static str,
        user_id: &'a str,
        org_memberships: &'a [OrgMembership],
        granted: &'static str,
        iat: i64,
        exp: i64,
    }
    let (iat, exp) = span(now, INTERNAL_LIFE_MAX_MS / 1000);
    let granted = user.scope.name();
    sign(
        keys.gastown(),
        Wire { scope: SCOPE_EXCHANGED, aud: AUDIENCE_OBJECTS, user_id: &user.user_id, org_memberships: &user.orgs, granted, iat, exp },
    )
}

/// `iat` and `exp`, in whole seconds as every JWT library writes them.
const fn span(now: Timestamp, life_seconds: i64) -> (i64, i64) {
    let iat = now.millis().div_euclid(1000);
    (iat, iat.saturating_add(life_seconds))
}

fn sign(key: &Hs256Key, claims: impl Serialize) -> Result<String, Fault> {
    let header = Header::empty().with_token_type("JWT");
    Hs256.token(&header, &Claims::new(claims), key).map_err(|error| Fault::new("mint a token", error))
}
