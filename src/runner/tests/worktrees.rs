//! Branches and worktrees: where work begins, what is continued, several at once.

use std::fs;

use serde_json::json;

use crate::support::{World, git, until};

const COMMIT: &str = r#"echo "$GASTOWN_BEAD_ID" >> work.txt && git add . && git commit --quiet --message work"#;

/// S4-01, S4-15.
#[test]
fn a_convoys_feature_branch_is_made_once_however_many_need_it_at_once() {
    let world = World::new();
    let mut runner = world.run(&format!("{COMMIT} && git push --quiet origin HEAD:refs/heads/$GASTOWN_BRANCH"), &[]);
    for number in 1..=6 {
        let mut order = world.order(number, &format!("polecat/p{number}/b"));
        order["base_branch"] = json!("convoy/payments/1234abcd/head");
        world.server.offer(order);
    }
    for number in 1..=6 {
        assert_eq!(world.ended(number), ("completed".to_owned(), String::new()));
        assert_eq!(world.shows(&format!("polecat/p{number}/b"), "work.txt"), format!("bead-{number}"));
    }
    assert_eq!(git(&world.origin(), &["rev-parse", "convoy/payments/1234abcd/head"]), git(&world.origin(), &["rev-parse", "main"]));
    assert_eq!(runner.stop(), 0);
}

#[test]
fn what_an_earlier_attempt_committed_is_continued_pushed_or_not() {
    let world = World::new();
    let mut runner = world.run(&format!("{COMMIT}; exit 1"), &[]);
    for number in [1, 2] {
        world.offer(number, "polecat/toast/same");
        assert_eq!(world.ended(number).0, "failed");
    }
    let second = world.workdir().join("worktrees/2-toast/work.txt");
    assert_eq!(fs::read_to_string(&second).unwrap(), "bead-1\nbead-2\n", "unpushed work is here");
    assert!(world.workdir().join("worktrees/1-toast/work.txt").exists(), "and what was kept stays");

    world.commit("polecat/toast/same", "work.txt", "from elsewhere\n");
    world.offer(3, "polecat/toast/same");
    assert_eq!(world.ended(3).0, "failed");
    let third = world.workdir().join("worktrees/3-toast/work.txt");
    assert_eq!(fs::read_to_string(third).unwrap(), "from elsewhere\nbead-3\n", "what was pushed comes before what was not");
    assert_eq!(runner.stop(), 0);
}

#[test]
fn a_branch_goes_when_the_remote_has_all_of_it() {
    let world = World::new();
    let push = "git push --quiet origin HEAD:refs/heads/$GASTOWN_BRANCH";
    let mut runner = world.run(&format!("{COMMIT}; [ \"$GASTOWN_ORDER\" = 2 ] || {push}"), &[]);
    for number in [1, 2] {
        world.offer(number, &format!("polecat/toast/b{number}"));
        assert_eq!(world.ended(number).0, "completed");
    }
    let repository = world.workdir().join("repository.git");
    until("worktrees are gone", || world.worktrees().is_empty());
    until("branches", || git(&repository, &["branch", "--list", "--format=%(refname:short)"]) == "polecat/toast/b2");
    assert_eq!(runner.stop(), 0);
}

#[test]
fn worktrees_of_all_orders_can_be_kept() {
    let world = World::new();
    let mut runner = world.run("true", &["--keep-all"]);
    world.offer(1, "polecat/toast/one");
    world.ended(1);
    assert_eq!(runner.stop(), 0);
    assert_eq!(world.worktrees(), ["1-toast"]);
}
