//! Merge requests: submitting, results, rework, and what becomes of the work.

use crate::support::tokens::{self, with_key};
use crate::support::town::Rig;
use crate::support::{Town, assert_indexed, code, refusal};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::{AgentId, BeadId, RigId};
use gastown_mcp::contract::shapes::{Agent, Bead, BeadStatus, RequestedChanges};
use gastown_mcp::rpc::call::Context;
use gastown_mcp::rpc::table as rpc;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A rig with its refinery.
pub struct Desk {
    pub town: Town,
    pub rig: Rig,
    pub refinery: Agent,
}

impl Desk {
    pub fn new() -> Self {
        let (town, rig) = Town::with_rig();
        Self::at(town, rig)
    }

    pub fn at(town: Town, rig: Rig) -> Self {
        let refinery = town.fleet.ask(&rig.at, &rpc::GET_OR_CREATE_AGENT, ("refinery", Value::Null), &town.owner()).unwrap();
        Self { town, rig, refinery }
    }

    /// A bead and the polecat that has it.
    pub fn sling(&self, title: &str) -> (BeadId, Agent) {
        let slung = self.town.sling(&self.rig, title);
        (slung.bead.bead_id, slung.agent.unwrap())
    }

    pub fn done(&self, agent: &AgentId, input: Value) -> Result<(), Failure> {
        self.town.fleet.tell(&self.rig.at, &rpc::AGENT_DONE, (agent, input), &self.town.owner())
    }

    pub fn submit(&self, agent: &AgentId, bead: &BeadId, branch: &str) -> Result<(), Failure> {
        let input = json!({"agent_id": agent, "bead_id": bead, "rig_id": self.rig.id, "branch": branch, "summary": "what I did"});
        self.town.fleet.tell(&self.rig.at, &rpc::SUBMIT_REVIEW, (input,), &self.town.owner())
    }

    pub fn complete(&self, entry: &BeadId, status: &str, more: Value) -> Result<(), Failure> {
        let mut input = json!({"entry_id": entry, "status": status});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.town.fleet.tell(&self.rig.at, &rpc::COMPLETE_REVIEW, (input,), &self.town.owner())
    }

    pub fn changes(&self, agent: &AgentId, feedback: &str) -> Result<RequestedChanges, Failure> {
        let input = json!({"feedback": feedback, "files": ["src/a.rs"]});
        self.town.fleet.ask(&self.rig.at, &rpc::REQUEST_CHANGES, (agent, input), &self.town.owner())
    }

    pub fn completed(&self, agent: &AgentId, status: &str) -> Result<(), Failure> {
        let input = json!({"status": status, "reason": "out of tokens"});
        self.town.fleet.tell(&self.rig.at, &rpc::AGENT_COMPLETED, (agent, input), &self.town.owner())
    }

    pub fn bead(&self, id: &BeadId) -> Bead {
        self.town.bead(&self.rig, id)
    }

    /// Merge requests, newest first.
    pub fn requests(&self) -> Vec<Bead> {
        self.town.beads(&self.rig, json!({"type": "merge_request"}))
    }

    /// A bead in review and its merge request.
    pub fn in_review(&self, title: &str) -> (BeadId, BeadId, Agent) {
        let (bead, agent) = self.sling(title);
        self.done(&agent.id, json!({"branch": agent.branch, "summary": "done"})).unwrap();
        let requests = self.requests();
        let request = requests.iter().find(|request| request.metadata["source_bead_id"] == json!(bead)).unwrap();
        (bead, request.bead_id.clone(), agent)
    }

    pub fn agent(&self, id: &AgentId) -> Agent {
        self.town.agents(&self.rig).into_iter().find(|agent| agent.id == *id).unwrap()
    }

    /// Events of a bead of one type, oldest first: new value and metadata.
    pub fn events(&self, bead: &BeadId, kind: &str) -> Vec<(String, Value)> {
        let sql = self.town.sql(&self.rig.at);
        let query = format!(
            "SELECT json_group_array(json_array(new_value, json(metadata))) FROM
             (SELECT * FROM bead_events WHERE bead_id = '{bead}' AND event_type = '{kind}' ORDER BY sequence)"
        );
        let rows: Vec<(String, Value)> = serde_json::from_str(&sql.value::<String>(&query)).unwrap();
        rows
    }
}

fn refinery_token(desk: &Desk) -> Context {
    tokens::refinery(&desk.town.fleet, &desk.town.id, &desk.rig.id, &desk.refinery.id)
}

