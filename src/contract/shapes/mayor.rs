//! The shapes of the Mayor's conversation, and of what a Mayor begins with. All of them are embedded.
//!
//! Owns names and types of fields, like the module above it.

use super::{AgentCounts, BeadCounts, Coverage};
use crate::contract::columns::json_column;
use crate::contract::ids::{AgentId, BeadId, ConvoyId, RigId, TownId};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

text_enum!(
    // It only moves on. `delivered`: a notification of it went out on an open stream of the Mayor's.
    MayorMessageStatus { Queued = "queued", Delivered = "delivered", Read = "read", Answered = "answered" }
);

text_enum!(
    // Why a town gives out nothing: on purpose, until its agents' runtime is back, or because too much has failed.
    TownPause { Parked = "parked", Draining = "draining", Breaker = "breaker" }
);

/// A message to the Mayor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MayorMessage {
    pub id: BeadId,
    /// User or agent id, `agent <id>` or `town`.
    pub sender: String,
    /// Text that an agent or user wrote, like the next.
    pub message: String,
    pub ui_context: Option<String>,
    pub status: MayorMessageStatus,
    pub created_at: Timestamp,
    /// Order of arrival; replies are numbered in the same order.
    pub sequence: i64,
    pub delivered_at: Option<Timestamp>,
    pub read_at: Option<Timestamp>,
    pub answered_at: Option<Timestamp>,
    /// Number of the last thing that became of it: it was accepted, read or answered. Lists are in this order.
    pub touched: i64,
    #[serde(deserialize_with = "json_column")]
    pub replies: Vec<MayorReply>,
}

/// What the Mayor replied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MayorReply {
    pub id: BeadId,
    /// Text that the Mayor wrote.
    pub text: String,
    pub created_at: Timestamp,
    pub sequence: i64,
}

/// `listMayorMessages`, input.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct MayorMessageFilter {
    /// `next` of an earlier page; without it the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<MayorMessageStatus>,
}

/// `listMayorMessages`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MayorMessagePage {
    /// What changed last comes last.
    pub messages: Vec<MayorMessage>,
    /// Goes on behind the last one, now or later.
    pub next: i64,
    /// There is more behind it already.
    pub more: bool,
    /// Messages that no Mayor has read.
    pub unread: i64,
}

/// Messages that were not read before, in the order of their arrival.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MayorMail {
    pub messages: Vec<MayorMessage>,
    /// How many more wait.
    pub more: i64,
}

/// `replyAsMayor`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MayorReplied {
    pub reply_id: BeadId,
    pub message_id: BeadId,
    pub status: MayorMessageStatus,
    /// Who hears of it.
    pub sender: String,
    /// Replies to this message, with this one.
    pub replies: i64,
}

/// `primeMayor`: what a Mayor begins with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MayorPrime {
    pub town_id: TownId,
    pub town_name: Option<String>,
    pub mayor_agent_id: AgentId,
    pub rigs: Vec<MayorRig>,
    pub mail: MayorMail,
    /// The messages of `mail` count as read from now on.
    pub is_read: bool,
    /// Messages that were read and have no reply.
    pub unanswered: i64,
    pub open_escalations: i64,
    /// Those that have not landed, newest first.
    pub convoys: Vec<MayorConvoy>,
    /// How many more there are.
    pub more_convoys: i64,
    pub agents: AgentCounts,
    pub beads: BeadCounts,
    /// Beads that are ready and wait for a polecat.
    pub queue_depth: i64,
    /// Whose numbers these are; rigs that have told nothing yet are missing from them.
    pub coverage: Coverage,
    /// Why nothing new is given out in the whole town, if nothing is.
    pub paused: Option<TownPause>,
    /// What the dashboard shows just now: text that users wrote.
    pub dashboard_context: Option<String>,
}

/// A rig, as a Mayor needs it to give out work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MayorRig {
    pub id: RigId,
    pub name: String,
    pub git_url: String,
    pub default_branch: String,
    /// Nothing is given out there, on purpose.
    pub parked: bool,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

/// A convoy in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MayorConvoy {
    pub id: ConvoyId,
    pub title: String,
    pub staged: bool,
    pub total_beads: i64,
    pub closed_beads: i64,
    pub failed_beads: i64,
    pub ready_to_land: bool,
}
