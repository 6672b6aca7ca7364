//! Escalations: the one inbox of a town, for all its rigs.
//!
//! Owns the `escalations` table, and that no escalation is forgotten: an unacknowledged one becomes more severe, three
//! times; an acknowledged one stays so. The rigs own the beads that stand for escalations, under the same ids.

use super::state::{self, TownState};
use super::{config, rigs};
use crate::contract::ids::{BeadId, RigId};
use crate::contract::letters::Letter;
use crate::contract::letters::rig::Acknowledgement;
use crate::contract::letters::town::EscalationLetter;
use crate::contract::shapes::{BeadStatus, EscalationEntry, EscalationFilter, EscalationInput, FeedKind, Severity};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::outbox::{Composed, write};
use crate::objects::store::sql::{execute, query, query_one, scalar};
use crate::objects::town::mayor::mail;
use crate::objects::town::outbox_letters;
use crate::objects::town::rigs::breaker;
use crate::objects::town::views::feed;
use base::error::{Code, Failure, Fault, Refusal, refuse};
use base::time::Timestamp;
use serde_json::json as value;

/// Most escalations in one answer (Gastown contract 2.5).
pub const LIST_MAX: i64 = 100;
/// Escalations that may wait.
pub const OPEN_MAX: i64 = 1_000;
/// Acknowledged escalations that are kept.
pub const ACKNOWLEDGED_KEPT: i64 = 1_000;
/// So many times.
pub const RAISED_AGAIN_MAX: i64 = 3;
/// Longest message, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024;
/// Longest category or agent id, in bytes.
pub const WORD_BYTES_MAX: usize = 200;
/// Of a message so many characters are told to the Mayor.
const TOLD_CHARS_MAX: usize = 2_000;
/// Escalations that one alarm raises again.
const RAISED_PER_ALARM_MAX: i64 = 100;
/// The alarm's pause when there were more.
const MORE_MILLIS: i64 = 1_000;

macro_rules! entry_columns {
    () => {
        "id, source_rig_id, source_agent_id, severity, category, message, acknowledged, re_escalation_count, created_at, acknowledged_at,
         acknowledged_by, bead_id, source_bead_id"
    };
}

/// `routeEscalation`: an entry here, and a triage request in the rig.
pub(crate) fn route(cx: &Cx<'_>, caller: &Caller, (input,): (EscalationInput,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    if input.town_id.is_some_and(|id| id != town.town_id) {
        return Err(refuse(Code::InvalidArgument, format!("townId must be {}, the town that was called", town.town_id)));
    }
    if input.message.trim().is_empty() || input.message.len() > MESSAGE_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("message must have 1 to {MESSAGE_BYTES_MAX} bytes")));
    }
    if [&input.category, &input.source_agent_id].into_iter().flatten().any(|word| word.len() > WORD_BYTES_MAX) {
        return Err(refuse(Code::InvalidArgument, format!("category and source_agent_id must have at most {WORD_BYTES_MAX} bytes")));
    }
    let agent = input.source_agent_id.or_else(|| caller.principal.agent_id.clone());
    caller.check_speaks_for(agent.as_deref().unwrap_or_default())?;
    let rig = match input.source_rig_id.as_deref().filter(|rig| !rig.is_empty()) {
        Some(rig) => {
            let unknown = || Refusal::new(Code::NotFound, "source_rig_id: no rig of this town").hint("Call list_rigs to see the rigs.");
            let id = RigId::parse(rig).map_err(|_| unknown())?;
            rigs::require(cx, &id)?;
            Some(id)
        }
        None => None,
    };
    if let (Some(own), Some(rig)) = (&caller.principal.rig, &rig)
        && own != rig
    {
        return Err(refuse(Code::Forbidden, "Forbidden: this token is for another rig"));
    }
    let told = EscalationLetter {
        agent_id: agent,
        severity: input.severity,
        category: input.category,
        message: input.message,
        created_at: cx.now,
        status: BeadStatus::Open,
        resolved_by: None,
        source_bead_id: None,
    };
    let id = BeadId::from_random(cx.random());
    insert(cx, &town, &id, rig.as_ref(), &told)?;
    if let Some(rig) = &rig {
        outbox_letters::triage_wanted(cx, &id, rig)?;
    }
    let entry = find(cx, &id)?;
    if let Some(entry) = &entry {
        announce(cx, &town, entry, Some(&caller.actor()))?;
    }
    json(&entry)
}

