//! The rig's side of escalations: an escalation bead, and the town told of it.
//!
//! Owns how one is raised here and its letter to the town. The town owns the inbox, acknowledgements and their
//! consequences; the bead's id is the escalation's id there.

use super::triage;
use crate::contract::alerts::AUTHOR;
use crate::contract::ids::BeadId;
use crate::contract::labels::TRIAGE_LABEL;
use crate::contract::letters::rig::RigState;
use crate::contract::letters::town::EscalationLetter;
use crate::contract::letters::{Letter, RigToTown};
use crate::contract::limits::bead::BODY_BYTES_MAX;
use crate::contract::shapes::{Bead, BeadEventType, BeadStatus, BeadType, Priority, Severity};
use crate::objects::handler::Cx;
use crate::objects::outbox::{Composed, write};
use crate::objects::rig::beads;
use crate::objects::rig::beads::events;
use crate::objects::rig::beads::events::Happened;
use crate::objects::rig::beads::{Move, NewBead};
use crate::objects::rig::outbox_letters;
use crate::objects::rig::state;
use base::error::{Failure, Fault};
use serde_json::{Map, Value, json};

/// The label of escalation beads.
const ESCALATION_LABEL: &str = "gt:escalation";
/// How the label begins that says how severe.
const SEVERITY_LABEL: &str = "severity:";
/// Longest first line of a message that becomes the bead's title, in characters.
const TITLE_CHARS_MAX: usize = 200;

/// An escalation to raise.
pub(in crate::objects::rig) struct NewEscalation<'a> {
    pub(in crate::objects::rig) severity: Severity,
    pub(in crate::objects::rig) category: &'a str,
    pub(in crate::objects::rig) message: &'a str,
    /// The agent that raises it; `None`: the rig itself.
    pub(in crate::objects::rig) agent: Option<&'a str>,
    /// The bead that it is about.
    pub(in crate::objects::rig) bead: Option<&'a BeadId>,
}

/// Raises an escalation: a bead here, an entry in the town's inbox.
pub(in crate::objects::rig) fn raise(cx: &Cx<'_>, rig: &RigState, new: &NewEscalation<'_>) -> Result<BeadId, Failure> {
    raise_labelled(cx, rig, new, &[])
}

/// The same, and its bead is a triage request too: resolving that acknowledges the escalation.
pub(in crate::objects::rig) fn raise_request(cx: &Cx<'_>, rig: &RigState, new: &NewEscalation<'_>) -> Result<BeadId, Failure> {
    raise_labelled(cx, rig, new, &[TRIAGE_LABEL])
}

fn raise_labelled(cx: &Cx<'_>, rig: &RigState, new: &NewEscalation<'_>, more: &[&str]) -> Result<BeadId, Failure> {
    let mut metadata = Map::new();
    metadata.insert("category".to_owned(), json!(new.category));
    metadata.insert("source_agent_id".to_owned(), json!(new.agent));
    metadata.insert("source_bead_id".to_owned(), json!(new.bead));
    let first = new.message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or(new.category);
    let body = new.message.get(..new.message.floor_char_boundary(BODY_BYTES_MAX)).unwrap_or_default();
    let bead = NewBead {
        bead_id: BeadId::from_random(cx.random()),
        kind: BeadType::Escalation,
        title: first.chars().take(TITLE_CHARS_MAX).collect(),
        body: Some(body.to_owned()),
        parent_bead_id: None,
        priority: priority(new.severity),
        labels: [ESCALATION_LABEL, &format!("{SEVERITY_LABEL}{}", new.severity.as_str())]
            .iter()
            .chain(more)
            .map(|label| (*label).to_owned())
            .collect(),
        metadata,
        created_by: new.agent.map(str::to_owned).or_else(|| cx.actor()),
        created_at: cx.now,
        blockers_open: 0,
        held: false,
        convoy_id: None,
        quality: None,
    };
    let bead = raise_bead(cx, rig, bead)?;
    outbox_letters::summary_changed(cx, rig)?;
    Ok(bead.bead_id)
}

