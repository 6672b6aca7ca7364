//! Random convoys over three rigs under random trouble: nothing starts early, and when all is quiet the town and its rigs
//! agree.

use super::check::check;
use super::convoy_changes::three;
use crate::support::tokens::internal;
use crate::support::town::Rig;
use crate::support::{Town, Trouble};
use gastown_mcp::contract::ids::{BeadId, ConvoyId, RigId};
use gastown_mcp::contract::shapes::{ConvoyDetail, ConvoyEntry, ConvoyLanding, ConvoyStatus};
use gastown_mcp::rpc::call::Instance;
use gastown_mcp::rpc::table as rpc;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Polecats that each rig may have.
const CAPACITY: usize = 3;

#[derive(Debug, Clone)]
enum Op {
    Bead(usize),
    /// Each task: its rig, which of the tasks before it waits for, and whether it waits for the merge.
    Batch {
        staged: bool,
        mode: u8,
        tasks: Vec<(usize, u8, bool)>,
    },
    Create {
        beads: Vec<usize>,
        mode: u8,
        staged: bool,
    },
    SlingInto {
        convoy: usize,
        rig: usize,
        on: Vec<usize>,
        merged: bool,
    },
    Add {
        convoy: usize,
        bead: usize,
        on: Option<Vec<usize>>,
    },
    Remove {
        convoy: usize,
        member: usize,
    },
    Start(usize),
    Set {
        convoy: usize,
        mode: u8,
        branch: Option<u8>,
    },
    Force(usize),
    Recount(usize),
    End {
        bead: usize,
        how: u8,
    },
    Landing {
        number: usize,
        outcome: u8,
        stale: bool,
    },
    Repair,
    Trouble {
        at: usize,
        kind: u8,
    },
    Mend,
    Evict(usize),
    Flush,
    Pass(i64),
}

fn op() -> impl Strategy<Value = Op> {
    let some = || prop::collection::vec(any::<usize>(), 0..3);
    prop_oneof![
        2 => (0..3_usize).prop_map(Op::Bead),
        3 => (any::<bool>(), 0..3_u8, prop::collection::vec((0..3_usize, any::<u8>(), any::<bool>()), 1..5))
            .prop_map(|(staged, mode, tasks)| Op::Batch { staged, mode, tasks }),
        1 => (some(), 0..3_u8, any::<bool>()).prop_map(|(beads, mode, staged)| Op::Create { beads, mode, staged }),
        2 => (any::<usize>(), 0..3_usize, some(), any::<bool>()).prop_map(|(convoy, rig, on, merged)| Op::SlingInto { convoy, rig, on, merged }),
        2 => (any::<usize>(), any::<usize>(), prop::option::of(some())).prop_map(|(convoy, bead, on)| Op::Add { convoy, bead, on }),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(convoy, member)| Op::Remove { convoy, member }),
        1 => any::<usize>().prop_map(Op::Start),
        1 => (any::<usize>(), 0..3_u8, prop::option::of(0..3_u8)).prop_map(|(convoy, mode, branch)| Op::Set { convoy, mode, branch }),
        1 => any::<usize>().prop_map(Op::Force),
        1 => any::<usize>().prop_map(Op::Recount),
        8 => (any::<usize>(), 0..8_u8).prop_map(|(bead, how)| Op::End { bead, how }),
        3 => (any::<usize>(), 0..6_u8, any::<bool>()).prop_map(|(number, outcome, stale)| Op::Landing { number, outcome, stale }),
        1 => Just(Op::Repair),
        3 => (0..4_usize, 0..5_u8).prop_map(|(at, kind)| Op::Trouble { at, kind }),
        2 => Just(Op::Mend),
        2 => (0..4_usize).prop_map(Op::Evict),
        2 => Just(Op::Flush),
        3 => prop_oneof![Just(30_i64), Just(1_000), Just(6_000), Just(90_000)].prop_map(Op::Pass),
    ]
}

/// Waiting bead, the bead it waits for, and what must become of it.
type Edge = (String, String, String);

struct Sim {
    town: Town,
    rigs: [Rig; 3],
    edges: BTreeSet<Edge>,
    hooks: BTreeSet<(String, i64)>,
    generation: i64,
}