#[test]
fn finished_work_goes_into_review_and_its_polecat_is_free_for_the_next() {
    let desk = Desk::new();
    desk.town.configure(json!({"max_polecats_per_rig": 1})).unwrap();
    let (bead, agent) = desk.sling("Add login");
    let next = desk.town.sling(&desk.rig, "next").bead.bead_id;
    let url = "https://git.example/pr/1";
    desk.done(&agent.id, json!({"branch": "polecat/toast/x", "pr_url": url, "summary": "added it", "base_commit": "c0ffee00"})).unwrap();
    let source = desk.bead(&bead);
    assert_eq!(source.status, BeadStatus::InReview);
    assert_eq!(desk.agent(&agent.id).current_hook_bead_id, Some(next));
    let [request] = &desk.requests()[..] else { panic!() };
    assert_eq!(request.title, "Review: polecat/toast/x");
    assert_eq!((request.status, request.body.as_deref()), (BeadStatus::Open, Some("added it")));
    assert_eq!((request.created_by.as_deref(), &request.labels[..]), (Some(agent.id.as_str()), &["gt:merge-request".to_owned()][..]));
    for (key, value) in [
        ("source_bead_id", bead.as_str()),
        ("source_agent_id", agent.id.as_str()),
        ("branch", "polecat/toast/x"),
        ("target_branch", "main"),
        ("pr_url", url),
    ] {
        assert_eq!(request.metadata[key], value, "{key}");
    }
    let tracks =
        format!("SELECT depends_on_bead_id FROM bead_dependencies WHERE bead_id = '{}' AND dependency_type = 'tracks'", request.bead_id);
    assert_eq!(desk.town.sql(&desk.rig.at).value::<String>(&tracks), bead.as_str());
    assert_eq!(desk.events(&bead, "review_submitted")[0].0, "polecat/toast/x");
}

#[test]
fn a_second_submission_is_refused_and_names_the_first() {
    let desk = Desk::new();
    let (bead, agent) = desk.sling("a");
    desk.submit(&agent.id, &bead, "b").unwrap();
    let request = desk.requests()[0].bead_id.clone();
    let refusal = refusal(desk.submit(&agent.id, &bead, "b"));
    assert_eq!((refusal.code, refusal.message), (Code::Conflict, format!("Bead {bead} is in review already: merge request {request}")));
    assert_eq!(desk.requests().len(), 1);
}

#[test]
fn what_cannot_be_submitted_is_refused_and_nothing_is_written() {
    let desk = Desk::new();
    let (bead, agent) = desk.sling("a");
    let other = desk.town.agent(&desk.rig).unwrap();
    let free = desk.town.create_bead(&desk.rig, json!({"type": "issue", "title": "held", "labels": ["gt:held"]})).unwrap().bead_id;
    let escalation = desk.town.create_bead(&desk.rig, json!({"type": "escalation", "title": "e"})).unwrap().bead_id;
    let (done, _) = desk.sling("closed");
    desk.town.close(&desk.rig, &done);
    for (who, what, branch, expected, says) in [
        (&agent.id, &bead, "main", Code::InvalidArgument, "branch must not be main"),
        (&agent.id, &bead, "a b", Code::InvalidArgument, "the name of a git branch"),
        (&agent.id, &bead, "", Code::InvalidArgument, "the name of a git branch"),
        (&agent.id, &bead, "--force", Code::InvalidArgument, "the name of a git branch"),
        (&other.id, &bead, "b", Code::Conflict, "is held by Toast"),
        (&agent.id, &free, "b", Code::Conflict, "is open: it cannot become in_review"),
        (&agent.id, &escalation, "b", Code::Conflict, "only issues are submitted"),
        (&agent.id, &done, "b", Code::Conflict, "is closed: it cannot become in_review"),
    ] {
        let refusal = refusal(desk.submit(who, what, branch));
        assert_eq!(refusal.code, expected, "{}", refusal.message);
        assert!(refusal.message.contains(says), "{}", refusal.message);
    }
    let wrong_rig = json!({"agent_id": agent.id, "bead_id": bead, "rig_id": RigId::from_random([9; 16]), "branch": "b"});
    let submit = |input: Value| desk.town.fleet.tell(&desk.rig.at, &rpc::SUBMIT_REVIEW, (input,), &desk.town.owner());
    assert_eq!(code(submit(wrong_rig)), Code::InvalidArgument);
    let bad_url = json!({"agent_id": agent.id, "bead_id": bead, "rig_id": desk.rig.id, "branch": "b", "pr_url": "javascript:1"});
    assert_eq!(code(submit(bad_url)), Code::InvalidArgument);
    assert!(desk.requests().is_empty());
    assert_eq!(desk.bead(&bead).assignee_agent_bead_id, Some(agent.id));
}

