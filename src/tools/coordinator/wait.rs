//! Waiting: the tool that answers when something has ended.
//!
//! Owns what can be waited for (`Until`) and the two ways of waiting: as a task, which nobody's request keeps alive, and
//! for clients without tasks as one call that looks again whenever something was heard. Who tells, and what, the objects
//! know. Another thing to wait for is a variant of `Until`, its arms and an argument.

use super::convoys::{convoy_id, unknown};
use crate::contract::ids::{BeadId, ConvoyId, RigId, TownId};
use crate::contract::outcome::Outcome;
use crate::contract::shapes::{Bead, ConvoyDetail, MayorMessage};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::client::CALL_MILLIS_MAX;
use crate::rpc::table::{AWAIT_WATCH, GET_BEAD, GET_CONVOY_STATUS, GET_MAYOR_MESSAGE, Method, OPEN_WATCH};
use crate::tools::interactive::{Live, LiveTool};
use crate::tools::resolve::bead;
use crate::tools::tool::{Hints, Reach};
use crate::tools::topic::Source;
use base::error::{Code, Failure, Refusal};
use base::json::object;
use base::time::Timestamp;
use base64ct::{Base64UrlUnpadded, Encoding};
use futures::future::LocalBoxFuture;
use mcp::client::{ClientCapability, DeferredResult, Interruption, TaskOutcome, WAITED_SECONDS};
use mcp::types::ToolReply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How long a task waits unless the caller says otherwise.
const SECONDS_DEFAULT: u32 = 600;
/// How long a task waits at most.
pub const SECONDS_MAX: u32 = 3_600;
/// How long a call waits at most that is no task: clients give up on calls after half a minute and more.
pub const CALL_SECONDS_MAX: u32 = 25;
/// A client that wants progress hears of it this often.
const ROUND_MILLIS: u32 = 5_000;
/// How long to wait before the next look when the object that was waited at has gone away.
const RETRY_MILLIS: u32 = 500;
/// For how much longer than the call the watch is kept.
const WATCH_SPARE_MILLIS: i64 = 60_000;

/// Waits until a convoy or a bead has ended, or the Mayor has replied to a message, and says how. Use it instead of looking
/// again and again; where `done` is false, call it again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitFor {
    /// Convoy id: waits until every bead of it is done, merged or failed. Give this, `bead` or `message`.
    convoy: Option<String>,
    /// Bead id: waits until it is done, merged or failed.
    bead: Option<String>,
    /// Id of a message to the Mayor: waits for a reply.
    message: Option<String>,
    /// How long to wait at most, 1 to 3600 (default 600). A client that takes no tasks is answered after 25 at the latest.
    timeout_seconds: Option<u32>,
}

/// How the wait ended.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "tasks are given the same name by `mcp_client`")]
pub struct Waited {
    town: String,
    subject: Subject,
    /// The wait is over: nothing will change any more. Whether it went well says `status`.
    done: bool,
    /// Of a convoy: `staged`, `running`; `complete` or `landed` when every bead is done or merged; `closed` when a person
    /// ended it; `failed` when all have ended and some of them failed. Of a bead: `open`, `in_progress`, `in_review`; `merged`, `done` (closed without
    /// evidence of a merge) or `failed`. Of either: `deleted`. Of a message: `queued`, `delivered`, `read`, `answered`, `dropped`.
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    convoy_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_beads: Option<i64>,
    /// Done or merged.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_beads: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_beads: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bead_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rig_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    /// When it was so, where that is not now.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    waited_seconds: i64,
    /// What to call next.
    next: String,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Subject {
    Convoy,
    Bead,
    Message,
}

/// What is waited for.
enum Until {
    Convoy(ConvoyId),
    Bead(RigId, BeadId),
    Message(BeadId),
}

impl LiveTool for WaitFor {
    const NAME: &'static str = "wait_for";
    const TITLE: &'static str = "Wait for something to end";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"convoy":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d","timeout_seconds":600}"#;
    type Output = Waited;

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(self.wait(live))
    }
}

impl WaitFor {
    async fn wait(&self, live: &Live<'_>) -> Result<ToolReply, Interruption> {
        let seconds = self.timeout_seconds.unwrap_or(SECONDS_DEFAULT);
        if !(1..=SECONDS_MAX).contains(&seconds) {
            let refusal = Refusal::new(Code::InvalidArgument, format!("timeout_seconds must be 1 to {SECONDS_MAX}"));
            return Err(refusal.hint("For longer waits call again.").into());
        }
        let (until, now) = self.until(live).await?;
        let town = live.place.town()?;
        if now.terminal {
            return reply(until.frame(town, now, 0));
        }
        if live.mcp_client.can(ClientCapability::Tasks) {
            live.mcp_client.become_task()?;
            return Ok(ToolReply::Deferred(until.later(live, town, now, seconds)));
        }
        until.watch(live, town, seconds.min(CALL_SECONDS_MAX)).await
    }

