//! Who may call what: the object verifies the caller itself, whoever holds the binding.

use crate::support::tokens::{self, OWNER, container, internal, mayor, observer, user, user_with};
use crate::support::{Fleet, Town, code, refusal};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::{AgentId, RigId, TownId};
use gastown_mcp::contract::shapes::{Bead, TownRecord};
use gastown_mcp::rpc::call::{Context, Instance, read_reply};
use gastown_mcp::rpc::table::{self, Absent, Access, METHODS, Method, Object};
use serde_json::{Value, json};

/// Calls a method with arguments that are never looked at when the caller is refused.
fn outcome(fleet: &Fleet, to: &Instance, method: &Method, context: &str) -> Result<String, Failure> {
    let args = Value::from(vec![Value::Null; method.params.len()]).to_string();
    read_reply(&fleet.raw(to, method.name, &args, context)).map(str::to_owned)
}

fn text(context: &Context) -> String {
    serde_json::to_string(context).unwrap()
}

/// Every object of a town, initialised.
fn objects(town: &Town, rig: &Instance) -> Vec<(Object, Instance)> {
    let registry = Instance::User(OWNER.to_owned());
    let _created: TownRecord = town.fleet.ask(&registry, &table::CREATE_TOWN, (json!({"name": "t"}),), &town.owner()).unwrap();
    let session = Instance::Session(format!("town:{}", town.id));
    let end = internal(&town.fleet, &town.at, Some(&town.id), &table::END_SESSION);
    town.fleet.tell(&session, &table::END_SESSION, ("s", town.fleet.now()), &end).unwrap();
    vec![(Object::Rig, rig.clone()), (Object::Town, town.at.clone()), (Object::Registry, registry), (Object::Session, session)]
}

