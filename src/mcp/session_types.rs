//! Protocol state as values: what `mcp` asks to be kept beyond a request, and the session object keeps.
//!
//! Owns the values that travel between the two. Neither the protocol's rules nor any storage is here.

use crate::client::{NotificationRoute, TaskOutcome};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is known of a legacy session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionState {
    /// Its client ended it.
    pub has_ended: bool,
    /// What `logging/setLevel` set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_level: Option<crate::client::LogLevel>,
}

/// A stream to be opened: messages as they come, until it ends or another connection takes it over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OpenStream {
    /// Name, unique in its session object. The same name again takes the stream over.
    pub stream: String,
    /// The legacy session that it belongs to. Such a stream outlives its connections, and its events have ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// It is begun when it is not there. A call's stream is not: what is not there any more is over.
    #[serde(default)]
    pub begins: bool,
    /// The last event that the client has; what came after it is sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// It begins with an event without data, by which the client learns an id to resume from.
    #[serde(default)]
    pub is_primed: bool,
    /// Sent before anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// Sent when the server ends the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Put into the `_meta` of every message: `io.modelcontextprotocol/subscriptionId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<Value>,
    /// What is heard on it.
    pub routes: Vec<NotificationRoute>,
    /// When the server ends it.
    pub closes_at: Timestamp,
}

/// What became of messages appended to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appended {
    /// The number of the last of them, or of the last there was.
    pub number: i64,
    /// Whether the connection that began the stream is still the one to send them.
    pub is_own: bool,
}

/// What a client has said meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ClientReplies {
    /// Answers by request id: the whole JSON-RPC response without its envelope, `{"result":…}` or `{"error":…}`.
    pub answers: Map<String, Value>,
    /// It has cancelled the call.
    pub is_cancelled: bool,
}

/// Answers by the names of the questions.
pub type InputResponses = BTreeMap<String, InputResponse>;

/// An answer, and to what. A question of the same name that asks something else is another question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputResponse {
    /// Digest of the question; empty for an answer that nobody asked for.
    pub question: String,
    /// What the client said.
    pub answer: Value,
}

/// Where a task stands (2026-07-28, tasks extension).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the extension's names")]
pub enum TaskStatus {
    Working,
    InputRequired,
    Completed,
    Failed,
    Cancelled,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Unguessable.
    pub id: String,
    /// The principal that it belongs to.
    pub principal: String,
    /// The tool.
    pub tool: String,
    /// Its arguments, as JSON text.
    pub arguments: String,
    /// See `TaskStatus`.
    pub status: TaskStatus,
    /// The same for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How long it is kept, in milliseconds from its beginning.
    pub ttl_ms: i64,
    /// Answers that its client has given, by the question's name.
    pub answers: InputResponses,
    /// Questions that its client has yet to answer.
    pub questions: Map<String, Value>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<TaskOutcome>,
    /// What it waits for.
    #[serde(default)]
    pub routes: Vec<NotificationRoute>,
    /// What its result says besides what is told: see `client::DeferredResult`.
    #[serde(default)]
    pub frame: Map<String, Value>,
    /// How it ends at a time, unless it ends before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<(Timestamp, TaskOutcome)>,
    /// Grows with every change: a change of an older version is not taken.
    pub version: i64,
}

/// How often a client should look at a task, in milliseconds.
pub const TASK_POLL_MILLIS: i64 = 1_000;

impl Task {
    /// `DetailedTask` of the extension.
    #[must_use]
    pub fn detailed(&self) -> Map<String, Value> {
        let mut wire = self.summary();
        match &self.ending {
            Some(TaskOutcome::Result(result)) if self.status == TaskStatus::Completed => {
                let mut result = result.clone();
                result.entry("resultType").or_insert_with(|| Value::from("complete"));
                wire.insert("result".to_owned(), Value::Object(result));
            }
            Some(TaskOutcome::Error(error)) if self.status == TaskStatus::Failed => {
                wire.insert("error".to_owned(), Value::Object(error.clone()));
            }
            _ => {}
        }
        if self.status == TaskStatus::InputRequired {
            wire.insert("inputRequests".to_owned(), Value::Object(self.questions.clone()));
        }
        wire
    }

    /// `Task` of the extension.
    #[must_use]
    pub fn summary(&self) -> Map<String, Value> {
        let mut wire = Map::new();
        let mut put = |name: &str, value: Value| wire.insert(name.to_owned(), value);
        put("taskId", Value::from(self.id.as_str()));
        put("status", serde_json::to_value(self.status).unwrap_or_default());
        if let Some(message) = &self.message {
            put("statusMessage", Value::from(message.as_str()));
        }
        put("createdAt", Value::from(self.created_at.to_string()));
        put("lastUpdatedAt", Value::from(self.updated_at.to_string()));
        put("ttlMs", Value::from(self.ttl_ms));
        put("pollIntervalMs", Value::from(TASK_POLL_MILLIS));
        wire
    }

    /// Ends the task, unless it has ended.
    pub fn end(&mut self, ending: TaskOutcome, now: Timestamp) {
        if self.has_ended() {
            return;
        }
        self.status = if matches!(ending, TaskOutcome::Result(_)) { TaskStatus::Completed } else { TaskStatus::Failed };
        self.ending = Some(ending);
        self.rest(now);
    }

    /// Cancels the task, unless it has ended.
    pub fn cancel(&mut self, now: Timestamp) {
        if self.has_ended() {
            return;
        }
        self.status = TaskStatus::Cancelled;
        self.rest(now);
    }

    /// Whether nothing will change any more.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        matches!(self.status, TaskStatus::Completed | TaskStatus::Failed | TaskStatus::Cancelled)
    }

    /// Nothing is waited for any more.
    fn rest(&mut self, now: Timestamp) {
        self.routes.clear();
        self.frame.clear();
        self.due = None;
        self.questions.clear();
        self.message = None;
        self.updated_at = now;
    }
}
