//! Answers that a client of the stateless era gives by calling again (2026-07-28, multi round-trip requests).
//!
//! Owns `requestState`: what was answered before and what was asked last, sealed for one principal, one method and one
//! set of parameters, for a short while. A client can neither invent an answer to a question that was not asked nor
//! move answers to another call. What is asked is the call's business.

use crate::message::{present, read_object, read_string};
use crate::problem::Problem;
use crate::reply::internal;
use crate::server::Server;
use crate::session_types::{InputResponse, InputResponses};
use base::error::Fault;
use base::signed_text::{Purpose, digest, open, seal};
use base::time::Timestamp;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// How long a client may take to answer all that a call asks.
const ANSWER_MILLIS_MAX: i64 = 15 * 60 * 1000;

/// Longest state that is looked at, in bytes: answers are forms filled in by people.
const STATE_BYTES_MAX: usize = 256 * 1024;

/// What a call knows from earlier rounds.
#[derive(Debug, Default)]
pub struct Inputs {
    /// What was answered.
    pub answers: InputResponses,
    /// Which call this is, the same in all its rounds: unguessable, and when it is too late to go on with it. `None`
    /// before anything was asked.
    pub round: Option<(String, Timestamp)>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, rename = "requestState", default, deserialize_with = "present")]
    state: Option<&'a RawValue>,
    #[serde(borrow, rename = "inputResponses", default, deserialize_with = "present")]
    responses: Option<&'a RawValue>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    /// The principal, hashed.
    sub: String,
    /// Method and parameters, hashed.
    call: String,
    /// In milliseconds.
    exp: i64,
    /// 128 random bits.
    jti: String,
    /// Answers so far.
    answers: InputResponses,
    /// What was asked last: names and digests of the questions.
    asked: Vec<(String, String)>,
}

impl Inputs {
    /// Reads what a call brings. A state that is not good is refused. Answers to what was not asked last are ignored;
    /// those that come without any state answer nothing that was asked, and so can authorize nothing.
    ///
    /// # Errors
    /// −32602.
    pub fn read(server: &dyn Server, method: &str, params: Option<&RawValue>) -> Result<Self, Problem> {
        let Some(text) = params.map(RawValue::get) else { return Ok(Self::default()) };
        // The one look that every call pays for.
        if !text.contains("requestState") && !text.contains("inputResponses") {
            return Ok(Self::default());
        }
        let Some(given) = read_object::<Params<'_>>(text) else { return Ok(Self::default()) };
        let responses: Map<String, Value> = match given.responses {
            Some(responses) => read_object(responses.get())
                .ok_or_else(|| Problem::InvalidParams("inputResponses must be an object with no key repeated".into()))?,
            None => Map::new(),
        };
        let Some(state) = given.state else {
            let mut answers = InputResponses::new();
            for (name, answer) in responses {
                answers.insert(name, InputResponse { question: String::new(), answer });
            }
            return Ok(Self { answers, round: None });
        };
        let refused = || Problem::InvalidParams("requestState is not valid for this call; call again without it".into());
        let state = read_string(state).filter(|state| state.len() <= STATE_BYTES_MAX).ok_or_else(refused)?;
        let sealed: Sealed = open(server.seal_key(), Purpose::RequestState, &state).ok_or_else(refused)?;
        let expires = Timestamp::from_millis(sealed.exp);
        if sealed.sub != digest(server.principal()) || sealed.call != call_digest(method, text) || server.now() >= expires {
            return Err(refused());
        }
        let mut answers = sealed.answers;
        for (name, answer) in responses {
            if let Some((_, question)) = sealed.asked.iter().find(|(asked, _)| *asked == name) {
                answers.insert(name, InputResponse { question: question.clone(), answer });
            }
        }
        Ok(Self { answers, round: Some((sealed.jti, expires)) })
    }

    /// Seals the state of a call that asks for `asked`.
    ///
    /// # Errors
    /// −32603 when it cannot be written.
    pub fn seal(
        &self,
        server: &dyn Server,
        method: &str,
        params: Option<&RawValue>,
        questions: &Map<String, Value>,
    ) -> Result<String, Problem> {
        // Were a later round another call, an earlier one could be answered again to make a second last round.
        let (jti, expires) = self
            .round
            .clone()
            .unwrap_or_else(|| (Base64UrlUnpadded::encode_string(&server.random()), server.now().plus_millis(ANSWER_MILLIS_MAX)));
        let sealed = Sealed {
            sub: digest(server.principal()),
            call: call_digest(method, params.map_or("{}", RawValue::get)),
            exp: expires.millis(),
            jti,
            answers: self.answers.clone(),
            asked: questions.iter().map(|(name, question)| (name.clone(), question_digest(question))).collect(),
        };
        seal(server.seal_key(), Purpose::RequestState, &sealed)
            .map_err(|error| internal(server, &Fault::new("sealing a request state", error)))
    }
}

/// What a question asks, in short.
#[must_use]
pub fn question_digest(question: &Value) -> String {
    digest(&question.to_string())
}

/// Method and parameters without what differs between rounds. Keys are sorted: a client may write them anew.
fn call_digest(method: &str, params: &str) -> String {
    let mut params: Map<String, Value> = serde_json::from_str(params).unwrap_or_default();
    for changing in ["_meta", "requestState", "inputResponses"] {
        params.remove(changing);
    }
    digest(&format!("{method} {}", Value::Object(params)))
}
