//! From a call's answer to a route's response.
//!
//! Owns the shapes of the contract's answers, 404 for absent things, and the response of a route. The envelope around the data
//! is `envelope`'s.

use super::envelope;
use crate::rpc::table::Method;
use base::error::{Code, Failure, Fault, Refusal};
use base::http::Response;
use serde_json::{Value, json};

/// The shape of an answer's data.
#[derive(Debug, Clone, Copy)]
pub enum ResponseShape {
    /// As it is.
    Whole,
    /// As it is; null is 404 with these words.
    Found(&'static str),
    /// As the field of this name.
    Field(&'static str),
    /// A flag of this name: the call answers nothing.
    Flag(&'static str),
    /// `deleted`; an answer of false is 404 with these words.
    Deleted(&'static str),
}

impl ResponseShape {
    /// The data of the answer.
    ///
    /// # Errors
    /// `NotFound`, and a fault for a call that should have answered something.
    pub fn show(&self, answer: &str, method: &Method) -> Result<String, Failure> {
        let absent = |words: &str| Refusal::new(Code::NotFound, words).into();
        Ok(match self {
            Self::Found(words) if answer == "null" => return Err(absent(words)),
            Self::Deleted(words) if matches!(answer, "false" | "null") => return Err(absent(words)),
            Self::Whole | Self::Found(_) => answer.to_owned(),
            Self::Field(_) if answer.is_empty() => return Err(Fault::new(method.name, "it answers nothing").into()),
            Self::Field(name) => format!("{{\"{name}\":{answer}}}"),
            Self::Flag(name) => json!({*name: true}).to_string(),
            Self::Deleted(_) => DELETED.to_owned(),
        })
    }
}

/// The data of a deletion's answer.
pub const DELETED: &str = "{\"deleted\":true}";

/// The answer of a route.
pub struct Reply {
    /// JSON text.
    pub data: String,
    /// Rigs that did not answer, and why.
    pub missing: Vec<Value>,
}

impl From<String> for Reply {
    fn from(data: String) -> Self {
        Self { data, missing: Vec::new() }
    }
}

impl Reply {
    /// The response of success.
    #[must_use]
    pub fn response(&self, status: u16) -> Response {
        if self.missing.is_empty() {
            return envelope::success(status, &self.data);
        }
        Response::json(status, format!("{{\"success\":true,\"data\":{},\"missing\":{}}}", self.data, Value::from(self.missing.as_slice())))
    }
}