/// A rig tells of an escalation: a new one, or that its bead has ended. What was acknowledged stays so.
pub(super) fn apply(cx: &Cx<'_>, rig: &RigId, letter: &Letter) -> Result<(), Failure> {
    let town = state::require(cx)?;
    let told: EscalationLetter = letter.read("read an escalation letter")?;
    let id = BeadId::parse(&letter.subject).map_err(|_| Fault::new("read an escalation letter", "no id"))?;
    let known = find(cx, &id)?;
    if known.as_ref().is_some_and(|known| known.source_rig_id != rig.as_str()) {
        return Err(refuse(Code::Forbidden, "Forbidden: that escalation is of another rig"));
    }
    let is_new = known.is_none();
    if is_new {
        insert(cx, &town, &id, Some(rig), &told)?;
    }
    let Some(entry) = known.map_or_else(|| find(cx, &id), |known| Ok(Some(known)))? else { return Ok(()) };
    if told.status.is_terminal() {
        return close(cx, &town, &entry, told.resolved_by.as_deref());
    }
    if is_new { announce(cx, &town, &entry, told.agent_id.as_deref()) } else { Ok(()) }
}

fn insert(cx: &Cx<'_>, town: &TownState, id: &BeadId, rig: Option<&RigId>, told: &EscalationLetter) -> Result<(), Failure> {
    let is_full: i64 = scalar(
        cx.sql,
        "-- escalations_full\nSELECT EXISTS (SELECT 1 FROM escalations WHERE acknowledged = 0 LIMIT 1 OFFSET ?)",
        (OPEN_MAX - 1,),
    )?;
    if is_full == 1 {
        let refusal = Refusal::new(Code::Conflict, format!("{OPEN_MAX} escalations of this town wait already"));
        return Err(refusal.hint("Call escalations and acknowledge what is dealt with.").into());
    }
    execute(
        cx.sql,
        "-- escalations_insert\nINSERT INTO escalations (id, source_rig_id, source_agent_id, severity, category, message, created_at, bead_id, next_at, sequence,
           source_bead_id)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            id,
            rig.map_or("", RigId::as_str),
            &told.agent_id,
            told.severity,
            &told.category,
            &told.message,
            told.created_at.millis(),
            rig.map(|_| id),
            cx.now.plus_millis(again_millis(town)).millis(),
            cx.next_number()?,
            &told.source_bead_id,
        ),
    )?;
    Ok(())
}

/// How long one waits before it is raised again (`re_escalate_seconds`).
fn again_millis(town: &TownState) -> i64 {
    config::watch(town).re_escalate_seconds.saturating_mul(1_000)
}

/// The town raises one on its own account; it concerns no rig.
pub(super) fn raise(cx: &Cx<'_>, town: &TownState, severity: Severity, category: &str, message: String) -> Result<BeadId, Failure> {
    let told = EscalationLetter {
        agent_id: None,
        severity,
        category: Some(category.to_owned()),
        message,
        created_at: cx.now,
        status: BeadStatus::Open,
        resolved_by: None,
        source_bead_id: None,
    };
    let id = BeadId::from_random(cx.random());
    insert(cx, town, &id, None, &told)?;
    if let Some(entry) = find(cx, &id)? {
        announce(cx, town, &entry, None)?;
    }
    Ok(id)
}

/// An escalation that the town raised is over; an acknowledged one stays as it is.
pub(super) fn resolve(cx: &Cx<'_>, town: &TownState, id: &BeadId, by: &str) -> Result<(), Failure> {
    find(cx, id)?.map_or(Ok(()), |entry| close(cx, town, &entry, Some(by)))
}

