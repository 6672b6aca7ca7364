//! `slingBead`: a bead, its agent, name, branch, hook and fence in one transaction, and the town told by outbox.
//!
//! Owns that one command, for a new or an existing bead: how it is worked on (quality, formula, args), its blockers, and
//! its agent. It names the polecat and waits for no work; at capacity the bead queues and the answer says where.

use super::{dispatch, hooks};
use crate::contract::checks::check_metadata;
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::labels::{HELD_LABEL, MAYOR_LABEL, has_held_label};
use crate::contract::letters::rig::RigState;
use crate::contract::limits::bead::ARGS_BYTES_MAX;
use crate::contract::names::MAYOR;
use crate::contract::shapes::{Agent, Bead, BeadStatus, BeadType, BlockedUntil, Priority, SlingInput, SlingResult};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::rig::assignment::free_polecats::Roster;
use crate::objects::rig::beads;
use crate::objects::rig::beads::NewBead;
use crate::objects::rig::beads::{dependencies, molecules};
use crate::objects::rig::messages::mayor_mail;
use crate::objects::rig::state;
use crate::objects::rig::{agents, counters, outbox_letters};
use crate::objects::store::sql::{execute, scalar};
use base::error::{Code, Failure, Refusal, refuse};
use serde_json::Value;
use std::ops::ControlFlow;

/// Most beads that a new one waits for.
pub const DEPENDS_ON_MAX: usize = 50;

/// The agent that the bead is for.
enum Target {
    /// Any free polecat.
    Anyone,
    /// This polecat, which is free.
    Polecat(Box<Agent>),
    /// The Mayor, who has this agent id.
    Mayor(AgentId),
}

/// `slingBead`.
pub(crate) fn sling_bead(cx: &Cx<'_>, caller: &Caller, (input,): (SlingInput,)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    if input.rig_id != rig.rig_id {
        return Err(refuse(Code::InvalidArgument, format!("rigId must be {}, the rig that was called", rig.rig_id)));
    }
    check(&input)?;
    let target = target(cx, &rig, input.agent.as_deref())?;
    let mut bead = match &input.bead_id {
        Some(id) => existing(cx, &rig, &input, id)?,
        None => make(cx, &rig, caller, &input, &target)?,
    };
    let (formula, quality) = molecules::asked(cx, input.formula.as_deref(), input.quality.as_deref(), input.vars.as_ref())?;
    if let Some(formula) = formula {
        molecules::apply(cx, &bead, formula, quality)?;
        bead = beads::require(cx, &bead.bead_id)?;
    }
    let agent = match target {
        Target::Anyone => give_out(cx, &rig, &mut bead)?,
        Target::Polecat(polecat) => Some(give_to(cx, &rig, *polecat, &mut bead)?),
        Target::Mayor(mayor) => {
            give_to_mayor(cx, &rig, &mayor, &mut bead)?;
            None
        }
    };
    let waits = agent.is_none() && is_ready(cx, &bead)?;
    let queue_position = match &input.bead_id {
        _ if !waits => None,
        None => Some(counters::place_of_newest(cx, bead.priority)?),
        Some(id) => Some(place(cx, id)?),
    };
    if input.bead_id.is_some() {
        outbox_letters::bead_changed(cx, &rig, &bead.bead_id)?;
    } else {
        outbox_letters::summary_changed(cx, &rig)?;
    }
    let molecule = if bead.quality.is_some() || input.formula.is_some() || input.bead_id.is_some() {
        molecules::progress(cx, &bead.bead_id)?
    } else {
        None
    };
    json(&SlingResult { bead, agent, queue_position, molecule })
}

/// Checks of the input alone.
fn check(input: &SlingInput) -> Result<(), Refusal> {
    let bad = |message: String| Err(Refusal::new(Code::InvalidArgument, message));
    if input.bead_id.is_some() {
        let is_new = !input.title.is_empty() || input.body.is_some() || input.labels.is_some() || input.metadata.is_some();
        if is_new || input.priority.is_some() || input.depends_on.is_some() || input.hold.is_some() {
            return bad("bead_id: title, body, priority, labels, metadata, depends_on and hold are for a new bead".to_owned());
        }
    }
    if input.args.as_ref().is_some_and(|args| args.len() > ARGS_BYTES_MAX) {
        return bad(format!("args must have at most {ARGS_BYTES_MAX} bytes"));
    }
    let depends_on = input.depends_on.as_deref().unwrap_or_default();
    if depends_on.len() > DEPENDS_ON_MAX {
        return bad(format!("depends_on: at most {DEPENDS_ON_MAX} beads"));
    }
    let holds = input.hold == Some(true) || input.labels.as_deref().is_some_and(has_held_label);
    if input.agent.is_some() && holds {
        return bad("a bead that is held back is given to nobody: leave out agent, or hold".to_owned());
    }
    Ok(())
}

