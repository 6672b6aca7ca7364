//! Results of the rig's work: read from its events alone, whatever happened to beads and agents since.
//!
//! Owns `reportWork`. What an event says is `work_steps`' business, adding up `work_totals`'; how long events are kept,
//! `retention`'s.

use super::state;
use super::work_steps::{STEPS_MAX, Step, StepKind, first_event, steps};
use crate::contract::columns::flag_column;
use crate::contract::ids::BeadId;
use crate::contract::shapes::{AgentRole, WorkInput};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::rig::work_totals;
use crate::objects::rig::work_totals::Known;
use crate::objects::store::sql::{json_list, query};
use base::error::{Code, Failure, Fault, refuse};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Longest window, in hours.
pub const HOURS_MAX: i64 = 168;
/// The window unless the caller says otherwise, in hours.
pub const HOURS_DEFAULT: i64 = 24;

/// `reportWork`.
pub(crate) fn report_work(cx: &Cx<'_>, _caller: &Caller, (input,): (Option<WorkInput>,)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    let hours = input.unwrap_or_default().hours.unwrap_or(HOURS_DEFAULT);
    if !(1..=HOURS_MAX).contains(&hours) {
        return Err(refuse(Code::InvalidArgument, format!("hours must be from 1 to {HOURS_MAX}")));
    }
    let asked_from = cx.now.plus_millis(-hours * 60 * 60 * 1_000);
    let (first, mut from) = first_event(cx, asked_from)?;
    let mut steps = steps(cx, first, asked_from)?;
    if steps.len() > STEPS_MAX {
        steps.truncate(STEPS_MAX);
        from = steps.last().map_or(from, |oldest| oldest.at);
    }
    // No work, but read.
    steps.retain(|step| step.what != StepKind::Other && !matches!(step.kind.as_deref(), Some("escalation" | "triage")));
    // Now the oldest first, as they happened.
    steps.reverse();
    let mut known = known(cx, &steps)?;
    // The Mayor belongs to the town, and its beads are on no hook.
    if let Some(mayor) = rig.mayor_agent_id.as_ref().filter(|mayor| steps.iter().any(|step| step.agent.as_deref() == Some(mayor.as_str())))
    {
        let role = AgentRole::Mayor;
        known.insert(mayor.to_string(), Known { name: role.as_str().to_owned(), role, lives: true, holds: None, holds_review: false });
    }
    let window = work_totals::Window { asked_from, from, to: cx.now, hours };
    json(&work_totals::fold(&rig, &window, &steps, &known))
}

/// The agents that the steps name and those that live, whatever they did.
fn known(cx: &Cx<'_>, steps: &[Step]) -> Result<BTreeMap<String, Known>, Fault> {
    #[derive(Deserialize)]
    struct Living {
        id: String,
        name: String,
        role: AgentRole,
        #[serde(deserialize_with = "flag_column")]
        lives: bool,
        holds: Option<BeadId>,
        #[serde(deserialize_with = "flag_column")]
        holds_review: bool,
    }
    let mut named: Vec<&str> = steps.iter().filter_map(|step| step.agent.as_deref()).collect();
    named.sort_unstable();
    named.dedup();
    let named = json_list(&named)?;
    let living: Vec<Living> = query(
        cx.sql,
        "-- work_agents\nSELECT id, name, role, agents.status <> 'dead' AS lives, current_hook_bead_id AS holds,
           coalesce(beads.type = 'merge_request', 0) AS holds_review
         FROM agents LEFT JOIN beads ON beads.bead_id = agents.current_hook_bead_id
         WHERE agents.status <> 'dead' OR id IN (SELECT value FROM json_each(?))",
        (&named,),
    )?;
    // The event of a removal carries the agent's name.
    let gone: Vec<(String, Option<String>, AgentRole)> = query(
        cx.sql,
        "-- work_gone\nSELECT event.bead_id, json_extract(event.metadata, '$.name'), event.new_value FROM json_each(?) AS named
         CROSS JOIN bead_events AS event INDEXED BY bead_events_bead ON event.bead_id = named.value
         WHERE event.event_type = 'agent_exited' AND json_extract(event.metadata, '$.name') IS NOT NULL ORDER BY event.sequence",
        (&named,),
    )?;
    let mut known: BTreeMap<String, Known> = gone
        .into_iter()
        .map(|(id, name, role)| (id, Known { name: name.unwrap_or_default(), role, lives: false, holds: None, holds_review: false }))
        .collect();
    known.extend(living.into_iter().map(|agent| {
        let Living { id, name, role, lives, holds, holds_review } = agent;
        (id, Known { name, role, lives, holds, holds_review })
    }));
    Ok(known)
}
