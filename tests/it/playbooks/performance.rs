//! How agents have done and where work went, over a day that is counted by hand.

use crate::rig::reviews::Desk;
use crate::support::playbook::{ask, call_as_given, expect_answer};
use crate::support::{Town, assert_indexed};
use base::error::Code;
use gastown_mcp::contract::ids::{AgentId, BeadId};
use gastown_mcp::contract::shapes::Agent;
use gastown_mcp::objects::rig::work_steps::STEPS_MAX;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

const MINUTE_MILLIS: i64 = 60_000;
const HOUR_MILLIS: i64 = 60 * MINUTE_MILLIS;

/// A morning of three polecats and a refinery. The comments count.
fn morning() -> (Desk, [Agent; 3], BeadId) {
    let desk = Desk::new();
    desk.town.unwatched();
    desk.town.fleet.settle();
    let start = desk.town.fleet.now();
    let (town, rig) = (&desk.town, &desk.rig);
    let until = |minute: i64| town.fleet.advance(start.plus_millis(minute * MINUTE_MILLIS).since(town.fleet.now()));
    let request = |status: &str| town.beads(rig, json!({"type": "merge_request", "status": status}))[0].bead_id.clone();
    let hook_of = |agent: &AgentId| town.agents(rig).into_iter().find(|known| known.id == *agent).unwrap().current_hook_bead_id;
    // Toast, Maple and the third take one each.
    let [(one, toast), (two, maple), (three, third)] = ["one", "two", "three"].map(|title| desk.sling(title));
    until(10);
    // Toast is done after 600 s, and merged after 1200.
    desk.submit(&toast.id, &one, "toast/one").unwrap();
    until(20);
    desk.complete(&request("open"), "merged", json!({"commit_sha": "aaaa1111"})).unwrap();
    until(30);
    // Maple is done after 1800 s; the review fails, and Toast, who is idle for longest, takes the bead.
    desk.submit(&maple.id, &two, "maple/two").unwrap();
    until(40);
    desk.complete(&request("open"), "failed", json!({"message": "no tests"})).unwrap();
    assert_eq!(hook_of(&toast.id), Some(two.clone()));
    until(50);
    // The third fails.
    town.fail(rig, &three);
    until(60);
    // Toast is nudged twice, stalls, and hands it back. Maple takes it at the next tick.
    for _ in 0..2 {
        town.fleet.ask::<Value>(&rig.at, &rpc::QUEUE_NUDGE, (&toast.id, "blocked?", Value::Null), &town.owner()).unwrap();
    }
    town.fleet.tell(&rig.at, &rpc::UPDATE_AGENT_STATUS, (&toast.id, "stalled"), &town.owner()).unwrap();
    until(70);
    town.unhook(rig, &toast.id).unwrap();
    until(71);
    assert_eq!(hook_of(&maple.id), Some(two.clone()));
    until(80);
    // Done again, and merged this time.
    desk.submit(&maple.id, &two, "maple/two-again").unwrap();
    until(90);
    desk.complete(&request("open"), "merged", json!({"commit_sha": "bbbb2222"})).unwrap();
    until(95);
    // The third is removed. Toast takes a fourth and keeps it; a fifth is closed though nobody ever had it.
    town.delete_agent(rig, &third.id);
    until(100);
    let (kept, holder) = desk.sling("four");
    assert_eq!(holder.id, toast.id);
    let fifth = town.create_bead(rig, json!({"type": "issue", "title": "five", "held": true, "priority": "high"})).unwrap().bead_id;
    town.close(rig, &fifth);
    // Neither an escalation nor what stands for a decision is work.
    ask(town, "escalate", json!({"severity": "low", "message": "m", "rig": "frontend"}));
    town.fleet.settle();
    let inbox = ask(town, "escalations", json!({}));
    ask(town, "acknowledge_escalation", json!({"escalation": inbox["escalations"][0]["id"]}));
    until(120);
    (desk, [toast, maple, third], kept)
}

fn of<'a>(report: &'a Value, agent: &AgentId) -> &'a Value {
    let agents = report["agents"].as_array().unwrap();
    agents.iter().find(|line| line["agent"] == json!(agent)).unwrap_or_else(|| panic!("no {agent}: {report:#}"))
}