/// The target that the caller names.
fn target(cx: &Cx<'_>, rig: &RigState, named: Option<&str>) -> Result<Target, Failure> {
    let Some(named) = named else { return Ok(Target::Anyone) };
    if named == MAYOR {
        let unknown = || refuse(Code::Unavailable, "The town has not told this rig yet who its Mayor is: try again");
        return Ok(Target::Mayor(rig.mayor_agent_id.clone().ok_or_else(unknown)?));
    }
    dispatch::check_gives_out(rig)?;
    let roster = Roster::load(cx)?;
    let Some(id) = roster.named(named) else {
        let known = roster.names();
        let hint = if known.is_empty() {
            "The rig has none yet: leave it out, and one is made.".to_owned()
        } else {
            format!("Polecats: {known}.")
        };
        return Err(Refusal::new(Code::NotFound, "agent: no polecat of this rig has that id or name").hint(hint).into());
    };
    let polecat = agents::require(cx, id)?;
    if let Some(held) = &polecat.current_hook_bead_id {
        let refusal = Refusal::new(Code::Conflict, format!("{} (agent {}) holds bead {held}", polecat.name, polecat.id));
        return Err(refusal.hint("Sling to whoever is idle, or wait until that bead is done.").into());
    }
    Ok(Target::Polecat(Box::new(polecat)))
}

fn make(cx: &Cx<'_>, rig: &RigState, caller: &Caller, input: &SlingInput, target: &Target) -> Result<Bead, Failure> {
    let labels = beads::labels_of(input.labels.clone(), input.hold);
    let mut metadata = input.metadata.clone().unwrap_or_default();
    if let Some(args) = &input.args {
        metadata.insert("args".to_owned(), Value::from(args.as_str()));
    }
    let id = BeadId::from_random(cx.random());
    let depends_on = input.depends_on.as_deref().unwrap_or_default();
    for blocker in depends_on {
        if beads::find(cx, blocker)?.is_none() {
            let refusal = Refusal::new(Code::NotFound, format!("depends_on: bead {blocker} not found in this rig"));
            return Err(refusal.hint("Call list_beads to see its beads; a convoy orders work across rigs.").into());
        }
        dependencies::insert(cx, &id, blocker, input.until.unwrap_or(BlockedUntil::Closed))?;
    }
    let blockers_open = if depends_on.is_empty() { 0 } else { dependencies::unmet(cx, &id)? };
    if blockers_open > 0 && matches!(target, Target::Polecat(_)) {
        return Err(refuse(Code::InvalidArgument, "a bead that waits for others is given to nobody yet: leave out agent, or depends_on"));
    }
    let new = NewBead {
        bead_id: id,
        kind: BeadType::Issue,
        title: input.title.clone(),
        body: input.body.clone(),
        parent_bead_id: None,
        // The contract takes an unknown priority for medium.
        priority: input.priority.as_deref().and_then(Priority::parse).unwrap_or(Priority::Medium),
        labels,
        metadata,
        created_by: Some(caller.actor()),
        created_at: cx.now,
        blockers_open,
        held: false,
        convoy_id: None,
        quality: None,
    };
    beads::insert(cx, rig, new)
}

/// An existing bead is slung again: it must have no holder, and its next agent is told the args.
fn existing(cx: &Cx<'_>, rig: &RigState, input: &SlingInput, id: &BeadId) -> Result<Bead, Failure> {
    let mut bead = beads::require(cx, id)?;
    if bead.kind != BeadType::Issue {
        return Err(refuse(Code::Conflict, format!("Bead {id} is of type {}: only issues are slung", bead.kind.as_str())));
    }
    if let Some((holder, name)) = hooks::holder(cx, id)? {
        let refusal = Refusal::new(Code::Conflict, format!("Bead {id} is already hooked by {name} (agent {holder})"));
        return Err(refusal.hint("Unhook the holder first if it should change hands.").into());
    }
    if bead.status != BeadStatus::Open {
        let refusal = Refusal::new(Code::Conflict, format!("Bead {id} is {}: only open beads are slung", bead.status.as_str()));
        return Err(refusal.hint("Sling a new bead for further work.").into());
    }
    if bead.labels.iter().any(|label| label == MAYOR_LABEL) {
        // A slung bead leaves the Mayor's desk.
        bead.labels.retain(|label| label != MAYOR_LABEL && label != HELD_LABEL);
        bead.assignee_agent_bead_id = None;
        execute(
            cx.sql,
            "-- sling_from_mayor\nUPDATE beads SET labels = ?, assignee_agent_id = NULL, held = 0 WHERE bead_id = ?",
            (Value::from(bead.labels.clone()).to_string(), id),
        )?;
        outbox_letters::bead_changed(cx, rig, id)?;
    }
    // Slinging means now: the rest after failed attempts is over.
    execute(cx.sql, "-- sling_rested\nUPDATE beads SET not_before = NULL WHERE bead_id = ? AND not_before IS NOT NULL", (id,))?;
    if let Some(args) = &input.args {
        bead.metadata.insert("args".to_owned(), Value::from(args.as_str()));
        let metadata = check_metadata(&bead.metadata)?;
        execute(cx.sql, "-- sling_args\nUPDATE beads SET metadata = ?, updated_at = ? WHERE bead_id = ?", (metadata, cx.now.millis(), id))?;
    }
    Ok(bead)
}

