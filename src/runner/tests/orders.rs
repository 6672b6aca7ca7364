//! The environment of a process, the reports about it, and that an order is run once.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::support::{CONTAINER_TOKEN, World, until};

/// Writes the environment of the process to a file beside the worktrees, then commits and pushes.
const AGENT: &str = r#"env | grep '^G' > ../../given; cp "$GASTOWN_MCP_CONFIG" ../../mcp; stat -c %a "$GASTOWN_MCP_CONFIG" > ../../mode; pwd > ../../where
echo "token $GASTOWN_TOKEN"; echo problem >&2
echo work > work.txt && git add . && git commit --quiet --message work && git push --quiet origin "HEAD:$GASTOWN_BRANCH""#;

/// S4-06, S4-07, S4-10, S4-16.
#[test]
fn a_process_gets_worktree_environment_and_mcp_and_is_reported() {
    let world = World::new();
    let mut runner = world.run(AGENT, &["--json"]);
    world.offer(17, "polecat/toast/bead17");
    assert_eq!(world.ended(17), ("completed".to_owned(), String::new()));
    assert_eq!(runner.stop(), 0);

    let read = |name: &str| fs::read_to_string(world.workdir().join(name)).unwrap();
    let given = read("given");
    let worktree = world.workdir().join("worktrees").join("17-toast");
    for line in [
        format!("GASTOWN_API_URL={}", world.server.url),
        format!("GASTOWN_MCP_URL={}/towns/t/mcp", world.server.url),
        "GASTOWN_TOKEN=order-token-17-0123456789".to_owned(),
        "GASTOWN_AGENT_ID=agent-17".to_owned(),
        "GASTOWN_AGENT_NAME=Toast".to_owned(),
        "GASTOWN_AGENT_ROLE=polecat".to_owned(),
        "GASTOWN_BEAD_ID=bead-17".to_owned(),
        "GASTOWN_BEAD_TITLE=Say \"hello\" to $HOME".to_owned(),
        "GASTOWN_BRANCH=polecat/toast/bead17".to_owned(),
        "GASTOWN_BASE_BRANCH=main".to_owned(),
        "GASTOWN_ORDER=17".to_owned(),
        format!("GASTOWN_WORKTREE={}", worktree.display()),
        format!("GASTOWN_REPOSITORY={}", world.workdir().join("repository.git").display()),
    ] {
        assert!(given.lines().any(|given| given == line), "{line} in\n{given}");
    }
    assert!(!given.contains(CONTAINER_TOKEN), "the town's token is not an agent's");
    assert_eq!(read("where").trim(), worktree.to_str().unwrap());
    let mcp: serde_json::Value = serde_json::from_str(&read("mcp")).unwrap();
    let server = &mcp["mcpServers"]["gastown"];
    assert_eq!(server["url"], format!("{}/towns/t/mcp", world.server.url));
    assert_eq!(server["headers"]["Authorization"], "Bearer order-token-17-0123456789");
    assert_eq!(read("mode").trim(), "600");
    assert_eq!(world.shows("polecat/toast/bead17", "work.txt"), "work");
    assert_eq!(world.shows("polecat/toast/bead17", "README.md"), "hello", "it begins at the base");

    // Every report names the process, and the first came before there was any.
    let beats = world.server.requests("agent-17/heartbeat");
    let end = &world.server.requests("agent-17/completed")[0];
    for request in beats.iter().chain([end]) {
        assert_eq!(request.headers["authorization"], "Bearer order-token-17-0123456789");
        assert_eq!(request.headers["x-gastown-process-id"], server["headers"]["x-gastown-process-id"]);
    }
    assert!(beats[0].body.get("worktree").is_none());
    let told = world.server.requests("/agent-events");
    let lines: Vec<_> = told.iter().flat_map(|event| event.body["data"]["lines"].as_array().unwrap().clone()).collect();
    assert!(lines.contains(&json!("token [token]")) && lines.contains(&json!("problem")), "{lines:?}");

    let log = runner.log();
    assert!(!log.contains("order-token") && !log.contains(CONTAINER_TOKEN), "{log}");
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{log}");
    assert!(world.worktrees().is_empty(), "what is done is removed");
    assert_eq!(fs::read_dir(world.workdir().join("orders")).unwrap().count(), 0, "and its token");
    assert_eq!(fs::metadata(world.workdir().join("orders")).unwrap().permissions().mode() & 0o777, 0o700);
}

