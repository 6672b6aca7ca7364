//! One step of `convoy_unstick`, taken by the rig of the bead.
//!
//! Owns the call and its key, and what is said right after it. Which step is due is `decide`'s.

use super::verdict::{Cause, Rung, Verdict, founded_on};
use crate::contract::shapes::{BeadStatus, ConvoyInspection, TownInspection, UnstickInput, UnstickResult};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::UNSTICK_BEAD;
use crate::tools::interactive::Live;
use crate::tools::playbooks::unstick::messages;
use crate::tools::text::name;
use base::error::{Failure, Fault};
use base::time::Timestamp;
use base64ct::{Base64UrlUnpadded, Encoding};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A step that was taken.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Done {
    pub(super) step: Rung,
    pub(super) bead: String,
    /// Who was nudged or replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<String>,
    /// Who has the bead now, perhaps under the same name; absent: it waits in the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_agent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    escalation: Option<String>,
}

/// What was seen and decided.
pub(super) struct Found {
    pub(super) seen: TownInspection,
    pub(super) convoy: ConvoyInspection,
    pub(super) patience: i64,
    pub(super) verdicts: Vec<Verdict>,
}

impl Found {
    /// Takes the step that is due; what was decided about its bead is then as the step leaves it. Two calls at once take it
    /// once: they say the same, so they have the same key, and the rig looks whether it still holds.
    pub(super) async fn take_step(&mut self, live: &Live<'_>, place: usize) -> Result<(Option<Done>, Option<String>), Failure> {
        let entry = self.convoy.claimed.clone();
        let (as_of, patience) = (self.seen.as_of, self.patience);
        let Some(verdict) = self.verdicts.get_mut(place) else { return Ok((None, None)) };
        let (Some(mut input), Some(rig)) = (founded_on(&entry.id, verdict), verdict.rig.clone()) else { return Ok((None, None)) };
        if verdict.rung == Rung::Escalate {
            input.message = Some(messages::message(verdict, &entry, as_of));
        }
        let derived = key(&input)?;
        let key = live.idempotency_key.unwrap_or(&derived);
        let call = Call::new(Instance::Rig(rig), &UNSTICK_BEAD, (&input,))?;
        let result: UnstickResult = decode(&UNSTICK_BEAD, &live.client.call(&call, Some(live.place.town()?), Some(key)).await?)?;
        if !result.done {
            return Ok((None, Some(result.why.unwrap_or_default())));
        }
        let is_replaced = verdict.rung == Rung::Reassign;
        let done = Done {
            step: verdict.rung,
            bead: verdict.bead.to_string(),
            agent: verdict.holder.as_ref().map(|(_, holder, _)| name(holder)),
            agent_id: verdict.holder.as_ref().map(|(agent, ..)| agent.to_string()),
            new_agent: result.agent_name.as_deref().filter(|_| is_replaced).map(name),
            new_agent_id: result.agent_id.as_ref().filter(|_| is_replaced).map(ToString::to_string),
            escalation: result.escalation_id.as_ref().map(ToString::to_string),
        };
        settle(verdict, &result, patience, as_of);
        Ok((Some(done), None))
    }
}

/// One key for one step on one ground, however often it is called.
fn key(input: &UnstickInput) -> Result<String, Fault> {
    let ground = serde_json::to_vec(input).map_err(|error| Fault::new("write a step", error))?;
    Ok(format!("unstick-{}", Base64UrlUnpadded::encode_string(&Sha256::digest(ground))))
}

/// What is decided about a bead right after its step.
fn settle(verdict: &mut Verdict, result: &UnstickResult, patience: i64, as_of: Timestamp) {
    match verdict.rung {
        Rung::Nudge => (verdict.rung, verdict.again_seconds) = (Rung::Wait, Some(patience)),
        Rung::Escalate => (verdict.rung, verdict.escalation) = (Rung::Human, result.escalation_id.clone()),
        _ => {
            // Its order is not named here, and no step is founded on what is shown.
            verdict.holder = result.agent_id.clone().zip(result.agent_name.clone()).map(|(id, name)| (id, name, 0));
            verdict.since = Some(as_of);
            let (cause, rung) = match (&verdict.holder, result.status) {
                (Some(_), _) => (Cause::NotTakenUp, Rung::Leave),
                (None, Some(BeadStatus::Failed)) => (Cause::Failed, Rung::Human),
                (None, _) => (Cause::AllBusy, Rung::Wait),
            };
            (verdict.cause, verdict.rung, verdict.again_seconds) = (cause, rung, Some(patience));
        }
    }
}
