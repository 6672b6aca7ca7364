//! Verification: from a token to the principal that it stands for.
//!
//! Owns the rules of Gastown contract 5.1 and 5.2, one function per kind of token. Looks at nothing but the token:
//! the objects know whether the user owns the town.

use super::claims::{AUDIENCE, ExchangedClaims, GastownClaims, KiloClaims, Membership, Pepper, Purpose, Text};
use super::dates::Times;
use super::jws::{self, Issuer};
use super::principal::{OrgMembership, Principal, Role, Scope, TokenKind};
use super::{Keys, TokenError};
use crate::contract::ids::{RigId, TownId};
use base::time::Timestamp;

/// Oldest agent or container token that is believed, even with a later `exp` (Gastown contract 5.1).
pub const AGENT_AGE_MAX_MS: i64 = 8 * 60 * 60 * 1000;
/// The same in seconds: how long one that is made here lives.
pub const AGENT_LIFE_SECONDS: i64 = AGENT_AGE_MAX_MS / 1000;
/// Longest life of an internal token, and of an exchanged one.
pub const INTERNAL_LIFE_MAX_MS: i64 = 60_000;
/// Oldest container token that is exchanged for a new one, expired or not.
pub const REFRESH_AGE_MAX_MS: i64 = 24 * 60 * 60 * 1000;

/// The `version` claim of a Kilo user token (Gastown contract 5.2 point 2).
pub(super) const USER_TOKEN_VERSION: &str = "3";
pub(super) const SCOPE_CONTAINER: &str = "container";
pub(super) const SCOPE_INTERNAL: &str = "internal";
/// The scope of a token that stands for an OAuth access token behind the edge.
pub(super) const SCOPE_EXCHANGED: &str = "exchanged";
/// The audience of an exchanged token: our objects only.
pub(super) const AUDIENCE_OBJECTS: &str = "gastown-objects";
pub(super) const ROLE_POLECAT: &str = "polecat";
pub(super) const ROLE_REFINERY: &str = "refinery";
/// A Mayor's token has this and its town instead of a rig (Gastown contract 5.1).
pub const MAYOR_RIG_PREFIX: &str = "mayor-";

/// The issuers that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// Those of people and agents: the edge.
    External,
    /// These, and those made here, by our own objects or by the edge: the objects.
    Internal,
}

/// Turns a token into its bearer.
///
/// # Errors
/// The first reason found not to believe it.
pub fn verify(keys: &Keys, token: &str, now: Timestamp, accept: Accept) -> Result<Principal, TokenError> {
    let genuine = jws::open(keys, token)?;
    // Which secret signed decides which rules apply: no token is ever read as a kind of the other secret.
    match genuine.issuer {
        Issuer::Kilo => user(&parse(&genuine.claims)?, now),
        Issuer::Gastown => {
            let claims: GastownClaims<'_> = parse(&genuine.claims)?;
            let exchanged = claims.scope.as_ref().is_some_and(|scope| scope.as_str() == SCOPE_EXCHANGED);
            if exchanged && accept == Accept::Internal {
                return self::exchanged(&claims, &parse(&genuine.claims)?, now);
            }
            gastown(&claims, now, accept)
        }
    }
}

pub(super) fn parse<'a, T: serde::Deserialize<'a>>(claims: &'a [u8]) -> Result<T, TokenError> {
    // From text, as all other JSON is: a second reader for bytes would be another copy of every decoder.
    let claims = std::str::from_utf8(claims).map_err(|_| TokenError::BadClaims)?;
    serde_json::from_str(claims).map_err(|_| TokenError::BadClaims)
}

