//! Messages of every channel: durable or not, in order, and looked at without being taken.

use crate::support::fleet::Trouble;
use crate::support::town::Rig;
use crate::support::{Town, assert_indexed, code, refusal};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::AgentId;
use gastown_mcp::contract::shapes::{Channel, Mail, Message, Nudge};
use gastown_mcp::rpc::table as rpc;
use proptest::prelude::*;
use serde_json::{Value, json};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

fn mail(town: &Town, rig: &Rig, from: &str, to: &str, subject: &str) -> Result<(), Failure> {
    let input = json!({"from_agent_id": from, "to_agent_id": to, "subject": subject, "body": "b"});
    town.fleet.tell(&rig.at, &rpc::SEND_MAIL, (input,), &town.owner())
}

fn handoff(town: &Town, rig: &Rig, to: &AgentId, bead: Option<&str>) -> Result<Message, Failure> {
    let input = json!({"from": "mayor", "to": to, "subject": "yours now", "body": "b", "bead_id": bead});
    town.fleet.ask(&rig.at, &rpc::SEND_HANDOFF, (input,), &town.owner())
}

fn nudge(town: &Town, rig: &Rig, to: &AgentId, message: &str, options: Value) -> Result<String, Failure> {
    town.fleet.ask(&rig.at, &rpc::QUEUE_NUDGE, (to, message, options), &town.owner())
}

fn pending(town: &Town, rig: &Rig, agent: &AgentId) -> Vec<Nudge> {
    town.fleet.ask(&rig.at, &rpc::GET_PENDING_NUDGES, (agent,), &town.polecat(rig, agent)).unwrap()
}

fn list(town: &Town, rig: &Rig, filter: Value) -> Vec<Message> {
    town.fleet.ask(&rig.at, &rpc::LIST_MESSAGES, (filter,), &town.owner()).unwrap()
}

fn get(town: &Town, rig: &Rig, which: &str) -> Option<Message> {
    town.fleet.ask(&rig.at, &rpc::GET_MESSAGE, (which,), &town.owner()).unwrap()
}

fn check(town: &Town, rig: &Rig, agent: &AgentId) -> Vec<Mail> {
    town.fleet.ask(&rig.at, &rpc::CHECK_MAIL, (agent,), &town.owner()).unwrap()
}

/// S2-27, S2-29, S2-30.
#[test]
fn messages_of_every_channel_look_alike_and_are_seen_untaken() {
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "work");
    let agent = slung.agent.unwrap().id;
    town.fleet.advance(1_000);
    mail(&town, &rig, "mayor", agent.as_str(), "first").unwrap();
    mail(&town, &rig, "mayor", agent.as_str(), "second").unwrap();
    nudge(&town, &rig, &agent, "are you blocked?", json!({"source": "witness", "priority": "urgent"})).unwrap();
    let handed = handoff(&town, &rig, &agent, Some(slung.bead.bead_id.as_str())).unwrap();
    let all = list(&town, &rig, json!({"agentId": agent}));
    assert_eq!(
        all.iter().map(|message| message.channel).collect::<Vec<_>>(),
        [Channel::Hook, Channel::Mail, Channel::Mail, Channel::Nudge, Channel::Handoff]
    );
    assert!(all.windows(2).all(|pair| pair[0].timestamp < pair[1].timestamp));
    for message in &all {
        assert_eq!(message.to, agent.as_str());
        assert_eq!(message.durable, message.channel != Channel::Nudge);
        assert_eq!(get(&town, &rig, &message.id).as_ref(), Some(message));
        let address = message.durable.then(|| format!("mail/{}/{}-{}", message.to, message.timestamp, message.from));
        assert_eq!(message.address, address);
        if let Some(address) = address {
            assert_eq!(get(&town, &rig, &address).as_ref(), Some(message), "{address}");
        }
    }
    assert_eq!(all[0].payload["bead_id"], slung.bead.bead_id.as_str());
    assert_eq!(Value::Object(all[1].payload.clone()), json!({"subject": "first", "body": "b"}));
    assert_eq!(all[3].payload["source"], "witness");
    assert_eq!(all[4], handed);
    assert_eq!(handed.payload["bead_id"], slung.bead.bead_id.as_str());
    assert_eq!(list(&town, &rig, json!({"agentId": agent, "channel": "hook"})).len(), 1);
    assert_eq!(list(&town, &rig, json!({"channel": "nudge"})).len(), 1);
    assert_eq!(list(&town, &rig, json!({"unread": true})).len(), 4);
    // Nothing was taken by looking, and it survives a restart.
    town.fleet.restart();
    let taken = check(&town, &rig, &agent);
    assert_eq!(
        taken.iter().map(|mail| (mail.subject.as_str(), mail.channel)).collect::<Vec<_>>(),
        [("first", Channel::Mail), ("second", Channel::Mail), ("yours now", Channel::Handoff)]
    );
    assert_eq!(taken[2].bead_id.as_ref(), Some(&slung.bead.bead_id));
    assert_eq!(list(&town, &rig, json!({"agentId": agent, "unread": true})).len(), 1);
    assert!(get(&town, &rig, &all[1].id).unwrap().delivered_at.is_some());
    // What is not there is null, whatever it looks like.
    for which in ["x", "hook-x", "hook-999", "mail/", "mail/a/b", "mail/a/2026-11-21T00:00:00.000Z-b"] {
        assert_eq!(get(&town, &rig, which), None, "{which}");
    }
    let events: Vec<(String, String)> =
        town.sql(&rig.at).rows("SELECT bead_id, new_value FROM bead_events WHERE event_type = 'mail_sent' ORDER BY sequence");
    assert_eq!(events[0], (agent.to_string(), "mail".to_owned()));
    assert_eq!(events[3], (slung.bead.bead_id.to_string(), "handoff".to_owned()));
}

