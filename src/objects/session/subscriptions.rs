//! Subscriptions: changes of other objects, and the streams that they go to.
//!
//! Owns `routes` (which stream hears of which topic of which source, and what the notification is) and `leases` (until
//! when a source tells this object). Sources are asked by a letter that lists everything wanted of them; it is
//! repeated while a stream listens, so a source that forgot, or was not there, is asked again.

use super::{clean_up_later, delivery, streams, tasks};
use crate::contract::ids::TownId;
use crate::contract::letters::session::News;
use crate::contract::letters::{FromSession, Letter, ToSession};
use crate::contract::topics::RECEIPT;
use crate::objects::handler::{Answer, Caller, Cx, Flush, Wait, json};
use crate::objects::inbox::receive;
use crate::objects::listeners::TOPICS_MAX;
use crate::objects::outbox;
use crate::objects::outbox::{Composed, Owed, post};
use crate::objects::store::sql::{execute, query, query_one, scalar};
use crate::rpc::call::Instance;
use base::error::{Code, Failure, Fault, Refusal, refuse};
use base::time::Timestamp;
use mcp::client::NotificationRoute;
use serde_json::{Map, Value};

/// The source of changes in this object itself.
const SELF: &str = "self";
/// How long a source tells without being asked again.
const LEASE_MILLIS: i64 = 8 * 60 * 1000;
/// It is asked again this long before.
const RENEW_MILLIS: i64 = 4 * 60 * 1000;
/// If the letter is not acknowledged before this, the alarm sends it again.
const RESEND_MILLIS: i64 = 2_000;
/// The key of a notification under which the source's outcome stands.
const OUTCOME: &str = "gastown/outcome";

/// Replaces the subscriptions of a stream under a name.
pub(super) fn set_routes(cx: &Cx<'_>, stream: &str, name: &str, routes: &[NotificationRoute]) -> Result<(), Failure> {
    execute(cx.sql, "-- routes_clear\nDELETE FROM routes WHERE stream = ? AND name = ?", (stream, name))?;
    for route in routes {
        let params = Value::Object(route.params.clone()).to_string();
        execute(
            cx.sql,
            "-- routes_add\nINSERT INTO routes (stream, name, source, topic, town, method, params, receipt) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT DO NOTHING",
            (stream, name, &route.source, &route.topic, &route.town, &route.method, params, i64::from(route.receipt)),
        )?;
    }
    let mut sources: Vec<&str> = Vec::new();
    for route in routes {
        if route.source != SELF && !sources.contains(&route.source.as_str()) {
            sources.push(&route.source);
        }
    }
    for source in sources {
        check_topics(cx, source)?;
        ask(cx, source)?;
        // Before the reply: every later change is heard.
        cx.flush(Flush::BeforeReply);
    }
    Ok(())
}

/// Limits the topics of a source: it would refuse the whole list for one too many.
fn check_topics(cx: &Cx<'_>, source: &str) -> Result<(), Failure> {
    let topics: i64 = scalar(cx.sql, "-- routes_count\nSELECT COUNT(DISTINCT topic) FROM routes WHERE source = ?", (source,))?;
    if usize::try_from(topics).is_ok_and(|topics| topics <= TOPICS_MAX) {
        return Ok(());
    }
    let refusal = Refusal::new(Code::Unavailable, format!("{source} is listened to for {TOPICS_MAX} things already"));
    Err(refusal.hint("Listen to the rig, the town or its feed instead.").into())
}

/// Asks a source to tell of all that is wanted of it.
fn ask(cx: &Cx<'_>, source: &str) -> Result<(), Failure> {
    post(cx.sql, FromSession::Lease, source, source, cx.number()?, cx.now)?;
    execute(
        cx.sql,
        "-- leases_set\nINSERT INTO leases (source, expires_at) VALUES (?1, ?2) ON CONFLICT (source) DO UPDATE SET expires_at = ?2",
        (source, cx.now.plus_millis(LEASE_MILLIS).millis()),
    )?;
    cx.wake_at(cx.now.plus_millis(RESEND_MILLIS));
    Ok(())
}

/// The request to a source: all wanted topics, and until when. An empty list is not sent: an unwanted lease runs out, and a
/// silent source is not asked for ever.
pub(super) fn compose(cx: &Cx<'_>, owed: &Owed) -> Composed {
    let topics: Vec<(String,)> =
        query(cx.sql, "-- routes_topics\nSELECT DISTINCT topic FROM routes WHERE source = ? ORDER BY topic", (&owed.subject,))?;
    if topics.is_empty() {
        return Ok(None);
    }
    let topics: Vec<String> = topics.into_iter().map(|(topic,)| topic).collect();
    Ok(Some(outbox::write(&(topics, cx.now.plus_millis(LEASE_MILLIS).millis()))?))
}

