//! Random operations under random trouble: what must hold after every step, and what must hold when all is quiet.

use crate::support::town::Rig;
use crate::support::{Fleet, Listener, Town, Trouble};
use gastown_mcp::contract::ids::{AgentId, BeadId, ConvoyId};
use gastown_mcp::contract::letters::Letter;
use gastown_mcp::contract::shapes::{BeadStatus, ConvoyDetail};
use gastown_mcp::rpc::call::Instance;
use gastown_mcp::rpc::table::LIST_CONVOYS_DETAILED;
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Polecats that each rig may have.
const CAPACITY: usize = 3;

#[derive(Debug, Clone)]
enum Op {
    Sling(usize),
    Convoy { rig: usize, staged: bool, shape: Vec<u8> },
    Start(usize),
    Close(usize),
    Fail(usize),
    Unhook(usize),
    Delete(usize),
    Trouble { at: usize, kind: u8 },
    Mend,
    Evict(usize),
    Flush,
    Pass(i64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0..2_usize).prop_map(Op::Sling),
        2 => (0..2_usize, any::<bool>(), prop::collection::vec(any::<u8>(), 1..5)).prop_map(|(rig, staged, shape)| Op::Convoy { rig, staged, shape }),
        1 => any::<usize>().prop_map(Op::Start),
        4 => any::<usize>().prop_map(Op::Close),
        1 => any::<usize>().prop_map(Op::Fail),
        1 => any::<usize>().prop_map(Op::Unhook),
        1 => any::<usize>().prop_map(Op::Delete),
        2 => (0..4_usize, 0..5_u8).prop_map(|(at, kind)| Op::Trouble { at, kind }),
        1 => Just(Op::Mend),
        2 => (0..4_usize).prop_map(Op::Evict),
        2 => Just(Op::Flush),
        2 => prop_oneof![Just(30_i64), Just(1_000), Just(6_000), Just(90_000)].prop_map(Op::Pass),
    ]
}

struct Sim {
    town: Town,
    rigs: [Rig; 2],
    /// Listens to everything all the time.
    session: Listener,
    convoys: Vec<ConvoyId>,
    ended: BTreeMap<String, String>,
}

/// One of `items`, whatever the number.
fn pick<T: Clone>(items: &[T], number: usize) -> Option<T> {
    (!items.is_empty()).then(|| items[number % items.len()].clone())
}

impl Sim {
    fn new() -> Self {
        let town = Town::new(&Fleet::new(), 1);
        town.configure(json!({"max_polecats_per_rig": CAPACITY})).unwrap();
        let rigs = [town.add_rig("frontend", 2), town.add_rig("backend", 3)];
        let session = Listener::of(&town, "s");
        Self { town, rigs, session, convoys: Vec::new(), ended: BTreeMap::new() }
    }

    fn place(&self, index: usize) -> &Instance {
        [&self.town.at, &self.rigs[0].at, &self.rigs[1].at, &self.session.at][index]
    }

    fn beads(&self) -> Vec<(Rig, BeadId)> {
        let of = |rig: &Rig| {
            self.town
                .sql(&rig.at)
                .rows::<(BeadId,)>("SELECT bead_id FROM beads ORDER BY sequence")
                .into_iter()
                .map(|(id,)| (rig.clone(), id))
                .collect::<Vec<_>>()
        };
        self.rigs.iter().flat_map(of).collect()
    }

    fn agents(&self) -> Vec<(Rig, AgentId)> {
        let of = |rig: &Rig| {
            self.town
                .sql(&rig.at)
                .rows::<(AgentId,)>("SELECT id FROM agents ORDER BY id")
                .into_iter()
                .map(|(id,)| (rig.clone(), id))
                .collect::<Vec<_>>()
        };
        self.rigs.iter().flat_map(of).collect()
    }