/// S2-27: nudges are not durable.
#[test]
fn nudges_come_urgent_first_and_are_gone_after_a_day_at_the_latest() {
    let (town, rig) = Town::with_rig();
    let agent = town.agent(&rig).unwrap().id;
    nudge(&town, &rig, &agent, "one", Value::Null).unwrap();
    let short = nudge(&town, &rig, &agent, "short", json!({"mode": "queue", "ttlSeconds": 60})).unwrap();
    let urgent = nudge(&town, &rig, &agent, "urgent", json!({"priority": "urgent", "mode": "immediate"})).unwrap();
    let seen = pending(&town, &rig, &agent);
    assert_eq!(seen.iter().map(|nudge| nudge.message.as_str()).collect::<Vec<_>>(), ["urgent", "one", "short"]);
    assert_eq!((seen[1].mode.as_str(), seen[1].priority.as_str(), seen[1].source.as_str()), ("wait-idle", "normal", "system"));
    // They wait until they are marked, and once is enough.
    assert_eq!(pending(&town, &rig, &agent).len(), 3);
    for _ in 0..2 {
        town.fleet.tell(&rig.at, &rpc::MARK_NUDGE_DELIVERED, (&urgent,), &town.polecat(&rig, &agent)).unwrap();
    }
    assert_eq!(pending(&town, &rig, &agent).len(), 2);
    town.fleet.tell(&rig.at, &rpc::MARK_NUDGE_DELIVERED, ("nothing",), &town.owner()).unwrap();
    // Another agent's nudges are not mine to mark.
    let other = town.sling(&rig, "x").agent.map(|_| AgentId::from_random([9; 16])).unwrap();
    let marked = town.fleet.tell(&rig.at, &rpc::MARK_NUDGE_DELIVERED, (&short,), &town.polecat(&rig, &other));
    assert_eq!(code(marked), Code::Forbidden);
    // The alarm drops what has had its time, without anybody asking.
    town.fleet.advance(61_000);
    assert_eq!(list(&town, &rig, json!({"channel": "nudge"})).len(), 2);
    town.fleet.advance(DAY_MILLIS);
    assert_eq!(town.sql(&rig.at).value::<i64>("SELECT COUNT(*) FROM messages"), 0);
}

#[test]
fn stale_nudges_are_counted_when_they_are_dropped_by_hand() {
    let (town, rig) = Town::with_rig();
    let agent = town.agent(&rig).unwrap().id;
    let expire = || town.fleet.ask::<i64>(&rig.at, &rpc::EXPIRE_STALE_NUDGES, (), &town.owner()).unwrap();
    nudge(&town, &rig, &agent, "a", json!({"mode": "queue", "ttlSeconds": 5})).unwrap();
    nudge(&town, &rig, &agent, "b", Value::Null).unwrap();
    assert_eq!(expire(), 0);
    // The clock of the object moves, its alarm is late.
    town.sql(&rig.at).rows::<Value>("UPDATE messages SET expires_at = 0 WHERE body = 'a'");
    assert_eq!(pending(&town, &rig, &agent).len(), 1);
    assert_eq!(expire(), 1);
    assert_eq!(expire(), 0);
}

