//! The Mayor's own calls: is it there, what does it see, which model is it.

use crate::support::{Town, code, refusal};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::AgentId;
use gastown_mcp::contract::shapes::{MayorMessageResult, MayorStatus};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn status(town: &Town) -> MayorStatus {
    town.fleet.ask(&town.at, &rpc::GET_MAYOR_STATUS, (), &town.owner()).unwrap()
}

fn session(town: &Town) -> String {
    status(town).session.unwrap().status
}

/// Gastown contract 2.4.
#[test]
fn the_mayor_is_active_while_it_is_heard_of_or_waits() {
    let (town, _rig) = Town::with_rig();
    let id: AgentId = town.fleet.ask(&town.at, &rpc::GET_MAYOR_AGENT_ID, (), &town.owner()).unwrap();
    let ensured: MayorMessageResult = town.fleet.ask(&town.at, &rpc::ENSURE_MAYOR, (Value::Null,), &town.owner()).unwrap();
    assert_eq!((ensured.agent_id, ensured.session_status.as_str()), (id.clone(), "idle"));
    let created = status(&town).session.unwrap().last_activity_at;
    assert_eq!(created, town.fleet.now());
    town.fleet.advance(1_000);
    let touch = |agent: &str| town.fleet.ask::<Value>(&town.at, &rpc::TOUCH_MAYOR_HEARTBEAT, (agent, Value::Null), &town.owner());
    assert_eq!(touch(id.as_str()).unwrap(), json!({"drainNonce": null}));
    assert_eq!(status(&town).session.unwrap().last_activity_at, town.fleet.now());
    assert_eq!(session(&town), "active");
    let sent: MayorMessageResult = town.fleet.ask(&town.at, &rpc::SEND_MAYOR_MESSAGE, ("m", (), (), ()), &town.owner()).unwrap();
    assert_eq!(sent.session_status, "active");
    town.fleet.advance(90_000);
    assert_eq!(session(&town), "idle");
    let wait = |agent: &str, at: Option<&str>| town.fleet.tell(&town.at, &rpc::MAYOR_WAITING, (agent, at), &town.owner());
    wait("", None).unwrap();
    assert_eq!(session(&town), "active");
    touch("").unwrap();
    assert_eq!(town.sql(&town.at).value::<String>("SELECT mayor_status FROM town"), "waiting");
    // When it fired is believed, but not that it will.
    wait(id.as_str(), Some("2099-01-01T00:00:00.000Z")).unwrap();
    assert_eq!(status(&town).session.unwrap().last_activity_at, town.fleet.now());
    wait("", Some("2020-01-01T00:00:00.000Z")).unwrap();
    assert_eq!(session(&town), "idle");
    let somebody = AgentId::from_random([7; 16]);
    assert_eq!(refusal(touch(somebody.as_str())).message, format!("Agent {somebody} is not this town's Mayor"));
    assert_eq!(code(wait(somebody.as_str(), None)), Code::NotFound);
}

#[test]
fn the_dashboard_context_is_kept_within_measure() {
    let (town, _rig) = Town::with_rig();
    let read = || town.fleet.ask::<Option<String>>(&town.at, &rpc::GET_DASHBOARD_CONTEXT, (), &town.owner()).unwrap();
    let write = |text: &str| town.fleet.tell(&town.at, &rpc::SET_DASHBOARD_CONTEXT, (text,), &town.owner());
    assert_eq!(read(), None);
    write("<page>beads</page>").unwrap();
    town.fleet.restart();
    assert_eq!(read().as_deref(), Some("<page>beads</page>"));
    assert_eq!(code(write(&"x".repeat(64 * 1024 + 1))), Code::InvalidArgument);
    write(&"x".repeat(64 * 1024)).unwrap();
}

#[test]
fn the_mayors_model_is_a_setting_beside_those_of_other_roles() {
    let (town, _rig) = Town::with_rig();
    town.configure(json!({"role_models": {"polecat": "a/small"}})).unwrap();
    let update = |model: &str, small: Option<&str>| -> Result<(), Failure> {
        town.fleet.tell(&town.at, &rpc::UPDATE_MAYOR_MODEL, (model, small), &town.owner())
    };
    update("a/large", Some("a/tiny")).unwrap();
    let config: Value = town.fleet.ask(&town.at, &rpc::GET_TOWN_CONFIG, (), &town.owner()).unwrap();
    assert_eq!(config["role_models"], json!({"polecat": "a/small", "mayor": "a/large"}));
    assert_eq!(config["small_model"], "a/tiny");
    update("b/large", None).unwrap();
    let config: Value = town.fleet.ask(&town.at, &rpc::GET_TOWN_CONFIG, (), &town.owner()).unwrap();
    assert_eq!((config["role_models"]["mayor"].as_str(), config["small_model"].as_str()), (Some("b/large"), Some("a/tiny")));
    assert_eq!(code(update("", None)), Code::InvalidArgument);
    assert_eq!(code(update("a", Some(&"x".repeat(201)))), Code::InvalidArgument);
}