#[test]
fn an_agent_submits_its_own_work_and_judges_none() {
    let desk = Desk::new();
    let (bead, agent) = desk.sling("a");
    let (_, other) = desk.sling("b");
    let own = desk.town.polecat(&desk.rig, &agent.id);
    let done =
        |who: &AgentId, context: &Context| desk.town.fleet.tell(&desk.rig.at, &rpc::AGENT_DONE, (who, json!({"branch": "b"})), context);
    assert_eq!(code(done(&other.id, &own)), Code::Forbidden);
    done(&agent.id, &own).unwrap();
    let request = &desk.requests()[0].bead_id;
    let verdict = json!({"entry_id": request, "status": "merged"});
    let judge = |context: &Context| desk.town.fleet.tell(&desk.rig.at, &rpc::COMPLETE_REVIEW, (verdict.clone(),), context);
    assert_eq!(refusal(judge(&own)).message, "Forbidden: a polecat does not judge work; the refinery does");
    judge(&refinery_token(&desk)).unwrap();
    assert_eq!(desk.bead(&bead).status, BeadStatus::Closed);
}

#[test]
fn merged_with_a_commit_is_evidence() {
    let desk = Desk::new();
    let (bead, request, _) = desk.in_review("a");
    desk.complete(&request, "merged", json!({"commit_sha": "c0ffee1234"})).unwrap();
    for id in [&bead, &request] {
        let bead = desk.bead(id);
        assert_eq!((bead.status, bead.merge_commit.as_deref()), (BeadStatus::Closed, Some("c0ffee1234")));
    }
    assert_eq!(
        desk.events(&bead, "review_completed"),
        [("merged".to_owned(), json!({"mr_bead_id": request, "message": null, "commit_sha": "c0ffee1234"}))]
    );
}

#[test]
fn merged_without_a_commit_is_done_but_not_merged() {
    let desk = Desk::new();
    let (bead, request, _) = desk.in_review("a");
    desk.complete(&request, "merged", json!({})).unwrap();
    let source = desk.bead(&bead);
    assert_eq!((source.status, source.merge_commit), (BeadStatus::Closed, None));
    assert_eq!(desk.events(&bead, "review_completed")[0].1["unverified"], true);
}

// A merge at the commit where the target already was brought nothing.
#[test]
fn a_merge_that_brought_nothing_is_flagged_and_is_no_evidence() {
    let desk = Desk::new();
    let (bead, agent) = desk.sling("a");
    desk.done(&agent.id, json!({"branch": "b", "base_commit": "C0FFEE1234567890"})).unwrap();
    let request = desk.requests()[0].bead_id.clone();
    desk.complete(&request, "merged", json!({"commit_sha": "c0ffee12345"})).unwrap();
    let source = desk.bead(&bead);
    assert_eq!((source.status, source.merge_commit), (BeadStatus::Closed, None));
    assert_eq!(source.metadata["empty_merge"], true);
    let (_, about) = &desk.events(&bead, "review_completed")[0];
    assert_eq!((&about["empty"], about.get("unverified")), (&json!(true), None));
    // The base may also be named with the result.
    let (bead, request, _) = desk.in_review("b");
    desk.complete(&request, "merged", json!({"commit_sha": "abcd1234", "base_commit": "abcd1234"})).unwrap();
    assert_eq!(desk.bead(&bead).merge_commit, None);
}

#[test]
fn a_failed_review_brings_the_work_back_with_what_was_said() {
    let desk = Desk::new();
    let (bead, request, agent) = desk.in_review("a");
    desk.complete(&request, "failed", json!({"message": "two tests fail"})).unwrap();
    let failed = desk.bead(&request);
    assert_eq!((failed.status, failed.failure_reason.as_deref()), (BeadStatus::Failed, Some("two tests fail")));
    let back = desk.bead(&bead);
    // It was given out again at once, and goes on where it was.
    assert_eq!((back.status, back.assignee_agent_bead_id.clone()), (BeadStatus::Open, Some(agent.id.clone())));
    assert_eq!(back.metadata["feedback"], "two tests fail");
    assert_eq!(back.metadata["mr_bead_id"], json!(request));
    assert_eq!(back.metadata["branch"], json!(agent.branch));
    assert_eq!(desk.agent(&agent.id).branch, agent.branch);
    assert_eq!(desk.events(&bead, "rework_requested").len(), 1);
    // The next review knows that there was one.
    desk.done(&agent.id, json!({"branch": agent.branch})).unwrap();
    let again = desk.requests().into_iter().find(|request| request.status == BeadStatus::Open).unwrap();
    let retries = format!("SELECT retry_count FROM merge_requests WHERE bead_id = '{}'", again.bead_id);
    assert_eq!(desk.town.sql(&desk.rig.at).value::<i64>(&retries), 1);
    desk.complete(&again.bead_id, "merged", json!({"commit_sha": "abcdef0"})).unwrap();
    assert_eq!(desk.bead(&bead).merge_commit.as_deref(), Some("abcdef0"));
}

