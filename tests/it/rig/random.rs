//! Random changes of one rig: counts, hooks and waiting agree after every step, and every move is one of the life cycle's.

use crate::support::town::Rig;
use crate::support::{Fleet, Town};
use gastown_mcp::contract::ids::{AgentId, BeadId, ConvoyId};
use gastown_mcp::contract::shapes::{BeadStatus, Priority, WorkCounts, WorkReport};
use gastown_mcp::objects::rig::beads::lifecycle::Stage;
use gastown_mcp::rpc::table as rpc;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
enum Op {
    Create { held: bool, on: Vec<usize>, merged: bool, kind: usize },
    Sling,
    Convoy { staged: bool, size: usize },
    Start(usize),
    Depend { bead: usize, on: Vec<usize>, how: usize, merged: bool },
    Label { bead: usize, held: bool },
    Priority(usize, usize),
    Quality(usize, usize),
    Status(usize, usize),
    Review(usize),
    Merge(usize),
    Reassign(usize, usize),
    Unhook(usize),
    DeleteAgent(usize),
    Delete(usize),
    DeleteStatus(usize),
    Pass,
}

fn op() -> impl Strategy<Value = Op> {
    let some = || prop::collection::vec(any::<usize>(), 0..3);
    prop_oneof![
        4 => (any::<bool>(), some(), any::<bool>(), 0..8_usize).prop_map(|(held, on, merged, kind)| Op::Create { held, on, merged, kind }),
        2 => Just(Op::Sling),
        1 => (any::<bool>(), 1..4_usize).prop_map(|(staged, size)| Op::Convoy { staged, size }),
        1 => any::<usize>().prop_map(Op::Start),
        4 => (any::<usize>(), some(), 0..4_usize, any::<bool>()).prop_map(|(bead, on, how, merged)| Op::Depend { bead, on, how, merged }),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(bead, held)| Op::Label { bead, held }),
        1 => (any::<usize>(), 0..4_usize).prop_map(|(bead, priority)| Op::Priority(bead, priority)),
        1 => (any::<usize>(), 0..4_usize).prop_map(|(bead, quality)| Op::Quality(bead, quality)),
        6 => (any::<usize>(), 0..5_usize).prop_map(|(bead, status)| Op::Status(bead, status)),
        1 => any::<usize>().prop_map(Op::Review),
        1 => any::<usize>().prop_map(Op::Merge),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(bead, agent)| Op::Reassign(bead, agent)),
        1 => any::<usize>().prop_map(Op::Unhook),
        1 => any::<usize>().prop_map(Op::DeleteAgent),
        2 => any::<usize>().prop_map(Op::Delete),
        1 => (0..5_usize).prop_map(Op::DeleteStatus),
        1 => Just(Op::Pass),
    ]
}

struct Sim {
    town: Town,
    rig: Rig,
    convoys: Vec<ConvoyId>,
}

fn pick<T: Clone>(items: &[T], number: usize) -> Option<T> {
    (!items.is_empty()).then(|| items[number % items.len()].clone())
}

impl Sim {
    fn new() -> Self {
        let town = Town::new(&Fleet::new(), 1);
        town.configure(json!({"max_polecats_per_rig": 2})).unwrap();
        let rig = town.add_rig("frontend", 2);
        Self { town, rig, convoys: Vec::new() }
    }

    fn rows<T: serde::de::DeserializeOwned>(&self, statement: &str) -> Vec<T> {
        self.town.sql(&self.rig.at).rows(statement)
    }

    fn bead(&self, number: usize) -> Option<BeadId> {
        pick(&self.rows::<(BeadId,)>("SELECT bead_id FROM beads ORDER BY sequence"), number).map(|(id,)| id)
    }

    fn agent(&self, number: usize) -> Option<AgentId> {
        pick(&self.rows::<(AgentId,)>("SELECT id FROM agents ORDER BY id"), number).map(|(id,)| id)
    }

    /// A call that may be refused: then nothing has changed, which is looked at like anything else.
    fn call(&self, method: &'static rpc::Method, args: impl serde::Serialize) {
        drop(self.town.fleet.tell(&self.rig.at, method, args, &self.town.owner()));
    }