/// Gives an escalation that was created as a bead the labels that it needs.
pub(in crate::objects::rig) fn label(new: &mut NewBead) {
    if !new.labels.iter().any(|label| label == ESCALATION_LABEL) {
        new.labels.push(ESCALATION_LABEL.to_owned());
    }
    if severity_of(&new.labels).is_none() {
        new.labels.push(format!("{SEVERITY_LABEL}{}", new.priority.as_str()));
    }
}

/// Writes an escalation bead and owes the town the news. The caller reports the rig's numbers.
pub(in crate::objects::rig) fn raise_bead(cx: &Cx<'_>, rig: &RigState, new: NewBead) -> Result<Bead, Failure> {
    let bead = beads::insert(cx, rig, new)?;
    let told = told(&bead);
    let about = json!({"category": told.category, "source_bead_id": bead.metadata.get("source_bead_id")});
    let mut event = Happened::to(BeadEventType::Escalated, &bead.bead_id).values(None, told.severity.as_str()).about(about);
    event.agent = told.agent_id.as_deref();
    events::write(cx, &event)?;
    outbox_letters::tell(cx, rig, RigToTown::Escalation, bead.bead_id.as_str())?;
    Ok(bead)
}

/// A bead has ended: if it stood for an escalation, the town must hear that it is dealt with.
pub(in crate::objects::rig) fn ended(cx: &Cx<'_>, rig: &RigState, bead: &Bead) -> Result<(), Failure> {
    if stands_for_one(bead) { outbox_letters::tell(cx, rig, RigToTown::Escalation, bead.bead_id.as_str()) } else { Ok(()) }
}

/// Escalation beads, and the triage requests that the town asked for.
fn stands_for_one(bead: &Bead) -> bool {
    bead.kind == BeadType::Escalation || (triage::is_request(bead) && bead.metadata.contains_key("escalation_id"))
}

/// The body of the letter: how the escalation stands.
pub(in crate::objects::rig) fn letter(cx: &Cx<'_>, id: &str) -> Composed {
    let bead = beads::find(cx, &BeadId::parse(id).map_err(|_| Fault::new("write an escalation letter", "no id"))?)?;
    Ok(bead.filter(stands_for_one).map(|bead| write(&told(&bead))).transpose()?)
}

fn told(bead: &Bead) -> EscalationLetter {
    let note = |key: &str| bead.metadata.get(key).and_then(Value::as_str).map(str::to_owned);
    EscalationLetter {
        agent_id: note("source_agent_id").or_else(|| bead.created_by.clone()),
        severity: severity_of(&bead.labels).unwrap_or(match bead.priority {
            Priority::Low => Severity::Low,
            Priority::Medium => Severity::Medium,
            Priority::High => Severity::High,
            Priority::Critical => Severity::Critical,
        }),
        category: note("category"),
        message: match &bead.body {
            Some(body) if body.starts_with(&bead.title) => body.clone(),
            Some(body) => format!("{}\n\n{body}", bead.title),
            None => bead.title.clone(),
        },
        created_at: bead.created_at,
        status: bead.status,
        resolved_by: note("resolved_by").filter(|by| by == AUTHOR),
        source_bead_id: note("source_bead_id").filter(|id| BeadId::parse(id).is_ok()),
    }
}

fn severity_of(labels: &[String]) -> Option<Severity> {
    labels.iter().find_map(|label| Severity::parse(label.strip_prefix(SEVERITY_LABEL)?))
}

pub(in crate::objects::rig) const fn priority(severity: Severity) -> Priority {
    match severity {
        Severity::Low => Priority::Low,
        Severity::Medium => Priority::Medium,
        Severity::High => Priority::High,
        Severity::Critical => Priority::Critical,
    }
}

/// The escalation was acknowledged in the town: its bead here is closed, if it is still open.
pub(in crate::objects::rig) fn acknowledged(cx: &Cx<'_>, letter: &Letter) -> Result<(), Failure> {
    let rig = state::require(cx)?;
    let id = BeadId::parse(&letter.subject).map_err(|_| Fault::new("read an acknowledgement", "no id"))?;
    match beads::find(cx, &id)? {
        Some(bead) if stands_for_one(&bead) && !bead.status.is_terminal() => {
            beads::move_to(cx, &rig, &bead, BeadStatus::Closed, &Move::default())
        }
        _ => Ok(()),
    }
}
