//! `prime`: everything an agent must know to begin, in one answer.
//!
//! Owns the content of the answer. `prime` takes the agent's mail, as the contract has it; looking without taking is `listMessages`.

use crate::contract::ids::{AgentId, BeadId};
use crate::contract::shapes::{Agent, Bead, BeadFilter, BeadStatus, BeadType, PrimeContext};
use crate::objects::handler::{Answer, Caller, Cx, json as answer};
use crate::objects::rig::assignment::orders;
use crate::objects::rig::beads::{lists, molecules};
use crate::objects::rig::messages::{mail, nudges};
use crate::objects::rig::{agents, beads, reviews, state};
use crate::objects::store::sql::scalar;
use base::error::{Failure, Fault};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Open work shown at most (Gastown contract 3.11).
const OPEN_BEADS_MAX: i64 = 20;

/// `prime`.
pub(crate) fn prime(cx: &Cx<'_>, caller: &Caller, (id,): (AgentId,)) -> Result<Answer, Failure> {
    caller.check_speaks_for(id.as_str())?;
    let rig = state::require(cx)?;
    let agent = agents::require(cx, &id)?;
    orders::heard(cx, caller, &id)?;
    let hooked = match &agent.current_hook_bead_id {
        Some(bead) => beads::find(cx, bead)?,
        None => None,
    };
    let filter =
        BeadFilter { status: Some(BeadStatus::Open), kind: Some(BeadType::Issue), limit: Some(OPEN_BEADS_MAX), ..BeadFilter::default() };
    let has = |label: &str| hooked.as_ref().filter(|bead| bead.labels.iter().any(|own| own == label));
    answer(&PrimeContext {
        undelivered_mail: mail::take(cx, &id)?,
        open_beads: lists::list(cx, &filter)?,
        rework_context: has("gt:rework").map(|bead| rework(cx, bead)).transpose()?.unwrap_or_default(),
        pr_fixup_context: has("gt:pr-fixup").map(fixup).unwrap_or_default(),
        pr_conflict_context: has("gt:pr-conflict").map(conflict).unwrap_or_default(),
        instructions: instructions(cx, &agent, hooked.as_ref())?,
        nudges: nudges::pending(cx, &id)?,
        quality_gates: gates(cx)?,
        order: hooked.is_some().then_some(agent.fence),
        base_branch: hooked.as_ref().map(|bead| reviews::base_of(cx, &rig, bead)).transpose()?,
        step: molecules::next_step(cx, &id)?,
        hooked_bead: hooked,
        agent,
    })
}

/// The town's gates.
fn gates(cx: &Cx<'_>) -> Result<Vec<String>, Fault> {
    let text: String = scalar(cx.sql, "-- prime_gates\nSELECT gates FROM rig", ())?;
    serde_json::from_str(&text).map_err(|error| Fault::new("read gates", error))
}

/// Gastown contract 3.11 `rework_context`.
fn rework(cx: &Cx<'_>, bead: &Bead) -> Result<Value, Failure> {
    let note = |key: &str| bead.metadata.get(key).cloned().unwrap_or_default();
    let original = match note("rework_for").as_str().map(BeadId::parse) {
        Some(Ok(id)) => beads::find(cx, &id)?,
        _ => None,
    };
    let feedback = bead.metadata.get("feedback").cloned().unwrap_or_else(|| json!(bead.body));
    let files = bead.metadata.get("files").cloned().unwrap_or_else(|| json!([]));
    let title = original.map(|bead| bead.title);
    Ok(json!({"feedback": feedback, "branch": note("branch"), "target_branch": note("target_branch"), "files": files,
        "original_bead_title": title, "mr_bead_id": note("mr_bead_id")}))
}

/// Gastown contract 3.11 `pr_fixup_context`.
fn fixup(bead: &Bead) -> Value {
    let note = |key: &str| bead.metadata.get(key).cloned().unwrap_or_default();
    json!({"pr_url": note("pr_url"), "branch": note("branch"), "target_branch": note("target_branch")})
}

/// Gastown contract 3.11 `pr_conflict_context`.
fn conflict(bead: &Bead) -> Value {
    let note = |key: &str| bead.metadata.get(key).cloned();
    let target = note("conflict_target_branch").or_else(|| note("target_branch"));
    let has_feedback = note("has_feedback").is_some_and(|flag| flag == json!(true) || flag == json!(1));
    json!({"pr_url": note("pr_url"), "branch": note("branch"), "target_branch": target, "has_feedback": has_feedback})
}

/// The instructions: work on the hook is started without asking (GUPP).
fn instructions(cx: &Cx<'_>, agent: &Agent, hooked: Option<&Bead>) -> Result<String, Failure> {
    let Some(bead) = hooked else {
        return Ok("Nothing is on your hook. Read your mail and nudges, then wait: work comes to your hook by itself.".to_owned());
    };
    let mut text = format!("Work on bead {} now, without asking: what is on your hook is yours to begin.", bead.bead_id);
    if let Some(branch) = &agent.branch {
        _ = write!(text, " Use branch {branch}.");
    }
    if let Some(quality) = bead.quality {
        _ = write!(text, " Quality: {}.", quality.as_str());
    }
    if let Some(step) = molecules::progress(cx, &bead.bead_id)? {
        _ = write!(text, " Follow its formula, step {step}.");
    }
    if let Some(args) = bead.metadata.get("args").and_then(Value::as_str) {
        _ = write!(text, " Instructions of whoever gave it to you: {args}");
    }
    Ok(text)
}