fn each(test: impl Fn(&Town, &Instance, &'static Method)) {
    let (town, rig) = Town::with_rig();
    for (object, instance) in objects(&town, &rig.at) {
        for method in METHODS.iter().filter(|method| method.object == object) {
            test(&town, &instance, method);
        }
    }
}

#[test]
fn without_a_context_that_can_be_trusted_every_method_is_refused() {
    let stranger = Fleet::new();
    stranger.advance(-100_000_000);
    each(|town, to, method| {
        let good = if method.access == Access::Internal { internal(&town.fleet, &town.at, Some(&town.id), method) } else { town.owner() };
        let mut forged = good.clone();
        let flipped = if forged.jwt.ends_with('A') { 'Q' } else { 'A' };
        forged.jwt.pop();
        forged.jwt.push(flipped);
        let unsigned =
            Context { jwt: "eyJhbGciOiJub25lIn0.eyJ2ZXJzaW9uIjozLCJraWxvVXNlcklkIjoidXNlci1vd25lciJ9.".to_owned(), ..good.clone() };
        let expired =
            if method.access == Access::Internal { internal(&stranger, &town.at, Some(&town.id), method) } else { user(&stranger, OWNER) };
        let contexts = [
            "",
            "null",
            "{}",
            "[]",
            "{\"jwt\": 7}",
            "garbage",
            "{\"jwt\": \"garbage\"}",
            &text(&forged),
            &text(&unsigned),
            &text(&expired),
        ]
        .map(str::to_owned);
        for context in contexts {
            assert_eq!(code(outcome(&town.fleet, to, method, &context)), Code::Unauthenticated, "{} {context}", method.name);
        }
    });
}

#[test]
fn internal_methods_take_only_a_token_made_for_them() {
    each(|town, to, method| {
        if method.access != Access::Internal {
            // And the others take no internal token at all.
            let context = internal(&town.fleet, &town.at, Some(&town.id), method);
            assert_eq!(code(outcome(&town.fleet, to, method, &text(&context))), Code::Forbidden, "{}", method.name);
            return;
        }
        let other = if method.name == "deliver" { &table::SET_TOWN_ID } else { &table::DELIVER_TO_RIG };
        let refused = [
            town.owner(),
            mayor(&town.fleet, &town.id),
            container(&town.fleet, &town.id),
            internal(&town.fleet, &town.at, Some(&town.id), other),
        ];
        for context in refused {
            assert_eq!(code(outcome(&town.fleet, to, method, &text(&context))), Code::Forbidden, "{}", method.name);
        }
    });
}

/// S1-16: refused, never answered with something empty.
#[test]
fn another_towns_token_and_another_users_are_refused_everywhere() {
    let elsewhere = TownId::from_random([99; 16]);
    each(|town, to, method| {
        let mut contexts = Vec::new();
        if method.access == Access::Internal {
            if matches!(method.object, Object::Town | Object::Rig) {
                contexts.push(internal(&town.fleet, &Instance::Town(elsewhere.clone()), Some(&elsewhere), method));
                contexts.push(internal(&town.fleet, &Instance::Town(elsewhere.clone()), None, method));
            }
        } else {
            contexts.push(user(&town.fleet, "user-stranger"));
            contexts.push(user_with(&town.fleet, "user-stranger", None, &[("org", "owner")]));
            if matches!(method.object, Object::Town | Object::Rig) {
                contexts.push(mayor(&town.fleet, &elsewhere));
                contexts.push(container(&town.fleet, &elsewhere));
                contexts.push(tokens::polecat(&town.fleet, &elsewhere, &RigId::from_random([2; 16]), &AgentId::from_random([8; 16])));
            }
        }
        for context in contexts {
            assert_eq!(code(call(town, to, method, &context)), Code::Forbidden, "{}", method.name);
        }
    });
}

/// With arguments of the right shape, so that a refusal is about the caller.
fn call(town: &Town, to: &Instance, method: &Method, context: &Context) -> Result<String, Failure> {
    outcome(&town.fleet, to, method, &text(context))
}

/// S0-54: a read-only observer.
#[test]
fn an_observer_reads_and_changes_nothing() {
    each(|town, to, method| {
        if method.access == Access::Internal {
            return;
        }
        let outcome = call(town, to, method, &observer(&town.fleet, OWNER));
        if method.is_read() {
            assert!(!matches!(&outcome, Err(Failure::Refused(refusal)) if refusal.code == Code::Forbidden), "{}", method.name);
        } else {
            let refusal = refusal(outcome);
            assert_eq!(refusal.code, Code::Forbidden, "{}", method.name);
            assert!(refusal.message.contains("may read but not change"), "{}", refusal.message);
        }
    });
}

#[test]
fn a_call_meant_for_another_town_is_refused() {
    let elsewhere = TownId::from_random([99; 16]);
    each(|town, to, method| {
        if method.access != Access::Internal && matches!(method.object, Object::Town | Object::Rig) {
            let context = Context { town_id: Some(elsewhere.clone()), ..town.owner() };
            assert_eq!(code(call(town, to, method, &context)), Code::Forbidden, "{}", method.name);
        }
    });
}

#[test]
fn an_object_that_was_never_initialised_has_no_table_whoever_asks() {
    for method in METHODS {
        let fleet = Fleet::new();
        let id = TownId::from_random([1; 16]);
        let to = match method.object {
            Object::Rig => Instance::Rig(RigId::from_random([2; 16])),
            Object::Town => Instance::Town(id.clone()),
            Object::Registry => Instance::User(OWNER.to_owned()),
            Object::Session => Instance::Session("principal:x".to_owned()),
        };
        let context = if method.access == Access::Internal { internal(&fleet, &to, Some(&id), method) } else { user(&fleet, OWNER) };
        let answer = outcome(&fleet, &to, method, &text(&context));
        match method.absent {
            Absent::Refuse => assert_eq!(code(answer), Code::NotFound, "{}", method.name),
            Absent::Answer(json) => assert_eq!(answer.unwrap(), json, "{}", method.name),
            // The arguments make no sense: even then nothing is left behind.
            Absent::Create => assert!(answer.is_err(), "{}", method.name),
        }
        assert!(fleet.sql(&to).schema().is_empty(), "{}", method.name);
        assert_eq!(fleet.alarm_of(&to), None, "{}", method.name);
    }
}

#[test]
fn a_stranger_learns_nothing_from_a_registry_that_does_not_exist() {
    let fleet = Fleet::new();
    let registry = Instance::User(OWNER.to_owned());
    let outcome = fleet.ask::<Value>(&registry, &table::LIST_TOWNS, (), &user(&fleet, "user-stranger"));
    assert_eq!(code(outcome), Code::Forbidden);
    let outcome = fleet.ask::<Value>(&registry, &table::CREATE_TOWN, (json!({"name": "t"}),), &user(&fleet, "user-stranger"));
    assert_eq!(code(outcome), Code::Forbidden);
    assert!(fleet.sql(&registry).schema().is_empty());
}

/// S1-08, S4-12: an agent works in its rig, for itself, on its own bead.
#[test]
fn a_polecat_reports_for_itself_and_on_nobody_elses_bead() {
    let (town, rig) = Town::with_rig();
    let backend = town.add_rig("backend", 3);
    let (mine, theirs) = (town.sling(&rig, "mine"), town.sling(&rig, "theirs"));
    let (me, other) = (mine.agent.unwrap(), theirs.agent.unwrap());
    let token = town.polecat(&rig, &me.id);
    let close = |bead: &Bead, agent: &AgentId| town.fleet.ask::<Bead>(&rig.at, &table::CLOSE_BEAD, (&bead.bead_id, agent), &token);

    assert_eq!(code(close(&theirs.bead, &other.id)), Code::Forbidden);
    let refusal = refusal(close(&theirs.bead, &me.id));
    assert_eq!(refusal.code, Code::Conflict);
    assert!(refusal.message.contains(&other.name) && refusal.message.contains(other.id.as_str()), "{}", refusal.message);
    assert_eq!(close(&mine.bead, &me.id).unwrap().status.as_str(), "closed");

    assert_eq!(code(town.fleet.ask::<Value>(&backend.at, &table::LIST_BEADS, (Value::Null,), &token)), Code::Forbidden);
    assert_eq!(code(town.sling_as(&rig, json!({"rigId": rig.id, "title": "t"}), &token)), Code::Forbidden);
    assert_eq!(code(town.fleet.tell(&rig.at, &table::CHECK_MAIL, (&other.id,), &token)), Code::Forbidden);
    let forged = json!({"type": "issue", "title": "t", "created_by": other.id});
    assert_eq!(code(town.fleet.ask::<Value>(&rig.at, &table::CREATE_BEAD, (forged,), &token)), Code::Forbidden);
}

/// S1-17: a Mayor's token is good for every rig of its town.
#[test]
fn a_mayor_and_a_container_lead_every_rig_of_their_town() {
    let (town, rig) = Town::with_rig();
    let backend = town.add_rig("backend", 3);
    for place in [&rig, &backend] {
        for context in [mayor(&town.fleet, &town.id), container(&town.fleet, &town.id)] {
            town.sling_as(place, json!({"rigId": place.id, "title": "t"}), &context).unwrap();
        }
    }
    let named = Context { agent_id: Some("agent-7".to_owned()), ..container(&town.fleet, &town.id) };
    let slung = town.sling_as(&rig, json!({"rigId": rig.id, "title": "t"}), &named).unwrap();
    assert_eq!(slung.bead.created_by.as_deref(), Some("agent-7"));
}

#[test]
fn settings_need_the_admin_scope() {
    let (town, _rig) = Town::with_rig();
    let writer = user_with(&town.fleet, OWNER, Some(gastown_mcp::auth::principal::Scope::Write), &[]);
    for context in [writer, mayor(&town.fleet, &town.id), container(&town.fleet, &town.id)] {
        assert_eq!(code(town.fleet.ask::<Value>(&town.at, &table::UPDATE_TOWN_CONFIG, (json!({}),), &context)), Code::Forbidden);
    }
}

#[test]
fn an_organizations_town_is_its_members() {
    let fleet = Fleet::new();
    let id = TownId::from_random([1; 16]);
    let at = Instance::Town(id.clone());
    fleet.tell(&at, &table::SET_TOWN_ID, (&id,), &internal(&fleet, &at, Some(&id), &table::SET_TOWN_ID)).unwrap();
    let identity =
        json!({"ownerType": "org", "ownerUserId": OWNER, "organizationId": "org-1", "createdByUserId": OWNER, "runtimeMode": "legacy"});
    fleet.tell(&at, &table::INITIALIZE_IDENTITY, (identity,), &internal(&fleet, &at, Some(&id), &table::INITIALIZE_IDENTITY)).unwrap();
    let list = |context: &Context| fleet.ask::<Value>(&at, &table::LIST_RIGS, (), context);
    list(&user_with(&fleet, "somebody", None, &[("org-1", "member")])).unwrap();
    for context in [
        user(&fleet, OWNER),
        user_with(&fleet, OWNER, None, &[("org-1", "billing_manager")]),
        user_with(&fleet, OWNER, None, &[("org-2", "owner")]),
    ] {
        assert_eq!(code(list(&context)), Code::Forbidden);
    }
}