// S2-22.
#[test]
fn a_conflict_brings_the_work_back_and_is_escalated() {
    let desk = Desk::new();
    let (bead, request, agent) = desk.in_review("a");
    desk.complete(&request, "conflict", json!({"message": "src/a.rs"})).unwrap();
    let back = desk.bead(&bead);
    assert_eq!((&back.metadata["has_conflicts"], &back.metadata["conflict_target_branch"]), (&json!(true), &json!("main")));
    let [escalation] = &desk.town.beads(&desk.rig, json!({"type": "escalation"}))[..] else { panic!() };
    assert_eq!(escalation.labels, ["gt:escalation", "severity:high"]);
    let body = escalation.body.as_deref().unwrap();
    assert!(body.contains("does not merge into main: src/a.rs") && body.contains(agent.branch.as_deref().unwrap()), "{body}");
    assert_eq!(desk.events(&escalation.bead_id, "escalated").len(), 1);
}

#[test]
fn a_result_is_taken_once_and_what_it_says_is_checked() {
    let desk = Desk::new();
    let (bead, request, _) = desk.in_review("a");
    for (more, says) in [
        (json!({"commit_sha": "not a commit"}), "commit_sha must be a commit"),
        (json!({"commit_sha": ""}), "commit_sha must be a commit"),
        (json!({"base_commit": "x".repeat(65)}), "base_commit must be a commit"),
        (json!({"message": "m".repeat(8_001)}), "at most 8000 bytes"),
    ] {
        let refusal = refusal(desk.complete(&request, "merged", more));
        assert!(refusal.message.contains(says), "{}", refusal.message);
    }
    let unknown = BeadId::from_random([9; 16]);
    assert_eq!(refusal(desk.complete(&unknown, "merged", json!({}))).message, format!("Merge request {unknown} not found"));
    assert_eq!(code(desk.complete(&bead, "merged", json!({}))), Code::NotFound);
    assert_eq!(code(desk.complete(&request, "bogus", json!({}))), Code::InvalidArgument);
    desk.complete(&request, "merged", json!({"commit_sha": "abcdef0"})).unwrap();
    desk.complete(&request, "failed", json!({"message": "late"})).unwrap();
    desk.complete(&request, "merged", json!({"commit_sha": "fedcba0"})).unwrap();
    assert_eq!(desk.bead(&bead).merge_commit.as_deref(), Some("abcdef0"));
    assert_eq!(desk.events(&bead, "review_completed").len(), 1);
}

// S3-44: what waits for reviewed work waits for its review.
#[test]
fn a_dependent_waits_until_the_review_is_over() {
    let desk = Desk::new();
    let (bead, request, _) = desk.in_review("first");
    let input = json!({"rigId": desk.rig.id, "title": "second", "depends_on": [bead], "until": "merged"});
    let second = desk.town.sling_as(&desk.rig, input, &desk.town.owner()).unwrap();
    assert_eq!((second.bead.blockers_open, second.agent, second.queue_position), (1, None, None));
    desk.complete(&request, "merged", json!({"commit_sha": "abcdef0"})).unwrap();
    assert_eq!(desk.bead(&second.bead.bead_id).blockers_open, 0);
    assert!(desk.bead(&second.bead.bead_id).assignee_agent_bead_id.is_some());
}

#[test]
fn a_review_waits_while_its_rework_is_done_and_is_not_reviewed_by_itself() {
    let desk = Desk::new();
    let (bead, request, agent) = desk.in_review("Add login");
    let refinery = desk.refinery.id.clone();
    desk.town.hook(&desk.rig, &refinery, &request).unwrap();
    assert_eq!(desk.agent(&refinery).branch, agent.branch);
    let rework = desk.changes(&refinery, "rename it").unwrap().rework_bead_id;
    let work = desk.bead(&rework);
    assert_eq!((work.title.as_str(), &work.labels[..]), ("Rework: Add login", &["gt:rework".to_owned()][..]));
    assert_eq!((&work.metadata["rework_for"], &work.metadata["files"]), (&json!(bead), &json!(["src/a.rs"])));
    assert_eq!(work.metadata["branch"], json!(agent.branch));
    // The polecat that was idle has it, on the branch under review; the refinery is free, and the review waits.
    let worker = desk.agent(&work.assignee_agent_bead_id.unwrap());
    assert_eq!(worker.branch, agent.branch);
    assert_eq!(desk.agent(&refinery).current_hook_bead_id, None);
    assert!(refusal(desk.town.hook(&desk.rig, &refinery, &request)).message.contains("waits for 1 blocker"));
    assert_eq!(desk.bead(&bead).status, BeadStatus::InReview);
    assert!(refusal(desk.submit(&worker.id, &rework, "b")).message.contains("is rework for merge request"));
    desk.done(&worker.id, json!({"branch": worker.branch})).unwrap();
    assert_eq!(desk.bead(&rework).status, BeadStatus::Closed);
    assert_eq!(desk.requests().len(), 1);
    desk.town.hook(&desk.rig, &refinery, &request).unwrap();
    desk.complete(&request, "merged", json!({"commit_sha": "abcdef0"})).unwrap();
    assert_eq!(desk.agent(&refinery).current_hook_bead_id, None);
    assert_eq!(desk.bead(&bead).merge_commit.as_deref(), Some("abcdef0"));
}

