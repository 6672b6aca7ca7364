//! The whole life of work, over rigs and through trouble; and all that time alone brings about, at once.

use super::convoy_changes::three;
use crate::support::fleet::Trouble;
use crate::support::town::Rig;
use crate::support::{Town, tokens};
use gastown_mcp::contract::ids::{AgentId, BeadId, ConvoyId, RigId};
use gastown_mcp::contract::shapes::{Activity, BeadStatus, ConvoyStatus, EscalationEntry, Nudge, TownCheck};
use gastown_mcp::contract::watch::WatchSettings;
use gastown_mcp::objects::town::rigs::pause::DRAIN_MILLIS_MAX;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

/// What goes wrong on the way.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mishap {
    None,
    /// Everything leaves memory after every step.
    Restarts,
    /// The other rig is away while the first works.
    OtherRigHangs,
    /// The town's answers are lost.
    RepliesLost,
    /// Letters of the first rig come late.
    Late,
    /// The first review fails, the second finds a conflict.
    SentBack,
}

struct Work {
    town: Town,
    mishap: Mishap,
}

impl Work {
    fn step(&self) {
        match self.mishap {
            Mishap::Restarts => self.town.fleet.restart(),
            Mishap::None | Mishap::SentBack => self.town.fleet.run_background(),
            Mishap::OtherRigHangs | Mishap::RepliesLost | Mishap::Late => {}
        }
        self.town.fleet.advance(7_000);
    }

    fn requests(&self, rig: &Rig) -> Vec<BeadId> {
        let open = self.town.beads(rig, json!({"type": "merge_request", "status": "open"}));
        open.into_iter().map(|request| request.bead_id).collect()
    }

    fn complete(&self, rig: &Rig, result: &str) {
        let [request] = &self.requests(rig)[..] else { panic!("{:?}: {:?}", self.mishap, self.requests(rig)) };
        let sha = (result == "merged").then_some("abcdef0123");
        let input = json!({"entry_id": request, "status": result, "commit_sha": sha, "message": "m"});
        self.town.fleet.tell(&rig.at, &rpc::COMPLETE_REVIEW, (input,), &self.town.owner()).unwrap();
        self.step();
    }

    /// From the hook to the review queue, as its agent reports it.
    fn work(&self, rig: &Rig, bead: &BeadId, branch: &str) {
        let agent: AgentId =
            self.town.bead(rig, bead).assignee_agent_bead_id.unwrap_or_else(|| panic!("{:?}: {bead} is on no hook", self.mishap));
        let me = self.town.polecat(rig, &agent);
        self.town.fleet.tell(&rig.at, &rpc::TOUCH_AGENT_HEARTBEAT, (&agent, Value::Null), &me).unwrap();
        assert_eq!(self.town.bead(rig, bead).status, BeadStatus::InProgress);
        self.step();
        for _ in 0..2 {
            // Its first reply was lost.
            self.town.fleet.tell(&rig.at, &rpc::AGENT_DONE, (&agent, json!({"branch": branch})), &me).unwrap();
        }
        assert_eq!(self.town.bead(rig, bead).status, BeadStatus::InReview);
        self.step();
    }

    fn converged(&self) -> TownCheck {
        self.town.fleet.settle();
        self.town.fleet.ask(&self.town.at, &rpc::CHECK_TOWN, (json!({}),), &self.town.owner()).unwrap()
    }

    fn kinds(&self, of: &str) -> Vec<String> {
        let input = json!({"cursor": "start", "limit": 200});
        let all: Activity = self.town.fleet.ask(&self.town.at, &rpc::GET_ACTIVITY, (input,), &self.town.owner()).unwrap();
        all.entries.into_iter().filter(|entry| entry.subject == of).map(|entry| entry.kind.clone()).collect()
    }
}

fn slung(town: &Town, api: &Rig, web: &Rig) -> (ConvoyId, Vec<BeadId>) {
    let tasks = json!([{"title": "a"}, {"title": "b", "rig_id": web.id, "depends_on": [0], "until": "merged"}]);
    let input = json!({"rigId": api.id, "convoyTitle": "c", "tasks": tasks, "staged": false, "merge_mode": "review-then-land"});
    let convoy = town.try_convoy(input).unwrap();
    (convoy.convoy.id, convoy.beads.into_iter().map(|part| part.bead.bead_id).collect())
}