/// S3-36: failed is not done, done is not merged, and who is gone has done what it did.
#[test]
fn a_day_is_reported_as_it_was_counted_by_hand() {
    let (desk, [toast, maple, third], kept) = morning();
    let report = ask(&desk.town, "agent_report", json!({}));
    expect_answer("agent_report", &report);
    let counts = |line: &Value| ["taken", "done", "merged", "failed"].map(|what| line[what].as_i64().unwrap());
    let line = of(&report, &toast.id);
    assert_eq!((counts(line), &line["handed_back"], &line["nudged"], &line["stalls"]), ([3, 1, 1, 0], &json!(1), &json!(2), &json!(1)));
    assert_eq!((&line["holds"], &line["seconds_to_done"]), (&json!(kept), &json!({"median": 600, "longest": 600})));
    assert_eq!(line["seconds_to_merge"], json!({"median": 1_200, "longest": 1_200}));
    let line = of(&report, &maple.id);
    assert_eq!((counts(line), &line["reworked"], line.get("handed_back")), ([2, 2, 1, 0], &json!(1), None));
    // At the tick five seconds after: 595 s and 1800 s, of which the shorter is the middle.
    assert_eq!(line["seconds_to_done"], json!({"median": 595, "longest": 1_800}));
    let line = of(&report, &third.id);
    assert_eq!((counts(line), &line["gone"], &line["name"]), ([1, 0, 0, 1], &json!(true), &json!(third.name)));
    let line = of(&report, &desk.refinery.id);
    assert_eq!((counts(line), &line["reviews"], &line["role"]), ([3, 2, 2, 1], &json!(true), &json!("refinery")));
    let totals = &report["totals"];
    assert_eq!((counts(totals), &totals["handed_back"], &totals["reworked"]), ([6, 4, 2, 1], &json!(1), &json!(1)));
    assert_eq!(totals["without_agent"], 1);
    // One of them, by name or id.
    for named in [json!("Maple"), json!(maple.id)] {
        let one = ask(&desk.town, "agent_report", json!({"agent": named, "rig": "frontend"}));
        assert_eq!((one["agents"].as_array().unwrap().len(), &one["agents"][0]["agent"]), (1, &json!(maple.id)));
    }
    let unknown = json!({"town": desk.town.id, "agent": "Nobody"});
    assert_eq!(call_as_given(&desk.town, "agent_report", &unknown).unwrap_err().code, Code::NotFound);
}

/// S3-33, S3-35, S3-37.
#[test]
fn where_work_went_is_told_by_share_by_sort_and_by_hour() {
    let (desk, [toast, ..], _) = morning();
    let quiet = desk.town.add_rig("backend", 3);
    desk.town.fleet.settle();
    let seen = ask(&desk.town, "work_distribution", json!({}));
    expect_answer("work_distribution", &seen);
    assert_eq!((&seen["rigs"][0]["share"], &seen["rigs"][0]["peak"]), (&json!(100), &json!(3)));
    assert_eq!((&seen["rigs"][1]["rig"], &seen["rigs"][1]["share"]), (&json!(quiet.id), &json!(0)));
    assert_eq!((&seen["agents"][0]["agent"], &seen["agents"][0]["share"]), (&json!(toast.id), &json!(50)));
    // The morning began a little more than two hours ago.
    let line = |what: &str| {
        let hours: Vec<i64> = serde_json::from_value(seen["timeline"][what].clone()).unwrap();
        assert_eq!((hours.len(), hours[..21].iter().sum::<i64>()), (24, 0));
        hours[21..].to_vec()
    };
    assert_eq!(["taken", "done", "merged", "failed"].map(line), [[3, 1, 2], [0, 2, 2], [0, 1, 1], [0, 1, 0]].map(|hours| hours.to_vec()));
    assert_eq!(seen["sorts"]["priority"]["high"], json!({"taken": 0, "done": 1, "merged": 0, "failed": 0}));
    assert_eq!(seen["sorts"]["type"], json!({"issue": {"taken": 6, "done": 4, "merged": 2, "failed": 1}}));
    let week = ask(&desk.town, "work_distribution", json!({"hours": 168, "rig": "frontend"}));
    assert_eq!((&week["timeline"]["part_hours"], week["timeline"]["taken"].as_array().unwrap().len()), (&json!(7), 24));
}

