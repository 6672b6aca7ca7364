//! `ClientHandle` over a channel: what a call may tell and ask its client, in the messages of each era.
//!
//! Owns the messages. When and how they travel is `response_stream`'s.

use crate::client::{ClientCapability, ClientHandle, InputRequest, Interruption, LogLevel};
use crate::multi_round::question_digest;
use crate::response_stream::{Channel, Era};
use crate::session::Session;
use base::error::{Code, Refusal};
use base64ct::{Base64UrlUnpadded, Encoding};
use futures::future::{FutureExt as _, LocalBoxFuture, ready};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// How long a legacy client may take to answer, in milliseconds.
const ANSWER_MILLIS_MAX: i64 = 10 * 60 * 1000;
/// How long one look for the answer lasts.
const HEAR_MILLIS: u32 = 20_000;
/// What a session that never called `logging/setLevel` hears of.
const LEGACY_LEVEL: LogLevel = LogLevel::Info;

#[derive(Serialize)]
struct Message<'a, P> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<P>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HowFar<'a> {
    progress_token: &'a RawValue,
    progress: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Value>,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
}

fn message<P: Serialize>(id: Option<&str>, method: &str, params: Option<P>) -> String {
    serde_json::to_string(&Message { jsonrpc: "2.0", id, method, params }).unwrap_or_default()
}

/// Whole numbers are written as such.
fn number(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "checked: a whole number below 2^53")]
    if value.fract() == 0.0 && value.abs() < 9e15 { Value::from(value as i64) } else { Value::from(value) }
}

