//! Tasks of the session object: what ends them while nobody asks, and whose they are.

use crate::support::edge::{Isolate, Sent, messages};
use crate::support::keeping::{Keeping, route};
use crate::support::tokens::OWNER;
use crate::support::{Fleet, Town, tokens};
use gastown_mcp::contract::shapes::BeadStatus;
use gastown_mcp::rpc::table::{CREATE_TASK, SAVE_TASK};
use mcp::client::{NotificationRoute, TaskOutcome};
use mcp::session_types::{Task, TaskStatus};
use serde_json::{Map, Value, json};

fn done() -> TaskOutcome {
    TaskOutcome::Result(Map::from_iter([("content".to_owned(), json!([]))]))
}

fn about(id: &str) -> Vec<NotificationRoute> {
    let (source, topic, method) = ("self".to_owned(), format!("task:{id}"), "notifications/tasks".to_owned());
    vec![NotificationRoute { source, topic, town: None, method, params: Map::new(), receipt: false }]
}

/// A task as it lies in the database, which nobody was asked for.
fn kept(keeping: &Keeping, id: &str) -> Task {
    let bodies: Vec<(String, String)> = keeping.fleet.sql(&keeping.at).rows("SELECT id, body FROM tasks");
    serde_json::from_str(&bodies.into_iter().find(|(known, _)| known == id).unwrap().1).unwrap()
}

#[test]
fn a_task_ends_at_its_time_by_the_alarm_and_after_an_eviction_too() {
    for evicted in [false, true] {
        let keeping = Keeping::of(&Fleet::new(), "user:x");
        let mut task = keeping.new_task("t", "p");
        task.due = Some((keeping.fleet.now().plus_millis(5_000), done()));
        keeping.create(&task);
        if evicted {
            keeping.fleet.evict(&keeping.at);
        }
        let reading = keeping.listen("one", about("t"));
        reading.within(1);
        keeping.fleet.advance(4_900);
        assert_eq!(kept(&keeping, "t").status, TaskStatus::Working);
        keeping.fleet.advance(100);
        let ended = kept(&keeping, "t");
        assert_eq!((ended.status, ended.due), (TaskStatus::Completed, None));
        let told = messages(&reading.within(1).0);
        assert_eq!((told.len(), &told[0].1["params"]["status"]), (1, &json!("completed")));
        assert_eq!(told[0].1["params"]["result"], json!({"content": [], "resultType": "complete"}));
    }
}

#[test]
fn a_task_is_due_for_whoever_asks_before_the_alarm_rings() {
    let keeping = Keeping::of(&Fleet::new(), "user:x");
    let mut task = keeping.new_task("t", "p");
    task.due = Some((keeping.fleet.now(), TaskOutcome::Error(Map::from_iter([("code".to_owned(), json!(-32603))]))));
    keeping.create(&task);
    assert_eq!(keeping.task("t", "p").unwrap().status, TaskStatus::Failed);
}

#[test]
fn a_task_ends_with_what_it_waits_for_and_not_before() {
    for evicted in [false, true] {
        let (town, rig) = Town::with_rig();
        town.fleet.settle();
        let keeping = Keeping::of_town(&town);
        let bead = town.sling(&rig, "t").bead.bead_id;
        let mut task = keeping.new_task("t", "p");
        task.routes = vec![route(&rig.at, &format!("bead:{bead}"), &town, "")];
        keeping.create(&task);
        let reading = keeping.listen("one", about("t"));
        reading.within(1);
        town.set_status(&rig, &bead, BeadStatus::InProgress);
        town.fleet.settle();
        assert_eq!(kept(&keeping, "t").status, TaskStatus::Working);
        if evicted {
            town.fleet.restart();
        }
        town.close(&rig, &bead);
        town.fleet.run_background();
        town.fleet.advance(800);
        let ended = keeping.task("t", "p").unwrap();
        assert_eq!((ended.status, ended.routes.len()), (TaskStatus::Completed, 0));
        let result = ended.detailed()["result"].clone();
        let told = &result["structuredContent"];
        assert_eq!((&told["bead_id"], &told["rig_id"], &told["status"]), (&json!(bead), &json!(rig.id), &json!("done")));
        assert!(told["waited_seconds"].is_i64());
        assert_eq!(result["resultType"], "complete");
        if !evicted {
            assert_eq!(messages(&reading.within(1).0)[0].1["params"]["status"], "completed");
        }
        assert_eq!(town.sql(&keeping.at).value::<i64>("SELECT COUNT(*) FROM streams WHERE kind = 'task'"), 0);
    }
}

#[test]
fn a_change_of_an_older_version_or_of_an_ended_task_is_not_taken() {
    let keeping = Keeping::of(&Fleet::new(), "user:x");
    let task = keeping.new_task("t", "p");
    keeping.create(&task);
    let save = |task: &Task| -> bool { keeping.ask(&SAVE_TASK, (task,)) };
    assert!(save(&task));
    assert!(!save(&task), "somebody else was faster");
    let mut newest = keeping.task("t", "p").unwrap();
    assert_eq!(newest.version, 2);
    assert!(!save(&Task { principal: "q".to_owned(), ..newest.clone() }));
    newest.cancel(keeping.fleet.now());
    assert!(save(&newest));
    assert!(!save(&keeping.task("t", "p").unwrap()));
    assert!(!save(&Task { id: "unknown".to_owned(), ..newest }));
}

#[test]
fn an_object_keeps_a_thousand_tasks_for_a_day() {
    let keeping = Keeping::of(&Fleet::new(), "user:x");
    for number in 0..1_000 {
        keeping.create(&keeping.new_task(&number.to_string(), "p"));
    }
    assert!(keeping.try_tell(&CREATE_TASK, (keeping.new_task("more", "p"),)).is_err());
    keeping.fleet.advance(24 * 60 * 60_000 + 11 * 60_000);
    assert_eq!(keeping.rows(), []);
    keeping.create(&keeping.new_task("more", "p"));
}

/// `tasks/get` of a town's connection.
fn get(at: &Isolate, town: &Town, jwt: &str, id: &str) -> Value {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}}});
    let sent = Sent::new("POST", format!("/towns/{}/mcp", town.id)).bearer(jwt);
    let sent = sent.with_all([("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tasks/get"), ("mcp-name", id)]);
    at.ask(sent.json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": {"taskId": id, "_meta": meta}}))).1
}

#[test]
fn principals_of_one_town_share_an_object_and_see_no_task_of_each_other() {
    let (town, _) = Town::with_rig();
    let (keeping, at) = (Keeping::of_town(&town), Isolate::new(&town.fleet));
    keeping.create(&keeping.new_task("t", &format!("user:{OWNER}@{}", town.id)));
    let (owner, mayor) = (town.owner().jwt, tokens::mayor(&town.fleet, &town.id).jwt);
    assert_eq!(get(&at, &town, &owner, "t")["result"]["status"], "working");
    assert_eq!(get(&at, &town, &mayor, "t")["error"]["code"], -32602);
    assert!(keeping.task("t", "user:somebody").is_none());
}
