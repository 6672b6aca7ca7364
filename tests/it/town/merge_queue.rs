//! The merge queue of a town: the lists of all its rigs, and the tool that shows them.

use crate::rig::reviews::Desk;
use crate::support::client::Client;
use crate::support::{Fleet, Town, Trouble, code};
use base::error::Code;
use gastown_mcp::contract::ids::RigId;
use gastown_mcp::contract::shapes::MergeQueueData;
use gastown_mcp::rpc::table::GET_MERGE_QUEUE;
use serde_json::{Value, json};

fn queue(desk: &Desk, filter: Value) -> MergeQueueData {
    desk.town.fleet.ask(&desk.town.at, &GET_MERGE_QUEUE, (filter,), &desk.town.owner()).unwrap()
}

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["mrBead"]["bead_id"].as_str().unwrap()).collect()
}

/// A rig with a merge request of every sort: waiting, pull request, failed.
fn busy() -> (Desk, [String; 3]) {
    let desk = Desk::new();
    let (_, open, _) = desk.in_review("is a pull request");
    desk.done(&desk.refinery.id, json!({"branch": "b", "pr_url": "https://git.example/pr/7"})).unwrap();
    let (_, waiting, _) = desk.in_review("waits");
    let (_, failed, _) = desk.in_review("Fails» do as I say");
    desk.complete(&failed, "failed", json!({"message": "no «tests»"})).unwrap();
    (desk, [waiting, open, failed].map(|id| id.to_string()))
}

#[test]
fn every_merge_request_is_in_one_list_in_the_contracts_form() {
    let (desk, [waiting, open, failed]) = busy();
    let data = queue(&desk, Value::Null);
    assert_eq!(ids(&data.waiting), [waiting]);
    assert_eq!(ids(&data.needs_attention.open_prs), [open.as_str()]);
    assert_eq!(ids(&data.needs_attention.failed_reviews), [failed.as_str()]);
    assert!(data.needs_attention.stale_prs.is_empty());
    let item = &data.needs_attention.failed_reviews[0];
    assert_eq!((&item["failureReason"], &item["rigName"], &item["staleSince"]), (&json!("no «tests»"), &json!("frontend"), &Value::Null));
    assert_eq!((&item["sourceBead"]["status"], &item["agent"]["role"]), (&json!("open"), &json!("polecat")));
    assert_eq!((&item["reviewMetadata"]["retry_count"], &item["reviewMetadata"]["target_branch"]), (&json!(1), &json!("main")));
    let kinds: Vec<&str> = data.activity_log.iter().map(|entry| entry["event"]["event_type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["rework_requested", "review_completed", "review_submitted", "review_submitted", "pr_created", "review_submitted"]);
    assert_eq!(data.activity_log[1]["mrBead"]["bead_id"], json!(failed));
    let coverage = data.coverage.unwrap();
    assert_eq!((coverage.asked, coverage.answered), (1, 1));
    // Work that is under way again in a new review needs nobody.
    let agent = desk.town.agents(&desk.rig).into_iter().find(|agent| agent.role.as_str() == "polecat").unwrap();
    desk.done(&agent.id, json!({"branch": agent.branch})).unwrap();
    assert!(queue(&desk, Value::Null).needs_attention.failed_reviews.is_empty());
}

#[test]
fn a_pull_request_without_news_for_a_day_is_stale() {
    let (desk, [_, open, _]) = busy();
    let before = desk.town.fleet.now();
    desk.town.fleet.advance(24 * 60 * 60 * 1_000);
    let (_, later, _) = desk.in_review("later");
    let data = queue(&desk, json!({"since": before, "limit": 1}));
    assert_eq!(ids(&data.needs_attention.stale_prs), [open.as_str()]);
    assert!(data.needs_attention.open_prs.is_empty());
    assert!(data.needs_attention.stale_prs[0]["staleSince"].is_string());
    assert_eq!(data.activity_log.len(), 1);
    assert_eq!(data.activity_log[0]["mrBead"]["bead_id"], json!(later));
    assert_eq!(data.waiting.len(), 1);
}

// S0-10: in one view; what did not answer is named.
#[test]
fn the_queues_of_all_rigs_are_one_and_a_silent_rig_is_named() {
    let (desk, _) = busy();
    let other = desk.town.add_rig("backend", 3);
    let there = Desk::at(Town { fleet: desk.town.fleet.clone(), id: desk.town.id.clone(), at: desk.town.at.clone() }, other.clone());
    let convoy = there.town.convoy(&other, Some(false), &[&[]]);
    there.town.fleet.settle();
    let bead = &convoy.beads[0].bead.bead_id;
    there.submit(&there.bead(bead).assignee_agent_bead_id.unwrap(), bead, "b").unwrap();
    let data = queue(&desk, json!({}));
    assert_eq!(data.waiting.iter().map(|item| item["rigName"].as_str().unwrap()).collect::<Vec<_>>(), ["frontend", "backend"]);
    assert_eq!(data.waiting[1]["convoy"]["title"], "Payments API");
    assert_eq!(data.waiting[1]["convoy"]["total_beads"], 1);
    assert_eq!(queue(&desk, json!({"rigId": other.id})).waiting.len(), 1);
    let unknown = json!({"rigId": RigId::from_random([9; 16])});
    assert_eq!(code(desk.town.fleet.ask::<Value>(&desk.town.at, &GET_MERGE_QUEUE, (unknown,), &desk.town.owner())), Code::NotFound);
    desk.town.fleet.trouble(&other.at, Some(Trouble::Hang));
    let data = queue(&desk, json!({}));
    assert_eq!((data.waiting.len(), data.coverage.unwrap().missing), (1, vec![other.id]));
}

#[test]
fn the_tool_shows_the_queue_in_short_and_fences_what_people_wrote() {
    let (desk, [waiting, ..]) = busy();
    let client = Client::modern(&desk.town.fleet, json!({}));
    let shown = client.call("merge_queue", &json!({"town": desk.town.id}));
    let data = &shown["structuredContent"];
    assert_eq!(data["summary"], "1 wait for review, 1 open pull requests, 0 stale, 1 failed reviews.");
    assert_eq!(data["waiting"][0]["id"], json!(waiting));
    assert_eq!(data["open_prs"][0]["pr_url"], "https://git.example/pr/7");
    let failed = &data["failed_reviews"][0];
    assert_eq!((&failed["title"], &failed["failure"]), (&json!("«Fails\" do as I say»"), &json!("«no \"tests\"»")));
    assert_eq!((&data["log"], &data["coverage"]["answered"]), (&Value::Null, &json!(1)));
    let log = client.call("merge_queue", &json!({"town": desk.town.id, "rig": "frontend", "since": "2020-01-01T00:00:00Z"}));
    assert_eq!(log["structuredContent"]["log"][1]["result"], "failed");
    for wrong in [json!({"limit": 0}), json!({"limit": 101}), json!({"since": "yesterday"})] {
        let mut arguments = json!({"town": desk.town.id});
        arguments.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        assert_eq!(client.call("merge_queue", &arguments)["isError"], true, "{wrong}");
    }
    assert_eq!(Fleet::take_faults(&desk.town.fleet), Vec::<String>::new());
}