/// The town of a source, as its subscribers named it.
pub(super) fn town_of(cx: &Cx<'_>, target: &Instance) -> Result<Option<TownId>, Failure> {
    if let Instance::Town(town) = target {
        return Ok(Some(town.clone()));
    }
    let town: Option<(Option<String>,)> =
        query_one(cx.sql, "-- routes_town\nSELECT town FROM routes WHERE source = ? AND town IS NOT NULL LIMIT 1", (target.to_string(),))?;
    Ok(town.and_then(|(town,)| town).and_then(|town| TownId::parse(&town).ok()))
}

/// Renews leases that a stream still needs; forgets the others, which run out.
pub(super) fn renew_leases(cx: &Cx<'_>) -> Result<(), Failure> {
    execute(
        cx.sql,
        "-- leases_forget\nDELETE FROM leases WHERE NOT EXISTS (SELECT 1 FROM routes WHERE routes.source = leases.source)",
        (),
    )?;
    execute(cx.sql, "-- inbox_forget\nDELETE FROM inbox WHERE NOT EXISTS (SELECT 1 FROM routes WHERE routes.source = inbox.source)", ())?;
    let soon = cx.now.plus_millis(RENEW_MILLIS);
    let due: Vec<(String,)> = query(cx.sql, "-- leases_due\nSELECT source FROM leases WHERE expires_at <= ?", (soon.millis(),))?;
    for (source,) in &due {
        ask(cx, source)?;
    }
    let next: Option<(Option<i64>,)> = query_one(cx.sql, "-- leases_next\nSELECT MIN(expires_at) FROM leases", ())?;
    if let Some(at) = next.and_then(|(at,)| at) {
        cx.wake_at(Timestamp::from_millis(at).plus_millis(-RENEW_MILLIS));
    }
    Ok(())
}

/// `addRoutes`: a session hears of more on its own stream.
pub(crate) fn subscribe(
    cx: &Cx<'_>,
    _caller: &Caller,
    (session, stream, name, routes): (String, String, String, Vec<NotificationRoute>),
) -> Result<Answer, Failure> {
    let stream = streams::key(Some(&session), &stream);
    streams::begin(cx, &stream, "session", Some(&session), cx.now.plus_millis(streams::AWAY_MILLIS))?;
    set_routes(cx, &stream, &name, &routes)?;
    clean_up_later(cx);
    Ok(Answer::Void)
}

/// `removeRoutes`: and of that no more.
pub(crate) fn unsubscribe(cx: &Cx<'_>, _caller: &Caller, (session, stream, name): (String, String, String)) -> Result<Answer, Failure> {
    let stream = streams::key(Some(&session), &stream);
    execute(cx.sql, "-- routes_remove\nDELETE FROM routes WHERE stream = ? AND name = ?", (stream, name))?;
    Ok(Answer::Void)
}

/// `deliver`: letters of sources. Old news is dropped by `receive`.
pub(crate) fn deliver(cx: &Cx<'_>, caller: &Caller, (letters,): (Vec<Letter>,)) -> Result<Answer, Failure> {
    let source = caller.principal.from.as_deref().unwrap_or_default();
    receive(cx, source, &letters, |letter| match letter.kind() {
        // The town whose sessions these are is gone.
        Some(ToSession::Removed) if cx.instance.name() == source => {
            cx.destroy();
            Ok(())
        }
        Some(ToSession::Topic) => notify(cx, source, &letter.subject, &letter.read("read a topic letter")?),
        Some(ToSession::Removed) | None => Err(refuse(Code::Unsupported, format!("A session takes no letters of kind {}", letter.kind))),
    })
}

/// `publish`: something changed that this object is the source of.
pub(crate) fn publish(cx: &Cx<'_>, _caller: &Caller, (topic,): (String,)) -> Result<Answer, Failure> {
    notify(cx, SELF, &topic, &News::default())?;
    Ok(Answer::Void)
}

