//! Triage: a request that something be decided about an agent or a bead, and the decision.
//!
//! Owns the requests, which the town asks for, and the effect of each action (Gastown contract 2.5). A request is an issue that
//! is never given out: coordinators and the Mayor decide it.

use super::{escalations, nudges};
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::labels::TRIAGE_LABEL;
use crate::contract::letters::rig::RigState;
use crate::contract::letters::town::EscalationLetter;
use crate::contract::letters::{Letter, TownToRig};
use crate::contract::limits::bead::{NOTE_BYTES_MAX, TITLE_CHARS_MAX};
use crate::contract::shapes::{
    Agent, Bead, BeadEventType, BeadStatus, BeadType, NudgeMode, NudgeOptions, NudgePriority, Severity, TriageInput,
};
use crate::contract::watch::NUDGE;
use crate::objects::handler::{Answer, Caller, Cx, json as answer};
use crate::objects::outbox::has_heard;
use crate::objects::rig::agents::status;
use crate::objects::rig::assignment::{dispatch, hooks};
use crate::objects::rig::beads;
use crate::objects::rig::beads::events;
use crate::objects::rig::beads::events::Happened;
use crate::objects::rig::beads::{Move, NewBead};
use crate::objects::rig::state;
use crate::objects::rig::{agents, outbox_letters};
use crate::objects::store::sql::scalar;
use crate::rpc::call::Instance;
use base::error::{Code, Failure, Fault, Refusal, refuse};
use serde_json::{Map, Value, json};

/// The author of triage requests (Gastown contract 3.1).
const AUTHOR: &str = "patrol";
/// Longest action, in bytes.
const ACTION_BYTES_MAX: usize = 100;

/// Whether a bead is a triage request.
pub(in crate::objects::rig) fn is_request(bead: &Bead) -> bool {
    bead.labels.iter().any(|label| label == TRIAGE_LABEL)
}

/// How many requests wait for a decision.
pub(in crate::objects::rig) fn open(cx: &Cx<'_>) -> Result<i64, Fault> {
    scalar(cx.sql, "-- triage_open\nSELECT COUNT(*) FROM beads WHERE status = 'open' AND instr(labels, '\"gt:triage-request\"') > 0", ())
}

/// The town asks for a decision about an escalation. Asking twice changes nothing.
pub(in crate::objects::rig) fn apply(cx: &Cx<'_>, letter: &Letter) -> Result<(), Failure> {
    let rig = state::require(cx)?;
    let told: EscalationLetter = letter.read("read a triage letter")?;
    let id = BeadId::parse(&letter.subject).map_err(|_| Fault::new("read a triage letter", "no id"))?;
    // One that comes late may have been dealt with before it was asked for.
    let town = Instance::Town(rig.town_id.clone()).to_string();
    if beads::find(cx, &id)?.is_some() || has_heard(cx.sql, &town, TownToRig::Acknowledged, &letter.subject)? {
        return Ok(());
    }
    let agent = agents::find_named(cx, told.agent_id.as_deref())?;
    let mut metadata = Map::new();
    metadata.insert("escalation_id".to_owned(), json!(id));
    metadata.insert("severity".to_owned(), json!(told.severity));
    metadata.insert("category".to_owned(), json!(told.category));
    metadata.insert("source_agent_id".to_owned(), json!(told.agent_id));
    metadata.insert("source_bead_id".to_owned(), json!(agent.and_then(|agent| agent.current_hook_bead_id)));
    let title = format!("Triage: {}", told.category.as_deref().unwrap_or("escalation"));
    let new = NewBead {
        bead_id: id,
        kind: BeadType::Issue,
        title: title.chars().take(TITLE_CHARS_MAX).collect(),
        body: Some(told.message),
        parent_bead_id: None,
        priority: escalations::priority(told.severity),
        labels: vec![TRIAGE_LABEL.to_owned()],
        metadata,
        created_by: Some(AUTHOR.to_owned()),
        created_at: told.created_at,
        blockers_open: 0,
        held: true,
        convoy_id: None,
        quality: None,
    };
    beads::insert(cx, &rig, new)?;
    outbox_letters::summary_changed(cx, &rig)
}