fn pick<T: Clone>(items: &[T], number: usize) -> Option<T> {
    (!items.is_empty()).then(|| items[number % items.len()].clone())
}

impl Sim {
    fn new() -> Self {
        let (town, rigs) = three();
        town.configure(json!({"max_polecats_per_rig": CAPACITY})).unwrap();
        Self { town, rigs, edges: BTreeSet::new(), hooks: BTreeSet::new(), generation: 1_000_000 }
    }

    fn place(&self, index: usize) -> &Instance {
        [&self.town.at, &self.rigs[0].at, &self.rigs[1].at, &self.rigs[2].at][index]
    }

    fn beads(&self) -> Vec<(Rig, BeadId)> {
        let of = |rig: &Rig| {
            let ids: Vec<(BeadId,)> = self.town.sql(&rig.at).rows("SELECT bead_id FROM beads ORDER BY sequence");
            ids.into_iter().map(|(id,)| (rig.clone(), id)).collect::<Vec<_>>()
        };
        self.rigs.iter().flat_map(of).collect()
    }

    fn convoys(&self) -> Vec<ConvoyId> {
        self.town.sql(&self.town.at).rows::<(ConvoyId,)>("SELECT id FROM convoys ORDER BY sequence").into_iter().map(|(id,)| id).collect()
    }

    fn members(&self, convoy: &ConvoyId) -> Vec<BeadId> {
        let ids: Vec<(BeadId,)> =
            self.town.sql(&self.town.at).rows(&format!("SELECT bead_id FROM convoy_beads WHERE convoy_id = '{convoy}' ORDER BY position"));
        ids.into_iter().map(|(id,)| id).collect()
    }

    /// Calls the town; whether it was carried out, refused or lost, the invariants do not ask.
    fn call(&self, method: &'static rpc::Method, args: impl serde::Serialize) {
        drop(self.town.fleet.tell(&self.town.at, method, args, &self.town.owner()));
    }

