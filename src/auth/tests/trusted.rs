//! What is believed, and as what.

use super::*;
use crate::auth::mint::{
    AgentClaims, AgentPlace, InternalClaims, UserClaims, mint_agent, mint_container, mint_exchanged, mint_internal, mint_user,
};
use crate::auth::principal::{OrgMembership, Role, Scope, TokenKind};
use crate::auth::verify::verify_for_refresh;
use crate::auth::{Accept, Principal, verify};

#[track_caller]
fn trusted(token: &str) -> Principal {
    let principal = verify(&keys(), token, now(), Accept::Internal).unwrap();
    if principal.kind != TokenKind::Internal {
        assert_eq!(verify(&keys(), token, now(), Accept::External).as_ref(), Ok(&principal));
    }
    principal
}

fn org(id: &str, role: &str) -> OrgMembership {
    OrgMembership { org_id: id.to_owned(), role: role.to_owned() }
}

#[test]
fn a_user_token_legacy_or_modern() {
    let expected = Principal {
        kind: TokenKind::User,
        role: Role::Coordinator,
        is_role_known: true,
        user_id: "user-1".to_owned(),
        agent_id: None,
        town: None,
        rig: None,
        scope: Scope::Admin,
        orgs: Vec::new(),
        from: None,
        method: None,
        fence: None,
        process: None,
        expires_at: None,
    };
    for claims in [
        user(),
        modern(),
        without(user(), "exp"),
        without(user(), "iat"),
        with(user(), json!({"apiTokenPepper": "pepper"})),
        with(user(), json!({"aud": "gastown"})),
        with(user(), json!({"aud": ["kilo-api", "gastown"]})),
        with(modern(), json!({"tokenPurpose": "device-access", "credentialExchange": false})),
        with(modern(), json!({"tokenPurpose": "delegated-workload", "credentialExchange": false})),
        with(user(), json!({"iat": 1_794_999_999.5, "exp": 1_795_000_000.5})),
        // Five years, as Kilo's API tokens live.
        with(user(), json!({"iat": NOW - 157_680_000 + 60, "exp": NOW + 60})),
        // Claims that belong to other kinds, or to nobody, are not looked at.
        with(user(), json!({"townId": 7, "rigId": null, "somethingNew": {"a": [1]}, "env": "production"})),
        // Nothing that these say may widen what a caller can do.
        with(user(), json!({"isAdmin": true, "gastownAccess": true, "organizationId": "org-9", "organizationRole": "owner"})),
    ] {
        #[expect(clippy::cast_possible_truncation, reason = "a date of this century")]
        let expires_at = claims["exp"].as_f64().map(|exp| Timestamp::from_millis((exp * 1000.0) as i64));
        assert_eq!(trusted(&sign(By::Kilo, &claims)), Principal { expires_at, ..expected.clone() }, "{claims}");
    }
}

#[test]
fn dates_hold_within_the_leeway_and_not_beyond() {
    for changes in [json!({"exp": NOW - 9}), json!({"nbf": NOW + 10}), json!({"iat": NOW + 10})] {
        trusted(&sign(By::Kilo, &with(user(), changes)));
    }
    trusted(&sign(By::Gastown, &with(agent(), json!({"iat": NOW - 8 * HOUR - 9}))));
    trusted(&sign(By::Gastown, &without(agent(), "exp")));
}

