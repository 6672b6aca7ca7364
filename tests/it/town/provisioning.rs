//! How a town and its rigs come into being.

use crate::support::tokens::{OWNER, internal, mayor, user};
use crate::support::{Fleet, Town, code, refusal};
use base::error::Code;
use gastown_mcp::contract::ids::{RigId, TownId};
use gastown_mcp::contract::shapes::{MayorMessageResult, MayorStatus, RigRecord};
use gastown_mcp::rpc::call::Instance;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn identity() -> Value {
    json!({"ownerType": "user", "ownerUserId": OWNER, "createdByUserId": OWNER, "runtimeMode": "legacy", "townName": "t"})
}

#[test]
fn a_town_is_given_its_id_then_its_owner_and_nobody_uses_it_before() {
    let fleet = Fleet::new();
    let id = TownId::from_random([1; 16]);
    let at = Instance::Town(id.clone());
    let tell = |method, args: Value| fleet.tell(&at, method, args, &internal(&fleet, &at, Some(&id), method));
    assert_eq!(code(tell(&rpc::INITIALIZE_IDENTITY, json!([identity()]))), Code::NotFound);
    tell(&rpc::SET_TOWN_ID, json!([id])).unwrap();
    assert_eq!(code(fleet.ask::<Value>(&at, &rpc::LIST_RIGS, (), &user(&fleet, OWNER))), Code::Forbidden);
    tell(&rpc::INITIALIZE_IDENTITY, json!([identity()])).unwrap();
    fleet.ask::<Value>(&at, &rpc::LIST_RIGS, (), &user(&fleet, OWNER)).unwrap();
    let state: Value = fleet.ask(&at, &rpc::GET_IDENTITY_STATE, (), &user(&fleet, OWNER)).unwrap();
    assert_eq!(state, json!({"type": "legacy", "identity": identity()}));
    // Saying the id again changes nothing; a second owner is refused in the contract's words.
    tell(&rpc::SET_TOWN_ID, json!([id])).unwrap();
    assert_eq!(refusal(tell(&rpc::INITIALIZE_IDENTITY, json!([identity()]))).message, "Town identity already initialized");
}

#[test]
fn a_town_takes_no_other_id_and_no_organization_without_a_name() {
    let fleet = Fleet::new();
    let (id, other) = (TownId::from_random([1; 16]), TownId::from_random([2; 16]));
    let at = Instance::Town(id.clone());
    let tell = |town: &TownId, args: Value| fleet.tell(&at, &rpc::SET_TOWN_ID, args, &internal(&fleet, &at, Some(town), &rpc::SET_TOWN_ID));
    assert_eq!(code(tell(&id, json!([other]))), Code::InvalidArgument);
    assert_eq!(code(tell(&other, json!([id]))), Code::NotFound);
    assert!(fleet.sql(&at).schema().is_empty());
    tell(&id, json!([id])).unwrap();
    let nameless = json!([{"ownerType": "org", "ownerUserId": OWNER, "createdByUserId": OWNER, "runtimeMode": "legacy"}]);
    let outcome = fleet.tell(&at, &rpc::INITIALIZE_IDENTITY, nameless, &internal(&fleet, &at, Some(&id), &rpc::INITIALIZE_IDENTITY));
    assert_eq!(code(outcome), Code::InvalidArgument);
}

/// Whoever added a rig uses it in the next call.
#[test]
fn a_rig_works_as_soon_as_it_was_added() {
    let (town, rig) = Town::with_rig();
    assert_eq!(town.fleet.owed(), 0);
    assert!(town.sling(&rig, "t").agent.is_some());
    let rigs: Vec<RigRecord> = town.fleet.ask(&town.at, &rpc::LIST_RIGS, (), &town.owner()).unwrap();
    assert_eq!(rigs.len(), 1);
    assert_eq!(rigs[0].town_id, Some(town.id.clone()));
}

