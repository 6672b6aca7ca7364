//! HTTP to the Worker.
//!
//! Owns: requests, time limits, and which answers are final and which are worth another try. Does not: know what a route is for.

use std::io::Read;
use std::time::Duration;

use serde_json::Value;

/// Until a request that is no stream must have been answered.
const REQUEST: Duration = Duration::from_secs(20);
const CONNECT: Duration = Duration::from_secs(10);
/// Until a stream's headers must be there.
const STREAM_BEGINS: Duration = Duration::from_secs(30);
/// A longer answer does not come from the Worker.
const ANSWER_BYTES_MAX: u64 = 4 << 20;
/// The first process that reports with this header is the one that works on the order.
pub const PROCESS_HEADER: &str = "x-gastown-process-id";

/// Why a request did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The Worker said no, and will say so again: status and its words.
    Refused(u16, String),
    /// No answer, or one that says to come again (429, 5xx).
    Later(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(status, text) => write!(out, "{status}: {text}"),
            Self::Later(text) => out.write_str(text),
        }
    }
}

impl Failure {
    /// Whether the refusal is final: the token has ended, or the order that it speaks for has.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Refused(401 | 403 | 404 | 409 | 410, _))
    }
}

/// The Worker at an address; clones share connections.
#[derive(Debug, Clone)]
pub struct Api {
    agent: ureq::Agent,
    url: String,
}

impl Api {
    /// `url` has no slash at the end.
    #[must_use]
    pub fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0) // a token goes to no other address
            .timeout_connect(Some(CONNECT))
            .user_agent(concat!("gastown-runner/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.new_agent(), url: url.to_owned() }
    }

    /// The Worker's address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// POSTs JSON; gives `data` of the answer's envelope, or the whole answer when it has none.
    pub fn post(&self, path: &str, token: &str, headers: &[(&str, &str)], body: &Value) -> Result<Value, Failure> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("accept", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.config().timeout_global(Some(REQUEST)).build();
        let mut answer = request.send(body.to_string()).map_err(|error| later(&error))?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(|error| later(&error))?;
        judge(status, &text)
    }

    /// Opens a stream of server-sent events.
    pub fn stream(&self, path: &str, token: &str) -> Result<impl Read + Send + 'static, Failure> {
        let request = self
            .agent
            .get(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {token}"))
            .header("accept", "text/event-stream")
            .config()
            .timeout_recv_response(Some(STREAM_BEGINS))
            .build();
        let mut answer = request.call().map_err(|error| later(&error))?;
        let status = answer.status().as_u16();
        if status == 200 {
            return Ok(answer.into_body().into_reader());
        }
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().unwrap_or_default();
        Err(judge(status, &text).err().unwrap_or_else(|| Failure::Later(format!("{status} instead of a stream"))))
    }
}

fn later(error: &ureq::Error) -> Failure {
    Failure::Later(error.to_string())
}

fn judge(status: u16, text: &str) -> Result<Value, Failure> {
    let answer: Option<Value> = serde_json::from_str(text).ok();
    match status {
        200..=299 => Ok(match answer {
            Some(Value::Object(mut fields)) if fields.contains_key("data") => fields.remove("data").unwrap_or_default(),
            other => other.unwrap_or_default(),
        }),
        408 | 429 | 500..=599 => Err(Failure::Later(words(status, answer.as_ref(), text))),
        _ => Err(Failure::Refused(status, words(status, answer.as_ref(), text))),
    }
}

fn words(status: u16, answer: Option<&Value>, text: &str) -> String {
    let said = answer.and_then(|answer| answer.get("error")).map(|error| match error {
        Value::String(error) => error.clone(),
        other => other.to_string(),
    });
    let said = said.unwrap_or_else(|| text.chars().take(200).collect());
    if said.is_empty() { format!("the Worker answered {status}") } else { said }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_taken_apart() {
        assert_eq!(judge(200, r#"{"success":true,"data":{"order":"open"}}"#), Ok(serde_json::json!({"order":"open"})));
        assert_eq!(judge(201, r#"{"token":"x"}"#), Ok(serde_json::json!({"token":"x"})));
        assert_eq!(judge(409, r#"{"success":false,"error":"held by Maple"}"#), Err(Failure::Refused(409, "held by Maple".to_owned())));
        assert_eq!(judge(503, ""), Err(Failure::Later("the Worker answered 503".to_owned())));
        for (status, over) in [(401, true), (403, true), (404, true), (409, true), (400, false), (429, false), (500, false)] {
            assert_eq!(judge(status, "").unwrap_err().is_over(), over, "{status}");
        }
    }
}