#[test]
fn the_header_may_say_what_it_likes_beside_the_algorithm() {
    for header in [
        json!({"alg": "HS256"}),
        json!({"typ": "jwt", "alg": "HS256"}),
        json!({"typ": "at+jwt", "alg": "HS256", "kid": "../../dev/null", "jku": "https://evil.example", "cty": "JWT"}),
        json!({"typ": 7, "alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}}),
    ] {
        trusted(&sign_as(By::Kilo, &header, &user()));
    }
}

#[test]
fn the_widest_known_scope_counts() {
    for (claim, scope) in [
        ("gastown:read", Scope::Read),
        ("gastown:write", Scope::Write),
        ("gastown:admin gastown:read", Scope::Admin),
        ("kilo:everything gastown:read", Scope::Read),
        (" gastown:read  gastown:write ", Scope::Write),
    ] {
        assert_eq!(trusted(&sign(By::Kilo, &with(user(), json!({"scope": claim})))).scope, scope, "{claim}");
    }
}

#[test]
fn memberships_count_when_their_role_may_use_towns() {
    let memberships = json!([
        {"orgId": "org-1", "role": "owner"},
        {"orgId": "org-2", "role": "billing_manager"},
        {"orgId": "org-3", "role": "member", "since": 1},
        {"orgId": "org-4", "role": "anything"},
    ]);
    let principal = trusted(&sign(By::Kilo, &with(user(), json!({"orgMemberships": memberships}))));
    assert_eq!(principal.orgs, [org("org-1", "owner"), org("org-3", "member")]);
}

#[test]
fn an_agent_is_what_its_rig_and_role_say() {
    for (claims, role, is_known, rig) in [
        // What it is its rig knows.
        (agent(), Role::Polecat, false, Some(rig())),
        (with(agent(), json!({"role": "refinery"})), Role::Refinery, true, Some(rig())),
        (with(agent(), json!({"role": "polecat"})), Role::Polecat, true, Some(rig())),
        // A word in a claim makes no Mayor.
        (with(agent(), json!({"role": "mayor"})), Role::Polecat, false, Some(rig())),
        (mayor(), Role::Mayor, true, None),
        (with(mayor(), json!({"role": "refinery"})), Role::Mayor, true, None),
    ] {
        let principal = trusted(&sign(By::Gastown, &claims));
        assert_eq!((principal.kind, principal.role, principal.is_role_known), (TokenKind::Agent, role, is_known), "{claims}");
        assert_eq!((principal.town, principal.rig), (Some(town()), rig), "{claims}");
        assert_eq!((principal.agent_id.as_deref(), principal.user_id.as_str()), (Some(AGENT), "user-1"));
        assert_eq!(principal.scope, Scope::Write);
    }
}

#[test]
fn what_is_minted_is_believed() {
    let (keys, town, rig) = (keys(), town(), rig());
    let orgs = [org("org-1", "member")];
    let observer = UserClaims { user_id: "user-1", orgs: &orgs, scope: Some(Scope::Read) };
    let principal = trusted(&mint_user(&keys, &observer, HOUR, now()).unwrap());
    assert_eq!((principal.role, principal.scope, principal.orgs.as_slice()), (Role::Coordinator, Scope::Read, orgs.as_slice()));
    let everything = UserClaims { user_id: "user-1", orgs: &[], scope: None };
    assert_eq!(trusted(&mint_user(&keys, &everything, HOUR, now()).unwrap()).scope, Scope::Admin);

    for (place, role) in
        [(AgentPlace::Mayor, Role::Mayor), (AgentPlace::Polecat(&rig), Role::Polecat), (AgentPlace::Refinery(&rig), Role::Refinery)]
    {
        let claims = AgentClaims { agent_id: AGENT, place, town: &town, user_id: "user-1", fence: None };
        assert_eq!(trusted(&mint_agent(&keys, &claims, HOUR, now()).unwrap()).role, role);
    }

    let principal = trusted(&mint_container(&keys, &town, "user-1", 8 * HOUR, now()).unwrap());
    assert_eq!((principal.kind, principal.role, principal.town), (TokenKind::Container, Role::Container, Some(town.clone())));

    for own in [Some(town), None] {
        let claims = InternalClaims { town: own.clone(), from: "rig".to_owned(), method: "applyRigReport".to_owned() };
        let principal = trusted(&mint_internal(&keys, &claims, now()).unwrap());
        assert_eq!((principal.kind, principal.role, principal.town), (TokenKind::Internal, Role::Internal, own));
        assert_eq!((principal.method.as_deref(), principal.user_id.as_str()), (Some("applyRigReport"), ""));
    }
}

#[test]
fn an_agents_token_ends_with_its_exp_or_after_eight_hours() {
    let end = |claims: &Value| trusted(&sign(By::Gastown, claims)).expires_at.map(|at| at.millis() / 1000);
    assert_eq!(end(&agent()), Some(NOW + HOUR));
    assert_eq!(end(&with(agent(), json!({"exp": NOW + 100 * HOUR}))), Some(NOW + 7 * HOUR));
    assert_eq!(end(&without(mayor(), "exp")), Some(NOW + 7 * HOUR));
    assert_eq!(trusted(&sign(By::Kilo, &without(user(), "exp"))).expires_at, None);
}

#[test]
fn an_exchanged_token_says_who_and_how_far_and_is_for_objects_alone() {
    for scope in [Scope::Read, Scope::Write, Scope::Admin] {
        let orgs = [org("org-1", "member")];
        let user = Principal {
            scope,
            ..trusted(&mint_user(&keys(), &UserClaims { user_id: "user-1", orgs: &orgs, scope: None }, HOUR, now()).unwrap())
        };
        let token = mint_exchanged(&keys(), &user, now()).unwrap();
        let expires_at = Some(now().plus_millis(60_000));
        assert_eq!(verify(&keys(), &token, now(), Accept::Internal), Ok(Principal { expires_at, ..user }));
        assert_eq!(verify(&keys(), &token, now(), Accept::External), Err(TokenError::InternalNotAccepted));
        assert_eq!(verify(&keys(), &token, now().plus_millis(70_000), Accept::Internal), Err(TokenError::Expired));
    }
}

#[test]
fn an_internal_token_is_good_for_a_minute_to_the_second() {
    let claims = InternalClaims { town: None, from: "town".to_owned(), method: "releaseBead".to_owned() };
    let minted = now().plus_millis(999);
    let token = mint_internal(&keys(), &claims, minted).unwrap();
    assert!(verify(&keys(), &token, minted, Accept::Internal).is_ok());
    assert!(verify(&keys(), &token, minted.plus_millis(69_000), Accept::Internal).is_ok());
    assert!(verify(&keys(), &token, minted.plus_millis(70_000), Accept::Internal).is_err());
}

/// Gastown contract 4.3 `refresh-container-token`: an expired token is good for a new one for a day, and nothing else is.
#[test]
fn a_container_is_known_for_a_new_token_after_its_own_has_expired() {
    let known = |claims: &Value, at: i64| verify_for_refresh(&keys(), &sign(By::Gastown, claims), Timestamp::from_millis(at * 1000));
    let made = NOW - HOUR;
    for at in [NOW, NOW + 2 * HOUR, made + 24 * HOUR] {
        let principal = known(&container(), at).unwrap();
        assert_eq!((principal.kind, principal.town, principal.user_id.as_str()), (TokenKind::Container, Some(town()), "user-1"), "{at}");
    }
    assert_eq!(known(&container(), made + 24 * HOUR + 11), Err(TokenError::Expired));
    assert_eq!(known(&without(container(), "iat"), NOW), Err(TokenError::BadClaims));
    assert_eq!(known(&with(container(), json!({"iat": NOW + HOUR})), NOW), Err(TokenError::NotYetValid));
    for other in [agent(), mayor(), internal(), exchanged(), with(container(), json!({"townId": "x"}))] {
        assert_eq!(known(&other, NOW), Err(TokenError::BadClaims), "{other}");
    }
    let refresh = |token: &str| verify_for_refresh(&keys(), token, now());
    assert_eq!(refresh(&sign(By::Kilo, &container())), Err(TokenError::BadSignature));
    assert_eq!(refresh(&sign(By::Kilo, &user())), Err(TokenError::BadClaims));
}
