//! The shapes of messages: what agents and Mayors send each other, and what an agent is told when it begins.
//!
//! Owns names and types of fields, like the module above it.

use super::{Agent, AgentRole, Bead, Channel, CurrentStep, NudgeMode, NudgePriority};
use crate::contract::columns::{flag_column, json_column};
use crate::contract::ids::{AgentId, BeadId, RigId};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Embedded: a message of any channel. `payload` holds `subject`, `body` and, of hand-offs, `bead_id`; of nudges `message`,
/// `mode`, `priority` and `source`; of hooks `bead_id` and `branch`. All of these are text that agents or users wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub id: String,
    /// Agent or user id, `mayor`, or `rig` when the rig gave out work by itself.
    pub from: String,
    /// Agent id, or `mayor`.
    pub to: String,
    pub channel: Channel,
    #[serde(deserialize_with = "json_column")]
    pub payload: Map<String, Value>,
    pub timestamp: Timestamp,
    /// Kept until it was read; nudges are gone after a day.
    #[serde(deserialize_with = "flag_column")]
    pub durable: bool,
    /// Null until it was taken.
    pub delivered_at: Option<Timestamp>,
    /// `mail/{to}/{timestamp}-{from}` of what is durable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// Embedded: where a page of messages ended. Lists run from the oldest message to the newest, ties by id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MessagePosition {
    pub timestamp: Timestamp,
    pub id: String,
}

/// Embedded `listMessages`, input.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageFilter {
    /// The recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Only what nobody has taken yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<MessagePosition>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}

/// Contract 2.4 `registerAgent`, input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RegisterAgentInput {
    pub role: AgentRole,
    pub name: String,
    pub identity: String,
    #[serde(default)]
    pub rig_id: Option<RigId>,
}

/// Embedded `sendHandoff`, input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HandoffInput {
    pub from: String,
    pub to: String,
    pub subject: String,
    pub body: String,
    #[serde(default)]
    pub bead_id: Option<BeadId>,
}

/// Contract 2.4 `queueNudge`, options.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NudgeOptions {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<NudgeMode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<NudgePriority>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<i64>,
}

/// Contract 2.4 `getPendingNudges`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Nudge {
    pub nudge_id: String,
    pub message: String,
    pub mode: NudgeMode,
    pub priority: NudgePriority,
    pub source: String,
}

/// Contract 3.11. Embedded: everything after the three contexts, which are the contract's objects, or null.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PrimeContext {
    pub agent: Agent,
    pub hooked_bead: Option<Bead>,
    pub undelivered_mail: Vec<Mail>,
    pub open_beads: Vec<Bead>,
    pub rework_context: Value,
    pub pr_fixup_context: Value,
    pub pr_conflict_context: Value,
    /// What to do now, without asking.
    pub instructions: String,
    pub nudges: Vec<Nudge>,
    /// Commands that must succeed before work is submitted or merged.
    pub quality_gates: Vec<String>,
    /// The order that the hook is; null without a hook.
    pub order: Option<i64>,
    /// Where the branch begins, and what it is merged into; null without a hook.
    pub base_branch: Option<String>,
    /// The step of its formula that is next.
    pub step: Option<CurrentStep>,
}

/// Contract 3.4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mail {
    pub id: BeadId,
    pub from_agent_id: String,
    pub to_agent_id: AgentId,
    pub subject: String,
    pub body: String,
    #[serde(deserialize_with = "flag_column")]
    pub delivered: bool,
    pub created_at: Timestamp,
    pub delivered_at: Option<Timestamp>,
    /// Embedded: `mail`, or `handoff` for work that changes hands.
    pub channel: Channel,
    /// Embedded: that work.
    #[serde(default)]
    pub bead_id: Option<BeadId>,
}

/// Contract 2.4 `sendMail`, input. Embedded: `mayor` stands for the town's Mayor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MailInput {
    pub from_agent_id: String,
    pub to_agent_id: String,
    pub subject: String,
    pub body: String,
}