    fn update(&self, bead: Option<BeadId>, fields: Value) {
        self.call(&rpc::UPDATE_BEAD, (bead, fields, Value::Null));
    }

    fn run(&mut self, op: &Op) {
        let until = |merged: &bool| if *merged { "merged" } else { "closed" };
        match op {
            Op::Create { held, on, merged, kind } => {
                let on: BTreeSet<BeadId> = on.iter().filter_map(|number| self.bead(*number)).collect();
                let kind = if *kind == 0 { "molecule" } else { "issue" };
                let parent = on.first().filter(|_| *held);
                self.call(
                    &rpc::CREATE_BEAD,
                    (json!({"type": kind, "title": "t", "held": held, "depends_on": on, "until": until(merged), "parent_bead_id": parent}),),
                );
            }
            Op::Sling => self.call(&rpc::SLING_BEAD, (json!({"rigId": self.rig.id, "title": "t"}),)),
            Op::Convoy { staged, size } => {
                let tasks: Vec<Value> =
                    (0..*size).map(|index| json!({"title": "t", "depends_on": (0..index).collect::<Vec<_>>()})).collect();
                let input = json!({"rigId": self.rig.id, "convoyTitle": "c", "tasks": tasks, "staged": staged});
                self.convoys.push(self.town.try_convoy(input).unwrap().convoy.id);
            }
            Op::Start(number) => drop(pick(&self.convoys, *number).map(|convoy| self.town.start(&convoy))),
            Op::Depend { bead, on, how, merged } => {
                let on: Vec<BeadId> = on.iter().filter_map(|number| self.bead(*number)).collect();
                let fields = match how {
                    0 => json!({"depends_on": on, "until": until(merged)}),
                    1 => json!({"remove_depends_on": on}),
                    2 => json!({"until": until(merged)}),
                    _ => json!({"add_depends_on": on, "until": until(merged)}),
                };
                self.update(self.bead(*bead), fields);
            }
            Op::Label { bead, held } => {
                self.update(
                    self.bead(*bead),
                    if *held { json!({"add_labels": ["gt:held"]}) } else { json!({"remove_labels": ["gt:held"]}) },
                );
            }
            Op::Priority(bead, priority) => self.update(self.bead(*bead), json!({"priority": Priority::ALL[*priority]})),
            Op::Quality(bead, quality) => {
                let quality = ["'basic'", "'shiny'", "'chrome'", "NULL"][*quality];
                let bead = self.bead(*bead).map_or_else(String::new, |bead| bead.to_string());
                self.rows::<()>(&format!("UPDATE beads SET quality = {quality} WHERE bead_id = '{bead}'"));
            }
            Op::Status(bead, status) => self.update(self.bead(*bead), json!({"status": BeadStatus::ALL[*status]})),
            Op::Review(bead) => {
                // As a polecat that is done would have it: a merge request, and the bead in review.
                let Some(source) = self.bead(*bead) else { return };
                let request: Value = self
                    .town
                    .fleet
                    .ask(&self.rig.at, &rpc::CREATE_BEAD, (json!({"type": "merge_request", "title": "r"}),), &self.town.owner())
                    .unwrap();
                self.rows::<()>(&format!(
                    "INSERT INTO merge_requests (bead_id, source_bead_id, branch, target_branch) VALUES ({}, '{source}', 'b', 'main')",
                    request["bead_id"].to_string().replace('"', "'")
                ));
                self.recount();
            }
            Op::Merge(bead) => {
                let Some(bead) = self.bead(*bead) else { return };
                self.rows::<()>(&format!("UPDATE beads SET merge_commit = 'abc' WHERE bead_id = '{bead}' AND status = 'closed'"));
                self.recount();
            }
            Op::Reassign(bead, agent) => self.call(&rpc::REASSIGN_BEAD, (self.bead(*bead), self.agent(*agent))),
            Op::Unhook(agent) => self.call(&rpc::UNHOOK_BEAD, (self.agent(*agent),)),
            Op::DeleteAgent(agent) => self.call(&rpc::DELETE_AGENT, (self.agent(*agent),)),
            Op::Delete(bead) => self.call(&rpc::DELETE_BEAD, (self.bead(*bead), Value::Null)),
            Op::DeleteStatus(status) => self.call(&rpc::DELETE_BEADS_BY_STATUS, (BeadStatus::ALL[*status], "issue", Value::Null)),
            Op::Pass => self.town.fleet.advance(6_000),
        }
    }

