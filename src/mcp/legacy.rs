//! The legacy era: `initialize`, then everything within a session (2025-11-25 and earlier).
//!
//! Owns sessions on requests, the version header, batches, DELETE and GET. Which methods exist is the table's, the
//! form of a session id `session`'s.

use crate::client::Interruption;
use crate::headers::{self, LAST_EVENT_ID, PROTOCOL_VERSION, SESSION_ID};
use crate::message::{BATCH_MESSAGES_MAX, Batch, Body, Message, RequestId, read_message};
use crate::methods;
use crate::modern::read_progress_token;
use crate::problem::{Problem, echo};
use crate::reply::{JsonRpcResponse, error_json, error_response, internal};
use crate::request::{Kind, RequestContext};
use crate::response_stream::{Channel, Era, relay};
use crate::revision::Revision;
use crate::server::Server;
use crate::session::{self, Session};
use crate::session_types::OpenStream;
use crate::types::{CallError, Change};
use base::http::body_sink::Outlet;
use base::http::{Request, Response, ResponseBody};
use base::sse;

/// Longest answer to a request of ours, in bytes: what a call is told must fit where it is kept meanwhile.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Longest id of a request of ours, in bytes. They have 22.
const OWN_ID_BYTES_MAX: usize = 64;

/// The stream that belongs to no request: what a session hears of on its own.
pub const GET_STREAM: &str = "get";

/// Answers a POST.
pub async fn answer(request: &Request<'_>, server: &dyn Server, outlet: Option<&Outlet>, body: Body<'_>) -> Response {
    if let Body::Single(message @ Message::Request { id, method, .. }) = &body
        && method == "initialize"
    {
        // No session yet, and the version header is of no interest: the body says what the client wants.
        let channel = Channel::new(server, Revision::LATEST_LEGACY, Era::Beginning, None);
        return match run(&channel, message).await {
            Some(Ok(JsonRpcResponse::Initialized(json, session_id))) => Response::json(200, json).header(SESSION_ID, session_id),
            Some(Err(problem)) => error_response(false, Some(*id), &problem),
            _ => Response::empty(202),
        };
    }
    let id = match &body {
        Body::Single(Message::Request { id, .. }) => Some(*id),
        _ => None,
    };
    let session = match open_session(request, server).await {
        Ok(session) => session,
        Err(problem) => return error_response(false, id, &problem),
    };
    match body {
        Body::Single(message) => match id {
            Some(id) => answer_request(server, outlet, &session, id, &message).await,
            None => match take(server, &session, &message).await {
                Ok(()) => Response::empty(202),
                Err(problem) => error_response(false, None, &problem),
            },
        },
        Body::Batch(batch) => answer_batch(server, &session, &batch).await,
    }
}

async fn answer_request(
    server: &dyn Server,
    outlet: Option<&Outlet>,
    session: &Session,
    id: RequestId<'_>,
    message: &Message<'_>,
) -> Response {
    let mut channel = Channel::new(server, session.revision, Era::Legacy { session, request: id.as_json() }, outlet);
    channel.progress_token = read_progress_token(message);
    let outcome = channel.drive(run(&channel, message)).await.flatten();
    channel.respond(id, outcome).await
}

/// Answers a DELETE: the session is over (2025-11-25, session management). 204, because there are clients that log
/// a warning at 202.
pub async fn end_session(request: &Request<'_>, server: &dyn Server) -> Response {
    let ended = match open_session(request, server).await {
        Ok(session) => server.session_store().end(&session.key, session.expires).await.map_err(|fault| internal(server, &fault)),
        Err(problem) => Err(problem),
    };
    match ended {
        Ok(()) => Response::empty(204),
        Err(problem) => error_response(false, None, &problem),
    }
}

/// Answers a GET: the session's own stream, or another one that is taken up where the client lost it. A stream that is
/// not there any more is empty, which makes the client begin a new one.
pub async fn open_stream(request: &Request<'_>, server: &dyn Server) -> Response {
    match stream_for(request, server).await {
        Ok(response) => response,
        Err(problem) => error_response(false, None, &problem),
    }
}

async fn stream_for(request: &Request<'_>, server: &dyn Server) -> Result<Response, Problem> {
    let session = open_session(request, server).await?;
    let last = headers::value(request.headers, LAST_EVENT_ID);
    let (stream, after) = match last.as_deref().filter(|id| !id.is_empty()).map(sse::read_event_id) {
        Some((stream, number)) => (stream, Some(number)),
        None => (GET_STREAM, None),
    };
    let mut routes = Vec::new();
    if stream == GET_STREAM {
        for change in [Change::Tools, Change::Prompts, Change::Resources] {
            routes.extend(server.routes(change).await.map_err(|error| unheard(server, error))?);
        }
    }
    let open = OpenStream {
        stream: stream.to_owned(),
        session: Some(session.key),
        begins: stream == GET_STREAM,
        after,
        is_primed: session.revision.has_primed_streams(),
        first: None,
        last: None,
        subscription_id: None,
        routes,
        closes_at: server.authorized_until().unwrap_or(session.expires).min(session.expires),
    };
    let opened = server.session_store().open(open).await.map_err(|fault| internal(server, &fault))?;
    Ok(relay(opened))
}