    /// What the arguments name, and how it stands.
    async fn until(&self, live: &Live<'_>) -> Result<(Until, Outcome), Failure> {
        match (&self.convoy, &self.bead, &self.message) {
            (Some(convoy), None, None) => {
                let until = Until::Convoy(convoy_id("convoy", convoy)?);
                let now = until.look(live).await?;
                if now == until.gone() { Err(unknown(convoy).into()) } else { Ok((until, now)) }
            }
            (None, Some(id), None) => {
                let (rig, bead) = bead(live.client, live.place.town()?, id.trim()).await?;
                let now = of_bead(&rig, &bead);
                Ok((Until::Bead(rig, bead.bead_id), now))
            }
            (None, None, Some(id)) => {
                let unknown = |code| Refusal::new(code, "message: no message to this town's Mayor has that id");
                let hint = "send_mayor_message tells the id, mayor_messages shows all.";
                let id = BeadId::parse(id.trim()).map_err(|_| unknown(Code::InvalidArgument).hint(hint))?;
                let until = Until::Message(id);
                let now = until.look(live).await?;
                if now == until.gone() { Err(unknown(Code::NotFound).hint(hint).into()) } else { Ok((until, now)) }
            }
            _ => {
                let refusal = Refusal::new(Code::InvalidArgument, "wait_for: give one of convoy, bead and message");
                Err(refusal.hint("list_convoys, list_beads and mayor_messages show their ids.").into())
            }
        }
    }
}

impl Until {
    /// How it stands.
    async fn look(&self, live: &Live<'_>) -> Result<Outcome, Failure> {
        let town = live.place.town()?;
        match self {
            Self::Convoy(id) => {
                let found: Option<ConvoyDetail> = ask(live, town, Instance::Town(town.clone()), &GET_CONVOY_STATUS, (id,)).await?;
                Ok(found.map_or_else(|| self.gone(), |detail| Outcome::of_convoy(&detail.entry)))
            }
            Self::Bead(rig, id) => {
                let found: Option<Bead> = ask(live, town, Instance::Rig(rig.clone()), &GET_BEAD, (id,)).await?;
                Ok(found.map_or_else(|| self.gone(), |bead| of_bead(rig, &bead)))
            }
            Self::Message(id) => {
                let found: Option<MayorMessage> = ask(live, town, Instance::Town(town.clone()), &GET_MAYOR_MESSAGE, (id,)).await?;
                Ok(Outcome::of_message(id, found.as_ref()))
            }
        }
    }

    /// How it stands when it is not there any more.
    fn gone(&self) -> Outcome {
        match self {
            Self::Convoy(id) => Outcome::of_deleted_convoy(id),
            Self::Bead(rig, id) => Outcome::of_bead(id.as_str(), rig, None),
            Self::Message(id) => Outcome::of_message(id, None),
        }
    }

    fn source(&self, town: &TownId) -> Source {
        match self {
            Self::Convoy(id) => Source::convoy(town, id),
            Self::Bead(rig, id) => Source::bead(town, rig, id),
            Self::Message(id) => Source::message(town, id),
        }
    }

    /// What an answer says besides how it stands; `done` once it has ended.
    fn about(&self, town: &TownId, done: bool) -> Map<String, Value> {
        let (subject, then) = match self {
            Self::Convoy(_) => {
                (Subject::Convoy, "Call convoy_status to see what became of each bead: failed is not done, done is not merged.".to_owned())
            }
            Self::Bead(_, id) => {
                (Subject::Bead, format!("Read gastown://towns/{town}/beads/{id}, or call list_beads, to see what became of it."))
            }
            Self::Message(_) => {
                (Subject::Message, format!("Read gastown://towns/{town}/mayor, or call mayor_messages, to see what the Mayor replied."))
            }
        };
        let next = match self {
            _ if done => then,
            Self::Message(_) => "The Mayor has not replied yet. Call wait_for again with the same arguments.".to_owned(),
            _ => "Nothing is wrong, it is still under way. Call wait_for again with the same arguments.".to_owned(),
        };
        object([("town", json!(town)), ("subject", json!(subject)), ("done", done.into()), ("next", next.into())])
    }