    /// What the test itself has changed behind the rig's back is counted anew, as whoever makes such a change would do.
    fn recount(&self) {
        for (bead,) in self.rows::<(BeadId,)>("SELECT DISTINCT bead_id FROM bead_dependencies WHERE dependency_type = 'blocks'") {
            self.update(Some(bead), json!({"remove_depends_on": [BeadId::from_random([99; 16])]}));
        }
    }

    fn check(&self) {
        let tally = |statement: &str| -> BTreeMap<String, i64> {
            self.rows::<(String, i64)>(statement).into_iter().filter(|(_, count)| *count != 0).collect()
        };
        assert_eq!(tally("SELECT status, beads FROM status_tally"), tally("SELECT status, COUNT(*) FROM beads GROUP BY status"));
        assert_eq!(
            tally("SELECT 'rank ' || priority_rank, waiting FROM queue_tally"),
            tally(
                "SELECT 'rank ' || priority_rank, COUNT(*) FROM beads WHERE type = 'issue' AND status = 'open' AND assignee_agent_id IS NULL
                 AND blockers_open = 0 AND held = 0 GROUP BY priority_rank"
            )
        );
        assert_eq!(
            tally("SELECT quality, beads FROM quality_tally"),
            tally("SELECT quality, COUNT(*) FROM beads WHERE quality IS NOT NULL AND status NOT IN ('closed', 'failed') GROUP BY quality")
        );
        self.check_waiting();
        self.check_hooks();
        self.check_life();
        self.check_report();
    }

    /// What events tell of work is what became of the beads and of the orders, be they gone by now or not. S3-36.
    fn check_report(&self) {
        let report: WorkReport =
            self.town.fleet.ask(&self.rig.at, &rpc::REPORT_WORK, (json!({"hours": 168}),), &self.town.owner()).unwrap();
        let sum = |of: fn(&WorkCounts) -> i64| {
            let agents = report.agents.iter().filter(|agent| !agent.is_review);
            agents.map(|agent| of(&agent.counts)).sum::<i64>() + of(&report.without_agent)
        };
        let back: i64 = report.agents.iter().map(|agent| agent.handed_back).sum();
        let one = |statement: &str| self.town.sql(&self.rig.at).value::<i64>(statement);
        let ended = |status: &str| {
            let work = "IN ('issue', 'molecule')";
            one(&format!("SELECT COUNT(*) FROM beads WHERE status = '{status}' AND type {work}"))
                + one(&format!(
                    "SELECT COUNT(*) FROM bead_events WHERE event_type = 'deleted' AND old_value = '{status}' AND json_extract(metadata, '$.type') {work}"
                ))
        };
        assert_eq!(sum(|counts| counts.taken), one("SELECT COUNT(*) FROM orders"), "each hook is an order");
        assert_eq!((sum(|counts| counts.done), sum(|counts| counts.failed)), (ended("closed"), ended("failed")));
        let holding = i64::try_from(report.agents.iter().filter(|agent| agent.holds.is_some()).count()).unwrap();
        assert_eq!(holding, one("SELECT COUNT(*) FROM orders WHERE ended_at IS NULL"));
        // Whatever came off a hook is finished or came back.
        let off = one("SELECT COUNT(*) FROM orders WHERE ended_at IS NOT NULL");
        let finished = one(
            "SELECT COUNT(*) FROM bead_events WHERE agent_id IS NOT NULL AND (event_type = 'closed' OR (event_type = 'status_changed' AND new_value = 'failed'))",
        );
        assert_eq!(back, off - finished);
        for by in ["type", "priority", "quality"] {
            let of_sorts: i64 = report.sorts.iter().filter(|sort| sort.by == by).map(|sort| sort.counts.taken).sum();
            assert_eq!(of_sorts, sum(|counts| counts.taken), "{by}");
        }
        assert_eq!(report.parts.iter().map(|part| part.done).sum::<i64>(), sum(|counts| counts.done));
    }