#[test]
fn who_may_not_request_changes_is_told_in_the_contracts_words() {
    let desk = Desk::new();
    let (_, agent) = desk.sling("a");
    let refinery = desk.refinery.id.clone();
    assert_eq!(refusal(desk.changes(&agent.id, "f")).message, "Only refineries can request changes");
    assert_eq!(refusal(desk.changes(&refinery, "f")).message, format!("Agent {refinery} is not hooked to a bead"));
    let free = desk.town.create_bead(&desk.rig, json!({"type": "issue", "title": "t"})).unwrap().bead_id;
    desk.town.hook(&desk.rig, &refinery, &free).unwrap();
    assert_eq!(refusal(desk.changes(&refinery, "f")).message, format!("Agent {refinery} is not hooked to a merge_request bead"));
    desk.town.unhook(&desk.rig, &refinery).unwrap();
    let (_, request, _) = desk.in_review("b");
    desk.town.hook(&desk.rig, &refinery, &request).unwrap();
    assert_eq!(code(desk.changes(&refinery, " ")), Code::InvalidArgument);
    assert_eq!(code(desk.changes(&refinery, &"f".repeat(8_001))), Code::InvalidArgument);
    assert_eq!(code(desk.changes(&AgentId::from_random([9; 16]), "f")), Code::NotFound);
}

#[test]
fn failed_rework_fails_its_review_and_an_ended_review_ends_its_rework() {
    let desk = Desk::new();
    let refinery = desk.refinery.id.clone();
    let (bead, request, _) = desk.in_review("a");
    desk.town.hook(&desk.rig, &refinery, &request).unwrap();
    let rework = desk.changes(&refinery, "rename it").unwrap().rework_bead_id;
    desk.town.fail(&desk.rig, &rework);
    assert_eq!((desk.bead(&request).status, desk.bead(&bead).status), (BeadStatus::Failed, BeadStatus::Open));
    let (bead, request, _) = desk.in_review("b");
    desk.town.hook(&desk.rig, &refinery, &request).unwrap();
    let rework = desk.changes(&refinery, "rename it").unwrap().rework_bead_id;
    // A bead that only says so is no rework of anyone's.
    let labels = json!({"type": "issue", "title": "t", "labels": ["gt:rework"], "metadata": {"mr_bead_id": request}});
    let forged = desk.town.create_bead(&desk.rig, labels).unwrap().bead_id;
    desk.town.fail(&desk.rig, &forged);
    assert_eq!(desk.bead(&bead).status, BeadStatus::InReview);
    desk.complete(&request, "merged", json!({"commit_sha": "abcdef0"})).unwrap();
    assert_eq!((desk.bead(&rework).status, desk.bead(&bead).status), (BeadStatus::Failed, BeadStatus::Closed));
}

#[test]
fn a_merge_request_lives_like_any_bead_and_takes_its_work_along() {
    let desk = Desk::new();
    let refinery = desk.refinery.id.clone();
    let (bead, request, _) = desk.in_review("a");
    desk.town.hook(&desk.rig, &refinery, &request).unwrap();
    assert_eq!(desk.town.set_status(&desk.rig, &request, BeadStatus::InProgress).status, BeadStatus::InProgress);
    assert_eq!(desk.town.close(&desk.rig, &request).status, BeadStatus::Closed);
    assert_eq!((desk.bead(&bead).status, desk.bead(&bead).merge_commit), (BeadStatus::Closed, None));
    // By hand, the other way round.
    let (bead, request, _) = desk.in_review("b");
    desk.town.close(&desk.rig, &bead);
    let withdrawn = desk.bead(&request);
    assert_eq!((withdrawn.status, withdrawn.failure_reason.as_deref()), (BeadStatus::Failed, Some("withdrawn: its bead is closed")));
    let (bead, request, _) = desk.in_review("c");
    desk.town.set_status(&desk.rig, &bead, BeadStatus::Open);
    assert_eq!(desk.bead(&request).status, BeadStatus::Failed);
    assert_eq!(desk.bead(&bead).metadata.get("feedback"), None);
}