    /// The whole answer.
    fn frame(&self, town: &TownId, now: Outcome, waited_seconds: u32) -> Map<String, Value> {
        let mut fields = self.about(town, now.terminal);
        if now.told.get("status").is_some_and(|status| status == "staged") {
            let next = "It is staged: nothing of it is given out until it is started. Call wait_for again once it is.";
            fields.insert("next".to_owned(), next.into());
        }
        fields.insert(WAITED_SECONDS.to_owned(), waited_seconds.into());
        fields.extend(now.fields());
        fields
    }

    /// The task that waits.
    fn later(&self, live: &Live<'_>, town: &TownId, now: Outcome, seconds: u32) -> DeferredResult {
        let at = live.client.runtime.now();
        let mut late = self.frame(town, now, seconds);
        late.insert("as_of".to_owned(), at.to_string().into());
        let late = Value::Object(late);
        let result = object([
            ("resultType", "complete".into()),
            ("content", json!([{"type": "text", "text": late.to_string()}])),
            ("structuredContent", late),
        ]);
        DeferredResult {
            // A task is told by its routes and notifies nobody.
            routes: vec![self.source(town).route("", Map::new())],
            frame: self.about(town, true),
            due: Some((at.plus_millis(i64::from(seconds) * 1_000), TaskOutcome::Result(result))),
            status: Some(format!("Waits for at most {seconds} s")),
        }
    }

    /// Waits within the call: hears first and looks then, so that nothing is missed between the two.
    async fn watch(&self, live: &Live<'_>, town: &TownId, seconds: u32) -> Result<ToolReply, Interruption> {
        live.mcp_client.cancellable();
        let runtime = live.client.runtime;
        let began = runtime.now();
        let deadline = began.plus_millis(i64::from(seconds) * 1_000);
        let watch = Base64UrlUnpadded::encode_string(&runtime.random());
        let routes = [self.source(town).route("", Map::new())];
        let expires_at = deadline.plus_millis(WATCH_SPARE_MILLIS).millis();
        let open = Call::new(live.sessions.clone(), &OPEN_WATCH, (&watch, routes, expires_at))?;
        live.client.call_internal(&open, live.place.town.as_ref()).await?;
        loop {
            let now = self.look(live).await?;
            let waited = u32::try_from(runtime.now().since(began) / 1_000).unwrap_or(seconds);
            if now.terminal || runtime.now() >= deadline {
                return reply(self.frame(town, now, waited));
            }
            hear(live, &watch, began, deadline).await?;
        }
    }
}

/// Returns when something was heard, when it is time, or when nobody can say.
async fn hear(live: &Live<'_>, watch: &str, began: Timestamp, deadline: Timestamp) -> Result<(), Interruption> {
    let runtime = live.client.runtime;
    let seconds = |from: Timestamp, to: Timestamp| u32::try_from(to.since(from) / 1_000).unwrap_or_default();
    let total = seconds(began, deadline);
    while runtime.now() < deadline {
        let waited = seconds(began, runtime.now());
        live.mcp_client.progress(waited.into(), Some(total.into()), &format!("Waiting, {waited} of {total} s")).await;
        let until = runtime.now().plus_millis(ROUND_MILLIS.into()).min(deadline);
        let call = Call::new(live.sessions.clone(), &AWAIT_WATCH, (watch, until.millis()))?;
        match live.client.call_internal_within(&call, live.place.town.as_ref(), ROUND_MILLIS + CALL_MILLIS_MAX).await {
            Ok(text) if decode(&AWAIT_WATCH, &text)? => return Ok(()),
            Ok(_) => {}
            // It was put out of memory; what it heard is kept, and a look tells as much.
            Err(_) => {
                live.mcp_client.sleep(RETRY_MILLIS).await;
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn ask<T: serde::de::DeserializeOwned>(
    live: &Live<'_>,
    town: &TownId,
    at: Instance,
    method: &'static Method,
    args: impl Serialize,
) -> Result<T, Failure> {
    decode(method, &live.client.call(&Call::new(at, method, args)?, Some(town), None).await?)
}

fn of_bead(rig: &RigId, bead: &Bead) -> Outcome {
    Outcome::of_bead(bead.bead_id.as_str(), rig, Some((bead.status, bead.merge_commit.is_some())))
}

fn reply(fields: Map<String, Value>) -> Result<ToolReply, Interruption> {
    Ok(ToolReply::structured(WaitFor::NAME, &fields)?)
}
