//! What the objects have accepted, kept outside of them.
//!
//! Owns the list of beads and messages that must be somewhere, and of what somebody has asked to delete. What is in the
//! tables, `invariants` compares with it.

use crate::support::town::Rig;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Read messages are kept for so long, a day less.
const KEPT_MILLIS: i64 = 29 * 24 * 60 * 60 * 1_000;

/// What an answer says that was accepted.
#[derive(Clone)]
pub enum Note {
    /// Nothing that is kept here.
    Nothing,
    /// Beads of this rig, or of those that the answer names.
    Beads(Option<Rig>),
    /// A message with this text, in this rig.
    Mail(Rig, String),
    /// The same, to the Mayor.
    MayorMail(Rig, String),
    /// A nudge with this text, until then.
    Nudge(Rig, String, i64),
    /// A message to the Mayor with this text.
    Mayor(String),
    /// The Mayor has read messages.
    MayorTaken,
    /// The Mayor replied so.
    Reply(String),
    /// An escalation of the town.
    Escalation,
    /// Mail was taken.
    Taken,
}

/// A bead that there must be.
#[derive(Clone, Default)]
pub struct Known {
    pub rig: String,
    /// It was in its rig's table.
    pub seen: bool,
    pub kind: String,
    pub status: String,
    pub merged: bool,
    pub parent: Option<String>,
    /// Whose work a merge request merges.
    pub source: Option<String>,
}

/// A message that there must be.
pub struct Message {
    pub rig: String,
    pub text: String,
    pub until: i64,
}

#[derive(Default)]
pub struct Ledger {
    pub beads: BTreeMap<String, Known>,
    /// Beads that somebody asked to delete.
    pub deletable: BTreeSet<String>,
    /// In this step: of this rig, beads of this type.
    pub deleting: Option<(String, String)>,
    /// Rigs that somebody asked to remove.
    pub removable: BTreeSet<String>,
    pub mail: Vec<Message>,
    /// Texts of what the Mayor was sent, with the rig that it came through.
    pub mayor: Vec<(Option<String>, String)>,
    /// What the Mayor replied.
    pub replies: Vec<String>,
    pub escalations: BTreeSet<String>,
    taken: BTreeSet<String>,
    /// How beads were last seen that are gone: done, and merged.
    gone: BTreeMap<String, (bool, bool)>,
    /// The latest time there has been.
    pub latest: i64,
    /// How things were after the step before.
    pub before: super::invariants::Before,
}

impl Ledger {
    /// An answer came.
    ///
    /// # Errors
    /// What it must not say.
    pub fn accepted(&mut self, note: &Note, answer: &Value, now: i64) -> Result<(), String> {
        match note {
            Note::Nothing => {}
            Note::Beads(rig) => self.beads_of(rig.as_ref(), answer),
            Note::Mail(rig, text) => self.mail.push(Message { rig: rig.id.to_string(), text: text.clone(), until: now + KEPT_MILLIS }),
            Note::MayorMail(rig, text) => self.mayor.push((Some(rig.id.to_string()), text.clone())),
            Note::Nudge(rig, text, until) => self.mail.push(Message { rig: rig.id.to_string(), text: text.clone(), until: *until }),
            Note::Mayor(text) => self.mayor.push((None, text.clone())),
            Note::MayorTaken => {
                let mail = answer.get("mail").unwrap_or(answer);
                for message in mail["messages"].as_array().into_iter().flatten() {
                    let id = message["id"].as_str().unwrap_or_default();
                    if !self.taken.insert(id.to_owned()) {
                        return Err(format!("a message to the Mayor is read twice: {id}"));
                    }
                }
            }
            Note::Reply(text) => self.replies.push(text.clone()),
            Note::Escalation => {
                if let Some(id) = answer["id"].as_str() {
                    self.escalations.insert(id.to_owned());
                }
            }
            Note::Taken => {
                for mail in answer.as_array().into_iter().flatten() {
                    let id = mail["id"].as_str().unwrap_or_default();
                    if !self.taken.insert(id.to_owned()) {
                        return Err(format!("mail is delivered twice: {id}"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Beads that an answer names.
    fn beads_of(&mut self, rig: Option<&Rig>, answer: &Value) {
        let single = [&answer["bead"], answer];
        let several = answer["beads"].as_array().into_iter().flatten().map(|part| &part["bead"]);
        for bead in single.into_iter().chain(several) {
            let own = bead["rig_id"].as_str().map(str::to_owned).or_else(|| rig.map(|rig| rig.id.to_string()));
            // A key that is used again tells of beads that may be gone by now.
            let Some(id) = bead["bead_id"].as_str().filter(|id| !self.deletable.contains(*id)) else { continue };
            let Some(rig) = own else { continue };
            let parent = bead["parent_bead_id"].as_str().map(str::to_owned);
            self.beads.entry(id.to_owned()).or_insert_with(|| Known { rig, parent, ..Known::default() });
        }
        if let (Some(id), Some(rig)) = (answer["rework_bead_id"].as_str(), rig) {
            self.beads.entry(id.to_owned()).or_insert_with(|| Known { rig: rig.id.to_string(), ..Known::default() });
        }
    }

    /// A bead is gone.
    pub fn forget(&mut self, id: &str) {
        if let Some(known) = self.beads.remove(id) {
            self.gone.insert(id.to_owned(), (known.status == "closed", known.merged));
        }
    }

    /// Whether a bead is done and whether it was merged; how it was when it was last seen.
    pub fn standing(&self, id: &str) -> (bool, bool) {
        let known = self.beads.get(id).map(|known| (known.status == "closed", known.merged));
        known.or_else(|| self.gone.get(id).copied()).unwrap_or_default()
    }

    /// Whether a bead may be gone: somebody asked for that, or for what it is below or about.
    pub fn may_be_gone(&self, id: &str) -> bool {
        if self.deletable.contains(id) {
            return true;
        }
        let Some(known) = self.beads.get(id) else { return false };
        if self.deleting.as_ref().is_some_and(|(rig, kind)| *rig == known.rig && (!known.seen || *kind == known.kind)) {
            return true;
        }
        [&known.parent, &known.source].into_iter().flatten().any(|above| above != id && self.may_be_gone(above))
    }
}