/// Sling, heartbeat, done, review, landing; a bead that waits for another rig's merge; whatever is lost or late.
#[test]
fn work_over_two_rigs_lands_whatever_happens_on_the_way() {
    for mishap in [Mishap::None, Mishap::Restarts, Mishap::OtherRigHangs, Mishap::RepliesLost, Mishap::Late, Mishap::SentBack] {
        let (town, [api, web, _]) = three();
        let (convoy, beads) = slung(&town, &api, &web);
        let at = Work { town, mishap };
        let trouble = match mishap {
            Mishap::OtherRigHangs => Some((&web.at, Trouble::Hang)),
            Mishap::RepliesLost => Some((&at.town.at, Trouble::DropAfter)),
            Mishap::Late => Some((&at.town.at, Trouble::Delay(3_000))),
            _ => None,
        };
        let fleet = &at.town.fleet;
        at.step();
        let [first, second] = &beads[..] else { panic!() };
        // Our own calls are troubled too: whoever calls the rigs, calls the one that is not.
        if let Some((target, trouble)) = trouble {
            fleet.trouble(target, Some(trouble));
        }
        at.work(&api, first, "polecat/toast/a");
        if mishap == Mishap::SentBack {
            at.complete(&api, "failed");
            at.work(&api, first, "polecat/toast/a");
            at.complete(&api, "conflict");
            at.work(&api, first, "polecat/toast/a");
        }
        at.complete(&api, "merged");
        if let Some((target, _)) = trouble {
            fleet.trouble(target, None);
        }
        fleet.settle();
        assert!(at.converged().ok, "{mishap:?}: {:?}", at.converged().findings);
        at.work(&web, second, "polecat/toast/b");
        at.complete(&web, "merged");
        fleet.settle();
        for rig in [&api, &web] {
            at.complete(rig, "merged");
        }
        fleet.settle();
        let status = at.town.convoy_status(&convoy);
        assert_eq!((status.entry.status, status.entry.flags.as_slice()), (ConvoyStatus::Landed, &[][..]), "{mishap:?}: {status:?}");
        let check = at.converged();
        assert!(check.ok && check.in_flight == 0, "{mishap:?}: {:?}", check.findings);
        assert_eq!(at.kinds(convoy.as_str()), ["convoy_created", "convoy_ended", "convoy_landed"]);
        let told = at.kinds(first.as_str());
        for kind in ["created", "hooked", "status_changed", "review_submitted", "review_completed", "closed"] {
            assert!(told.iter().any(|known| known == kind), "{mishap:?}: no {kind} in {told:?}");
        }
        assert_eq!(fleet.owed(), 0);
    }
}

/// A bead deleted in review, a convoy closed while its beads are in review, a rig removed on the way: nothing hangs.
#[test]
fn what_is_taken_away_in_the_middle_of_a_review_leaves_nothing_behind() {
    for what in 0..3 {
        let (town, [api, web, _]) = three();
        let (convoy, beads) = slung(&town, &api, &web);
        let at = Work { town, mishap: Mishap::None };
        let (town, owner) = (&at.town, at.town.owner());
        at.step();
        at.work(&api, &beads[0], "b");
        match what {
            0 => assert!(town.fleet.ask::<bool>(&api.at, &rpc::DELETE_BEAD, (&beads[0], Value::Null), &owner).unwrap()),
            1 => town.fleet.tell(&town.at, &rpc::CLOSE_CONVOY, (&convoy,), &owner).unwrap(),
            _ => town.fleet.tell(&town.at, &rpc::REMOVE_RIG, (&api.id, true), &owner).unwrap(),
        }
        let check = at.converged();
        assert!(check.ok, "{what}: {:?}", check.findings);
        let entry = town.convoy_status(&convoy).entry;
        if what == 1 {
            assert_eq!((entry.status, entry.closed_beads, entry.merged_beads), (ConvoyStatus::Landed, 2, 0));
        } else {
            assert_eq!((entry.status, entry.failed_beads), (ConvoyStatus::Active, 1), "{what}");
            assert_eq!(town.bead(&web, &beads[1]).blockers_open, 1, "{what}: what was deleted is not merged");
        }
        if what < 2 {
            assert_eq!(at.requests(&api), [], "{what}: its review is over");
            assert!(town.agents(&api).iter().all(|agent| agent.current_hook_bead_id.is_none()));
        }
    }
}