#[test]
fn a_refinery_reports_a_pull_request_and_goes_on_or_that_it_has_merged() {
    let desk = Desk::new();
    let refinery = desk.refinery.id.clone();
    let (bead, request, _) = desk.in_review("a");
    desk.town.hook(&desk.rig, &refinery, &request).unwrap();
    desk.done(&refinery, json!({"branch": "b", "pr_url": "https://git.example/pr/7"})).unwrap();
    let open = desk.bead(&request);
    assert_eq!((open.status, &open.metadata["pr_url"]), (BeadStatus::InProgress, &json!("https://git.example/pr/7")));
    assert_eq!(desk.agent(&refinery).current_hook_bead_id, None);
    assert_eq!(desk.events(&bead, "pr_created").len(), 1);
    // It waits for its result on nobody's hook, and there is nothing to mend in that.
    desk.town.fleet.settle();
    let found = crate::town::check::check(&desk.town, true);
    assert!(found.ok, "{found:?}");
    assert_eq!(desk.bead(&request).status, BeadStatus::InProgress);
    let (second, other, _) = desk.in_review("b");
    desk.town.hook(&desk.rig, &refinery, &other).unwrap();
    desk.done(&refinery, json!({"branch": "b"})).unwrap();
    assert_eq!((desk.bead(&other).status, desk.bead(&second).status), (BeadStatus::Closed, BeadStatus::Closed));
    desk.complete(&request, "merged", json!({"commit_sha": "abcdef0"})).unwrap();
    assert_eq!(desk.bead(&bead).merge_commit.as_deref(), Some("abcdef0"));
}

// The reply of the first report was lost, and the polecat has other work by now.
#[test]
fn a_report_that_is_repeated_submits_nothing_else() {
    let desk = Desk::new();
    desk.town.configure(json!({"max_polecats_per_rig": 1})).unwrap();
    let (first, agent) = desk.sling("first");
    let second = desk.town.sling(&desk.rig, "second").bead.bead_id;
    let branch = agent.branch.clone().unwrap();
    desk.done(&agent.id, json!({"branch": branch})).unwrap();
    assert_eq!(desk.agent(&agent.id).current_hook_bead_id, Some(second.clone()));
    let taken = refusal(desk.done(&agent.id, json!({"branch": branch})));
    assert_eq!(
        (taken.code, taken.message),
        (Code::Conflict, format!("Branch {branch} is in review already: merge request {}", desk.requests()[0].bead_id))
    );
    assert_eq!((desk.bead(&first).status, desk.bead(&second).status), (BeadStatus::InReview, BeadStatus::Open));
    desk.town.close(&desk.rig, &second);
    desk.done(&agent.id, json!({"branch": branch})).unwrap();
    assert_eq!(desk.requests().len(), 1);
    let other =
        desk.town.fleet.ask::<Agent>(&desk.rig.at, &rpc::GET_OR_CREATE_AGENT, ("refinery", Value::Null), &desk.town.owner()).unwrap();
    desk.town.unhook(&desk.rig, &other.id).unwrap();
    assert_eq!(refusal(desk.done(&other.id, json!({"branch": "x"}))).message, format!("Agent {} is not hooked to a bead", other.id));
    // With a key it is the same call.
    let (_, agent) = desk.sling("third");
    let key = with_key(desk.town.owner(), "done-1");
    for _ in 0..2 {
        desk.town.fleet.tell(&desk.rig.at, &rpc::AGENT_DONE, (&agent.id, json!({"branch": "third"})), &key).unwrap();
    }
    assert_eq!(desk.requests().len(), 2);
}

