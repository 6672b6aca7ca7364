//! Dispatch orders: handed out once, and one process reports for an agent.

use super::reviews::Desk;
use crate::support::tokens::{self, ordered};
use crate::support::town::Rig;
use crate::support::{Town, refusal};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::AgentId;
use gastown_mcp::contract::shapes::{Agent, AgentRole, AgentStatus, BeadStatus, DispatchOrder};
use gastown_mcp::rpc::call::Context;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn take(town: &Town, rig: &Rig, runner: &str, after: Option<i64>, max: i64) -> Vec<DispatchOrder> {
    let container = tokens::container(&town.fleet, &town.id);
    town.fleet.ask(&rig.at, &rpc::TAKE_ORDERS, (json!({"runner": runner, "after": after, "max": max}),), &container).unwrap()
}

fn ids(orders: &[DispatchOrder]) -> Vec<i64> {
    orders.iter().map(|order| order.order).collect()
}

fn of(town: &Town, rig: &Rig, order: &DispatchOrder) -> Context {
    ordered(&town.fleet, &town.id, &rig.id, &order.agent.id, order.order)
}

fn beat(town: &Town, rig: &Rig, agent: &AgentId, context: &Context) -> Result<Value, Failure> {
    town.fleet.ask(&rig.at, &rpc::TOUCH_AGENT_HEARTBEAT, (agent, json!({"worktree": "/w/toast"})), context)
}

fn completed(town: &Town, rig: &Rig, agent: &AgentId, context: &Context) -> Result<(), Failure> {
    town.fleet.tell(&rig.at, &rpc::AGENT_COMPLETED, (agent, json!({"status": "failed", "reason": "exit 1"})), context)
}