/// An object has one alarm: each part asks again for its own time, and none is forgotten, not by a restart either.
#[test]
fn everything_that_is_due_at_its_own_time_comes_then() {
    for restarts in [false, true] {
        let (town, [api, web, _]) = three();
        let fleet = &town.fleet;
        let pass = |millis: i64| {
            if restarts {
                fleet.restart();
            }
            fleet.advance(millis);
        };
        let nudge = |agent: &AgentId, seconds: i64| {
            let options = json!({"mode": "queue", "ttlSeconds": seconds});
            fleet.tell(&api.at, &rpc::QUEUE_NUDGE, (agent, "n", options), &town.owner()).unwrap();
        };
        let input =
            json!({"rigId": api.id, "convoyTitle": "c", "tasks": [{"title": "t"}], "staged": false, "merge_mode": "review-then-land"});
        let landing = town.try_convoy(input).unwrap().convoy.id;
        fleet.settle();
        let bead = town.beads(&api, json!({"type": "issue"})).remove(0).bead_id;
        town.close(&api, &bead);
        fleet.settle();
        let slung = town.sling(&api, "work");
        let agent = slung.agent.unwrap().id;
        let nudges = || fleet.sql(&api.at).value::<i64>("SELECT COUNT(*) FROM messages WHERE channel = 'nudge'");
        let escalation: EscalationEntry = {
            let input = json!({"townId": town.id, "source_rig_id": web.id, "severity": "low", "category": "c", "message": "m"});
            fleet.ask(&town.at, &rpc::ROUTE_ESCALATION, (input,), &town.owner()).unwrap()
        };
        fleet.settle();

        // All at once: a retry in 30 s, nudges for 20 s, 90 s and an hour, a tick in 5 s, a drain of 7 min, an escalation in 4 h.
        let request = town.beads(&api, json!({"type": "merge_request", "status": "open"})).remove(0).bead_id;
        let failed = json!({"entry_id": request, "status": "failed"});
        fleet.tell(&api.at, &rpc::COMPLETE_REVIEW, (failed,), &town.owner()).unwrap();
        for seconds in [20, 90, 3_600] {
            nudge(&agent, seconds);
        }
        town.unhook(&api, &agent).unwrap();
        pass(6_000);
        assert!(town.bead(&api, &slung.bead.bead_id).assignee_agent_bead_id.is_some(), "the tick");
        let drain: Value = fleet.ask(&town.at, &rpc::RECORD_EVICTION, (), &tokens::container(fleet, &town.id)).unwrap();
        assert!(drain.is_string());
        let waiting = town.sling(&web, "waits").bead.bead_id;
        assert_eq!(nudges(), 3);
        pass(15_000);
        assert_eq!(nudges(), 2, "20 s");
        pass(10_000);
        assert_eq!(town.convoy_status(&landing).entry.landings[0].status, gastown_mcp::contract::shapes::LandingStatus::InReview, "30 s");
        pass(60_000);
        assert_eq!(nudges(), 1, "90 s");
        assert!(town.bead(&web, &waiting).assignee_agent_bead_id.is_none());
        pass(DRAIN_MILLIS_MAX - 60_000);
        assert!(town.bead(&web, &waiting).assignee_agent_bead_id.is_some(), "the drain is over");
        let pending: Vec<Nudge> = fleet.ask(&api.at, &rpc::GET_PENDING_NUDGES, (&agent,), &town.owner()).unwrap();
        assert_eq!(pending.len(), 1);
        pass(3_600_000);
        assert_eq!(nudges(), 0, "an hour");
        let listed = || -> Vec<EscalationEntry> { fleet.ask(&town.at, &rpc::LIST_ESCALATIONS, (Value::Null,), &town.owner()).unwrap() };
        let raised_again = || listed().into_iter().find(|entry| entry.id == escalation.id).unwrap().re_escalation_count;
        let unclaimed = |rig: &RigId| {
            listed().iter().any(|entry| entry.category.as_deref() == Some("no_runner") && entry.source_rig_id == rig.as_str())
        };
        assert!(unclaimed(&api.id) && unclaimed(&web.id), "ten minutes");
        pass(WatchSettings::default().re_escalate_seconds * 1_000);
        assert_eq!(raised_again(), 1, "four hours");
        pass(WatchSettings::default().re_escalate_seconds * 1_000);
        assert_eq!(raised_again(), 2, "and four more");
    }
}
