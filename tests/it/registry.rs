//! `GastownUserDO`, `GastownOrgDO` and `SessionDO`.

use crate::support::listener::LEASE_MILLIS;
use crate::support::tokens::{OWNER, internal, mayor, user, user_with};
use crate::support::{Fleet, Listener, code, refusal};
use base::error::Code;
use gastown_mcp::contract::ids::TownId;
use gastown_mcp::contract::shapes::{RegistryRig, TownRecord};
use gastown_mcp::rpc::call::Instance;
use gastown_mcp::rpc::table as rpc;
use mcp::session_types::SessionState;
use serde_json::{Value, json};

fn registry() -> (Fleet, Instance) {
    (Fleet::new(), Instance::User(OWNER.to_owned()))
}

fn create(fleet: &Fleet, at: &Instance, name: &str) -> TownRecord {
    fleet.ask(at, &rpc::CREATE_TOWN, (json!({"name": name, "owner_user_id": OWNER}),), &user(fleet, OWNER)).unwrap()
}

fn rig_input(town: &TownId, name: &str) -> Value {
    json!({"town_id": town, "name": name, "git_url": "https://example.test/x.git", "default_branch": "main"})
}

#[test]
fn towns_are_listed_newest_first_and_found_by_id() {
    let (fleet, at) = registry();
    let (one, two) = (create(&fleet, &at, "one"), create(&fleet, &at, "two"));
    let listed: Vec<TownRecord> = fleet.ask(&at, &rpc::LIST_TOWNS, (), &user(&fleet, OWNER)).unwrap();
    assert_eq!(listed, [two.clone(), one.clone()]);
    assert_eq!(one.owner_user_id.as_deref(), Some(OWNER));
    let found: Option<TownRecord> = fleet.ask(&at, &rpc::GET_TOWN, (&two.id,), &user(&fleet, OWNER)).unwrap();
    assert_eq!(found, Some(two));
    let none: Option<TownRecord> = fleet.ask(&at, &rpc::GET_TOWN, (TownId::from_random([9; 16]),), &user(&fleet, OWNER)).unwrap();
    assert_eq!(none, None);
}

#[test]
fn rigs_belong_to_a_registered_town() {
    let (fleet, at) = registry();
    let town = create(&fleet, &at, "one");
    let ask = |input: Value| fleet.ask::<RegistryRig>(&at, &rpc::CREATE_RIG, (input,), &user(&fleet, OWNER));
    let (first, second) = (ask(rig_input(&town.id, "a")).unwrap(), ask(rig_input(&town.id, "b")).unwrap());
    let listed: Vec<RegistryRig> = fleet.ask(&at, &rpc::LIST_REGISTRY_RIGS, (&town.id,), &user(&fleet, OWNER)).unwrap();
    assert_eq!(listed, [second.clone(), first]);
    let found: Option<RegistryRig> = fleet.ask(&at, &rpc::GET_RIG, (&second.id,), &user(&fleet, OWNER)).unwrap();
    assert_eq!(found, Some(second));
    let nowhere = TownId::from_random([9; 16]);
    assert_eq!(refusal(ask(rig_input(&nowhere, "a"))).message, format!("Town {nowhere} not found"));
    for (field, bad) in
        [("name", ""), ("name", &*"n".repeat(65)), ("git_url", ""), ("default_branch", ""), ("platform_integration_id", &*"p".repeat(201))]
    {
        let mut input = rig_input(&town.id, "n");
        input[field] = json!(bad);
        assert_eq!(code(ask(input)), Code::InvalidArgument, "{field}");
    }
}

/// S1-09: a Mayor sees its own town in its user's registry, and makes no others.
#[test]
fn a_towns_token_sees_that_town_only() {
    let (fleet, at) = registry();
    let (own, other) = (create(&fleet, &at, "own"), create(&fleet, &at, "other"));
    let token = mayor(&fleet, &own.id);
    let listed: Vec<TownRecord> = fleet.ask(&at, &rpc::LIST_TOWNS, (), &token).unwrap();
    assert_eq!(listed, std::slice::from_ref(&own));
    assert_eq!(code(fleet.ask::<Value>(&at, &rpc::GET_TOWN, (&other.id,), &token)), Code::Forbidden);
    assert_eq!(code(fleet.ask::<Value>(&at, &rpc::LIST_REGISTRY_RIGS, (&other.id,), &token)), Code::Forbidden);
    assert_eq!(code(fleet.ask::<Value>(&at, &rpc::CREATE_RIG, (rig_input(&other.id, "r"),), &token)), Code::Forbidden);
    assert_eq!(code(fleet.ask::<Value>(&at, &rpc::CREATE_TOWN, (json!({"name": "third"}),), &token)), Code::Forbidden);
    let rig: RegistryRig = fleet.ask(&at, &rpc::CREATE_RIG, (rig_input(&other.id, "r"),), &user(&fleet, OWNER)).unwrap();
    assert_eq!(code(fleet.ask::<Value>(&at, &rpc::GET_RIG, (&rig.id,), &token)), Code::Forbidden);
    fleet.ask::<Value>(&at, &rpc::CREATE_RIG, (rig_input(&own.id, "r"),), &token).unwrap();
}