#[test]
fn nudges_and_handoffs_without_measure_or_recipient_are_refused() {
    let (town, rig) = Town::with_rig();
    let agent = town.agent(&rig).unwrap().id;
    let nobody = AgentId::from_random([7; 16]);
    let refused = |to: &AgentId, message: &str, options: Value| code(nudge(&town, &rig, to, message, options));
    assert_eq!(refused(&nobody, "m", Value::Null), Code::NotFound);
    assert_eq!(refused(&agent, " ", Value::Null), Code::InvalidArgument);
    assert_eq!(refused(&agent, &"m".repeat(4_097), Value::Null), Code::InvalidArgument);
    assert_eq!(refused(&agent, "m", json!({"mode": "later"})), Code::InvalidArgument);
    assert_eq!(refused(&agent, "m", json!({"mode": "queue", "ttlSeconds": 0})), Code::InvalidArgument);
    assert_eq!(refused(&agent, "m", json!({"mode": "queue", "ttlSeconds": 86_401})), Code::InvalidArgument);
    // A time that would be ignored is refused.
    assert_eq!(refused(&agent, "m", json!({"ttlSeconds": 5})), Code::InvalidArgument);
    assert_eq!(code(handoff(&town, &rig, &nobody, None)), Code::NotFound);
    assert_eq!(code(handoff(&town, &rig, &agent, Some(nobody.as_str()))), Code::NotFound);
    let hooks = town.fleet.ask::<Value>(&rig.at, &rpc::LIST_MESSAGES, (json!({"channel": "hook"}),), &town.owner());
    assert_eq!(code(hooks), Code::InvalidArgument);
    assert_eq!(town.sql(&rig.at).value::<i64>("SELECT COUNT(*) FROM messages"), 0);
    town.sql(&rig.at).rows::<Value>(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         INSERT INTO messages (id, channel, sender, recipient, subject, body, created_at, sequence)
         SELECT 'm' || i, 'mail', 's', '{agent}', 's', 'b', i, i FROM n"
    ));
    let full = refusal(mail(&town, &rig, "mayor", agent.as_str(), "s"));
    assert_eq!(full.code, Code::Conflict);
    assert!(full.message.starts_with("1000 messages wait"), "{}", full.message);
}

#[test]
fn mail_stays_until_it_was_read_and_can_be_looked_at_for_a_month_then() {
    let (town, rig) = Town::with_rig();
    let agent = town.agent(&rig).unwrap().id;
    mail(&town, &rig, "mayor", agent.as_str(), "read").unwrap();
    check(&town, &rig, &agent);
    mail(&town, &rig, "mayor", agent.as_str(), "unread").unwrap();
    town.fleet.advance(29 * DAY_MILLIS);
    assert_eq!(list(&town, &rig, json!({})).len(), 2);
    town.fleet.advance(2 * DAY_MILLIS);
    let left = list(&town, &rig, json!({}));
    assert_eq!(left.iter().map(|message| message.payload["subject"].as_str().unwrap()).collect::<Vec<_>>(), ["unread"]);
    // Nobody will read it any more once its agent is gone.
    town.delete_agent(&rig, &agent);
    town.fleet.advance(29 * DAY_MILLIS);
    assert_eq!(list(&town, &rig, json!({"agentId": agent})).len(), 1);
    town.fleet.advance(2 * DAY_MILLIS);
    assert_eq!(list(&town, &rig, json!({})).len(), 0);
}

/// S2-28: what agents report reaches the Mayor once, with its sender, whatever the messages between objects go through.
#[test]
fn mail_to_the_mayor_reaches_the_town_once() {
    for trouble in [None, Some(Trouble::DropBefore), Some(Trouble::DropAfter), Some(Trouble::Duplicate)] {
        let (town, rig) = Town::with_rig();
        let agent = town.agent(&rig).unwrap();
        town.fleet.settle();
        let mayor: AgentId = town.fleet.ask(&town.at, &rpc::GET_MAYOR_AGENT_ID, (), &town.owner()).unwrap();
        town.fleet.trouble(&town.at, trouble);
        let input = json!({"from_agent_id": agent.id, "to_agent_id": mayor, "subject": "done", "body": "It is merged."});
        town.fleet.tell(&rig.at, &rpc::SEND_MAIL, (input,), &town.polecat(&rig, &agent.id)).unwrap();
        mail(&town, &rig, "user", "mayor", "second").unwrap();
        town.fleet.run_background();
        town.fleet.advance(100);
        town.fleet.trouble(&town.at, None);
        town.fleet.settle();
        let arrived: Vec<(String, String, String)> =
            town.sql(&town.at).rows("SELECT sender, message, status FROM mayor_messages ORDER BY message");
        assert_eq!(arrived.len(), 2, "{trouble:?}");
        assert_eq!(arrived[0], (format!("agent {} ({})", agent.name, agent.id), "done\n\nIt is merged.".to_owned(), "queued".to_owned()));
        assert_eq!(arrived[1].0, "user");
        assert_eq!(list(&town, &rig, json!({"agentId": "mayor"})).len(), 2);
        town.fleet.close();
    }
}