    /// A call that trouble may swallow; whether it was carried out, the invariants do not ask.
    fn run(&mut self, op: &Op) {
        let (town, caller) = (&self.town, self.town.owner());
        match op {
            Op::Sling(rig) => drop(town.sling_as(&self.rigs[*rig], json!({"rigId": self.rigs[*rig].id, "title": "t"}), &caller)),
            Op::Convoy { rig, staged, shape } => {
                // Each task waits for some of those before it.
                let tasks: Vec<_> = shape
                    .iter()
                    .enumerate()
                    .map(|(index, bits)| {
                        let on: Vec<usize> = (0..index).filter(|blocker| bits >> blocker & 1 == 1).collect();
                        json!({"title": "t", "depends_on": on})
                    })
                    .collect();
                let input = json!({"rigId": self.rigs[*rig].id, "convoyTitle": "c", "tasks": tasks, "staged": staged});
                if let Ok(result) = town.try_convoy(input) {
                    self.convoys.push(result.convoy.id);
                }
            }
            Op::Start(number) => drop(pick(&self.convoys, *number).map(|convoy| town.start(&convoy))),
            Op::Close(number) => self.end(*number, "closed"),
            Op::Fail(number) => self.end(*number, "failed"),
            Op::Unhook(number) => drop(pick(&self.agents(), *number).map(|(rig, agent)| town.unhook(&rig, &agent))),
            Op::Delete(number) => {
                if let Some((rig, agent)) = pick(&self.agents(), *number) {
                    drop(town.fleet.tell(&rig.at, &gastown_mcp::rpc::table::DELETE_AGENT, (agent,), &caller));
                }
            }
            Op::Trouble { at, kind } => {
                let kinds = [Trouble::DropBefore, Trouble::DropAfter, Trouble::Duplicate, Trouble::Delay(700), Trouble::Delay(9_000)];
                town.fleet.trouble(self.place(*at), Some(kinds[usize::from(*kind)]));
            }
            Op::Mend => self.mend(),
            Op::Evict(at) => town.fleet.evict(self.place(*at)),
            Op::Flush => town.fleet.run_background(),
            Op::Pass(millis) => town.fleet.advance(*millis),
        }
    }

    /// Beads that somebody holds end more often than others do.
    fn end(&self, number: usize, status: &str) {
        let held: Vec<(Rig, BeadId)> = self
            .beads()
            .into_iter()
            .filter(|(rig, bead)| {
                self.town.sql(&rig.at).value::<i64>(&format!("SELECT COUNT(*) FROM agents WHERE current_hook_bead_id = '{bead}'")) == 1
            })
            .collect();
        let from = if held.is_empty() || number.is_multiple_of(5) { self.beads() } else { held };
        if let Some((rig, bead)) = pick(&from, number) {
            let args = (bead, status, "tester", serde_json::Value::Null);
            drop(self.town.fleet.tell(&rig.at, &gastown_mcp::rpc::table::UPDATE_BEAD_STATUS, args, &self.town.owner()));
        }
    }

    fn mend(&self) {
        for at in 0..4 {
            self.town.fleet.trouble(self.place(at), None);
        }
    }

