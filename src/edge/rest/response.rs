//! How a route shows what its call answers.
//!
//! Owns the shapes of the contract's answers and the words for what is not there.

use crate::rpc::table::Method;
use base::error::{Code, Failure, Fault, Refusal};
use serde_json::json;

/// How an answer is shown.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// As it is.
    Whole,
    /// As it is; null is 404 with these words.
    Found(&'static str),
    /// As the field of this name.
    Field(&'static str),
    /// A flag of this name: the call answers nothing.
    Flag(&'static str),
    /// `deleted`; an answer of false is 404 with these words.
    Gone(&'static str),
}

impl Shape {
    /// The data of the answer.
    ///
    /// # Errors
    /// `NotFound`, and a fault for a call that should have answered something.
    pub fn show(&self, answer: &str, method: &Method) -> Result<String, Failure> {
        let absent = |words: &str| Refusal::new(Code::NotFound, words).into();
        Ok(match self {
            Self::Found(words) if answer == "null" => return Err(absent(words)),
            Self::Gone(words) if matches!(answer, "false" | "null") => return Err(absent(words)),
            Self::Whole | Self::Found(_) => answer.to_owned(),
            Self::Field(_) if answer.is_empty() => return Err(Fault::new(method.name, "it answers nothing").into()),
            Self::Field(name) => format!("{{\"{name}\":{answer}}}"),
            Self::Flag(name) => json!({*name: true}).to_string(),
            Self::Gone(_) => json!({"deleted": true}).to_string(),
        })
    }
}