/// A topic changed: notifies every stream that subscribed to it.
fn notify(cx: &Cx<'_>, source: &str, topic: &str, told: &News) -> Result<(), Failure> {
    let outcome = Some(&told.outcome).filter(|outcome| !outcome.is_empty());
    for heard in listeners(cx, source, topic)? {
        if heard.kind == "task" {
            if told.terminal {
                tasks::end_with(cx, &heard.stream, outcome)?;
            }
            continue;
        }
        let meta = outcome.map(|outcome| (OUTCOME, Value::Object(outcome.clone())));
        let number = tell(cx, &heard, None, meta)?;
        let receipt = outcome.and_then(|outcome| outcome.get(RECEIPT)).and_then(Value::as_i64);
        if let Some(receipt) = receipt.filter(|_| heard.receipt == 1) {
            delivery::expect(cx, &heard.stream, number, (source, topic, receipt))?;
        }
    }
    Ok(())
}

/// A task changed: its subscribers get the whole task.
pub(super) fn tell_of_task(cx: &Cx<'_>, id: &str, detailed: &Map<String, Value>) -> Result<(), Failure> {
    for heard in listeners(cx, SELF, &format!("task:{id}"))? {
        tell(cx, &heard, Some(detailed), None)?;
    }
    Ok(())
}

/// One listener of one topic.
struct Listener {
    stream: String,
    kind: String,
    subscription_id: Option<String>,
    method: String,
    params: String,
    /// 1: the source wants to know when it has gone out.
    receipt: i64,
}

fn listeners(cx: &Cx<'_>, source: &str, topic: &str) -> Result<Vec<Listener>, Failure> {
    type Row = (String, String, Option<String>, String, String, i64);
    let rows: Vec<Row> = query(
        cx.sql,
        "-- routes_heard\nSELECT DISTINCT streams.stream, streams.kind, streams.subscription_id, routes.method, routes.params, routes.receipt
         FROM routes JOIN streams USING (stream)
         WHERE routes.source = ? AND routes.topic = ? AND streams.has_ended = 0 AND (streams.expires_at > ? OR streams.kind = 'task')",
        (source, topic, cx.now.millis()),
    )?;
    let listener =
        |(stream, kind, subscription_id, method, params, receipt)| Listener { stream, kind, subscription_id, method, params, receipt };
    Ok(rows.into_iter().map(listener).collect())
}

/// Puts the notification on the listener's stream; answers its number there.
fn tell(cx: &Cx<'_>, to: &Listener, more: Option<&Map<String, Value>>, meta: Option<(&str, Value)>) -> Result<i64, Failure> {
    let mut params: Map<String, Value> =
        serde_json::from_str(&to.params).map_err(|error| Fault::new("read a notification's parameters", error))?;
    params.extend(more.cloned().unwrap_or_default());
    let mut own_meta = Map::new();
    if let Some(id) = &to.subscription_id {
        let id = serde_json::from_str(id).map_err(|error| Fault::new("read a subscription's id", error))?;
        own_meta.insert("io.modelcontextprotocol/subscriptionId".to_owned(), id);
    }
    if let Some((key, value)) = meta {
        own_meta.insert(key.to_owned(), value);
    }
    if !own_meta.is_empty() {
        params.insert("_meta".to_owned(), Value::Object(own_meta));
    }
    let method = Value::from(to.method.as_str());
    let params = if params.is_empty() { String::new() } else { format!(",\"params\":{}", Value::Object(params)) };
    streams::append(cx, &to.stream, &format!("{{\"jsonrpc\":\"2.0\",\"method\":{method}{params}}}"))
}

/// `openWatch`: something that a call waits for. It hears from now on, until it expires.
pub(crate) fn open_watch(
    cx: &Cx<'_>,
    _caller: &Caller,
    (watch, routes, expires_at): (String, Vec<NotificationRoute>, Timestamp),
) -> Result<Answer, Failure> {
    let stream = format!("watch:{watch}");
    streams::begin(cx, &stream, "watch", None, expires_at)?;
    set_routes(cx, &stream, "", &routes)?;
    clean_up_later(cx);
    Ok(Answer::Void)
}

/// `awaitWatch`: true as soon as anything was heard since the last time, false at `until`.
pub(crate) fn await_watch(cx: &Cx<'_>, _caller: &Caller, (watch, until): (String, Timestamp)) -> Result<Answer, Failure> {
    let stream = format!("watch:{watch}");
    let heard: Vec<(i64,)> = query(cx.sql, "-- watches_take\nDELETE FROM events WHERE stream = ? RETURNING number", (&stream,))?;
    if !heard.is_empty() || cx.now >= until {
        return json(&!heard.is_empty());
    }
    Ok(Answer::Wait(Wait { key: stream, until }))
}