/// Lists can always be heard of; if not, something broke.
fn unheard(server: &dyn Server, error: CallError) -> Problem {
    match error {
        CallError::Interrupted(Interruption::Failed(failure)) => methods::failed(server, failure),
        _ => Problem::InvalidRequest("no stream for this connection".into()),
    }
}

/// The session that a request names, with its version header checked.
///
/// A header that names another revision than `initialize` settled on is let through, and the settled one counts: the
/// client SHOULD send the negotiated version, while the server MUST refuse only what it does not serve.
async fn open_session(request: &Request<'_>, server: &dyn Server) -> Result<Session, Problem> {
    if let Some(header) = headers::value(request.headers, PROTOCOL_VERSION)
        && Revision::parse(&header).is_none()
    {
        return Err(Problem::VersionHeaderInvalid(echo(&header)));
    }
    let id = headers::value(request.headers, SESSION_ID).ok_or(Problem::SessionMissing)?;
    let session = session::open(server, &id).ok_or(Problem::SessionNotFound)?;
    match server.session_store().session(&session.key).await {
        Ok(state) if state.has_ended => Err(Problem::SessionNotFound),
        Ok(_) => Ok(session),
        Err(fault) => Err(internal(server, &fault)),
    }
}

/// Runs one request; `None` for a message that is not answered.
async fn run(channel: &Channel<'_>, message: &Message<'_>) -> Option<Result<JsonRpcResponse, Problem>> {
    let Message::Request { id, method, params } = message else { return None };
    let row = methods::find(method, channel.revision);
    let Some((row, Kind::Request(handler))) = row.map(|row| (row, row.kind)) else {
        return Some(Err(Problem::MethodNotFound(echo(method))));
    };
    let call = RequestContext { server: channel.server, revision: channel.revision, id: *id, method: row.name, params: *params, channel };
    Some(handler(&call).await)
}

/// Takes a message that is not answered: a notification, or an answer to a request of ours.
async fn take(server: &dyn Server, session: &Session, message: &Message<'_>) -> Result<(), Problem> {
    match message {
        Message::Request { .. } => Ok(()),
        Message::Notification { method, params } => match methods::find(method, session.revision).map(|row| row.kind) {
            Some(Kind::Request(_)) => Err(Problem::InvalidRequest(format!("{} needs an id", echo(method)).into())),
            Some(Kind::Notification(Some(taken))) => taken(server, session, *params).await,
            // Clients may notify of things that this server has never heard of.
            Some(Kind::Notification(None)) | None => Ok(()),
        },
        Message::Response { id, kind, payload } => {
            // Ours are strings. An answer to a request that was never made is as good as any other.
            let id = Some(id.as_json()).filter(|id| id.len() <= OWN_ID_BYTES_MAX).and_then(|id| serde_json::from_str::<String>(id).ok());
            let Some(id) = id else { return Ok(()) };
            if payload.get().len() > ANSWER_BYTES_MAX {
                return Err(Problem::InvalidRequest(format!("an answer has at most {ANSWER_BYTES_MAX} bytes").into()));
            }
            let answer = format!("{{\"{kind}\":{}}}", payload.get());
            server.session_store().answered(&session.key, &id, answer).await.map_err(|fault| internal(server, &fault))
        }
    }
}

/// Answers a batch (2025-03-26, streamable HTTP): in order and one after the other, so that a client that slings two
/// beads gets them in the order it wrote.
async fn answer_batch(server: &dyn Server, session: &Session, batch: &Batch<'_>) -> Response {
    let refused = if !session.revision.has_batches() {
        Some("batches exist in 2025-03-26 only".into())
    } else if batch.elements.is_empty() {
        Some("a batch must not be empty".into())
    } else if batch.is_too_long {
        Some(format!("a batch has at most {BATCH_MESSAGES_MAX} messages").into())
    } else {
        None
    };
    if let Some(why) = refused {
        return error_response(false, None, &Problem::InvalidRequest(why));
    }
    let mut answers: Vec<String> = Vec::new();
    for element in &batch.elements {
        let answer = match read_message(element.get()) {
            Ok(Message::Request { id, method, .. }) if method == "initialize" => {
                // 2025-03-26, lifecycle: it MUST NOT be part of a batch.
                let problem = Problem::InvalidRequest("initialize must not be part of a batch".into());
                Some(error_json(false, Some(id), &problem))
            }
            Ok(message @ Message::Request { id, .. }) => {
                let channel = Channel::new(server, session.revision, Era::Legacy { session, request: id.as_json() }, None);
                match channel.drive(run(&channel, &message)).await.flatten() {
                    Some(Ok(JsonRpcResponse::Json(json) | JsonRpcResponse::Initialized(json, _))) => Some(json),
                    Some(Ok(JsonRpcResponse::Stream(_))) | None => None,
                    Some(Err(problem)) => Some(error_json(false, Some(id), &problem)),
                }
            }
            Ok(message) => take(server, session, &message).await.err().map(|problem| error_json(false, None, &problem)),
            Err(malformed) => Some(error_json(false, malformed.id, &malformed.problem)),
        };
        answers.extend(answer);
    }
    if answers.is_empty() {
        return Response::empty(202);
    }
    Response { status: 200, headers: Vec::new(), body: ResponseBody::Json(format!("[{}]", answers.join(","))) }
}
