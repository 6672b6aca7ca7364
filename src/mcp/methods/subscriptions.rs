//! `subscriptions/listen`, and `notifications/cancelled`, by which a legacy client takes a call back.
//!
//! Owns what a client may listen to and the first and last message of the stream. The stream itself is kept by `SessionStore`.

use super::errors::lacks;
use crate::client::{ClientCapability, Interruption, NotificationRoute};
use crate::message::{RequestId, present, read_object};
use crate::problem::Problem;
use crate::reply::{JsonRpcResponse, internal};
use crate::request::RequestContext;
use crate::result::ResultWriter;
use crate::server::Server;
use crate::session::Session;
use crate::session_types::OpenStream;
use crate::types::{CallError, Change};
use base64ct::{Base64UrlUnpadded, Encoding};
use futures::future::{FutureExt as _, LocalBoxFuture};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// A stream is ended after this long; the client listens anew.
const STREAM_MILLIS_MAX: i64 = 60 * 60 * 1000;

/// Most resources and tasks on one stream.
const URIS_MAX: usize = 200;

/// Longest id of a call that can be cancelled, in bytes of JSON.
const ID_BYTES_MAX: usize = 1024;

/// The `_meta` key that ties messages to their subscription.
const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    notifications: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(default)]
    tools_list_changed: bool,
    #[serde(default)]
    prompts_list_changed: bool,
    #[serde(default)]
    resources_list_changed: bool,
    #[serde(default)]
    resource_subscriptions: Vec<String>,
    #[serde(default)]
    task_ids: Vec<String>,
}

#[derive(Deserialize)]
struct Cancelled<'a> {
    #[serde(borrow, rename = "requestId")]
    request_id: &'a RawValue,
}

/// `subscriptions/listen` (2026-07-28, subscriptions).
pub(super) fn listen<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    open(call).boxed_local()
}

async fn open(call: &RequestContext<'_>) -> Result<JsonRpcResponse, Problem> {
    let params: Params<'_> = call.read_params()?;
    let filter = params.notifications.and_then(|filter| read_object::<Filter>(filter.get()));
    let filter = filter.ok_or(Problem::InvalidParams("notifications must be an object that says what to listen to".into()))?;
    if !filter.task_ids.is_empty() && !call.channel.declares(ClientCapability::Tasks) {
        return Err(lacks(call, ClientCapability::Tasks));
    }
    if filter.resource_subscriptions.len() + filter.task_ids.len() > URIS_MAX {
        return Err(Problem::InvalidParams(format!("at most {URIS_MAX} resources and tasks on one stream").into()));
    }
    let (honoured, routes) = honour(call, &filter).await?;
    let id: Value = serde_json::from_str(call.id.as_json()).unwrap_or_default();
    let first = json!({
        "jsonrpc": "2.0",
        "method": "notifications/subscriptions/acknowledged",
        "params": {"_meta": {SUBSCRIPTION_ID: id}, "notifications": honoured},
    });
    let JsonRpcResponse::Json(last) = ResultWriter::open_as(call, "complete").tagged(SUBSCRIPTION_ID, &id).close()? else {
        return Err(Problem::InvalidParams("no stream".into()));
    };
    let latest = call.server.now().plus_millis(STREAM_MILLIS_MAX);
    let stream = OpenStream {
        stream: Base64UrlUnpadded::encode_string(&call.server.random()),
        session: None,
        begins: true,
        after: None,
        is_primed: false,
        first: Some(first.to_string()),
        last: Some(last),
        subscription_id: Some(id),
        routes,
        closes_at: call.server.authorized_until().map_or(latest, |until| until.min(latest)),
    };
    let opened = call.server.session_store().open(stream).await.map_err(|fault| internal(call.server, &fault))?;
    Ok(JsonRpcResponse::Stream(opened))
}

/// What of the filter can be heard, and where. What is not there, or not the caller's, is left out.
async fn honour(call: &RequestContext<'_>, filter: &Filter) -> Result<(Map<String, Value>, Vec<NotificationRoute>), Problem> {
    let mut honoured = Map::new();
    let mut routes = Vec::new();
    let lists = [
        ("toolsListChanged", filter.tools_list_changed, Change::Tools),
        ("promptsListChanged", filter.prompts_list_changed, Change::Prompts),
        ("resourcesListChanged", filter.resources_list_changed, Change::Resources),
    ];
    for (name, _, change) in lists.into_iter().filter(|(_, is_wanted, _)| *is_wanted) {
        let heard = heard(call, change).await?.unwrap_or_default();
        if !heard.is_empty() {
            honoured.insert(name.to_owned(), Value::Bool(true));
            routes.extend(heard);
        }
    }
    let mut uris: Vec<Value> = Vec::new();
    for uri in &filter.resource_subscriptions {
        if let Some(heard) = heard(call, Change::Resource(uri)).await? {
            uris.push(Value::from(uri.as_str()));
            routes.extend(heard);
        }
    }
    if !uris.is_empty() {
        honoured.insert("resourceSubscriptions".to_owned(), Value::Array(uris));
    }
    let mut tasks: Vec<Value> = Vec::new();
    for id in &filter.task_ids {
        if call.server.session_store().task(id).await.map_err(|fault| internal(call.server, &fault))?.is_some() {
            tasks.push(Value::from(id.as_str()));
            let (source, topic, method) = ("self".to_owned(), format!("task:{id}"), "notifications/tasks".to_owned());
            routes.push(NotificationRoute { source, topic, town: None, method, params: Map::new(), receipt: false });
        }
    }
    if !tasks.is_empty() {
        honoured.insert("taskIds".to_owned(), Value::Array(tasks));
    }
    Ok((honoured, routes))
}

async fn heard(call: &RequestContext<'_>, change: Change<'_>) -> Result<Option<Vec<NotificationRoute>>, Problem> {
    match call.server.routes(change).await {
        Ok(routes) => Ok(Some(routes)),
        Err(CallError::Interrupted(Interruption::Failed(base::error::Failure::Broke(fault)))) => Err(internal(call.server, &fault)),
        Err(_) => Ok(None),
    }
}

/// `notifications/cancelled` (2025-11-25, cancellation). A call that is done or unknown is nobody's business.
pub(super) fn cancelled<'a>(
    server: &'a dyn Server,
    session: &'a Session,
    params: Option<&'a RawValue>,
) -> LocalBoxFuture<'a, Result<(), Problem>> {
    async move {
        let request = params.and_then(|params| read_object::<Cancelled<'_>>(params.get())).map(|params| params.request_id);
        let request = request.and_then(RequestId::read).filter(|request| request.as_json().len() <= ID_BYTES_MAX);
        let Some(request) = request else { return Ok(()) };
        server.session_store().cancelled(&session.key, request.as_json()).await.map_err(|fault| internal(server, &fault))
    }
    .boxed_local()
}