/// `resolveTriage`: carries out the decision and closes the request. An unknown action only closes it.
pub(crate) fn resolve_triage(cx: &Cx<'_>, caller: &Caller, (mut input,): (TriageInput,)) -> Result<Answer, Failure> {
    if input.agent_id.is_empty() {
        input.agent_id = caller.actor();
    }
    caller.check_speaks_for(&input.agent_id)?;
    let rig = state::require(cx)?;
    let id = &input.triage_request_bead_id;
    let request = beads::find(cx, id)?.ok_or_else(|| {
        Refusal::new(Code::NotFound, format!("Triage request bead {id} not found")).hint("Call escalations to see what waits.")
    })?;
    if !is_request(&request) {
        return Err(refuse(Code::InvalidArgument, format!("Bead {id} is not a triage request")));
    }
    if request.status != BeadStatus::Open {
        let status = request.status.as_str();
        return Err(refuse(Code::Conflict, format!("Triage request {id} is already {status} — cannot resolve again")));
    }
    if input.resolution_notes.len() > NOTE_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("resolution_notes must have at most {NOTE_BYTES_MAX} bytes")));
    }
    crate::contract::checks::check_note("agent_id", &input.agent_id)?;
    let action = input.action.trim().to_ascii_uppercase();
    if action.is_empty() || action.len() > ACTION_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("action must have 1 to {ACTION_BYTES_MAX} bytes")));
    }
    carry_out(cx, &rig, &request, &action, &input)?;
    // An action may have moved beads, but this one only if it was about itself.
    beads::move_to(cx, &rig, &request, BeadStatus::Closed, &Move::default())?;
    let about = json!({"action": action, "resolution_notes": input.resolution_notes, "resolved_by": input.agent_id});
    events::write(cx, &Happened::to(BeadEventType::TriageResolved, id).values(None, &action).about(about))?;
    dispatch::dispatch(cx, &rig)?;
    answer(&beads::require(cx, id)?)
}

fn carry_out(cx: &Cx<'_>, rig: &RigState, request: &Bead, action: &str, input: &TriageInput) -> Result<(), Failure> {
    let notes = input.resolution_notes.as_str();
    match action {
        "RESTART" | "RESTART_WITH_BACKOFF" => status::reset(cx, rig, &agent_of(cx, request, action)?),
        "CLOSE_BEAD" => {
            let bead = bead_of(cx, request, action)?;
            let reason = if notes.trim().is_empty() { "closed by triage" } else { notes };
            beads::move_to(cx, rig, &bead, BeadStatus::Failed, &Move { reason: Some(reason), ..Move::default() })
        }
        "REASSIGN_BEAD" => hooks::reopen(cx, rig, &bead_of(cx, request, action)?.bead_id),
        "NUDGE" => {
            let agent = agent_of(cx, request, action)?;
            let text = if notes.trim().is_empty() { NUDGE } else { notes };
            let options = NudgeOptions {
                mode: Some(NudgeMode::Immediate),
                priority: Some(NudgePriority::Urgent),
                source: Some("triage".to_owned()),
                ttl_seconds: None,
            };
            nudges::queue(cx, &agent.id, text, &input.agent_id, &options).map(drop)
        }
        "ESCALATE" | "ESCALATE_TO_MAYOR" => {
            let body = request.body.as_deref().unwrap_or(&request.title);
            let message = if notes.trim().is_empty() { body.to_owned() } else { format!("{notes}\n\n{body}") };
            let raised = escalations::NewEscalation {
                severity: Severity::High,
                category: "triage",
                message: &message,
                agent: named(request, "source_agent_id"),
                bead: Some(&request.bead_id),
            };
            escalations::raise(cx, rig, &raised).map(drop)
        }
        _ => Ok(()),
    }
}

fn named<'a>(request: &'a Bead, key: &str) -> Option<&'a str> {
    request.metadata.get(key).and_then(Value::as_str)
}

/// The agent that a request is about.
fn agent_of(cx: &Cx<'_>, request: &Bead, action: &str) -> Result<Agent, Failure> {
    match named(request, "source_agent_id").map(AgentId::parse) {
        Some(Ok(id)) => agents::require(cx, &id),
        _ => Err(names_none(action, "agent")),
    }
}

/// The bead that a request is about: the one that it names, else the one that its agent holds.
fn bead_of(cx: &Cx<'_>, request: &Bead, action: &str) -> Result<Bead, Failure> {
    let bead = match named(request, "source_bead_id").map(BeadId::parse) {
        Some(Ok(id)) => beads::require(cx, &id)?,
        _ => match agent_of(cx, request, action)?.current_hook_bead_id {
            Some(id) => beads::require(cx, &id)?,
            None => return Err(names_none(action, "bead")),
        },
    };
    if bead.status.is_terminal() || bead.bead_id == request.bead_id {
        let refusal = Refusal::new(Code::Conflict, format!("{action}: bead {} is {} already", bead.bead_id, bead.status.as_str()));
        return Err(refusal.hint("Resolve with action DISCARD and say why in resolution_notes.").into());
    }
    Ok(bead)
}

fn names_none(action: &str, what: &str) -> Failure {
    let refusal = Refusal::new(Code::Conflict, format!("{action}: the triage request names no {what}"));
    refusal.hint("Choose another action, or DISCARD with a word in resolution_notes.").into()
}