/// A Kilo user token, by the rules of Gastown contract 5.2 points 2 to 5.
///
/// `isAdmin` is not honoured: a Kilo administrator is a user like any other here.
fn user(claims: &KiloClaims<'_>, now: Timestamp) -> Result<Principal, TokenError> {
    if claims.version.is_none_or(|version| version.get() != USER_TOKEN_VERSION) {
        return Err(TokenError::WrongVersion);
    }
    let times = Times { iat: claims.iat, exp: claims.exp, nbf: claims.nbf };
    times.check(now)?;
    // Without an audience it is a legacy token, and good.
    if claims.aud.as_ref().is_some_and(|audience| !audience.any(|name| name == AUDIENCE)) {
        return Err(TokenError::WrongAudience);
    }
    if claims.token_purpose.is_some() || claims.credential_exchange.is_some() {
        strict_policy(claims, &times)?;
    }
    // Such a token is lent to one running workload for one resource. Kilo addresses none of them to Gastown.
    if claims.runtime_authorization.is_some() {
        return Err(TokenError::BadClaims);
    }
    if !claims.api_token_pepper.as_ref().is_some_and(Pepper::is_set) {
        return Err(TokenError::BadClaims);
    }
    Ok(Principal {
        kind: TokenKind::User,
        role: Role::Coordinator,
        is_role_known: true,
        user_id: text(claims.kilo_user_id.as_ref())?.to_owned(),
        agent_id: None,
        town: None,
        rig: None,
        scope: user_scope(claims.scope.as_ref())?,
        orgs: usable_orgs(claims.org_memberships.as_ref()),
        from: None,
        method: None,
        fence: None,
        process: None,
        expires_at: times.end(None),
    })
}

/// Gastown contract 5.2 point 4: a token with a purpose must have all claims of that purpose.
fn strict_policy(claims: &KiloClaims<'_>, times: &Times) -> Result<(), TokenError> {
    let (Some(_), Some(purpose), Some(exchange)) = (&claims.aud, claims.token_purpose, claims.credential_exchange) else {
        return Err(TokenError::BadClaims);
    };
    if exchange && purpose != Purpose::HumanApi {
        return Err(TokenError::BadClaims);
    }
    times.life_ms().map(|_| ())
}

/// No `scope` claim: everything, as Kilo's tokens have always meant. With one: the widest scope named that we know.
fn user_scope(claim: Option<&Text<'_>>) -> Result<Scope, TokenError> {
    let Some(names) = claim else { return Ok(Scope::Admin) };
    names.as_str().split(' ').filter_map(Scope::parse).max().ok_or(TokenError::NoScope)
}

pub(super) fn usable_orgs(claims: Option<&Vec<Membership<'_>>>) -> Vec<OrgMembership> {
    let all = claims.into_iter().flatten();
    all.map(|claim| OrgMembership { org_id: claim.org_id.as_str().to_owned(), role: claim.role.as_str().to_owned() })
        .filter(OrgMembership::may_use_towns)
        .collect()
}

/// The kinds that `GASTOWN_JWT_SECRET` signs. An unknown `scope` is none of them.
fn gastown(claims: &GastownClaims<'_>, now: Timestamp, accept: Accept) -> Result<Principal, TokenError> {
    let times = Times { iat: claims.iat, exp: claims.exp, nbf: claims.nbf };
    times.check(now)?;
    match claims.scope.as_ref().map(Text::as_str) {
        None => {
            times.check_age(now, AGENT_AGE_MAX_MS)?;
            agent(claims, &times)
        }
        Some(SCOPE_CONTAINER) => {
            times.check_age(now, AGENT_AGE_MAX_MS)?;
            container(claims, &times)
        }
        Some(SCOPE_INTERNAL) if accept == Accept::Internal => {
            check_short(&times)?;
            internal(claims, &times)
        }
        Some(SCOPE_INTERNAL | SCOPE_EXCHANGED) => Err(TokenError::InternalNotAccepted),
        Some(_) => Err(TokenError::BadClaims),
    }
}

/// One agent of one rig, or the Mayor of a town.
fn agent(claims: &GastownClaims<'_>, times: &Times) -> Result<Principal, TokenError> {
    let town = town(claims)?;
    let rig_id = text(claims.rig_id.as_ref())?;
    let (role, is_role_known, rig) = match rig_id.strip_prefix(MAYOR_RIG_PREFIX) {
        Some(own) if TownId::parse(own).as_ref() == Ok(&town) => (Role::Mayor, true, None),
        Some(_) => return Err(TokenError::BadClaims),
        None => {
            let rig = RigId::parse(rig_id).map_err(|_| TokenError::BadClaims)?;
            let role = match claims.role.as_ref().map(Text::as_str) {
                Some(ROLE_REFINERY) => Some(Role::Refinery),
                Some(ROLE_POLECAT) => Some(Role::Polecat),
                // Kilo signs no other role, and an unknown one gives no rights.
                _ => None,
            };
            (role.unwrap_or(Role::Polecat), role.is_some(), Some(rig))
        }
    };
    Ok(Principal {
        kind: TokenKind::Agent,
        role,
        is_role_known,
        user_id: text(claims.user_id.as_ref())?.to_owned(),
        agent_id: Some(text(claims.agent_id.as_ref())?.to_owned()),
        town: Some(town),
        rig,
        scope: Scope::Write,
        orgs: Vec::new(),
        from: None,
        method: None,
        fence: claims.fence,
        process: None,
        expires_at: times.end(Some(AGENT_AGE_MAX_MS)),
    })
}