    /// The same, if there is a convoy to call about.
    fn call_about(&self, convoy: Option<ConvoyId>, call: impl FnOnce(ConvoyId) -> (&'static rpc::Method, Value)) {
        if let Some((method, args)) = convoy.map(call) {
            self.call(method, args);
        }
    }

    fn some_of(&self, convoy: &ConvoyId, numbers: &[usize]) -> Vec<BeadId> {
        let members = self.members(convoy);
        numbers.iter().filter_map(|number| pick(&members, *number)).collect()
    }

    fn run(&mut self, op: &Op) {
        let mode = |mode: u8| [Value::Null, json!("review-and-merge"), json!("review-then-land")][usize::from(mode)].clone();
        let convoys = self.convoys();
        match op {
            Op::Bead(rig) => {
                let input = json!({"type": "issue", "title": "loose"});
                drop(self.town.create_bead(&self.rigs[*rig], input));
            }
            Op::Batch { staged, mode: how, tasks } => {
                let tasks: Vec<Value> = tasks
                    .iter()
                    .enumerate()
                    .map(|(index, (rig, bits, merged))| {
                        let on: Vec<usize> = (0..index).filter(|blocker| bits >> blocker & 1 == 1).collect();
                        json!({"title": "t", "rig_id": self.rigs[*rig].id, "depends_on": on, "until": if *merged { "merged" } else { "closed" }})
                    })
                    .collect();
                let input =
                    json!({"rigId": self.rigs[0].id, "convoyTitle": "c", "tasks": tasks, "staged": staged, "merge_mode": mode(*how)});
                self.call(&rpc::SLING_CONVOY, (input,));
            }
            Op::Create { beads, mode: how, staged } => {
                let known = self.beads();
                let beads: Vec<Value> =
                    beads.iter().filter_map(|number| pick(&known, *number)).map(|(_, bead)| json!({"bead_id": bead})).collect();
                self.call(&rpc::CREATE_CONVOY, (json!({"title": "made", "beads": beads, "merge_mode": mode(*how), "staged": staged}),));
            }
            Op::SlingInto { convoy, rig, on, merged } => {
                let Some(convoy) = pick(&convoys, *convoy) else { return };
                let on = self.some_of(&convoy, on);
                let until = if *merged { "merged" } else { "closed" };
                let input = json!({"convoy": convoy, "rig_id": self.rigs[*rig].id, "title": "more", "depends_on": on, "until": until});
                self.call(&rpc::SLING_INTO_CONVOY, (input,));
            }
            Op::Add { convoy, bead, on } => {
                let (Some(convoy), Some((_, bead))) = (pick(&convoys, *convoy), pick(&self.beads(), *bead)) else { return };
                let on = on.as_ref().map(|on| self.some_of(&convoy, on));
                self.call(&rpc::CONVOY_ADD_BEAD, (convoy, bead, on));
            }
            Op::Remove { convoy, member } => {
                let Some(convoy) = pick(&convoys, *convoy) else { return };
                if let Some(member) = pick(&self.members(&convoy), *member) {
                    self.call(&rpc::CONVOY_REMOVE_BEAD, (convoy, member));
                }
            }
            Op::Start(convoy) => self.call_about(pick(&convoys, *convoy), |convoy| (&rpc::START_CONVOY, json!([convoy]))),
            Op::Set { convoy, mode: how, branch } => {
                let branch = branch.map(|branch| ["main", "release/1", "release/2"][usize::from(branch)]);
                let change = json!({"merge_mode": mode(*how), "feature_branch": branch});
                self.call_about(pick(&convoys, *convoy), |convoy| (&rpc::UPDATE_CONVOY, json!([convoy, change])));
            }
            Op::Force(number) => {
                let convoy = pick(&convoys, *number).filter(|_| number.is_multiple_of(3));
                self.call_about(convoy, |convoy| (&rpc::CLOSE_CONVOY, json!([convoy])));
            }
            Op::Recount(convoy) => {
                let input = |convoy| (&rpc::ON_BEAD_CLOSED, json!([{"convoyId": convoy, "beadId": convoy}]));
                self.call_about(pick(&convoys, *convoy), input);
            }
            Op::End { bead, how } => self.end(*bead, *how),
            Op::Landing { number, outcome, stale } => self.land(*number, *outcome, *stale),
            Op::Repair => self.call(&rpc::CHECK_TOWN, (json!({"repair": true}),)),
            Op::Trouble { at, kind } => {
                let kinds = [Trouble::DropBefore, Trouble::DropAfter, Trouble::Duplicate, Trouble::Delay(700), Trouble::Delay(9_000)];
                self.town.fleet.trouble(self.place(*at), Some(kinds[usize::from(*kind)]));
            }
            Op::Mend => self.mend(),
            Op::Evict(at) => self.town.fleet.evict(self.place(*at)),
            Op::Flush => self.town.fleet.run_background(),
            Op::Pass(millis) => self.town.fleet.advance(*millis),
        }
    }

    /// Beads that somebody holds end more often than others do; half of those that close were merged.
    fn end(&self, number: usize, how: u8) {
        let is_held = |(rig, bead): &(Rig, BeadId)| {
            self.town.sql(&rig.at).value::<i64>(&format!("SELECT COUNT(*) FROM agents WHERE current_hook_bead_id = '{bead}'")) == 1
        };
        let held: Vec<(Rig, BeadId)> = self.beads().into_iter().filter(is_held).collect();
        let from = if held.is_empty() || number.is_multiple_of(7) { self.beads() } else { held };
        let Some((rig, bead)) = pick(&from, number) else { return };
        let status = match how {
            0 => "failed",
            1 => "in_progress",
            2..=4 => {
                // What only a review does: evidence, in the moment in which the bead closes.
                let open = format!(
                    "UPDATE beads SET merge_commit = 'c0ffee' WHERE bead_id = '{bead}' AND status NOT IN ('closed', 'failed') RETURNING 1"
                );
                let _: Vec<(i64,)> = self.town.sql(&rig.at).rows(&open);
                let args = json!([bead, "closed", "tester", null]).to_string();
                let caller = serde_json::to_string(&self.town.owner()).unwrap();
                self.town.fleet.raw(&rig.at, "updateBeadStatus", &args, &caller);
                return;
            }
            _ => "closed",
        };
        drop(self.town.fleet.tell(&rig.at, &rpc::UPDATE_BEAD_STATUS, (bead, status, "tester", Value::Null), &self.town.owner()));
    }

    /// A rig tells of a landing that was ordered, or of one that was taken back since.
    fn land(&mut self, number: usize, outcome: u8, stale: bool) {
        let landings: Vec<(ConvoyId, RigId, i64)> =
            self.town.sql(&self.town.at).rows("SELECT convoy_id, rig_id, round FROM convoy_landings ORDER BY round");
        let Some((convoy, rig, round)) = pick(&landings, number) else { return };
        self.generation += 1;
        let body = match outcome {
            0 => json!({"status": "failed", "attempts": 5, "is_empty": false, "failure": "conflict"}),
            1 => json!({"status": "merged", "attempts": 1, "merge_commit": "c0", "is_empty": true}),
            2 => json!({"status": "in_review", "attempts": 1, "is_empty": false}),
            _ => json!({"status": "merged", "attempts": 1, "merge_commit": if stale { "stale" } else { "c1" }, "is_empty": false}),
        };
        let mut body = body;
        body["convoy_id"] = json!(convoy);
        body["round"] = json!(if stale { round - 1 } else { round });
        let letters = json!([{"kind": "landing", "subject": convoy, "generation": self.generation, "body": body}]);
        let context = internal(&self.town.fleet, &Instance::Rig(rig), Some(&self.town.id), &rpc::DELIVER_TO_TOWN);
        drop(self.town.fleet.tell(&self.town.at, &rpc::DELIVER_TO_TOWN, (letters,), &context));
    }

    fn mend(&self) {
        for at in 0..4 {
            self.town.fleet.trouble(self.place(at), None);
        }
    }

    /// How every bead really stands: status, and whether it was merged.
    fn truth(&self) -> BTreeMap<String, (String, bool)> {
        let of =
            |rig: &Rig| self.town.sql(&rig.at).rows::<(String, String, i64)>("SELECT bead_id, status, merge_commit IS NOT NULL FROM beads");
        self.rigs.iter().flat_map(of).map(|(id, status, merged)| (id, (status, merged == 1))).collect()
    }

    /// After every step.
    fn check(&mut self) {
        let truth = self.truth();
        let is_met = |blocker: &str, until: &str| {
            truth.get(blocker).is_some_and(|(status, merged)| status == "closed" && (until == "closed" || *merged))
        };
        let (mut edges, mut hooks) = (BTreeSet::new(), BTreeSet::new());
        for rig in &self.rigs {
            let sql = self.town.sql(&rig.at);
            edges.extend(sql.rows::<Edge>("SELECT bead_id, depends_on_bead_id, until FROM bead_dependencies"));
            let held: Vec<(String, i64)> =
                sql.rows("SELECT current_hook_bead_id, fence FROM agents WHERE current_hook_bead_id IS NOT NULL");
            for (bead, fence) in held {
                // Given out in this step, and it waited before.
                if !self.hooks.contains(&(bead.clone(), fence)) {
                    for (_, blocker, until) in self.edges.iter().filter(|(waiter, ..)| *waiter == bead).filter(|edge| edges.contains(*edge))
                    {
                        assert!(is_met(blocker, until), "{bead} was given out before {blocker} was {until}");
                    }
                }
                hooks.insert((bead, fence));
            }
            for (blocker, status, merged) in sql.rows::<(String, String, i64)>("SELECT bead_id, status, merged FROM remote_blockers") {
                assert!(
                    status != "closed" || is_met(&blocker, if merged == 1 { "merged" } else { "closed" }),
                    "told of {blocker} what is not so"
                );
            }
        }
        (self.edges, self.hooks) = (edges, hooks);
        let landed: Vec<(ConvoyId,)> =
            self.town.sql(&self.town.at).rows("SELECT id FROM convoys WHERE status = 'landed' AND forced_at IS NULL");
        for (convoy,) in landed {
            let unfinished =
                self.members(&convoy).iter().filter(|bead| truth.get(bead.as_str()).is_none_or(|(status, _)| status != "closed")).count();
            assert_eq!(unfinished, 0, "{convoy} landed with work open");
        }
        let believed: i64 = self.town.sql(&self.town.at).value("SELECT COUNT(*) FROM convoy_landings WHERE merge_commit = 'stale'");
        assert_eq!(believed, 0, "a report of an order that was taken back was believed");
    }

    /// Once all is quiet.
    fn check_quiet(&mut self) {
        self.mend();
        self.town.fleet.restart();
        self.town.fleet.settle();
        for rig in &self.rigs {
            self.town.fleet.ring(&rig.at);
        }
        self.town.fleet.settle();
        self.check();
        let found = check(&self.town, false);
        assert!(found.ok && found.in_flight == 0, "{found:#?}");
        let details: Vec<ConvoyDetail> = self.town.fleet.ask(&self.town.at, &rpc::LIST_CONVOYS_DETAILED, (), &self.town.owner()).unwrap();
        for mirrored in &details {
            let mut fresh = self.town.convoy_status(&mirrored.entry.id);
            assert_eq!(fresh.coverage.take().unwrap().missing, Vec::new());
            assert!(*mirrored == fresh, "the mirror is old:\n{mirrored:?}\n{fresh:?}");
            self.check_edges(mirrored);
        }
        for id in self.convoys() {
            check_end(&self.town.convoy_status(&id).entry);
        }
        for rig in &self.rigs {
            let sql = self.town.sql(&rig.at);
            let ready: i64 = sql.value(
                "SELECT COUNT(*) FROM beads WHERE type = 'issue' AND status = 'open' AND assignee_agent_id IS NULL AND blockers_open = 0 AND held = 0",
            );
            let free: i64 = sql.value("SELECT COUNT(*) FROM agents WHERE current_hook_bead_id IS NULL");
            let living: usize = sql.value("SELECT COUNT(*) FROM agents");
            assert!(ready == 0 || (free == 0 && living == CAPACITY), "work waits while somebody is free");
        }
        let faults = self.town.fleet.take_faults();
        let expected = ["lost", "did not answer", "went away"];
        assert!(faults.iter().all(|fault| expected.iter().any(|known| fault.contains(known))), "{faults:#?}");
    }

    /// The rigs have the convoy's edges, and what they believe of each other's beads is so.
    fn check_edges(&self, detail: &ConvoyDetail) {
        let truth = self.truth();
        for edge in &detail.dependency_edges {
            let key = (edge.bead_id.to_string(), edge.depends_on_bead_id.to_string(), edge.until.as_str().to_owned());
            assert!(self.edges.contains(&key), "a rig does not have {key:?}");
            let rig_of = |id: &BeadId| detail.beads.iter().find(|bead| bead.bead_id == *id).and_then(|bead| bead.rig_id.clone()).unwrap();
            if rig_of(&edge.bead_id) != rig_of(&edge.depends_on_bead_id) {
                let at = Instance::Rig(rig_of(&edge.bead_id));
                let told: (String, i64) = self
                    .town
                    .sql(&at)
                    .rows(&format!("SELECT status, merged FROM remote_blockers WHERE bead_id = '{}'", edge.depends_on_bead_id))
                    .remove(0);
                let (status, merged) = &truth[edge.depends_on_bead_id.as_str()];
                assert_eq!((&told.0, told.1 == 1), (status, *merged));
            }
        }
        let members: BTreeSet<&str> = detail.beads.iter().map(|bead| bead.bead_id.as_str()).collect();
        let ours = |edge: &&Edge| members.contains(edge.0.as_str()) && members.contains(edge.1.as_str());
        assert_eq!(self.edges.iter().filter(ours).count(), detail.dependency_edges.len(), "a rig has an edge that the convoy has not");
    }
}

/// Whatever is due to land has landed, and nothing else.
fn check_end(entry: &ConvoyEntry) {
    let evidence = if entry.needs_landing() {
        entry.landings.iter().all(ConvoyLanding::is_evidence) && !entry.landings.is_empty()
    } else {
        entry.merged_beads == entry.total_beads
    };
    let is_due = entry.is_complete() && evidence;
    let has_landed = entry.status == ConvoyStatus::Landed && entry.forced_at.is_none();
    assert_eq!(has_landed, is_due && entry.forced_at.is_none(), "{entry:?}");
    if entry.forced_at.is_some() {
        assert_eq!(entry.closed_beads + entry.failed_beads, entry.total_beads, "closed by hand, and a bead is open");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convoys_over_three_rigs_converge_whatever_is_lost_repeated_or_late(ops in prop::collection::vec(op(), 1..60)) {
        let mut sim = Sim::new();
        for op in &ops {
            sim.run(op);
            sim.check();
        }
        sim.check_quiet();
        sim.town.fleet.close();
    }
}