#[test]
fn no_statement_about_messages_reads_a_whole_table() {
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "work");
    let agent = slung.agent.unwrap().id;
    let sql = town.sql(&rig.at);
    sql.take_log();
    mail(&town, &rig, "mayor", agent.as_str(), "s").unwrap();
    mail(&town, &rig, "mayor", "mayor", "s").unwrap();
    nudge(&town, &rig, &agent, "m", Value::Null).unwrap();
    let handed = handoff(&town, &rig, &agent, None).unwrap();
    let after = json!({"timestamp": town.fleet.now(), "id": ""});
    for filter in [
        json!({}),
        json!({"agentId": agent}),
        json!({"agentId": agent, "after": after}),
        json!({"agentId": agent, "unread": true}),
        json!({"agentId": agent, "channel": "mail", "after": after}),
        json!({"agentId": agent, "channel": "hook"}),
    ] {
        list(&town, &rig, filter);
    }
    get(&town, &rig, &handed.id);
    get(&town, &rig, &handed.address.unwrap());
    get(&town, &rig, &list(&town, &rig, json!({"agentId": agent}))[0].address.clone().unwrap());
    pending(&town, &rig, &agent);
    check(&town, &rig, &agent);
    town.fleet.ask::<i64>(&rig.at, &rpc::APPEND_AGENT_EVENT, (&agent, "x", 1), &town.owner()).unwrap();
    town.fleet.ask::<Vec<Value>>(&rig.at, &rpc::GET_AGENT_EVENTS, (&agent, 0, 5), &town.owner()).unwrap();
    town.fleet.ask::<Value>(&rig.at, &rpc::PRIME, (&agent,), &town.owner()).unwrap();
    town.fleet.settle();
    town.fleet.advance(2 * DAY_MILLIS);
    for (statement, params) in sql.take_log() {
        let concerns = ["FROM messages", "UPDATE messages", "bead_events", "agent_events", "-- triage_open"];
        // What waits for one agent is bounded, and sorted; so is a page of events, whose sizes are added up.
        let bounded = ["-- nudges_pending", "-- agent_events_list"].iter().any(|name| statement.starts_with(name))
            || statement.contains("delivered_at IS NULL ORDER BY created_at");
        if concerns.iter().any(|table| statement.contains(table)) && !statement.contains("INSERT") && !bounded {
            assert_indexed(&sql, &statement, &params);
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Mail,
    Nudge,
    Handoff,
    Check,
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Mail),
        2 => Just(Step::Nudge),
        2 => Just(Step::Handoff),
        1 => Just(Step::Check),
        2 => (1_i64..3).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the size of the pages, every message is on exactly one of them, in order.
    #[test]
    fn pages_of_messages_are_the_whole_list_once(steps in proptest::collection::vec(step(), 1..20), size in 1_i64..7) {
        let (town, rig) = Town::with_rig();
        let agent = town.sling(&rig, "work").agent.unwrap().id;
        for step in steps {
            match step {
                Step::Mail => mail(&town, &rig, "mayor", agent.as_str(), "s").unwrap(),
                Step::Nudge => drop(nudge(&town, &rig, &agent, "m", Value::Null).unwrap()),
                Step::Handoff => drop(handoff(&town, &rig, &agent, None).unwrap()),
                Step::Check => drop(check(&town, &rig, &agent)),
                Step::Wait(millis) => town.fleet.advance(millis),
            }
        }
        let whole = list(&town, &rig, json!({"agentId": agent, "limit": 500}));
        let mut paged: Vec<Message> = Vec::new();
        loop {
            let after = paged.last().map(|last| json!({"timestamp": last.timestamp, "id": last.id}));
            let page = list(&town, &rig, json!({"agentId": agent, "limit": size, "after": after}));
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        prop_assert_eq!(paged, whole);
        town.fleet.close();
    }
}
