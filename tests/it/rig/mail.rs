//! Mail: durable, in order, read once.

use crate::support::town::Rig;
use crate::support::{Town, code};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::AgentId;
use gastown_mcp::contract::shapes::Mail;
use gastown_mcp::rpc::table::{CHECK_MAIL, SEND_MAIL};
use serde_json::json;

fn send(town: &Town, rig: &Rig, from: &str, to: &AgentId, subject: &str, body: &str) -> Result<(), Failure> {
    let input = json!({"from_agent_id": from, "to_agent_id": to, "subject": subject, "body": body});
    town.fleet.tell(&rig.at, &SEND_MAIL, (input,), &town.owner())
}

fn check(town: &Town, rig: &Rig, agent: &AgentId) -> Vec<String> {
    let mail: Vec<Mail> = town.fleet.ask(&rig.at, &CHECK_MAIL, (agent,), &town.owner()).unwrap();
    assert!(mail.iter().all(|mail| !mail.delivered && mail.delivered_at.is_none() && mail.to_agent_id == *agent));
    mail.into_iter().map(|mail| mail.subject).collect()
}

/// S2-27, S2-30.
#[test]
fn mail_is_handed_out_in_order_once_and_survives_a_restart() {
    let (town, rig) = Town::with_rig();
    let agent = town.agent(&rig).unwrap().id;
    let other = town.sling(&rig, "t").agent.unwrap().id;
    for number in 0..230 {
        send(&town, &rig, "mayor", &agent, &format!("{number}"), "").unwrap();
    }
    town.fleet.restart();
    let mut read = Vec::new();
    for expected in [100, 100, 30, 0] {
        let page = check(&town, &rig, &agent);
        assert_eq!(page.len(), expected);
        read.extend(page);
    }
    assert_eq!(read, (0..230).map(|number| number.to_string()).collect::<Vec<_>>());
    let _ = other;
}

#[test]
fn mail_to_nobody_and_mail_without_measure_are_refused() {
    let (town, rig) = Town::with_rig();
    let agent = town.agent(&rig).unwrap().id;
    let nobody = AgentId::from_random([7; 16]);
    assert_eq!(code(send(&town, &rig, "mayor", &nobody, "s", "")), Code::NotFound);
    assert_eq!(code(send(&town, &rig, "mayor", &agent, " ", "")), Code::InvalidArgument);
    assert_eq!(code(send(&town, &rig, "mayor", &agent, &"s".repeat(501), "")), Code::InvalidArgument);
    assert_eq!(code(send(&town, &rig, "mayor", &agent, "s", &"b".repeat(65_537))), Code::InvalidArgument);
    assert_eq!(code(send(&town, &rig, &"m".repeat(129), &agent, "s", "")), Code::InvalidArgument);
    assert_eq!(code(send(&town, &rig, "", &agent, "s", "")), Code::InvalidArgument);
    send(&town, &rig, "mayor", &agent, &"ß".repeat(500), &"b".repeat(65_536)).unwrap();
}
