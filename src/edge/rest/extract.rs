//! Bodies and queries of REST routes, field by field. Few of them are a shape of the contract, and a type for each of the
//! others would be a decoder for each.
//!
//! Owns how a field is read and what is said of one that cannot be. What the fields mean is the routes'.

use super::envelope::INVALID_BODY;
use base::argument::{self, ArgumentError, Step};
use base::error::{Code, Failure, Refusal, Subject};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fmt;

/// What is said of a query that is none.
pub const BAD_FILTER: &str = "Invalid filter";

/// A field that must be there, taken out of its body.
///
/// # Errors
/// `InvalidArgument` that names the field.
pub fn take<T: DeserializeOwned>(fields: &mut Map<String, Value>, name: &str) -> Result<T, Refusal> {
    given(fields, name)?.ok_or_else(|| missing(name))
}

/// The same of a field that may be left out, or null.
///
/// # Errors
/// As `take`.
pub fn given<T: DeserializeOwned>(fields: &mut Map<String, Value>, name: &str) -> Result<Option<T>, Refusal> {
    let Some(value) = fields.remove(name).filter(|value| !value.is_null()) else { return Ok(None) };
    argument::read(value).map(Some).map_err(|wrong| unfit(&wrong.within(Step::Key(name.to_owned()))))
}

// What is the same for every type is apart, so that it is there once.

fn missing(name: &str) -> Refusal {
    invalid(name, format_args!("missing field `{name}`"))
}

/// Arguments that do not fit, as a body that does not.
#[must_use]
pub fn unfit(wrong: &ArgumentError) -> Refusal {
    invalid(&wrong.path(), wrong)
}

fn bad_filter(error: &serde_json::Error) -> Refusal {
    Refusal::new(Code::InvalidArgument, BAD_FILTER).hint(error.to_string())
}

/// What is wrong with a body, and where: empty for the whole.
#[must_use]
pub fn invalid(path: &str, problem: impl fmt::Display) -> Refusal {
    of_body(Refusal::argument(path, problem))
}

/// What is wrong with an argument, said of the body that it came in.
#[must_use]
pub fn of_body(refusal: Refusal) -> Refusal {
    let Some(Subject::Argument(path)) = refusal.about else { return refusal };
    Refusal::new(Code::InvalidArgument, INVALID_BODY).hint(refusal.message).about(Subject::Body(path))
}

/// Fields as a shape of the contract.
///
/// # Errors
/// As `take`.
pub fn shaped<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Refusal> {
    argument::read(Value::Object(fields)).map_err(|wrong| unfit(&wrong))
}

/// JSON text as a shape of the contract.
///
/// # Errors
/// As `take`.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    let value = serde_json::from_str(text).map_err(|error| invalid("", error))?;
    argument::read(value).map_err(|wrong| unfit(&wrong))
}

/// What the contract has and embedded towns do not.
#[must_use]
pub fn unsupported(why: &str, instead: &str) -> Failure {
    Refusal::new(Code::Unsupported, format!("Not supported by embedded towns: {why}")).hint(instead).into()
}

/// The fields of a query: numbers for those that are counted, text for the rest.
#[must_use]
pub fn query(query: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let value = match name.as_ref() {
            "limit" | "offset" | "after_id" => text.parse::<i64>().map_or_else(|_| Value::from(text.as_ref()), Value::from),
            _ => Value::from(text.as_ref()),
        };
        fields.insert(name.into_owned(), value);
    }
    fields
}

/// A field of a query that may be left out.
///
/// # Errors
/// `InvalidArgument` that names the parameter.
pub fn part<T: DeserializeOwned>(fields: &mut Map<String, Value>, name: &str) -> Result<Option<T>, Refusal> {
    given(fields, name).map_err(|refusal| Refusal::new(Code::InvalidArgument, BAD_FILTER).hint(refusal.hint.unwrap_or_default()))
}

/// A filter from a query string: numbers for `limit` and `offset`, text for the rest.
///
/// # Errors
/// `InvalidArgument` that names the parameter.
pub fn filter<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    filtered(query(text))
}

/// The same from the fields.
///
/// # Errors
/// As `filter`.
pub fn filtered<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Refusal> {
    serde_json::from_str(&Value::Object(fields).to_string()).map_err(|error| bad_filter(&error))
}

/// `?name=true`.
#[must_use]
pub fn is_set(query: &str, name: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(known, value)| known == name && value == "true")
}

/// What a bead's events are filtered by, whatever else the query says: a rig's own ways to page are not the contract's.
#[must_use]
pub fn of_events(query: &str) -> Map<String, Value> {
    let mut fields = self::query(query);
    if let Some(bead) = fields.remove("bead_id") {
        fields.insert("beadId".to_owned(), bead);
    }
    fields.retain(|name, _| matches!(name.as_str(), "beadId" | "since" | "limit"));
    fields
}