#[test]
fn a_rig_name_belongs_to_one_rig_of_the_town() {
    let (town, rig) = Town::with_rig();
    let refusal = refusal(town.try_add_rig("frontend", &RigId::from_random([9; 16])));
    assert_eq!(refusal.code, Code::Conflict);
    assert!(refusal.message.starts_with(&format!("A rig named \"frontend\" already exists (id={})", rig.id)), "{}", refusal.message);
    // The same rig again is an update.
    town.try_add_rig("frontend", &rig.id).unwrap();
    town.try_add_rig("web", &rig.id).unwrap();
    town.try_add_rig("frontend", &RigId::from_random([9; 16])).unwrap();
    for bad in ["", "  ", &"n".repeat(65)] {
        assert_eq!(code(town.try_add_rig(bad, &RigId::from_random([10; 16]))), Code::InvalidArgument);
    }
    for (url, branch) in [("", "main"), ("u", ""), (&*"u".repeat(2_001), "main"), ("u", &*"b".repeat(256))] {
        let input = json!({"rigId": RigId::from_random([10; 16]), "name": "n", "gitUrl": url, "defaultBranch": branch});
        assert_eq!(code(town.fleet.tell(&town.at, &rpc::ADD_RIG, (input,), &town.owner())), Code::InvalidArgument);
    }
}

/// S1-16: two towns, one rig name.
#[test]
fn two_towns_with_the_same_rig_name_do_not_mix() {
    let fleet = Fleet::new();
    let (one, two) = (Town::new(&fleet, 1), Town::new(&fleet, 2));
    let (first, second) = (one.add_rig("backend", 11), two.add_rig("backend", 12));
    one.sling(&first, "of one");
    let convoy = one.convoy(&first, Some(false), &[&[]]);
    fleet.settle();
    assert!(two.beads(&second, json!({})).is_empty());
    assert!(two.agents(&second).is_empty());
    assert_eq!(one.alarm_status().agents.hooked, 2);
    assert_eq!(two.alarm_status().agents.hooked, 0);
    assert_eq!(two.fleet.ask::<Value>(&two.at, &rpc::GET_CONVOY_STATUS, (&convoy.convoy.id,), &two.owner()).unwrap(), Value::Null);
    assert_eq!(code(fleet.ask::<Value>(&second.at, &rpc::LIST_BEADS, (Value::Null,), &mayor(&fleet, &one.id))), Code::Forbidden);
    let outcome = one.try_convoy(json!({"rigId": second.id, "convoyTitle": "c", "tasks": [{"title": "t"}]}));
    assert_eq!(code(outcome), Code::NotFound);
}

/// S0-30, S1-22: no Mayor is there, and nothing claims more than that the message waits.
#[test]
fn a_message_to_the_mayor_is_queued_and_counted() {
    let (town, _rig) = Town::with_rig();
    let send = |args: Value| town.fleet.ask::<MayorMessageResult>(&town.at, &rpc::SEND_MAYOR_MESSAGE, args, &town.owner());
    let first = send(json!(["hold off", null, null, null])).unwrap();
    let second = send(json!(["really", "some-model", "<ui/>", OWNER])).unwrap();
    assert_eq!((first.delivery.as_deref(), first.queued_messages, second.queued_messages), (Some("queued"), Some(1), Some(2)));
    assert_eq!(first.agent_id, second.agent_id);
    let status: MayorStatus = town.fleet.ask(&town.at, &rpc::GET_MAYOR_STATUS, (), &town.owner()).unwrap();
    assert_eq!((status.queued_messages, status.session.unwrap().agent_id), (2, first.agent_id));
    assert_eq!(town.alarm_status().mayor.unwrap().queued_messages, 2);
    for bad in [json!(["", null, null, null]), json!(["m".repeat(65_537), null, null, null]), json!(["m", null, "u".repeat(10_001), null])]
    {
        assert_eq!(code(send(bad)), Code::InvalidArgument);
    }
}