/// S4-19.
#[test]
fn an_order_is_run_once_through_reconnects_and_restarts() {
    let world = World::new();
    let command = "echo run >> ../../runs";
    let mut runner = world.run(command, &[]);
    world.offer(1, "polecat/toast/one");
    world.ended(1);
    world.server.cut();
    until("it reconnects", || world.server.connected() == 2);
    world.offer(2, "polecat/toast/two");
    world.ended(2);
    runner.stop();
    let mut again = world.run(command, &[]);
    until("it connects", || world.server.connected() == 3);
    world.offer(3, "polecat/toast/three");
    world.ended(3);
    again.stop();
    assert_eq!(fs::read_to_string(world.workdir().join("runs")).unwrap().lines().count(), 3);
    for number in 1..=3 {
        world.ended(number);
    }
}

/// S4-12: an agent that has reported its work is given other work while its process still ends.
#[test]
fn an_agent_has_one_process_at_a_time() {
    let world = World::new();
    let command = "mkdir ../../lives || echo two >> ../../wrong; [ $GASTOWN_ORDER = 2 ] || until [ -e ../../go ]; do sleep 0.05; done; rmdir ../../lives";
    let mut runner = world.run(command, &[]);
    let offer = |number: u64| {
        let mut order = world.order(number, &format!("polecat/toast/{number}"));
        order["agent"]["id"] = json!("toast");
        world.server.offer(order);
    };
    offer(1);
    until("the first works", || world.workdir().join("lives").exists());
    offer(2);
    until("the second waits, and shows signs of life", || world.server.requests("agent-2/heartbeat").len() >= 2);
    assert!(world.server.requests("agent-2/completed").is_empty());
    fs::write(world.workdir().join("go"), "").unwrap();
    for number in [1, 2] {
        assert_eq!(world.ended(number), ("completed".to_owned(), String::new()));
    }
    assert!(!world.workdir().join("wrong").exists());
    assert_eq!(runner.stop(), 0);
}

#[test]
fn a_refinery_is_made_and_its_orders_run_the_other_command_at_the_target() {
    let world = World::new();
    let work = world.commit("polecat/toast/done", "done.txt", "done\n");
    let merge =
        r#"git merge --quiet --no-ff --message merged "origin/$GASTOWN_BRANCH" && git push --quiet origin "HEAD:$GASTOWN_BASE_BRANCH""#;
    let mut runner = world.run("exit 9", &["--role", "both", "--refinery-command", merge]);
    until("the refinery is made", || !world.server.requests("/agents/get-or-create").is_empty());
    let made = &world.server.requests("/agents/get-or-create")[0];
    assert_eq!(
        (&made.body, made.headers["authorization"].as_str()),
        (&json!({ "role": "refinery" }), format!("Bearer {CONTAINER_TOKEN}").as_str())
    );
    let mut order = world.order(5, "polecat/toast/done");
    order["agent"]["role"] = json!("refinery");
    order["bead"]["type"] = json!("merge_request");
    world.server.offer(order);
    assert_eq!(world.ended(5).0, "completed");
    assert_eq!(world.shows("main", "done.txt"), "done");
    assert_ne!(work, crate::support::git(&world.origin(), &["rev-parse", "main"]));
    assert_eq!(runner.stop(), 0);
}

#[test]
fn an_end_is_reported_until_the_worker_takes_it() {
    let world = World::new();
    let mut runner = world.run("until [ -e ../../go ]; do sleep 0.05; done", &[]);
    world.offer(1, "polecat/toast/one");
    until("it runs", || world.worktrees().len() == 1);
    world.server.answer("/completed", 503, json!({ "success": false, "error": "restarting" }));
    fs::write(world.workdir().join("go"), "").unwrap();
    until("it is reported", || !world.server.requests("agent-1/completed").is_empty());
    world.server.set_down(true);
    world.server.answer("/completed", 200, json!({ "success": true, "data": null }));
    world.server.set_down(false);
    until("it is taken", || world.worktrees().is_empty());
    let reports = world.server.requests("agent-1/completed");
    assert!(reports.len() >= 2);
    assert!(reports.iter().all(|report| report.headers["idempotency-key"] == reports[0].headers["idempotency-key"]));
    assert_eq!(runner.stop(), 0);
}