fn find(cx: &Cx<'_>, id: &BeadId) -> Result<Option<EscalationEntry>, Fault> {
    query_one(cx.sql, concat!("-- escalations_find\nSELECT ", entry_columns!(), " FROM escalations WHERE id = ?"), (id,))
}

/// Tells the feed and, unless it is of low severity, the Mayor; the alarm looks at it again.
fn announce(cx: &Cx<'_>, town: &TownState, entry: &EscalationEntry, actor: Option<&str>) -> Result<(), Failure> {
    let detail = value!({
        "severity": entry.severity, "category": entry.category, "rig_id": entry.source_rig_id, "agent_id": entry.source_agent_id,
        "re_escalation_count": entry.re_escalation_count,
    });
    feed::write(cx, town, FeedKind::EscalationRaised, entry.id.as_str(), actor, &detail)?;
    cx.wake_at(cx.now.plus_millis(again_millis(town)));
    if entry.severity == Severity::Low {
        return Ok(());
    }
    let again = match entry.re_escalation_count {
        0 => String::new(),
        count => format!(" raised again ({count} of {RAISED_AGAIN_MAX}): nobody has acknowledged it"),
    };
    let message: String = entry.message.chars().take(TOLD_CHARS_MAX).collect();
    let category = entry.category.as_deref().unwrap_or("no category");
    let text = format!(
        "Escalation {} ({}, {category}){again}.\n\n{message}\n\nAcknowledge it with acknowledge_escalation once it is dealt with.",
        entry.id,
        entry.severity.as_str()
    );
    let sender = entry.source_agent_id.as_ref().map_or_else(|| "town".to_owned(), |agent| format!("agent {agent}"));
    // A Mayor with too many messages finds it in the inbox.
    mail::leave(cx, town, &sender, &text, None).map(drop)
}

/// `listEscalations`, newest first unless the worst are to come first.
pub(crate) fn list(cx: &Cx<'_>, _caller: &Caller, (filter,): (Option<EscalationFilter>,)) -> Result<Answer, Failure> {
    const ALL: &str = concat!("-- escalations_list\nSELECT ", entry_columns!(), " FROM escalations ORDER BY sequence DESC LIMIT ?");
    const SOME: &str = concat!(
        "-- escalations_list_some\nSELECT ",
        entry_columns!(),
        " FROM escalations WHERE acknowledged = ? ORDER BY sequence DESC LIMIT ?"
    );
    // Few wait, so that sorting them costs little.
    const WORST: &str = concat!(
        "-- escalations_list_worst\nSELECT ",
        entry_columns!(),
        " FROM escalations WHERE acknowledged = ? ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END,
           created_at, id LIMIT ?"
    );
    state::require(cx)?;
    let filter = filter.unwrap_or_default();
    let entries: Vec<EscalationEntry> = match filter.acknowledged {
        None => query(cx.sql, ALL, (LIST_MAX,))?,
        Some(acknowledged) if filter.worst_first => query(cx.sql, WORST, (i64::from(acknowledged), LIST_MAX))?,
        Some(acknowledged) => query(cx.sql, SOME, (i64::from(acknowledged), LIST_MAX))?,
    };
    json(&entries)
}

/// `acknowledgeEscalation`: or null for an unknown id. Repeating it changes nothing.
pub(crate) fn acknowledge(cx: &Cx<'_>, caller: &Caller, (id,): (BeadId,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let Some(entry) = find(cx, &id)? else { return Ok(Answer::Json("null".to_owned())) };
    close(cx, &town, &entry, Some(&caller.actor()))?;
    breaker::acknowledged(cx, &town, &id, &caller.actor())?;
    let rig = RigId::parse(&entry.source_rig_id).ok();
    if let Some(rig) = rig.filter(|_| entry.acknowledged == 0 && entry.bead_id.is_some()) {
        outbox_letters::acknowledged(cx, &id, &rig)?;
    }
    json(&find(cx, &id)?)
}

