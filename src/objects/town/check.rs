//! `checkTown`: whether the town and its rigs agree, and repair where they do not.
//!
//! Owns the comparison and its findings. A difference that a letter under way will mend is no finding. Only a repair changes
//! anything: then the rigs mend themselves, mirrors are taken from them, and letters are sent again.

use super::state::TownState;
use super::{convoys, rigs, state};
use crate::contract::ids::{BeadId, ConvoyId, RigId};
use crate::contract::letters::TownToRig;
use crate::contract::shapes::{CheckInput, ConvoyBead, ConvoyEntry, ConvoyMembers, Coverage, Finding, RigCheck, TownCheck};
use crate::objects::handler::{Answer, Caller, Cx, Flush, Gather, json};
use crate::objects::outbox::{hurry, is_owed};
use crate::objects::store::sql::{query_one, scalar};
use crate::objects::town::convoys::landing;
use crate::objects::town::convoys::mirror::{look, take_answer};
use crate::objects::town::outbox_letters;
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::{CHECK_RIG, REPAIR_RIG};
use base::error::Failure;
use std::collections::{BTreeMap, BTreeSet};

/// Most findings in one answer.
const FINDINGS_MAX: usize = 200;

/// `checkTown`.
pub(crate) fn check_town(cx: &Cx<'_>, _caller: &Caller, (input,): (CheckInput,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let active: Vec<ConvoyId> = convoys::active(cx)?.into_iter().map(|convoy| convoy.id).collect();
    let rigs: Vec<RigId> = rigs::list(cx)?.into_iter().map(|rig| rig.id).collect();
    let method = if input.repair { &REPAIR_RIG } else { &CHECK_RIG };
    let calls = rigs.iter().map(|rig| Call::new(Instance::Rig(rig.clone()), method, (&active,))).collect::<Result<_, _>>()?;
    let then = move |cx: &Cx<'_>, answers: Vec<Result<String, Failure>>| {
        let mut check = Check { town: state::require(cx)?, repair: input.repair, active, findings: Vec::new(), in_flight: 0 };
        let (mut beads, mut agents, mut missing) = (0, 0, Vec::new());
        for (rig, answer) in rigs.iter().zip(answers) {
            let Ok(told) = answer.and_then(|text| decode::<RigCheck>(method, &text)) else {
                check.find("rig_silent", rig.as_str(), "the rig did not answer".to_owned(), false);
                missing.push(rig.clone());
                continue;
            };
            beads += told.beads;
            agents += told.agents;
            check.rig(cx, rig, told)?;
        }
        check.landings(cx)?;
        check.letters(cx)?;
        let asked = i64::try_from(rigs.len()).unwrap_or(i64::MAX);
        let answered = asked.saturating_sub(i64::try_from(missing.len()).unwrap_or(i64::MAX));
        let more = check.findings.len().saturating_sub(FINDINGS_MAX);
        let ok = check.findings.is_empty();
        check.findings.truncate(FINDINGS_MAX);
        json(&TownCheck {
            ok,
            beads,
            agents,
            convoys: i64::try_from(check.active.len()).unwrap_or(i64::MAX),
            in_flight: check.in_flight,
            findings: check.findings,
            more: i64::try_from(more).unwrap_or(i64::MAX),
            coverage: Coverage { asked, answered, missing, as_of: cx.now },
        })
    };
    Ok(Answer::Gather(Gather { town: town.town_id.clone(), calls, then: Box::new(then) }))
}

struct Check {
    town: std::rc::Rc<TownState>,
    repair: bool,
    active: Vec<ConvoyId>,
    findings: Vec<Finding>,
    in_flight: i64,
}

impl Check {
    /// Notes something; `mendable`: a repair mends it.
    fn find(&mut self, code: &str, subject: &str, detail: String, mendable: bool) {
        self.findings.push(Finding { code: code.to_owned(), subject: subject.to_owned(), detail, repaired: mendable && self.repair });
    }

    /// The findings of a rig about itself, and its members compared with the town's.
    fn rig(&mut self, cx: &Cx<'_>, rig: &RigId, told: RigCheck) -> Result<(), Failure> {
        for agent in &told.orphan_hooks {
            self.find("orphan_hook", agent.as_str(), format!("agent of rig {rig}: its hook is on a bead that has ended or is gone"), true);
        }
        for agent in &told.misordered {
            self.find(
                "order_mismatch",
                agent.as_str(),
                format!("agent of rig {rig}: its dispatch order is not for what is on its hook"),
                true,
            );
        }
        for bead in &told.unheld {
            self.find("holder_without_hook", bead.as_str(), format!("bead of rig {rig}: nobody holds it, but it names a holder"), true);
        }
        for bead in &told.miscounted {
            self.find(
                "blockers_miscounted",
                bead.as_str(),
                format!("bead of rig {rig}: its unmet blockers are not as many as it says"),
                true,
            );
        }
        for tally in &told.tallies {
            self.find("tally_wrong", rig.as_str(), format!("{tally} is not what the beads say"), true);
        }
        if told.letters_failing > 0 {
            self.find(
                "letters_failing",
                rig.as_str(),
                format!("{} letters of the rig to its town were not taken so far", told.letters_failing),
                true,
            );
        }
        self.members(cx, rig, told)
    }