#[test]
fn a_process_that_ends_gives_its_bead_back_and_five_such_ends_fail_it() {
    let desk = Desk::new();
    desk.town.configure(json!({"max_polecats_per_rig": 1})).unwrap();
    let (bead, agent) = desk.sling("a");
    for attempt in 1..=5 {
        if attempt == 2 {
            desk.town.fleet.evict(&desk.rig.at);
            desk.town.set_status(&desk.rig, &bead, BeadStatus::InProgress);
        }
        desk.completed(&agent.id, if attempt % 2 == 0 { "completed" } else { "failed" }).unwrap();
        let now = desk.bead(&bead);
        assert_eq!(now.dispatch_attempts, attempt);
        assert_eq!(
            now.assignee_agent_bead_id.is_some(),
            attempt == 5 && now.status == BeadStatus::Failed && now.assignee_agent_bead_id.is_some()
        );
        if attempt < 5 {
            assert_eq!((now.status, desk.agent(&agent.id).current_hook_bead_id), (BeadStatus::Open, None));
            // It rests, longer each time.
            let rest = [30, 60, 120, 300][usize::try_from(attempt).unwrap() - 1] * 1_000;
            desk.town.fleet.advance(rest - 1_000);
            assert_eq!(desk.agent(&agent.id).current_hook_bead_id, None, "{attempt}");
            desk.town.fleet.advance(1_000);
            assert_eq!(desk.agent(&agent.id).current_hook_bead_id, Some(bead.clone()));
        }
    }
    let failed = desk.bead(&bead);
    assert_eq!((failed.status, failed.failure_reason.as_deref()), (BeadStatus::Failed, Some("max_dispatch_attempts")));
    assert_eq!(desk.events(&bead, "agent_exited").len(), 5);
    // Nothing on the hook: nothing but the end of a process.
    desk.completed(&agent.id, "completed").unwrap();
    let mayor = desk.town.fleet.tell(&desk.rig.at, &rpc::AGENT_COMPLETED, ("", json!({"status": "completed"})), &desk.town.owner());
    assert!(refusal(mayor).message.contains("the Mayor belongs to the town"));
    let (_, request, _) = desk.in_review("b");
    desk.town.hook(&desk.rig, &desk.refinery.id, &request).unwrap();
    desk.completed(&desk.refinery.id, "failed").unwrap();
    assert_eq!((desk.bead(&request).status, desk.agent(&desk.refinery.id).current_hook_bead_id), (BeadStatus::Open, None));
}

#[test]
fn work_of_a_convoy_goes_where_the_convoy_says() {
    let desk = Desk::new();
    let target = |mode: &str| {
        let input = json!({"rigId": desk.rig.id, "convoyTitle": "c", "tasks": [{"title": mode}], "staged": false, "merge_mode": mode});
        let convoy = desk.town.try_convoy(input).unwrap();
        desk.town.fleet.settle();
        let bead = convoy.beads[0].bead.bead_id.clone();
        let agent = desk.bead(&bead).assignee_agent_bead_id.unwrap();
        desk.submit(&agent, &bead, &format!("work-{mode}")).unwrap();
        (desk.requests()[0].metadata["target_branch"].clone(), convoy.convoy.feature_branch)
    };
    let (together, branch) = target("review-then-land");
    assert_eq!(together, json!(branch));
    let (alone, _) = target("review-and-merge");
    assert_eq!(alone, "main");
    // A bead that only says so belongs to no convoy.
    let input = json!({"rigId": desk.rig.id, "title": "t", "metadata": {"feature_branch": "convoy/x/head"}});
    let slung = desk.town.sling_as(&desk.rig, input, &desk.town.owner()).unwrap();
    desk.submit(&slung.agent.unwrap().id, &slung.bead.bead_id, "b").unwrap();
    assert_eq!(desk.requests()[0].metadata["target_branch"], "main");
}

#[test]
fn no_statement_of_a_review_reads_a_whole_table() {
    let desk = Desk::new();
    let sql = desk.town.sql(&desk.rig.at);
    sql.take_log();
    let refinery = desk.refinery.id.clone();
    let (_, request, agent) = desk.in_review("a");
    desk.town.hook(&desk.rig, &refinery, &request).unwrap();
    desk.changes(&refinery, "f").unwrap();
    desk.complete(&request, "conflict", json!({})).unwrap();
    desk.done(&agent.id, json!({"branch": "other"})).unwrap();
    desk.completed(&agent.id, "failed").unwrap();
    let queue: Value = desk.town.fleet.ask(&desk.town.at, &rpc::GET_MERGE_QUEUE, (Value::Null,), &desk.town.owner()).unwrap();
    assert!(queue["activityLog"].as_array().unwrap().len() >= 3, "{queue:#}");
    desk.town.fleet.advance(60_000);
    for (statement, params) in sql.take_log() {
        let small = ["FROM rig", "FROM agents", "FROM outbox", "_tally"].iter().any(|table| statement.contains(table))
            && !statement.contains("FROM beads");
        if !small && !statement.starts_with("-- meta") && !statement.contains("sqlite_master") {
            assert_indexed(&sql, &statement, &params);
        }
    }
}