/// Marks an escalation as dealt with, unless it is already.
fn close(cx: &Cx<'_>, town: &TownState, entry: &EscalationEntry, by: Option<&str>) -> Result<(), Failure> {
    if entry.acknowledged == 1 {
        return Ok(());
    }
    execute(
        cx.sql,
        "-- escalations_acknowledge\nUPDATE escalations SET acknowledged = 1, acknowledged_at = ?, acknowledged_by = ?, next_at = NULL WHERE id = ?",
        (cx.now.millis(), by, &entry.id),
    )?;
    execute(
        cx.sql,
        "-- escalations_trim\nDELETE FROM escalations WHERE acknowledged_at <=
           (SELECT acknowledged_at FROM escalations WHERE acknowledged_at IS NOT NULL ORDER BY acknowledged_at DESC LIMIT 1 OFFSET ?)",
        (ACKNOWLEDGED_KEPT,),
    )?;
    let detail = value!({"severity": entry.severity, "category": entry.category, "rig_id": entry.source_rig_id});
    feed::write(cx, town, FeedKind::EscalationAcknowledged, entry.id.as_str(), by, &detail)
}

/// Raises overdue escalations again, one step of severity each.
pub(super) fn alarm(cx: &Cx<'_>) -> Result<(), Failure> {
    let Some(town) = state::load(cx)? else { return Ok(()) };
    let due: Vec<(BeadId, Severity, i64)> = query(
        cx.sql,
        "-- escalations_due\nSELECT id, severity, re_escalation_count FROM escalations WHERE next_at <= ? ORDER BY next_at LIMIT ?",
        (cx.now.millis(), RAISED_PER_ALARM_MAX),
    )?;
    for (id, severity, count) in due {
        let next_at = (count + 1 < RAISED_AGAIN_MAX).then(|| cx.now.plus_millis(again_millis(&town)).millis());
        execute(
            cx.sql,
            "-- escalations_raise\nUPDATE escalations SET severity = ?, re_escalation_count = ?, next_at = ? WHERE id = ?",
            (worse(severity), count + 1, next_at, &id),
        )?;
        if let Some(entry) = find(cx, &id)? {
            announce(cx, &town, &entry, None)?;
        }
    }
    let next: Option<i64> = scalar(cx.sql, "-- escalations_next\nSELECT min(next_at) FROM escalations WHERE next_at IS NOT NULL", ())?;
    if let Some(at) = next {
        cx.wake_at(Timestamp::from_millis(at).max(cx.now.plus_millis(MORE_MILLIS)));
    }
    Ok(())
}

const fn worse(severity: Severity) -> Severity {
    match severity {
        Severity::Low => Severity::Medium,
        Severity::Medium => Severity::High,
        Severity::High | Severity::Critical => Severity::Critical,
    }
}

/// The body of a `triage` letter; `None` when it was acknowledged meanwhile, or the rig is gone.
pub(super) fn triage_letter(cx: &Cx<'_>, id: &str, rig: &RigId) -> Composed {
    let Some(entry) = entry_of(cx, id, rig)?.filter(|entry| entry.acknowledged == 0) else { return Ok(None) };
    Ok(Some(write(&EscalationLetter {
        agent_id: entry.source_agent_id,
        severity: entry.severity,
        category: entry.category,
        message: entry.message,
        created_at: entry.created_at,
        status: BeadStatus::Open,
        resolved_by: None,
        source_bead_id: None,
    })?))
}

/// The body of an `acknowledged` letter.
pub(super) fn acknowledgement(cx: &Cx<'_>, id: &str, rig: &RigId) -> Composed {
    let Some(entry) = entry_of(cx, id, rig)? else { return Ok(None) };
    Ok(Some(write(&Acknowledgement { acknowledged_by: entry.acknowledged_by })?))
}

fn entry_of(cx: &Cx<'_>, id: &str, rig: &RigId) -> Result<Option<EscalationEntry>, Failure> {
    let id = BeadId::parse(id).map_err(|_| Fault::new("write a letter", "no id"))?;
    Ok(if rigs::is_known(cx, rig)? { find(cx, &id)? } else { None })
}