    fn members(&mut self, cx: &Cx<'_>, rig: &RigId, told: RigCheck) -> Result<(), Failure> {
        let untold: BTreeSet<&str> = told.untold.iter().map(String::as_str).collect();
        let fresh: BTreeMap<&BeadId, &ConvoyBead> = told.members.iter().map(|bead| (&bead.bead_id, bead)).collect();
        let mut again: BTreeSet<ConvoyId> = BTreeSet::new();
        for id in self.active.clone() {
            let target = Instance::Rig(rig.clone()).to_string();
            let under_way = is_owed(cx.sql, TownToRig::Convoy, id.as_str(), &target)?;
            for known in convoys::mirrored_beads(cx, &id)?.into_iter().filter(|bead| bead.rig_id.as_ref() == Some(rig)) {
                let bead = &known.bead_id;
                match fresh.get(bead) {
                    Some(now) if **now == known => {}
                    None if known.deleted => {}
                    _ if under_way || untold.contains(bead.as_str()) => self.in_flight += 1,
                    Some(_) => self.find("mirror_differs", bead.as_str(), format!("member of convoy {id}: rig {rig} says otherwise"), true),
                    None => {
                        self.find(
                            "member_missing",
                            bead.as_str(),
                            format!("member of convoy {id}: rig {rig} does not have it there"),
                            true,
                        );
                        again.insert(id.clone());
                    }
                }
            }
        }
        for (bead, id) in &told.memberships {
            let is_known = convoys::membership(cx, bead)?.is_some_and(|(of, at)| of == *id && at == *rig);
            let target = Instance::Rig(rig.clone()).to_string();
            if is_known {
                continue;
            }
            let exists: Option<(i64,)> = query_one(cx.sql, "-- check_convoy\nSELECT 1 FROM convoys WHERE id = ?", (id,))?;
            if exists.is_none() {
                self.find(
                    "convoy_unknown",
                    bead.as_str(),
                    format!("bead of rig {rig}: names convoy {id}, which the town does not have"),
                    false,
                );
            } else if is_owed(cx.sql, TownToRig::Convoy, id.as_str(), &target)? {
                self.in_flight += 1;
            } else {
                self.find("member_unknown", bead.as_str(), format!("rig {rig} has it in convoy {id}, the town does not"), true);
                again.insert(id.clone());
            }
        }
        if self.repair {
            let answer = ConvoyMembers { as_of: told.as_of, beads: told.members };
            for taken in take_answer(cx, &self.town, rig, &answer)? {
                look(cx, &self.town, &taken)?;
            }
            for id in again {
                outbox_letters::convoy_changed(cx, &id, rig)?;
            }
        }
        Ok(())
    }

    /// Convoys whose landing is due and was not begun.
    fn landings(&mut self, cx: &Cx<'_>) -> Result<(), Failure> {
        let is_overdue = |convoy: &ConvoyEntry| {
            let is_ready = convoy.is_complete() && convoy.needs_landing();
            let is_merged = convoy.is_complete() && !convoy.needs_landing() && convoy.merged_beads >= convoy.total_beads;
            is_ready != convoy.ready_to_land || is_merged || (is_ready && convoy.landings.is_empty())
        };
        for convoy in convoys::active(cx)?.iter().filter(|convoy| is_overdue(convoy)) {
            self.find("landing_overdue", convoy.id.as_str(), "the convoy's landing does not fit how its beads stand".to_owned(), true);
            if self.repair {
                landing::settle(cx, &self.town, &convoy.id)?;
            }
        }
        Ok(())
    }

    /// Letters that the town owes.
    fn letters(&mut self, cx: &Cx<'_>) -> Result<(), Failure> {
        let failing: i64 = scalar(cx.sql, "-- check_failing\nSELECT COUNT(*) FROM outbox WHERE attempts > 1 AND kind <> 'topic'", ())?;
        if failing > 0 {
            let town = self.town.town_id.to_string();
            self.find("letters_failing", &town, format!("{failing} letters of the town to its rigs were not taken so far"), true);
        }
        if self.repair && hurry(cx.sql, cx.now)? > 0 {
            cx.flush(Flush::AfterReply);
        }
        Ok(())
    }
}
