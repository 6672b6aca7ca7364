//! The client behind a call, as those see it who carry the call out: what it can do, what it may be told and asked
//! while the work goes on, and what it hears of later.
//!
//! Owns the trait and its plain types. `mcp` implements it in each era's own way; tools, prompts and resources use it
//! and need not know which era they serve. Knows no message format.

use base::error::{Failure, Fault, Refusal};
use base::time::Timestamp;
use futures::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Severity of a log message, as syslog has it; later ones are graver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "RFC 5424's names")]
pub enum LogLevel {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

/// What a client may be able to do, beyond calling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCapability {
    /// Ask its user to fill in a form.
    Elicitation,
    /// Ask its user to visit a URL.
    UrlElicitation,
    /// Ask its model.
    Sampling,
    /// Name its workspace folders.
    Roots,
    /// Take a task instead of a result.
    Tasks,
}

impl ClientCapability {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Elicitation, Self::UrlElicitation, Self::Sampling, Self::Roots, Self::Tasks];

    /// The `ClientCapabilities` that declare it, as JSON text.
    #[must_use]
    pub const fn required(self) -> &'static str {
        match self {
            Self::Elicitation => r#"{"elicitation":{}}"#,
            Self::UrlElicitation => r#"{"elicitation":{"url":{}}}"#,
            Self::Sampling => r#"{"sampling":{}}"#,
            Self::Roots => r#"{"roots":{}}"#,
            Self::Tasks => r#"{"extensions":{"io.modelcontextprotocol/tasks":{}}}"#,
        }
    }
}

/// A question to the client.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InputRequest {
    /// `elicitation/create`, `sampling/createMessage` or `roots/list`.
    pub method: &'static str,
    /// Its parameters.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub params: Value,
    /// What the client must be able to do.
    #[serde(skip)]
    pub capability: ClientCapability,
}

impl InputRequest {
    /// A form. `schema` is a flat object of primitives. Never for secrets.
    #[must_use]
    pub fn form(message: &str, schema: &Value) -> Self {
        let params = json!({"mode": "form", "message": message, "requestedSchema": schema});
        Self { method: "elicitation/create", params, capability: ClientCapability::Elicitation }
    }

    /// A question to the client's model; `params` are those of `sampling/createMessage`.
    #[must_use]
    pub const fn sample(params: Value) -> Self {
        Self { method: "sampling/createMessage", params, capability: ClientCapability::Sampling }
    }

    /// The client's roots.
    #[must_use]
    pub const fn roots() -> Self {
        Self { method: "roots/list", params: Value::Null, capability: ClientCapability::Roots }
    }

    /// Whether `answer` has the form of an answer to this question. What it says is the asker's to judge.
    #[must_use]
    pub fn accepts(&self, answer: &Value) -> bool {
        match self.capability {
            ClientCapability::Elicitation | ClientCapability::UrlElicitation => match answer.get("action").and_then(Value::as_str) {
                Some("accept") => answer.get("content").is_none_or(Value::is_object),
                Some("decline" | "cancel") => true,
                _ => false,
            },
            ClientCapability::Sampling => answer.get("role").is_some_and(Value::is_string) && answer.get("content").is_some(),
            ClientCapability::Roots => answer.get("roots").is_some_and(Value::is_array),
            ClientCapability::Tasks => false,
        }
    }
}

/// Something that a client hears of when it happens: where it comes from, and the notification it becomes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NotificationRoute {
    /// Who tells: an object's instance text, or `self` for what the session object learns itself.
    pub source: String,
    /// What it tells of, in the source's own words.
    pub topic: String,
    /// The town that the source belongs to, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub town: Option<String>,
    /// `method` of the notification.
    pub method: String,
    /// `params` of the notification.
    pub params: Map<String, Value>,
    /// The source is told when the notification has gone out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub receipt: bool,
}

/// The end of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskOutcome {
    /// The `CallToolResult`.
    Result(Map<String, Value>),
    /// The JSON-RPC error object.
    Error(Map<String, Value>),
}

/// Where a result says for how long its task waited, in seconds.
pub const WAITED_SECONDS: &str = "waited_seconds";

/// An answer that comes later, with an event or with time, and without anybody waiting for it.
#[derive(Debug, Clone, PartialEq)]
pub struct DeferredResult {
    /// The task ends with the first of these that tells of something final.
    pub routes: Vec<NotificationRoute>,
    /// The structured content of the result is then this, with what was told and `WAITED_SECONDS`.
    pub frame: Map<String, Value>,
    /// The task ends so at this time, unless it has ended before.
    pub due: Option<(Timestamp, TaskOutcome)>,
    /// Where things stand, for people.
    pub status: Option<String>,
}

/// Why a call does not go on.
#[derive(Debug)]
pub enum Interruption {
    /// Refused or broken.
    Failed(Failure),
    /// The client has been asked something and answers with another call.
    InputRequired,
    /// The call goes on as a task.
    BecameTask,
    /// The client lacks this.
    MissingCapability(ClientCapability),
}

impl From<Failure> for Interruption {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Refusal> for Interruption {
    fn from(refusal: Refusal) -> Self {
        Self::Failed(refusal.into())
    }
}

impl From<Fault> for Interruption {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault.into())
    }
}

/// The client that made a call, for as long as the call lasts.
///
/// A call may be run more than once: a client of the stateless era answers a question by calling again, and a task
/// goes on by running again. So ask first and change things after; answers given once are given again.
pub trait ClientHandle {
    /// Whether the client declared this capability.
    fn can(&self, capability: ClientCapability) -> bool;

    /// Tells how far the work is, if the client wants to know. Values that do not grow are left out.
    fn progress<'a>(&'a self, done: f64, total: Option<f64>, message: &'a str) -> LocalBoxFuture<'a, ()>;

    /// Sends a log message, if the client wants messages of this level.
    fn log<'a>(&'a self, level: LogLevel, logger: &'a str, data: Value) -> LocalBoxFuture<'a, ()>;

    /// Asks the client one or several things at once; the answers come in the same order, each in its method's form.
    /// Names are the call's own and stay the same when it runs again.
    ///
    /// # Errors
    /// `InputRequired` while answers are missing; `MissingCapability` when the client cannot answer such a question.
    fn ask<'a>(&'a self, questions: Vec<(&'static str, InputRequest)>) -> LocalBoxFuture<'a, Result<Vec<Value>, Interruption>>;

    /// The answers that this call has been given are used up: the client cannot make it again with them. Call it
    /// before a change that an answer authorizes.
    ///
    /// # Errors
    /// A refusal when they were used before.
    fn spend(&self) -> LocalBoxFuture<'_, Result<(), Interruption>>;

    /// From here on the call is a task. It runs again from the start, and then this returns.
    ///
    /// # Errors
    /// `BecameTask` the first time, `MissingCapability` when the client takes no tasks.
    fn become_task(&self) -> Result<(), Interruption>;

    /// The work may take a while and may be dropped at any moment when the client no longer wants it.
    fn cancellable(&self);

    /// Lets the client go: its connection ends, the work goes on, and the client fetches the result with its next
    /// connection. Nothing happens where the era has no such thing.
    fn hang_up(&self) -> LocalBoxFuture<'_, ()>;

    /// Waits.
    fn sleep(&self, millis: u32) -> LocalBoxFuture<'static, ()>;
}