    /// Blockers counted one by one, as the words say it.
    fn check_waiting(&self) {
        let beads: BTreeMap<BeadId, (BeadStatus, bool)> = self
            .rows::<(BeadId, BeadStatus, i64)>("SELECT bead_id, status, merge_commit IS NOT NULL FROM beads")
            .into_iter()
            .map(|(id, status, merged)| (id, (status, merged == 1)))
            .collect();
        let reviewed: BTreeSet<BeadId> = self
            .rows::<(BeadId, BeadId)>("SELECT source_bead_id, bead_id FROM merge_requests WHERE source_bead_id IS NOT NULL")
            .into_iter()
            .filter(|(_, request)| !beads[request].0.is_terminal())
            .map(|(source, _)| source)
            .collect();
        let mut unmet: BTreeMap<BeadId, i64> = beads.keys().map(|id| (id.clone(), 0)).collect();
        let edges = self.rows::<(BeadId, BeadId, String)>("SELECT bead_id, depends_on_bead_id, until FROM bead_dependencies");
        for (waiter, blocker, until) in edges {
            let is_met =
                beads.get(&blocker).is_some_and(|(status, merged)| *status == BeadStatus::Closed && (until == "closed" || *merged));
            if !is_met || reviewed.contains(&blocker) {
                *unmet.get_mut(&waiter).expect("a deleted bead waits for nothing") += 1;
            }
        }
        let counted: BTreeMap<BeadId, i64> = self.rows::<(BeadId, i64)>("SELECT bead_id, blockers_open FROM beads").into_iter().collect();
        assert_eq!(counted, unmet);
        let held = "held <> (staged = 1 OR EXISTS (SELECT 1 FROM json_each(labels) WHERE value = 'gt:held'))";
        assert!(self.rows::<(BeadId,)>(&format!("SELECT bead_id FROM beads WHERE {held}")).is_empty());
    }

    /// Every bead that somebody has is on that one's hook, and every hook has a bead that has not ended.
    fn check_hooks(&self) {
        let held: BTreeSet<(BeadId, AgentId)> = self
            .rows("SELECT bead_id, assignee_agent_id FROM beads WHERE assignee_agent_id IS NOT NULL AND status NOT IN ('closed', 'failed')")
            .into_iter()
            .collect();
        let hooks: BTreeSet<(BeadId, AgentId)> =
            self.rows("SELECT current_hook_bead_id, id FROM agents WHERE current_hook_bead_id IS NOT NULL").into_iter().collect();
        assert_eq!(held, hooks);
        let blocked = "SELECT bead_id FROM beads WHERE assignee_agent_id IS NULL AND status IN ('in_progress', 'in_review')";
        assert!(self.rows::<(BeadId,)>(blocked).is_empty(), "work that nobody has");
    }

    /// The events tell a life that is legal move by move, without gaps.
    fn check_life(&self) {
        let events = self.rows::<(i64, String, Option<BeadStatus>, Option<BeadStatus>)>(
            "SELECT sequence, bead_id, CASE WHEN event_type IN ('status_changed', 'closed') THEN old_value END,
               CASE WHEN event_type IN ('status_changed', 'closed') THEN new_value END FROM bead_events ORDER BY sequence",
        );
        let mut told: BTreeMap<&str, BeadStatus> = BTreeMap::new();
        for (index, (sequence, bead, old, new)) in events.iter().enumerate() {
            assert_eq!(*sequence, i64::try_from(index).unwrap() + 1);
            if let (Some(old), Some(new)) = (old, new) {
                assert_eq!(told.insert(bead, *new).unwrap_or(BeadStatus::Open), *old, "{bead}");
                let legal = [false, true].iter().any(|held| Stage::of(*old, *held).to(Stage::of(*new, false)).is_some());
                assert!(legal, "{bead}: {old:?} to {new:?}");
            }
        }
        for (bead, status) in self.rows::<(String, BeadStatus)>("SELECT bead_id, status FROM beads") {
            assert_eq!(told.get(bead.as_str()).copied().unwrap_or(BeadStatus::Open), status, "{bead}: what the events tell");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn counts_hooks_and_waiting_agree_after_every_change(ops in prop::collection::vec(op(), 1..50)) {
        let mut sim = Sim::new();
        for op in &ops {
            sim.run(op);
            sim.check();
        }
        sim.town.fleet.close();
    }
}