/// S4-01, S4-12: every order goes to one runner, as many as it has room for, in the order of the queue.
#[test]
fn an_order_is_handed_to_one_runner_and_once() {
    let (town, rig) = Town::with_rig();
    for title in ["one", "two", "three"] {
        town.sling(&rig, title);
    }
    let first = take(&town, &rig, "north", None, 2);
    assert_eq!(first.iter().map(|order| order.bead.title.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    let order = &first[0];
    assert_eq!((order.agent.name.as_str(), order.base_branch.as_str(), order.attempt), ("Toast", "main", 1));
    assert_eq!(order.branch, format!("polecat/toast/{}", order.bead.bead_id.prefix()));
    let after = first[1].order;
    assert!(take(&town, &rig, "north", Some(after), 2).is_empty(), "it has no room");
    let second = take(&town, &rig, "south", None, 5);
    assert_eq!(second.iter().map(|order| order.bead.title.as_str()).collect::<Vec<_>>(), ["three"]);
    // A runner that comes back and cannot have heard of them is told again; one that has is not.
    assert_eq!(ids(&take(&town, &rig, "north", None, 2)), ids(&first));
    assert_eq!(ids(&take(&town, &rig, "north", Some(first[0].order), 2)), [after]);
    beat(&town, &rig, &first[1].agent.id, &of(&town, &rig, &first[1])).unwrap();
    assert_eq!(ids(&take(&town, &rig, "north", None, 2)), [first[0].order], "a sign of life came");
    // Room again.
    town.fleet.tell(&rig.at, &rpc::AGENT_DONE, (&order.agent.id, json!({"branch": order.branch})), &of(&town, &rig, order)).unwrap();
    town.sling(&rig, "four");
    assert_eq!(take(&town, &rig, "north", Some(after), 2)[0].bead.title, "four");
}

/// S4-01: a runner that runs one role only is given no other's orders.
#[test]
fn a_runner_may_take_the_orders_of_one_role() {
    let (town, rig) = Town::with_rig();
    town.sling(&rig, "one");
    let container = tokens::container(&town.fleet, &town.id);
    let of_role = |role: &str| -> Vec<DispatchOrder> {
        town.fleet.ask(&rig.at, &rpc::TAKE_ORDERS, (json!({"runner": role, "role": role}),), &container).unwrap()
    };
    assert!(of_role("refinery").is_empty());
    assert_eq!(of_role("polecat").len(), 1);
    assert!(of_role("refinery").is_empty(), "nor are they given again");
}

#[test]
fn a_pause_hands_out_nothing_and_undoes_nothing() {
    let (town, rig) = Town::with_rig();
    town.sling(&rig, "one");
    let park = |parked: bool| {
        town.fleet.tell(&town.at, &rpc::SET_PARKED, (Value::Null, parked, Value::Null), &town.owner()).unwrap();
        town.fleet.settle();
    };
    park(true);
    assert!(take(&town, &rig, "north", None, 5).is_empty());
    park(false);
    assert_eq!(take(&town, &rig, "north", None, 5).len(), 1);
}

/// S4-12, S4-19: a report with an old fence is refused, and the holder is named.
#[test]
fn a_report_of_an_order_that_is_over_is_refused_and_names_the_holder() {
    let (town, rig) = Town::with_rig();
    town.sling(&rig, "one");
    let old = take(&town, &rig, "north", None, 1).remove(0);
    let stale = of(&town, &rig, &old);
    beat(&town, &rig, &old.agent.id, &stale).unwrap();
    // Somebody gives the bead to another agent.
    let other = town.fleet.ask::<Agent>(&rig.at, &rpc::GET_OR_CREATE_AGENT, ("polecat", Value::Null), &town.owner()).unwrap();
    town.fleet.tell(&rig.at, &rpc::REASSIGN_BEAD, (&old.bead.bead_id, &other.id), &town.owner()).unwrap();
    let reports: [(&rpc::Method, Value); 6] = [
        (&rpc::TOUCH_AGENT_HEARTBEAT, json!([old.agent.id, null])),
        (&rpc::AGENT_DONE, json!([old.agent.id, {"branch": old.branch}])),
        (&rpc::AGENT_COMPLETED, json!([old.agent.id, {"status": "failed"}])),
        (&rpc::UPDATE_BEAD_STATUS, json!([old.bead.bead_id, "closed", old.agent.id, null])),
        (&rpc::WRITE_CHECKPOINT, json!([old.agent.id, {}])),
        (&rpc::PRIME, json!([old.agent.id])),
    ];
    for (method, args) in reports {
        let reply = town.fleet.raw(&rig.at, method.name, &args.to_string(), &serde_json::to_string(&stale).unwrap());
        let expected = format!("bead {} is held by {} (agent {}) now", old.bead.bead_id, other.name, other.id);
        assert!(reply.starts_with("!{\"code\":\"conflict\"") && reply.contains(&expected), "{}: {reply}", method.name);
    }
    assert_eq!(town.bead(&rig, &old.bead.bead_id).assignee_agent_bead_id, Some(other.id));
}

/// S4-12: a token without an order, and a second process with the same one, are refused while another process works.
#[test]
fn a_second_process_for_an_agent_is_refused() {
    let (town, rig) = Town::with_rig();
    town.sling(&rig, "one");
    let order = take(&town, &rig, "north", None, 1).remove(0);
    let agent = &order.agent.id;
    let mut mine = of(&town, &rig, &order);
    mine.process_id = Some("pid-1".to_owned());
    beat(&town, &rig, agent, &mine).unwrap();
    let refused = refusal(beat(&town, &rig, agent, &town.polecat(&rig, agent)));
    assert_eq!(
        (refused.code, refused.message),
        (Code::Conflict, format!("Toast (agent {agent}) is run by north, which took order {}", order.order))
    );
    let mut second = of(&town, &rig, &order);
    second.process_id = Some("pid-2".to_owned());
    let refused = refusal(beat(&town, &rig, agent, &second));
    assert_eq!((refused.code, refused.message), (Code::Conflict, format!("Toast (agent {agent}) is run by process pid-1 already")));
    beat(&town, &rig, agent, &mine).unwrap();
    let shown = town.agents(&rig).remove(0);
    assert_eq!(
        (shown.runner.as_deref(), shown.worktree.as_deref(), shown.last_heartbeat_at),
        (Some("north"), Some("/w/toast"), Some(town.fleet.now()))
    );
}

/// A process that reported its work may end whenever it likes: what its agent holds by then is not its business.
#[test]
fn the_end_of_a_process_whose_work_is_done_changes_nothing() {
    let (town, rig) = Town::with_rig();
    town.configure(json!({"max_polecats_per_rig": 1})).unwrap();
    town.sling(&rig, "one");
    let next = town.sling(&rig, "two").bead.bead_id;
    let order = take(&town, &rig, "north", None, 1).remove(0);
    let (agent, context) = (&order.agent.id, of(&town, &rig, &order));
    let done = || town.fleet.tell(&rig.at, &rpc::AGENT_DONE, (agent, json!({"branch": order.branch})), &context);
    done().unwrap();
    done().unwrap();
    assert_eq!(beat(&town, &rig, agent, &context).unwrap()["order"], "done");
    completed(&town, &rig, agent, &context).unwrap();
    let now = town.agents(&rig).remove(0);
    assert_eq!((now.current_hook_bead_id, now.status), (Some(next.clone()), AgentStatus::Idle));
    assert_eq!(town.bead(&rig, &next).dispatch_attempts, 0);
    let second = take(&town, &rig, "north", Some(order.order), 1).remove(0);
    assert!(second.order > order.order && second.bead.bead_id == next);
    let refused = refusal(town.fleet.tell(&rig.at, &rpc::WRITE_CHECKPOINT, (agent, json!({})), &context));
    assert!(refused.message.contains(&format!("works on order {} now, bead {next}", second.order)), "{}", refused.message);
}

/// S2-23: the same bead goes onto a hook again after a process has ended without a report.
#[test]
fn a_process_that_ends_without_a_report_gives_its_bead_back() {
    let (town, rig) = Town::with_rig();
    let bead = town.sling(&rig, "one").bead.bead_id;
    let order = take(&town, &rig, "north", None, 1).remove(0);
    let context = of(&town, &rig, &order);
    beat(&town, &rig, &order.agent.id, &context).unwrap();
    completed(&town, &rig, &order.agent.id, &context).unwrap();
    assert_eq!(refusal(completed(&town, &rig, &order.agent.id, &context)).code, Code::Conflict);
    assert_eq!((town.bead(&rig, &bead).status, town.bead(&rig, &bead).dispatch_attempts), (BeadStatus::Open, 1));
    assert!(take(&town, &rig, "north", None, 1).is_empty(), "it rests");
    town.fleet.advance(30_000);
    let again = take(&town, &rig, "north", None, 1).remove(0);
    assert_eq!((again.bead.bead_id, again.attempt), (bead, 2));
}

/// S2-22: the refinery is given one merge request after the other, priority first.
#[test]
fn the_refinery_is_given_merge_requests_one_at_a_time() {
    let desk = Desk::new();
    let (_, low, _) = desk.in_review("one");
    let (_, second, _) = desk.in_review("two");
    let orders = take(&desk.town, &desk.rig, "north", None, 9);
    let reviews: Vec<_> = orders.iter().filter(|order| order.agent.role == AgentRole::Refinery).collect();
    assert_eq!(reviews.iter().map(|order| &order.bead.bead_id).collect::<Vec<_>>(), [&low]);
    assert_eq!((reviews[0].base_branch.as_str(), reviews[0].branch.starts_with("polecat/")), ("main", true));
    desk.complete(&low, "merged", json!({"commit_sha": "abcdef1234"})).unwrap();
    let orders = take(&desk.town, &desk.rig, "north", Some(orders.last().unwrap().order), 9);
    assert_eq!(orders.iter().map(|order| &order.bead.bead_id).collect::<Vec<_>>(), [&second]);
}

#[test]
fn what_is_no_runner_is_refused() {
    let (town, rig) = Town::with_rig();
    let container = tokens::container(&town.fleet, &town.id);
    for input in
        [json!({"runner": " "}), json!({"runner": "x".repeat(101)}), json!({"runner": "r", "max": 101}), json!({"runner": "r", "max": -1})]
    {
        let refused = refusal(town.fleet.ask::<Value>(&rig.at, &rpc::TAKE_ORDERS, (&input,), &container));
        assert_eq!(refused.code, Code::InvalidArgument, "{input}");
    }
    let polecat = town.polecat(&rig, &AgentId::from_random([5; 16]));
    assert_eq!(refusal(town.fleet.ask::<Value>(&rig.at, &rpc::TAKE_ORDERS, (json!({"runner": "r"}),), &polecat)).code, Code::Forbidden);
}