#[test]
fn an_organizations_registry_is_its_members() {
    let fleet = Fleet::new();
    let at = Instance::Org("org-1".to_owned());
    let member = user_with(&fleet, "somebody", None, &[("org-1", "member")]);
    let input = json!({"name": "t", "owner_org_id": "org-1", "created_by_user_id": "forged"});
    let town: TownRecord = fleet.ask(&at, &rpc::CREATE_TOWN, (input,), &member).unwrap();
    assert_eq!(
        (town.owner_org_id.as_deref(), town.created_by_user_id.as_deref(), town.owner_user_id),
        (Some("org-1"), Some("somebody"), None)
    );
    let strangers = [
        user(&fleet, OWNER),
        user_with(&fleet, "x", None, &[("org-1", "billing_manager")]),
        user_with(&fleet, "org-1", None, &[("org-2", "owner")]),
    ];
    for stranger in strangers {
        assert_eq!(code(fleet.ask::<Value>(&at, &rpc::LIST_TOWNS, (), &stranger)), Code::Forbidden);
    }
    let wrong = json!({"name": "t", "owner_org_id": "org-2"});
    assert_eq!(code(fleet.ask::<Value>(&at, &rpc::CREATE_TOWN, (wrong,), &member)), Code::InvalidArgument);
}

/// Provisioning that failed is undone together.
#[test]
fn deleting_a_town_takes_its_rigs_along_and_says_whether_it_was_there() {
    let (fleet, at) = registry();
    let town = create(&fleet, &at, "one");
    let _rig: RegistryRig = fleet.ask(&at, &rpc::CREATE_RIG, (rig_input(&town.id, "a"),), &user(&fleet, OWNER)).unwrap();
    let delete =
        || fleet.ask::<bool>(&at, &rpc::DELETE_TOWN, (&town.id,), &internal(&fleet, &at, Some(&town.id), &rpc::DELETE_TOWN)).unwrap();
    assert!(delete());
    assert!(!delete());
    assert_eq!(fleet.sql(&at).value::<i64>("SELECT COUNT(*) FROM rigs"), 0);
}

#[test]
fn a_session_that_was_ended_stays_ended_until_it_expires_by_itself() {
    let fleet = Fleet::new();
    let at = Instance::Session("principal:user:x".to_owned());
    let ended = |id: &str| {
        let context = internal(&fleet, &at, None, &rpc::SESSION_STATE);
        fleet.ask::<SessionState>(&at, &rpc::SESSION_STATE, (id,), &context).unwrap().has_ended
    };
    let end = |id: &str, millis: i64| {
        let args = (id, fleet.now().plus_millis(millis));
        fleet.tell(&at, &rpc::END_SESSION, args, &internal(&fleet, &at, None, &rpc::END_SESSION)).unwrap();
    };
    assert!(!ended("s1"));
    assert!(fleet.sql(&at).schema().is_empty(), "a question creates nothing");
    end("s1", 10_000);
    end("s1", 10_000);
    fleet.restart();
    assert!(ended("s1"));
    assert!(!ended("s2"));
    end("s2", 3_600_000);
    fleet.advance(20 * 60_000);
    assert_eq!(fleet.sql(&at).value::<i64>("SELECT COUNT(*) FROM ended_sessions"), 1, "the alarm has forgotten the one that expired");
    assert!(ended("s2"));
}

#[test]
fn a_registry_tells_of_the_first_town_and_of_every_other_change() {
    let fleet = Fleet::new();
    let session = Listener::of_fleet(&fleet, "principal:user:owner");
    for (at, owner) in [
        (Instance::User(OWNER.to_owned()), user(&fleet, OWNER)),
        (Instance::Org("org".to_owned()), user_with(&fleet, OWNER, None, &[("org", "owner")])),
    ] {
        session.listen(&at, &["towns"]);
        let towns: Vec<TownRecord> = fleet.ask(&at, &rpc::LIST_TOWNS, (), &owner).unwrap();
        assert!(towns.is_empty());
        let town: TownRecord = fleet.ask(&at, &rpc::CREATE_TOWN, (json!({"name": "first"}),), &owner).unwrap();
        assert_eq!(session.news("towns"), json!({"terminal": false, "outcome": {}}), "{at}");
        let input = json!({"town_id": town.id, "name": "r", "git_url": "u", "default_branch": "main"});
        let rig: RegistryRig = fleet.ask(&at, &rpc::CREATE_RIG, (input,), &owner).unwrap();
        assert_eq!(session.heard(), ["towns"]);
        let remove = |method, id: &str| fleet.ask::<bool>(&at, method, (id,), &internal(&fleet, &at, None, method)).unwrap();
        for gone in [true, false] {
            assert_eq!(remove(&rpc::DELETE_RIG, rig.id.as_str()), gone);
            assert_eq!(session.heard().len(), usize::from(gone));
        }
        for gone in [true, false] {
            assert_eq!(remove(&rpc::DELETE_TOWN, town.id.as_str()), gone);
            assert_eq!(session.heard().len(), usize::from(gone));
        }
        // Its letters outlive a crash, as everybody's do.
        fleet.ask::<Value>(&at, &rpc::CREATE_TOWN, (json!({"name": "second"}),), &owner).unwrap();
        fleet.evict(&at);
        fleet.advance(5_000);
        assert_eq!(session.heard(), ["towns"]);
        fleet.advance(LEASE_MILLIS);
        fleet.ask::<Value>(&at, &rpc::CREATE_TOWN, (json!({"name": "third"}),), &owner).unwrap();
        assert!(session.heard().is_empty());
    }
}
