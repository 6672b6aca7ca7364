//! Nudges: light reminders. They wait for the agent's next look, urgent ones first, and are gone after a day at the latest.
//!
//! Owns their rules. The table is `messages`'. No process is touched: a nudge is delivered when the agent's side takes it.

use crate::contract::ids::AgentId;
use crate::contract::shapes::{Channel, Nudge, NudgeMode, NudgeOptions, NudgePriority};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::rig::messages;
use crate::objects::rig::messages::{NewMessage, NewNudge};
use crate::objects::rig::{agents, state};
use crate::objects::store::sql::{execute, query, query_one};
use base::error::{Code, Failure, Fault, Refusal, refuse};

/// Longest nudge, in bytes.
pub const NUDGE_BYTES_MAX: usize = 4_096;
/// Longest source, in bytes.
pub const SOURCE_BYTES_MAX: usize = 128;
/// How long a nudge waits at most, in seconds.
pub const TTL_SECONDS_MAX: i64 = 24 * 60 * 60;
/// Nudges handed out by one look.
pub const PENDING_MAX: i64 = 100;

/// `queueNudge(agentId, message, options)`: answers the nudge's id.
pub(crate) fn queue_nudge(
    cx: &Cx<'_>,
    caller: &Caller,
    (agent_id, message, options): (AgentId, String, Option<NudgeOptions>),
) -> Result<Answer, Failure> {
    state::require(cx)?;
    let options = options.unwrap_or_default();
    // An agent cannot choose the source of its nudge.
    let own = caller.principal.role.is_of_rig().then(|| caller.actor());
    let source = options.source.clone().or(own).unwrap_or_else(|| "system".to_owned());
    caller.check_speaks_for(&source)?;
    agents::require(cx, &agent_id)?;
    let sender = caller.actor();
    json(&queue(cx, &agent_id, &message, &sender, &NudgeOptions { source: Some(source), ..options })?)
}

/// Leaves a nudge for an agent that lives here.
pub(in crate::objects::rig) fn queue(
    cx: &Cx<'_>,
    to: &AgentId,
    message: &str,
    sender: &str,
    options: &NudgeOptions,
) -> Result<String, Failure> {
    if message.trim().is_empty() || message.len() > NUDGE_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("message must have 1 to {NUDGE_BYTES_MAX} bytes")));
    }
    let source = options.source.as_deref().unwrap_or("system");
    if source.is_empty() || source.len() > SOURCE_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("source must have 1 to {SOURCE_BYTES_MAX} bytes")));
    }
    let mode = options.mode.unwrap_or(NudgeMode::WaitIdle);
    let seconds = options.ttl_seconds.unwrap_or(TTL_SECONDS_MAX);
    if !(1..=TTL_SECONDS_MAX).contains(&seconds) {
        return Err(refuse(Code::InvalidArgument, format!("ttlSeconds must be 1 to {TTL_SECONDS_MAX}")));
    }
    if options.ttl_seconds.is_some() && mode != NudgeMode::Queue {
        let refusal = Refusal::new(Code::InvalidArgument, format!("ttlSeconds is for mode queue, not for {}", mode.as_str()));
        return Err(refusal.hint("Say mode queue, or leave ttlSeconds out.").into());
    }
    let id = messages::insert(
        cx,
        &NewMessage {
            channel: Channel::Nudge,
            sender,
            recipient: to.as_str(),
            subject: "",
            body: message,
            bead: None,
            nudge: Some(NewNudge { mode, priority: options.priority.unwrap_or(NudgePriority::Normal), source }),
            expires_at: Some(cx.now.plus_millis(seconds * 1_000)),
        },
    )?;
    Ok(id.to_string())
}

/// `getPendingNudges`: urgent first, then in order. They stay pending until they are marked.
pub(crate) fn get_pending(cx: &Cx<'_>, caller: &Caller, (agent_id,): (AgentId,)) -> Result<Answer, Failure> {
    state::require(cx)?;
    messages::check_reads(caller, Some(agent_id.as_str()))?;
    json(&pending(cx, &agent_id)?)
}

/// The reminders that wait for an agent.
pub(in crate::objects::rig) fn pending(cx: &Cx<'_>, agent_id: &AgentId) -> Result<Vec<Nudge>, Fault> {
    query(
        cx.sql,
        "-- nudges_pending\nSELECT id AS nudge_id, body AS message, mode, priority, source FROM messages
         WHERE recipient = ? AND channel = 'nudge' AND delivered_at IS NULL AND expires_at > ?
         ORDER BY priority = 'urgent' DESC, sequence LIMIT ?",
        (agent_id, cx.now.millis(), PENDING_MAX),
    )
}

/// `markNudgeDelivered`. A nudge that is gone changes nothing.
pub(crate) fn mark_delivered(cx: &Cx<'_>, caller: &Caller, (nudge_id,): (String,)) -> Result<Answer, Failure> {
    state::require(cx)?;
    let found: Option<(String,)> =
        query_one(cx.sql, "-- nudges_find\nSELECT recipient FROM messages WHERE id = ? AND channel = 'nudge'", (&nudge_id,))?;
    if let Some((recipient,)) = found {
        caller.check_speaks_for(&recipient)?;
        execute(
            cx.sql,
            "-- nudges_delivered\nUPDATE messages SET delivered_at = ? WHERE id = ? AND delivered_at IS NULL",
            (cx.now.millis(), &nudge_id),
        )?;
    }
    Ok(Answer::Void)
}

/// `expireStaleNudges`: the number of nudges that expired before they were taken.
pub(crate) fn expire_stale(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    state::require(cx)?;
    json(&messages::expire(cx)?)
}
