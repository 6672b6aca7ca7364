//! What is wrong with each unfinished bead of a convoy, and the next rung for it: one pure function over what was seen.
//!
//! Owns every decision of `convoy_unstick`. Asks nobody, changes nothing, and finds no words for it (`words`).

use super::chain;
use super::verdict::{Cause, Rung, Verdict, category};
use crate::contract::ids::BeadId;
use crate::contract::shapes::{
    BeadStatus, ConvoyBead, ConvoyInspection, HolderInspection, MemberInspection, RaisedAbout, ReviewInspection, RigInspection,
    TownInspection,
};
use base::time::Timestamp;

/// Soon: something that is under way will have arrived.
const SOON_SECONDS: i64 = 5;
/// When to look at a queue again.
const QUEUE_SECONDS: i64 = 60;

/// What is decided about every bead that has not been done or merged: in the order of the convoy.
#[must_use]
pub fn decide(seen: &TownInspection, convoy: &ConvoyInspection, patience_seconds: i64) -> Vec<Verdict> {
    convoy
        .members
        .iter()
        .filter_map(|bead| {
            let rig = seen.rigs.iter().find(|rig| Some(&rig.rig_id) == bead.rig_id.as_ref());
            let Some(rig) = rig else {
                let is_over = bead.status == BeadStatus::Closed;
                return (!is_over).then(|| Verdict::new(bead, Cause::RigSilent, Rung::Leave).again(SOON_SECONDS));
            };
            let look = Look { seen, convoy, rig, patience: patience_seconds };
            look.verdict(bead).map(|verdict| look.respect_pause(verdict))
        })
        .collect()
}

/// The step that is next over all beads: the lowest rung first, then the order of the convoy.
#[must_use]
pub fn next(verdicts: &[Verdict]) -> Option<usize> {
    let steps = verdicts.iter().enumerate().filter(|(_, verdict)| verdict.rung.is_step());
    steps.min_by_key(|(place, verdict)| (verdict.rung, *place)).map(|(place, _)| place)
}

/// What is looked at for one bead.
struct Look<'a> {
    seen: &'a TownInspection,
    convoy: &'a ConvoyInspection,
    rig: &'a RigInspection,
    patience: i64,
}