/// What lies before the window does not count, but time since the hook does; what is no longer kept is said to be so.
#[test]
fn the_window_ends_where_it_says_and_tells_what_it_does_not_cover() {
    let (desk, [toast, _, third], kept) = morning();
    let (town, rig) = (&desk.town, &desk.rig);
    town.fleet.advance(26 * HOUR_MILLIS);
    desk.submit(&toast.id, &kept, "toast/four").unwrap();
    let report = ask(town, "agent_report", json!({}));
    let line = of(&report, &toast.id);
    assert_eq!((&line["taken"], &line["done"]), (&json!(0), &json!(1)));
    assert!(line["seconds_to_done"]["median"].as_i64().unwrap() > 26 * 3_600, "{line}");
    assert!(report["agents"].as_array().unwrap().iter().all(|line| line["agent"] != json!(third.id)));
    assert!(report["window"].get("covered_from").is_none());
    assert_eq!(ask(town, "work_distribution", json!({}))["rigs"][0]["peak"], 1, "it was on the hook all the time");
    let sql = town.sql(&rig.at);
    let kept: i64 = sql.value("SELECT max(sequence) FROM bead_events WHERE event_type = 'hooked'");
    sql.rows::<()>(&format!("DELETE FROM bead_events WHERE sequence < {kept}"));
    assert!(ask(town, "agent_report", json!({}))["window"].get("covered_from").is_some());
    for wrong in [0, 169] {
        let arguments = json!({"town": town.id, "hours": wrong});
        assert_eq!(call_as_given(town, "agent_report", &arguments).unwrap_err().code, Code::InvalidArgument);
        let direct = town.fleet.ask::<Value>(&rig.at, &rpc::REPORT_WORK, (json!({"hours": wrong}),), &town.owner());
        assert_eq!(crate::support::code(direct), Code::InvalidArgument);
    }
}

#[test]
fn what_the_mayor_kept_for_itself_and_closed_is_done() {
    let (town, rig) = Town::with_rig();
    let kept = town.sling_as(&rig, json!({"title": "Decide", "rigId": rig.id, "agent": "mayor"}), &town.owner()).unwrap().bead;
    town.close(&rig, &kept.bead_id);
    let report: Value = town.fleet.ask(&rig.at, &rpc::REPORT_WORK, (json!({}),), &town.owner()).unwrap();
    let done = |counts: &Value| counts["done"].as_i64().unwrap();
    let of_agents: i64 = report["agents"].as_array().unwrap().iter().map(|agent| done(&agent["counts"])).sum();
    assert_eq!(of_agents + done(&report["without_agent"]), 1, "{report}");
}

/// A clock that was set back has dated what came later before what came first; both count.
#[test]
fn what_a_clock_that_was_set_back_has_dated_counts_all_the_same() {
    let (town, rig) = Town::with_rig();
    town.unwatched();
    town.sling(&rig, "one");
    town.fleet.jump(-800);
    town.sling(&rig, "two");
    assert_eq!(ask(&town, "agent_report", json!({}))["totals"]["taken"], 2);
}

/// Many events take no longer than many may, and their number is no reason to say less than there was.
#[test]
fn of_very_many_events_the_newest_are_counted_and_the_rest_is_owned_up_to() {
    let (town, rig) = Town::with_rig();
    town.unwatched();
    let agent = town.sling(&rig, "work").agent.unwrap();
    let sql = town.sql(&rig.at);
    sql.rows::<()>(&format!(
        "WITH RECURSIVE mine (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM mine WHERE number < {})
         INSERT INTO bead_events (bead_event_id, bead_id, agent_id, event_type, new_value, metadata, created_at)
         SELECT 'x' || number, '{}', '{}', CASE number % 2 WHEN 0 THEN 'hooked' ELSE 'unhooked' END, 'b', '{{}}', {} + number FROM mine",
        STEPS_MAX + 100,
        agent.current_hook_bead_id.clone().unwrap(),
        agent.id,
        town.fleet.now().millis()
    ));
    town.fleet.advance(HOUR_MILLIS);
    sql.take_log();
    let report = ask(&town, "agent_report", json!({}));
    assert_eq!((&report["totals"]["taken"], &report["totals"]["handed_back"]), (&json!(STEPS_MAX / 2), &json!(STEPS_MAX / 2)));
    assert!(report["window"]["covered_from"].is_string());
    for (statement, params) in sql.take_log() {
        if statement.starts_with("-- work") && !statement.starts_with("-- work_agents") && !statement.starts_with("-- work_gone") {
            assert_indexed(&sql, &statement, &params);
        }
    }
}
