//! How processes end: by themselves, because the Worker says so, because the runner stops or was killed.

use std::fs;

use serde_json::json;

use crate::support::{World, lives, until};

/// Notes its own number and that of a child in the background, then waits for ever.
const HANGS: &str = "echo $$ >> ../../pids; sleep 600 & echo $! >> ../../pids; sleep 600";
/// The same, and asking it to end does not help.
const STUBBORN: &str = "trap '' TERM; echo $$ >> ../../pids; while :; do sleep 0.1; done";

fn pids(world: &World, count: usize) -> Vec<String> {
    let path = world.workdir().join("pids");
    let read = || fs::read_to_string(&path).unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>();
    until("the processes run", || read().len() == count);
    read()
}

fn gone(pids: &[String]) {
    until("the processes are gone", || pids.iter().all(|pid| !lives(pid)));
}

#[test]
fn a_failure_is_reported_and_its_worktree_kept_up_to_a_limit() {
    let world = World::new();
    let mut runner = world.run("echo draft > draft.txt; exit 7", &["--keep", "2"]);
    for number in 1..=4 {
        world.offer(number, &format!("polecat/toast/b{number}"));
        assert_eq!(world.ended(number), ("failed".to_owned(), "its process ended with exit code 7".to_owned()));
    }
    until("older ones are removed", || world.worktrees() == ["3-toast", "4-toast"]);
    assert!(world.workdir().join("worktrees/4-toast/draft.txt").exists());
    assert_eq!(runner.stop(), 0);
}

#[test]
fn what_cannot_be_prepared_is_a_failure_too() {
    let world = World::new();
    let mut runner = world.run("true", &[]);
    let mut order = world.order(1, "polecat/toast/one");
    order["git_url"] = json!(world.dir.path().join("nowhere.git"));
    world.server.offer(order);
    let (status, reason) = world.ended(1);
    assert!(status == "failed" && reason.contains("git fetch"), "{reason}");
    let mut order = world.order(2, "--upload-pack=x");
    order["branch"] = json!("a..b");
    world.server.offer(order);
    assert!(world.ended(2).1.contains("no name for a branch"));
    let mut order = world.order(3, "polecat/toast/three");
    order["git_url"] = json!("ext::sh -c touch% /dev/null");
    world.server.offer(order);
    assert!(world.ended(3).1.contains("not allowed"));
    assert_eq!(runner.stop(), 0);
}

/// S2-25, S4-12.
#[test]
fn a_process_ends_whole_and_unreported_when_its_order_is_over() {
    for (command, count) in [(HANGS, 2), (STUBBORN, 1)] {
        let world = World::new();
        let mut runner = world.run(command, &[]);
        world.offer(1, "polecat/toast/one");
        let pids = pids(&world, count);
        world.server.answer("agent-1/heartbeat", 409, json!({ "success": false, "error": "stopped by the watch" }));
        gone(&pids);
        until("it says why", || runner.log().contains("stopped by the watch"));
        assert_eq!(runner.stop(), 0);
        assert!(world.server.requests("/completed").is_empty());
    }
}

#[test]
fn what_a_process_leaves_in_the_background_ends_with_it() {
    let world = World::new();
    let mut runner = world.run("sleep 600 & echo $! >> ../../pids", &[]);
    world.offer(1, "polecat/toast/one");
    assert_eq!(world.ended(1).0, "completed");
    gone(&pids(&world, 1));
    assert_eq!(runner.stop(), 0);
}

#[test]
fn told_to_stop_it_ends_its_processes_and_gives_their_beads_back() {
    for signal in ["TERM", "INT"] {
        let world = World::new();
        let mut runner = world.run(HANGS, &[]);
        world.offer(1, "polecat/toast/one");
        world.offer(2, "polecat/maple/two");
        let pids = pids(&world, 4);
        runner.signal(signal);
        assert_eq!(runner.code(), 0);
        gone(&pids);
        for number in [1, 2] {
            assert_eq!(world.ended(number), ("failed".to_owned(), "the runner was stopped".to_owned()));
        }
    }
}

#[test]
fn what_a_killed_runner_left_is_ended_and_given_back_by_the_next() {
    let world = World::new();
    let mut runner = world.run(HANGS, &[]);
    world.offer(1, "polecat/toast/one");
    let pids = pids(&world, 2);
    runner.kill();
    assert!(pids.iter().all(|pid| lives(pid)), "its processes outlive it");
    let mut next = world.run("true", &[]);
    gone(&pids);
    assert_eq!(world.ended(1), ("failed".to_owned(), "the runner was restarted".to_owned()));
    world.offer(2, "polecat/toast/two");
    assert_eq!(world.ended(2).0, "completed");
    assert_eq!(next.stop(), 0);
}

#[test]
fn attached_it_stops_when_whoever_started_it_is_gone() {
    let world = World::new();
    let mut runner = world.run(HANGS, &["--attached"]);
    world.offer(1, "polecat/toast/one");
    let pids = pids(&world, 2);
    runner.let_go();
    assert_eq!(runner.code(), 0);
    gone(&pids);
    assert_eq!(world.ended(1).0, "failed");
}

#[test]
fn one_runner_uses_a_workdir() {
    let world = World::new();
    let mut first = world.run("true", &[]);
    until("it connects", || world.server.connected() == 1);
    assert_eq!(world.run("true", &[]).code(), 4);
    assert_eq!(first.stop(), 0);
}

#[test]
fn a_refusal_of_the_worker_ends_it() {
    let world = World::new();
    world.server.answer("/refresh-container-token", 401, json!({ "success": false, "error": "Invalid token" }));
    world.server.answer("/dispatch", 401, json!({ "success": false, "error": "Invalid token" }));
    let mut runner = world.run("true", &[]);
    assert_eq!(runner.code(), 3);
    assert!(runner.log().contains("Invalid token"));
}

#[test]
fn a_token_that_has_ended_is_renewed() {
    let world = World::new();
    world.server.answer("/refresh-container-token", 503, json!({}));
    world.server.answer("/dispatch", 401, json!({ "success": false, "error": "Invalid token" }));
    let mut runner = world.run("true", &[]);
    until("it asks for another", || !world.server.requests("/refresh-container-token").is_empty());
    world.server.answer("/refresh-container-token", 200, json!({ "token": "another-token-0123456789" }));
    until("it has another", || runner.log().contains("was renewed"));
    runner.signal("TERM");
    assert!([0, 3].contains(&runner.code()));
    assert!(!runner.log().contains("another-token"));
}