/// Beads that have waited longer go first; usually none has, and this bead is next.
fn give_out(cx: &Cx<'_>, rig: &RigState, bead: &mut Bead) -> Result<Option<Agent>, Failure> {
    let mut agent = None;
    dispatch::give_out(cx, rig, |ready, given| {
        if ready.bead_id != bead.bead_id {
            return ControlFlow::Continue(());
        }
        hooks::show_attached(cx, bead, &given);
        agent = Some(given);
        ControlFlow::Break(())
    })?;
    Ok(agent)
}

fn give_to(cx: &Cx<'_>, rig: &RigState, mut polecat: Agent, bead: &mut Bead) -> Result<Agent, Failure> {
    hooks::check_hookable(cx, rig, &polecat, bead)?;
    hooks::attach(cx, rig, &mut polecat, &bead.bead_id)?;
    hooks::show_attached(cx, bead, &polecat);
    outbox_letters::bead_given(
        cx,
        rig,
        &dispatch::Ready { bead_id: bead.bead_id.clone(), convoy_id: beads::convoy_of(cx, &bead.bead_id)? },
    )?;
    Ok(polecat)
}

/// The Mayor is told, and no polecat gets it.
fn give_to_mayor(cx: &Cx<'_>, rig: &RigState, mayor: &AgentId, bead: &mut Bead) -> Result<(), Failure> {
    if beads::convoy_of(cx, &bead.bead_id)?.is_some() {
        let refusal = Refusal::new(Code::Conflict, format!("Bead {} belongs to a convoy: it is not the Mayor's alone", bead.bead_id));
        return Err(refusal.hint("Remove it from its convoy first, or send the Mayor a message.").into());
    }
    for label in [MAYOR_LABEL, HELD_LABEL] {
        if !bead.labels.iter().any(|known| known == label) {
            bead.labels.push(label.to_owned());
        }
    }
    bead.assignee_agent_bead_id = Some(mayor.clone());
    bead.updated_at = cx.now;
    execute(
        cx.sql,
        "-- sling_to_mayor\nUPDATE beads SET labels = ?, assignee_agent_id = ?, held = 1, updated_at = ? WHERE bead_id = ?",
        (Value::from(bead.labels.clone()).to_string(), mayor, cx.now.millis(), &bead.bead_id),
    )?;
    let args = bead.metadata.get("args").and_then(Value::as_str).map(|args| format!("\n\n{args}")).unwrap_or_default();
    let body = format!("Bead {} of rig {} is yours to decide about.{args}", bead.bead_id, rig.name);
    mayor_mail::tell(cx, rig, &bead.title, &body)
}

/// Whether nothing but a free polecat is missing.
fn is_ready(cx: &Cx<'_>, bead: &Bead) -> Result<bool, Failure> {
    if bead.blockers_open > 0 || bead.assignee_agent_bead_id.is_some() || has_held_label(&bead.labels) {
        return Ok(false);
    }
    // Only the bead of a staged convoy is held without a label, and no new bead is.
    Ok(!bead.metadata.contains_key("convoy_id") || !beads::is_held(cx, &bead.bead_id)?)
}

/// The place in the queue, the first being 1, of a bead that waits.
fn place(cx: &Cx<'_>, id: &BeadId) -> Result<i64, Failure> {
    Ok(scalar(
        cx.sql,
        concat!(
            "-- sling_place\nSELECT COUNT(*) FROM beads AS mine JOIN beads AS other INDEXED BY beads_ready WHERE mine.bead_id = ? AND ",
            counters::ready!("other."),
            " AND (other.priority_rank, -other.sequence) >= (mine.priority_rank, -mine.sequence)"
        ),
        (id,),
    )?)
}