impl Channel<'_> {
    async fn tell_progress(&self, done: f64, total: Option<f64>, text: &str) {
        let Some(token) = self.progress_token else { return };
        if self.progress_done.get().is_some_and(|last| done <= last) {
            return;
        }
        self.progress_done.set(Some(done));
        let text = if self.revision.has_progress_messages() { text } else { "" };
        let params = HowFar { progress_token: token, progress: number(done), total: total.map(number), message: text };
        self.send(message(None, "notifications/progress", Some(params))).await;
    }

    async fn tell_log(&self, level: LogLevel, logger: &str, data: Value) {
        let wanted = match (self.log_level.get(), &self.era) {
            (Some(known), _) => *known,
            (None, Era::Legacy { session, .. }) => {
                let known = match self.server.session_store().session(&session.key).await {
                    Ok(state) => state.log_level,
                    Err(fault) => {
                        self.server.log_fault(&fault);
                        None
                    }
                };
                *self.log_level.get_or_init(|| Some(known.unwrap_or(LEGACY_LEVEL)))
            }
            (None, _) => None,
        };
        if wanted.is_some_and(|wanted| level >= wanted) {
            let params = json!({"level": level, "logger": logger, "data": data});
            self.send(message(None, "notifications/message", Some(params))).await;
        }
    }

    /// Answers known from earlier rounds; what is missing is noted and answered by calling again.
    fn recall(&self, questions: &[(&'static str, InputRequest)]) -> Result<Vec<Value>, Interruption> {
        let mut answers = Vec::with_capacity(questions.len());
        let mut asked = self.questions.borrow_mut();
        for (name, question) in questions {
            let wire = serde_json::to_value(question).unwrap_or_default();
            let known = self.inputs.answers.get(*name).filter(|known| {
                let is_to_this = known.question.is_empty() || known.question == question_digest(&wire);
                is_to_this && question.accepts(&known.answer)
            });
            match known {
                Some(known) => answers.push(known.answer.clone()),
                None => {
                    asked.insert((*name).to_owned(), wire);
                }
            }
        }
        if answers.len() == questions.len() { Ok(answers) } else { Err(Interruption::InputRequired) }
    }

    /// Asks on the stream and waits for the answers, which come with other requests.
    async fn ask_and_wait(
        &self,
        session: &Session,
        request: &str,
        questions: Vec<(&'static str, InputRequest)>,
    ) -> Result<Vec<Value>, Interruption> {
        if self.outlet.is_none() {
            let refusal = Refusal::new(Code::Unsupported, "This needs an answer from you, and your client takes no event streams");
            return Err(refusal.hint("Send Accept: application/json, text/event-stream.").into());
        }
        self.is_cancellable.set(true);
        let ids: Vec<String> = questions.iter().map(|_| Base64UrlUnpadded::encode_string(&self.server.random())).collect();
        for (id, (_, question)) in ids.iter().zip(&questions) {
            let mut params = question.params.clone();
            if !self.revision.has_elicitation_modes()
                && let Some(params) = params.as_object_mut()
            {
                params.remove("mode");
            }
            let params = Some(params).filter(|params| !params.is_null());
            self.send(message(Some(id), question.method, params)).await;
        }
        let mut answers: Map<String, Value> = Map::new();
        let latest = self.server.now().plus_millis(ANSWER_MILLIS_MAX);
        while answers.len() < ids.len() {
            if self.server.now() >= latest {
                let refusal = Refusal::new(Code::Unavailable, "Your client did not answer in time; nothing was changed");
                return Err(refusal.hint("Call again and answer within ten minutes.").into());
            }
            let missing: Vec<String> = ids.iter().filter(|id| !answers.contains_key(*id)).cloned().collect();
            let heard = self.server.session_store().await_replies(&session.key, request, &missing, HEAR_MILLIS).await?;
            if heard.is_cancelled {
                self.is_cancelled.set(true);
                return Err(Interruption::InputRequired);
            }
            answers.extend(heard.answers);
        }
        let answer = |(id, (_, question)): (&String, &(&str, InputRequest))| {
            let answer = answers.remove(id).unwrap_or_default();
            if let Some(result) = answer.get("result").filter(|result| question.accepts(result)) {
                return Ok(result.clone());
            }
            let refusal = Refusal::new(Code::Conflict, format!("Your client did not answer {}", question.method));
            Err(refusal.hint("Nothing was changed. Call again, and accept or decline what is asked.").into())
        };
        ids.iter().zip(&questions).map(answer).collect()
    }
}

impl ClientHandle for Channel<'_> {
    fn can(&self, capability: ClientCapability) -> bool {
        self.declares(capability)
    }

    fn progress<'a>(&'a self, done: f64, total: Option<f64>, message: &'a str) -> LocalBoxFuture<'a, ()> {
        self.tell_progress(done, total, message).boxed_local()
    }

    fn log<'a>(&'a self, level: LogLevel, logger: &'a str, data: Value) -> LocalBoxFuture<'a, ()> {
        self.tell_log(level, logger, data).boxed_local()
    }

    fn ask<'a>(&'a self, questions: Vec<(&'static str, InputRequest)>) -> LocalBoxFuture<'a, Result<Vec<Value>, Interruption>> {
        if let Some((_, question)) = questions.iter().find(|(_, question)| !self.declares(question.capability)) {
            return ready(Err(Interruption::MissingCapability(question.capability))).boxed_local();
        }
        match &self.era {
            Era::Legacy { session, request } => self.ask_and_wait(session, request, questions).boxed_local(),
            Era::Modern { .. } | Era::Beginning => ready(self.recall(&questions)).boxed_local(),
        }
    }

    fn spend(&self) -> LocalBoxFuture<'_, Result<(), Interruption>> {
        let Some((round, expires)) = &self.inputs.round else {
            let is_unasked = self.inputs.answers.values().any(|known| known.question.is_empty());
            let refusal = Refusal::new(Code::InvalidArgument, "These answers were not asked for; nothing was changed");
            let outcome =
                if is_unasked { Err(refusal.hint("Call again without inputResponses, and answer what is asked.").into()) } else { Ok(()) };
            return ready(outcome).boxed_local();
        };
        async move {
            if self.server.session_store().spend(round, *expires).await? {
                return Ok(());
            }
            let refusal = Refusal::new(Code::Conflict, "These answers have been used already; nothing was changed this time");
            Err(refusal.hint("Look at what the first call did. To do it again, call without requestState.").into())
        }
        .boxed_local()
    }

    fn become_task(&self) -> Result<(), Interruption> {
        if self.is_task {
            Ok(())
        } else if self.declares(ClientCapability::Tasks) {
            Err(Interruption::BecameTask)
        } else {
            Err(Interruption::MissingCapability(ClientCapability::Tasks))
        }
    }

    fn cancellable(&self) {
        self.is_cancellable.set(true);
    }

    fn hang_up(&self) -> LocalBoxFuture<'_, ()> {
        async move {
            // Before 2025-11-25 a client takes a stream that ends early for a failed call.
            let can_return = matches!(self.era, Era::Legacy { .. }) && self.revision.has_primed_streams();
            if can_return && self.open().await {
                self.close();
            }
        }
        .boxed_local()
    }

    fn sleep(&self, millis: u32) -> LocalBoxFuture<'static, ()> {
        self.server.sleep(millis)
    }
}
