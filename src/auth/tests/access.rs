//! What a principal may do with towns, rigs, methods and scopes.

use super::*;
use crate::auth::principal::{OrgMembership, Scope};
use crate::auth::{Accept, Principal, verify};
use crate::contract::shapes::Owner;
use base::error::{Code, Refusal};

fn principal(by: By, claims: &Value) -> Principal {
    verify(&keys(), &sign(by, claims), now(), Accept::Internal).unwrap()
}

fn owned_by_user(id: &str) -> Owner {
    Owner { user_id: Some(id.to_owned()), org_id: None }
}

fn owned_by_org(id: &str) -> Owner {
    // Whoever created it is no owner of his own.
    Owner { user_id: Some("user-1".to_owned()), org_id: Some(id.to_owned()) }
}

#[track_caller]
fn forbidden(answer: Result<(), Refusal>) {
    assert_eq!(answer.unwrap_err().code, Code::Forbidden);
}

#[test]
fn a_token_of_town_a_is_refused_by_town_b() {
    let (a, b) = (town(), TownId::parse(OTHER_TOWN).unwrap());
    for claims in [mayor(), agent(), container(), internal()] {
        let caller = principal(By::Gastown, &claims);
        assert_eq!(caller.check_town(&a), Ok(()));
        assert_eq!(caller.check_owner(&a, &owned_by_user("user-2")), Ok(()), "the token itself says that it belongs to this town");
        forbidden(caller.check_town(&b));
        forbidden(caller.check_owner(&b, &owned_by_user("user-1")));
    }
}

#[test]
fn a_user_may_use_own_towns_and_no_others() {
    let caller = principal(By::Kilo, &user());
    assert_eq!(caller.check_owner(&town(), &owned_by_user("user-1")), Ok(()));
    forbidden(caller.check_owner(&town(), &owned_by_user("user-2")));
    forbidden(caller.check_owner(&town(), &owned_by_user("")));
    forbidden(caller.check_owner(&town(), &Owner { user_id: None, org_id: None }));
    let admin = principal(By::Kilo, &with(user(), json!({"isAdmin": true})));
    forbidden(admin.check_owner(&town(), &owned_by_user("user-2")));
}

#[test]
fn an_organizations_town_is_for_members_but_no_billing_manager() {
    let in_role = |role: &str| principal(By::Kilo, &with(user(), json!({"orgMemberships": [{"orgId": "org-1", "role": role}]})));
    for role in ["owner", "member"] {
        assert_eq!(in_role(role).check_owner(&town(), &owned_by_org("org-1")), Ok(()), "{role}");
        forbidden(in_role(role).check_owner(&town(), &owned_by_org("org-2")));
    }
    for role in ["billing_manager", "", "Owner"] {
        forbidden(in_role(role).check_owner(&town(), &owned_by_org("org-1")));
    }
    forbidden(principal(By::Kilo, &user()).check_owner(&town(), &owned_by_org("org-1")));
    // Even if a membership of that role slipped in.
    let mut slipped = principal(By::Kilo, &user());
    slipped.orgs.push(OrgMembership { org_id: "org-1".to_owned(), role: "billing_manager".to_owned() });
    forbidden(slipped.check_owner(&town(), &owned_by_org("org-1")));
}

#[test]
fn an_internal_call_without_a_town_opens_no_town() {
    let caller = principal(By::Gastown, &without(internal(), "townId"));
    forbidden(caller.check_owner(&town(), &owned_by_user("user-1")));
}

#[test]
fn a_scope_covers_the_narrower_ones() {
    let read = principal(By::Kilo, &with(user(), json!({"scope": "gastown:read"})));
    assert_eq!(read.check_scope(Scope::Read), Ok(()));
    forbidden(read.check_scope(Scope::Write));
    let write = principal(By::Gastown, &mayor());
    assert_eq!(write.check_scope(Scope::Write), Ok(()));
    let refusal = write.check_scope(Scope::Admin).unwrap_err();
    assert!(refusal.hint.unwrap().contains("gastown:admin"));
}

#[test]
fn a_key_is_the_same_with_every_token_of_the_same_caller() {
    assert_eq!(principal(By::Kilo, &user()).key(), principal(By::Kilo, &modern()).key());
    let all = [
        principal(By::Kilo, &user()),
        principal(By::Gastown, &agent()),
        principal(By::Gastown, &container()),
        principal(By::Gastown, &internal()),
    ];
    let distinct: std::collections::BTreeSet<String> = all.iter().map(Principal::key).collect();
    assert_eq!(distinct.len(), all.len());
}