#[derive(Debug, Clone)]
enum Op {
    Sling,
    Done(usize),
    Hook(usize),
    Complete(usize, &'static str),
    Changes,
    Exit(usize),
    Set(usize, BeadStatus),
    Delete(usize),
    Evict,
    Pass,
}

fn op() -> impl Strategy<Value = Op> {
    let result = prop_oneof![Just("merged"), Just("failed"), Just("conflict")];
    let status = prop_oneof![Just(BeadStatus::Closed), Just(BeadStatus::Failed), Just(BeadStatus::Open), Just(BeadStatus::InProgress)];
    prop_oneof![
        3 => Just(Op::Sling),
        4 => any::<usize>().prop_map(Op::Done),
        2 => any::<usize>().prop_map(Op::Hook),
        4 => (any::<usize>(), result).prop_map(|(at, result)| Op::Complete(at, result)),
        2 => Just(Op::Changes),
        1 => any::<usize>().prop_map(Op::Exit),
        2 => (any::<usize>(), status).prop_map(|(at, status)| Op::Set(at, status)),
        1 => any::<usize>().prop_map(Op::Delete),
        1 => Just(Op::Evict),
        1 => Just(Op::Pass),
    ]
}

fn pick<T>(items: &[T], at: usize) -> Option<&T> {
    items.get(at.checked_rem(items.len())?)
}

fn act(desk: &Desk, op: &Op) {
    let beads = desk.town.beads(&desk.rig, json!({}));
    let agents = desk.town.agents(&desk.rig);
    match op {
        Op::Sling => drop(desk.town.sling(&desk.rig, "t")),
        Op::Done(at) => {
            let Some(agent) = pick(&agents, *at) else { return };
            let _ = desk.done(&agent.id, json!({"branch": agent.branch.clone().unwrap_or("x".to_owned())}));
        }
        Op::Hook(at) => {
            let requests = desk.requests();
            let Some(request) = pick(&requests, *at) else { return };
            let _ = desk.town.hook(&desk.rig, &desk.refinery.id, &request.bead_id);
        }
        Op::Complete(at, result) => {
            let requests = desk.requests();
            let Some(request) = pick(&requests, *at) else { return };
            desk.complete(&request.bead_id, result, json!({"commit_sha": "abcdef0"})).unwrap();
        }
        Op::Changes => drop(desk.changes(&desk.refinery.id, "f")),
        Op::Exit(at) => {
            let Some(agent) = pick(&agents, *at) else { return };
            desk.completed(&agent.id, "failed").unwrap();
        }
        Op::Set(at, status) => {
            let Some(bead) = pick(&beads, *at) else { return };
            let set = (&bead.bead_id, status, "tester", Value::Null);
            let _ = desk.town.fleet.ask::<Bead>(&desk.rig.at, &rpc::UPDATE_BEAD_STATUS, set, &desk.town.owner());
        }
        Op::Delete(at) => {
            let Some(agent) = pick(&agents, *at).filter(|agent| agent.id != desk.refinery.id) else { return };
            desk.town.delete_agent(&desk.rig, &agent.id);
        }
        Op::Evict => desk.town.fleet.evict(&desk.rig.at),
        Op::Pass => desk.town.fleet.advance(5_000),
    }
}

/// Work in review and its merge request stand and fall together, whatever happens to either.
fn check(desk: &Desk) {
    let beads = desk.town.beads(&desk.rig, json!({"limit": 500}));
    let open: Vec<&Bead> = beads
        .iter()
        .filter(|bead| {
            bead.metadata.contains_key("source_bead_id")
                && bead.labels.contains(&"gt:merge-request".to_owned())
                && !bead.status.is_terminal()
        })
        .collect();
    for bead in beads.iter().filter(|bead| bead.kind.as_str() == "issue") {
        let of_it = open.iter().filter(|request| request.metadata["source_bead_id"] == json!(bead.bead_id)).count();
        assert_eq!(of_it, usize::from(bead.status == BeadStatus::InReview), "{bead:#?}");
        if bead.merge_commit.is_some() {
            assert_eq!(bead.status, BeadStatus::Closed);
            let evidence = beads.iter().any(|request| {
                request.metadata.get("source_bead_id") == Some(&json!(bead.bead_id)) && request.merge_commit == bead.merge_commit
            });
            assert!(evidence, "{bead:#?}");
        }
        let waits_for = bead.labels.contains(&"gt:rework".to_owned()) && !bead.status.is_terminal();
        if waits_for {
            let request = beads.iter().find(|request| bead.metadata["mr_bead_id"] == json!(request.bead_id)).unwrap();
            assert!(!request.status.is_terminal() && request.blockers_open > 0, "{request:#?}");
        }
    }
    for agent in desk.town.agents(&desk.rig) {
        if let Some(hook) = agent.current_hook_bead_id {
            let held = beads.iter().find(|bead| bead.bead_id == hook).unwrap();
            assert!(!held.status.is_terminal() && held.assignee_agent_bead_id.as_ref() == Some(&agent.id), "{held:#?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn work_and_its_merge_request_stand_and_fall_together(ops in prop::collection::vec(op(), 1..50)) {
        let desk = Desk::new();
        for op in &ops {
            act(&desk, op);
            check(&desk);
        }
        prop_assert_eq!(desk.town.fleet.take_faults(), Vec::<String>::new());
        desk.town.fleet.close();
    }
}