    /// After every step.
    fn check(&mut self) {
        for rig in &self.rigs {
            let sql = self.town.sql(&rig.at);
            let hooks: Vec<(BeadId,)> = sql.rows("SELECT current_hook_bead_id FROM agents WHERE current_hook_bead_id IS NOT NULL");
            let distinct: BTreeSet<_> = hooks.iter().collect();
            assert_eq!(distinct.len(), hooks.len(), "a bead with two holders");
            let names: Vec<(String,)> = sql.rows("SELECT name FROM agents WHERE status <> 'dead'");
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "a name twice among the living");
            assert!(names.len() <= CAPACITY, "more polecats than the rig may have");
            let mismatched: i64 = sql.value(
                "SELECT COUNT(*) FROM beads LEFT JOIN agents ON agents.current_hook_bead_id = beads.bead_id
                 WHERE beads.status NOT IN ('closed', 'failed') AND beads.assignee_agent_id IS NOT agents.id",
            );
            assert_eq!(mismatched, 0, "bead and agent do not agree on the hook");
            let hooked_ended: i64 = sql.value(
                "SELECT COUNT(*) FROM beads JOIN agents ON agents.current_hook_bead_id = beads.bead_id WHERE beads.status IN ('closed', 'failed')",
            );
            assert_eq!(hooked_ended, 0, "a bead that ended is on a hook");
            let early: i64 = sql.value(
                "SELECT COUNT(*) FROM agents JOIN bead_dependencies AS edge ON edge.bead_id = agents.current_hook_bead_id
                 LEFT JOIN beads AS blocker ON blocker.bead_id = edge.depends_on_bead_id WHERE blocker.status IS NOT 'closed'",
            );
            assert_eq!(early, 0, "a dependent was given out before its blockers closed");
            let miscounted: i64 = sql.value(
                "SELECT COUNT(*) FROM beads WHERE blockers_open <> (SELECT COUNT(*) FROM bead_dependencies AS edge
                   LEFT JOIN beads AS blocker ON blocker.bead_id = edge.depends_on_bead_id
                   WHERE edge.bead_id = beads.bead_id AND blocker.status IS NOT 'closed')",
            );
            assert_eq!(miscounted, 0, "blockers_open is not the number of blockers that are open");
            for (id, status) in sql.rows::<(String, String)>("SELECT bead_id, status FROM beads WHERE status IN ('closed', 'failed')") {
                assert_eq!(*self.ended.entry(id).or_insert_with(|| status.clone()), status, "an ended bead changed");
            }
        }
        let known: i64 = self
            .rigs
            .iter()
            .map(|rig| self.town.sql(&rig.at).value::<i64>("SELECT COUNT(*) FROM beads WHERE status IN ('closed', 'failed')"))
            .sum();
        assert_eq!(usize::try_from(known).unwrap(), self.ended.len(), "an ended bead vanished or came back to life");
    }

    /// Once all is quiet.
    fn check_quiet(&mut self) {
        self.mend();
        self.listen();
        self.town.fleet.restart();
        self.town.fleet.settle();
        // One tick more: whatever was unhooked or left over is given out.
        for rig in &self.rigs {
            self.town.fleet.ring(&rig.at);
        }
        self.town.fleet.settle();
        self.check();
        for rig in &self.rigs {
            let sql = self.town.sql(&rig.at);
            let ready: i64 = sql.value(
                "SELECT COUNT(*) FROM beads WHERE type = 'issue' AND status = 'open' AND assignee_agent_id IS NULL AND blockers_open = 0 AND held = 0",
            );
            let idle: i64 = sql.value("SELECT COUNT(*) FROM agents WHERE current_hook_bead_id IS NULL AND role = 'polecat'");
            let living: usize = sql.value("SELECT COUNT(*) FROM agents");
            assert!(ready == 0 || (idle == 0 && living == CAPACITY), "work waits while somebody is free");
        }
        self.check_mirror();
        self.check_told();
        let faults = self.town.fleet.take_faults();
        let expected = ["lost", "did not answer", "went away"];
        assert!(faults.iter().all(|fault| expected.iter().any(|known| fault.contains(known))), "{faults:#?}");
    }

    /// Renews the session's leases, whatever the trouble.
    fn listen(&self) {
        self.session.renew(&self.town.at, &["feed"]);
        for rig in &self.rigs {
            let ids = self.town.sql(&rig.at).rows::<(BeadId,)>("SELECT bead_id FROM beads");
            let topics: Vec<String> = ids.into_iter().map(|(id,)| format!("bead:{id}")).collect();
            self.session.renew(&rig.at, &topics.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }

    /// The newest letter of each topic says what is.
    fn check_told(&self) {
        let mut newest: BTreeMap<String, Letter> = BTreeMap::new();
        for letter in self.session.letters() {
            if newest.get(&letter.subject).is_none_or(|known| known.generation <= letter.generation) {
                newest.insert(letter.subject.clone(), letter);
            }
        }
        if let Some(letter) = newest.remove("feed") {
            assert_eq!(letter.body["outcome"]["number"], self.town.sql(&self.town.at).value::<i64>("SELECT max(number) FROM feed"));
        }
        for rig in &self.rigs {
            // No bead of this test has a merge commit.
            let beads = "SELECT bead_id, iif(status = 'closed', 'done', status) FROM beads";
            for (id, status) in self.town.sql(&rig.at).rows::<(String, String)>(beads) {
                let told = newest.remove(&format!("bead:{id}"));
                assert!(told.is_some() || status == "open", "nobody was told that a bead is {status}");
                assert!(told.is_none_or(|letter| letter.body["outcome"]["status"] == status), "the news of a bead is old");
            }
        }
        assert!(newest.is_empty(), "{newest:?}");
    }

    /// The town's mirror is what a recount from the rigs gives.
    fn check_mirror(&self) {
        let details: Vec<ConvoyDetail> = self.town.fleet.ask(&self.town.at, &LIST_CONVOYS_DETAILED, (), &self.town.owner()).unwrap();
        for mirrored in details {
            let mut fresh = self.town.convoy_status(&mirrored.entry.id);
            assert_eq!(fresh.coverage.take().unwrap().missing, Vec::new());
            assert!(mirrored == fresh, "the mirror is old:\n{mirrored:?}\n{fresh:?}");
        }
        let (mut hooked, mut failed, mut total) = (0, 0, 0);
        for rig in &self.rigs {
            let sql = self.town.sql(&rig.at);
            hooked += sql.value::<i64>("SELECT COUNT(*) FROM agents WHERE current_hook_bead_id IS NOT NULL");
            failed += sql.value::<i64>(&format!("SELECT COUNT(*) FROM beads WHERE status = '{}'", BeadStatus::Failed.as_str()));
            total += sql.value::<i64>("SELECT COUNT(*) FROM agents");
        }
        let status = self.town.alarm_status();
        assert_eq!((status.agents.hooked, status.beads.failed, status.agents.total), (hooked, failed, total));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_lost_repeated_or_late_no_promise_is_broken(ops in prop::collection::vec(op(), 1..60)) {
        let mut sim = Sim::new();
        for op in &ops {
            sim.listen();
            sim.run(op);
            sim.check();
        }
        sim.check_quiet();
        sim.town.fleet.close();
    }
}