impl Look<'_> {
    fn seconds_since(&self, at: Timestamp) -> i64 {
        self.seen.as_of.since(at.max(self.rig.resumed_at)) / 1_000
    }

    /// What was escalated about a bead under one of these categories, open ones first.
    fn raised(&self, about: &BeadId, categories: &[&str]) -> Option<&RaisedAbout> {
        let all = || self.rig.raised.iter().filter(|raised| raised.about == *about && categories.contains(&raised.category.as_str()));
        all().find(|raised| raised.is_open).or_else(|| all().next())
    }

    /// In a pause nothing is done, on purpose.
    fn respect_pause(&self, mut verdict: Verdict) -> Verdict {
        let pause = match (self.seen.draining || self.rig.draining, self.seen.parked || self.rig.parked) {
            (_, true) => Cause::Parked,
            (true, false) => Cause::Draining,
            (false, false) => return verdict,
        };
        let says_more = matches!(verdict.cause, Cause::Failed | Cause::FollowedUp | Cause::Deleted | Cause::Staged);
        if !says_more {
            verdict.cause = pause;
        }
        if verdict.rung != Rung::Human {
            verdict.rung = Rung::Leave;
        }
        verdict.again_seconds = None;
        verdict
    }

    fn verdict(&self, known: &ConvoyBead) -> Option<Verdict> {
        let Some(member) = self.rig.members.iter().find(|member| member.bead.bead_id == known.bead_id) else {
            return match known.status {
                BeadStatus::Closed => None,
                _ if known.deleted => Some(self.escalated_once(Verdict::new(known, Cause::Deleted, Rung::Escalate), &[])),
                _ if self.convoy.under_way.contains(&self.rig.rig_id) => {
                    Some(Verdict::new(known, Cause::OnItsWay, Rung::Wait).again(SOON_SECONDS))
                }
                _ => Some(Verdict::new(known, Cause::Missing, Rung::Human)),
            };
        };
        let bead = &member.bead;
        match bead.status {
            BeadStatus::Closed => None,
            BeadStatus::Failed => Some(self.failed(member)),
            BeadStatus::InReview => Some(self.conflict(member).unwrap_or_else(|| self.in_review(member))),
            BeadStatus::Open if self.convoy.claimed.staged && member.holder.is_none() => {
                Some(Verdict::new(bead, Cause::Staged, Rung::Leave))
            }
            BeadStatus::Open | BeadStatus::InProgress => Some(self.conflict(member).unwrap_or_else(|| match &member.holder {
                Some(holder) => self.held(member, holder),
                None => self.unheld(member),
            })),
        }
    }

    /// Told once about a bead and sort of trouble: from then on it is a person's.
    fn escalated_once(&self, mut verdict: Verdict, more: &[&str]) -> Verdict {
        let categories: Vec<&str> = more.iter().copied().chain([category(verdict.cause)]).collect();
        if let Some(raised) = self.raised(&verdict.bead, &categories) {
            verdict.rung = Rung::Human;
            verdict.escalation = Some(raised.escalation_id.clone());
        }
        verdict
    }

    fn failed(&self, member: &MemberInspection) -> Verdict {
        let bead = &member.bead;
        if let Some(follow_up) = self.convoy.follow_ups.iter().find(|follow_up| follow_up.of == bead.bead_id) {
            return Verdict { root: Some(follow_up.bead_id.clone()), ..Verdict::new(bead, Cause::FollowedUp, Rung::Leave) };
        }
        // Of attempts that were spent the rig has told by itself.
        let verdict = Verdict::new(bead, Cause::Failed, Rung::Escalate).number(member.attempts);
        self.escalated_once(verdict, &["max_dispatch_attempts"])
    }

    /// A conflict is never resolved here: people have it as long as they have not dealt with it.
    fn conflict(&self, member: &MemberInspection) -> Option<Verdict> {
        let raised = self.raised(&member.bead.bead_id, &["merge_conflict"]).filter(|_| member.has_conflicts);
        match raised {
            Some(raised) if !raised.is_open => None,
            None if !member.has_conflicts => None,
            _ => Some(self.escalated_once(Verdict::new(&member.bead, Cause::MergeConflict, Rung::Escalate), &[])),
        }
    }

    /// Somebody has it on the hook.
    fn held(&self, member: &MemberInspection, holder: &HolderInspection) -> Verdict {
        let silent = self.seconds_since(holder.progress_at);
        let cause = if holder.is_taken_up { Cause::Silent } else { Cause::NotTakenUp };
        let verdict = Verdict {
            holder: Some((holder.agent_id.clone(), holder.name.clone(), holder.order)),
            ..Verdict::new(&member.bead, cause, Rung::Nudge).since(holder.progress_at)
        };
        if silent < self.patience {
            let cause = if holder.is_taken_up { Cause::Working } else { Cause::NotTakenUp };
            return Verdict { cause, rung: Rung::Leave, ..verdict }.again(self.patience - silent);
        }
        // Whatever it did after a nudge has answered it.
        let Some(asked) = holder.nudged_at.filter(|at| *at >= holder.progress_at) else { return verdict };
        let waited = self.seconds_since(asked);
        if waited < self.patience {
            return Verdict { rung: Rung::Wait, ..verdict }.again(self.patience - waited);
        }
        // An order that nobody takes up would be taken up by no other polecat either; and one silence may be the agent's, but two
        // are the work's.
        if holder.is_taken_up && self.rig.breaker_open {
            return Verdict { cause: Cause::Breaker, rung: Rung::Human, ..verdict };
        }
        if holder.is_taken_up && member.stopped == 0 {
            return Verdict { rung: Rung::Reassign, ..verdict };
        }
        let verdict = Verdict { rung: Rung::Escalate, number: member.stopped, ..verdict };
        let known = self.rig.raised.iter().find(|raised| {
            let is_same = raised.about == verdict.bead && raised.category == category(cause);
            is_same && (raised.is_open || raised.order == Some(holder.order))
        });
        let known = known.map(|raised| &raised.escalation_id).or(self.rig.no_runner.as_ref().filter(|_| !holder.is_taken_up));
        match known {
            Some(known) => Verdict { rung: Rung::Human, escalation: Some(known.clone()), ..verdict },
            None => verdict,
        }
    }

    /// Open or in progress, and on nobody's hook.
    fn unheld(&self, member: &MemberInspection) -> Verdict {
        let bead = &member.bead;
        if member.is_mayors {
            return Verdict::new(bead, Cause::WithMayor, Rung::Human);
        }
        if bead.status == BeadStatus::InProgress {
            return Verdict::new(bead, Cause::LeftBehind, Rung::Wait).since(member.updated_at).again(QUEUE_SECONDS);
        }
        if bead.blockers_open > 0 {
            return self.blocked(member);
        }
        if member.is_held {
            return Verdict::new(bead, Cause::Held, Rung::Human);
        }
        if member.crashes >= self.seen.restart_loop_exits {
            let looping = Verdict::new(bead, Cause::RestartLoop, Rung::Escalate).number(member.crashes);
            return self.escalated_once(looping, &[]);
        }
        if self.rig.breaker_open {
            return Verdict::new(bead, Cause::Breaker, Rung::Human);
        }
        if let Some(until) = member.rests_until {
            let seconds = until.since(self.seen.as_of) / 1_000;
            return Verdict::new(bead, Cause::Resting, Rung::Wait).number(member.attempts).again(seconds + 1);
        }
        if self.rig.idle == 0 && self.rig.living >= self.rig.capacity {
            return Verdict::new(bead, Cause::AllBusy, Rung::Wait).number(self.rig.queue_depth).again(QUEUE_SECONDS);
        }
        Verdict::new(bead, Cause::Queued, Rung::Wait).again(SOON_SECONDS)
    }

    /// It waits: followed to the bead that really stops it. What is wrong with a member is that member's verdict, so that it
    /// is dealt with once; only what stands outside of the convoy is told here.
    fn blocked(&self, member: &MemberInspection) -> Verdict {
        let bead = &member.bead;
        let Some(root) = chain::root(&self.seen.rigs, &bead.bead_id) else {
            return Verdict::new(bead, Cause::Blocked, Rung::Wait).number(bead.blockers_open).again(SOON_SECONDS);
        };
        let known = self.convoy.members.iter().find(|known| known.bead_id == root.bead);
        let cause = match root.status {
            _ if known.is_some_and(|known| known.deleted) => Cause::BlockerDeleted,
            Some(BeadStatus::Failed) => Cause::BlockerFailed,
            Some(_) => Cause::Blocked,
            None => Cause::BlockerDeleted,
        };
        let rung = match cause {
            Cause::Blocked => Rung::Wait,
            _ if known.is_some() => Rung::Human,
            _ => Rung::Escalate,
        };
        let verdict = Verdict { root: Some(root.bead), ..Verdict::new(bead, cause, rung).number(bead.blockers_open) };
        if rung == Rung::Escalate { self.escalated_once(verdict, &[]) } else { verdict }
    }

    fn in_review(&self, member: &MemberInspection) -> Verdict {
        let bead = &member.bead;
        let Some(review) = &member.review else {
            return Verdict::new(bead, Cause::InReview, Rung::Wait).since(member.updated_at).again(QUEUE_SECONDS);
        };
        let verdict =
            Verdict { root: Some(review.bead_id.clone()), ..Verdict::new(bead, Cause::InReview, Rung::Leave).since(review.updated_at) };
        if review.has_pull_request && review.status == BeadStatus::InProgress && !review.is_held {
            return Verdict { cause: Cause::PullRequest, rung: Rung::Human, ..verdict };
        }
        let silent = self.seconds_since(review.updated_at);
        if silent < self.seen.review_stuck_seconds || is_waiting_for_changes(review) {
            return verdict.again(self.seen.review_stuck_seconds.saturating_sub(silent));
        }
        let cause = if self.rig.has_refinery { Cause::ReviewStuck } else { Cause::NoRefinery };
        let stuck = Verdict { cause, rung: Rung::Escalate, ..verdict };
        match self.raised(&review.bead_id, &["stuck_review"]).filter(|raised| raised.is_open) {
            Some(raised) => Verdict { rung: Rung::Human, escalation: Some(raised.escalation_id.clone()), ..stuck },
            None => self.escalated_once(stuck, &[]),
        }
    }
}

/// Changes were asked for, and somebody makes them.
const fn is_waiting_for_changes(review: &ReviewInspection) -> bool {
    review.blockers_open > 0
}