/// A container: any agent of one town. The request names the agent, not the token.
fn container(claims: &GastownClaims<'_>, times: &Times) -> Result<Principal, TokenError> {
    Ok(Principal {
        kind: TokenKind::Container,
        role: Role::Container,
        is_role_known: true,
        user_id: text(claims.user_id.as_ref())?.to_owned(),
        agent_id: None,
        town: Some(town(claims)?),
        rig: None,
        scope: Scope::Write,
        orgs: Vec::new(),
        from: None,
        method: None,
        fence: None,
        process: None,
        expires_at: times.end(Some(AGENT_AGE_MAX_MS)),
    })
}

/// The container of a token that asks for a new one: the token may have expired, but was signed here not too long ago.
///
/// # Errors
/// The first reason found not to believe it.
pub fn verify_for_refresh(keys: &Keys, token: &str, now: Timestamp) -> Result<Principal, TokenError> {
    let genuine = jws::open(keys, token)?;
    if genuine.issuer != Issuer::Gastown {
        return Err(TokenError::BadClaims);
    }
    let claims: GastownClaims<'_> = parse(&genuine.claims)?;
    if claims.scope.as_ref().is_none_or(|scope| scope.as_str() != SCOPE_CONTAINER) {
        return Err(TokenError::BadClaims);
    }
    let times = Times { iat: claims.iat, exp: None, nbf: claims.nbf };
    times.check(now)?;
    times.check_age(now, REFRESH_AGE_MAX_MS)?;
    container(&claims, &times)
}

/// One of our own objects, for one method. The method is the limit, not the scope.
fn internal(claims: &GastownClaims<'_>, times: &Times) -> Result<Principal, TokenError> {
    Ok(Principal {
        kind: TokenKind::Internal,
        role: Role::Internal,
        is_role_known: true,
        user_id: String::new(),
        agent_id: None,
        town: claims.town_id.as_ref().map(|_| town(claims)).transpose()?,
        rig: None,
        scope: Scope::Admin,
        orgs: Vec::new(),
        from: Some(text(claims.from.as_ref())?.to_owned()),
        method: Some(text(claims.method.as_ref())?.to_owned()),
        fence: None,
        process: None,
        expires_at: times.end(None),
    })
}

/// A user with an OAuth access token, as the edge vouches.
fn exchanged(claims: &GastownClaims<'_>, more: &ExchangedClaims<'_>, now: Timestamp) -> Result<Principal, TokenError> {
    let times = Times { iat: claims.iat, exp: claims.exp, nbf: claims.nbf };
    times.check(now)?;
    check_short(&times)?;
    if text(more.aud.as_ref())? != AUDIENCE_OBJECTS {
        return Err(TokenError::WrongAudience);
    }
    Ok(Principal {
        kind: TokenKind::User,
        role: Role::Coordinator,
        is_role_known: true,
        user_id: text(claims.user_id.as_ref())?.to_owned(),
        agent_id: None,
        town: None,
        rig: None,
        scope: Scope::parse(text(more.granted.as_ref())?).ok_or(TokenError::NoScope)?,
        orgs: usable_orgs(more.org_memberships.as_ref()),
        from: None,
        method: None,
        fence: None,
        process: None,
        expires_at: times.end(None),
    })
}

/// Tokens made here live a minute.
fn check_short(times: &Times) -> Result<(), TokenError> {
    if times.life_ms()? > INTERNAL_LIFE_MAX_MS { Err(TokenError::TooLongLived) } else { Ok(()) }
}

/// A claim that must be there and say something.
pub(super) fn text<'a>(claim: Option<&'a Text<'_>>) -> Result<&'a str, TokenError> {
    claim.map(Text::as_str).filter(|text| !text.is_empty()).ok_or(TokenError::BadClaims)
}

fn town(claims: &GastownClaims<'_>) -> Result<TownId, TokenError> {
    TownId::parse(text(claims.town_id.as_ref())?).map_err(|_| TokenError::BadClaims)
}
