//! The legacy era: `initialize`, then everything within a session (2025-11-25 and earlier).
//!
//! Owns sessions on requests, the version header, batches, DELETE and GET. Which methods exist is the table's, the
//! form of a session id `session`'s.

use super::headers::{self, PROTOCOL_VERSION, SESSION_ID};
use super::message::{BATCH_MESSAGES_MAX, Batch, Body, Message, read_message};
use super::methods::{self, Call, Kind};
use super::reply::{Problem, echo, error_json, error_response, internal};
use super::result::Answer;
use super::revision::Revision;
use super::server::Server;
use super::session::{self, Session};
use crate::http::{Request, Response, ResponseBody};

/// Answers a POST.
pub async fn answer(request: &Request<'_>, server: &dyn Server, body: Body<'_>) -> Response {
    if let Body::Single(message @ Message::Request { id, method, .. }) = &body
        && method == "initialize"
    {
        // No session yet, and the version header is of no interest: the body says what the client wants.
        return match run(server, Revision::LATEST_LEGACY, message).await {
            Some(Ok(Answer { json, session_id: Some(session_id) })) => Response::json(200, json).header(SESSION_ID, session_id),
            Some(Ok(Answer { json, .. })) => Response::json(200, json),
            Some(Err(problem)) => error_response(false, Some(*id), &problem),
            None => Response::empty(202),
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
        Body::Single(message) => match run(server, session.revision, &message).await {
            Some(Ok(answer)) => Response::json(200, answer.json),
            Some(Err(problem)) => error_response(false, id, &problem),
            None => Response::empty(202),
        },
        Body::Batch(batch) => answer_batch(server, session.revision, &batch).await,
    }
}

/// Answers a DELETE: the session is over (2025-11-25, session management). 204, because there are clients that log
/// a warning at 202.
pub async fn end_session(request: &Request<'_>, server: &dyn Server) -> Response {
    let ended = match open_session(request, server).await {
        Ok(session) => server.end_session(&session.key, session.expires).await.map_err(|fault| internal(server, &fault)),
        Err(problem) => Err(problem),
    };
    match ended {
        Ok(()) => Response::empty(204),
        Err(problem) => error_response(false, None, &problem),
    }
}

/// Answers a GET. There is nothing to stream, which 405 says; but a client whose session is gone learns that first.
pub async fn open_stream(request: &Request<'_>, server: &dyn Server) -> Response {
    match open_session(request, server).await {
        Ok(_) => Response::empty(405).header("allow", "POST, DELETE"),
        Err(problem) => error_response(false, None, &problem),
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
    match server.session_ended(&session.key).await {
        Ok(false) => Ok(session),
        Ok(true) => Err(Problem::SessionNotFound),
        Err(fault) => Err(internal(server, &fault)),
    }
}

/// Runs one message; `None` for one that is not answered.
async fn run(server: &dyn Server, revision: Revision, message: &Message<'_>) -> Option<Result<Answer, Problem>> {
    match message {
        Message::Request { id, method, params } => {
            let Some(Kind::Request(handler)) = methods::find(method, revision).map(|row| row.kind) else {
                return Some(Err(Problem::MethodNotFound(echo(method))));
            };
            let call = Call { server, revision, id: *id, params: *params, client_capabilities: None };
            Some(handler(&call).await)
        }
        Message::Notification { method, .. } if !methods::may_be_notification(method, revision) => {
            Some(Err(Problem::InvalidRequest(format!("{} needs an id", echo(method)).into())))
        }
        // An answer to a request that was never made, or whose asker is gone, is as good as any other.
        Message::Notification { .. } | Message::Response => None,
    }
}

/// Answers a batch (2025-03-26, streamable HTTP): in order and one after the other, so that a client that slings two
/// beads gets them in the order it wrote.
async fn answer_batch(server: &dyn Server, revision: Revision, batch: &Batch<'_>) -> Response {
    let refused = if !revision.has_batches() {
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
                Some(error_json(Some(id), &Problem::InvalidRequest("initialize must not be part of a batch".into())))
            }
            Ok(message) => {
                let id = if let Message::Request { id, .. } = &message { Some(*id) } else { None };
                let outcome = run(server, revision, &message).await;
                outcome.map(|outcome| outcome.map_or_else(|problem| error_json(id, &problem), |answer| answer.json))
            }
            Err(malformed) => Some(error_json(malformed.id, &malformed.problem)),
        };
        answers.extend(answer);
    }
    if answers.is_empty() {
        return Response::empty(202);
    }
    Response { status: 200, headers: Vec::new(), body: ResponseBody::Json(format!("[{}]", answers.join(","))) }
}
