//! Arguments from JSON into the type that wants them, and what is wrong with those that do not fit.
//!
//! Owns the place and the kind of what is wrong, as data, so that whoever offers an argument under another name can say so.
//! Reads what is parsed already: nothing here is text but the last word, the type's own.

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};
use std::fmt;

/// A step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into an object.
    Key(String),
    /// Into an array.
    Index(usize),
}

/// What is wrong with arguments, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentError {
    /// From the inside out.
    steps: Vec<Step>,
    what: ArgumentProblem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ArgumentProblem {
    /// A field that must be there is not.
    Missing(String),
    /// Anything else, in the words of the type that was read.
    Other(String),
}

impl ArgumentError {
    /// There is no such argument, but there are these.
    #[must_use]
    pub fn unknown(argument: &str, known: &[&str]) -> Self {
        Self::other(unknown_field(argument, known))
    }

    /// The argument must be there.
    #[must_use]
    pub fn missing(argument: &str) -> Self {
        Self { steps: Vec::new(), what: ArgumentProblem::Missing(argument.to_owned()) }
    }

    const fn other(problem: String) -> Self {
        Self { steps: Vec::new(), what: ArgumentProblem::Other(problem) }
    }

    /// The same within another value.
    #[must_use]
    pub fn within(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// The same, with other names for arguments: `name` gives the one for an argument that has another.
    #[must_use]
    pub fn renamed(mut self, name: impl Fn(&str) -> Option<&'static str>) -> Self {
        let known = match (self.steps.last_mut(), &mut self.what) {
            (Some(Step::Key(key)), _) => Some(key),
            (None, ArgumentProblem::Missing(field)) => Some(field),
            _ => None,
        };
        if let Some((known, name)) = known.and_then(|known| name(known).map(|name| (known, name))) {
            name.clone_into(known);
        }
        self
    }

    /// The path, a colon and a space; empty for the whole.
    #[must_use]
    pub fn lead(&self) -> String {
        let path = self.path();
        if path.is_empty() { path } else { format!("{path}: ") }
    }

    /// Where, as `tasks[1].title`; empty for the whole.
    #[must_use]
    pub fn path(&self) -> String {
        self.steps.iter().rev().fold(String::new(), |path, step| match step {
            Step::Key(key) if path.is_empty() => key.clone(),
            Step::Key(key) => format!("{path}.{key}"),
            Step::Index(index) => format!("{path}[{index}]"),
        })
    }
}

/// What is wrong, without where.
impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            ArgumentProblem::Missing(field) => write!(f, "missing field `{field}`"),
            ArgumentProblem::Other(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for ArgumentError {}

impl Error for ArgumentError {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Self::other(problem.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::missing(field)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown(field, expected)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::other(match found {
            Unexpected::Unit => format!("invalid type: null, expected {expected}"),
            other => format!("invalid type: {other}, expected {expected}"),
        })
    }
}

fn unknown_field(field: &str, known: &[&str]) -> String {
    match known {
        [] => format!("unknown field `{field}`, there are no fields"),
        [only] => format!("unknown field `{field}`, expected `{only}`"),
        [one, other] => format!("unknown field `{field}`, expected `{one}` or `{other}`"),
        several => {
            let several: Vec<String> = several.iter().map(|name| format!("`{name}`")).collect();
            format!("unknown field `{field}`, expected one of {}", several.join(", "))
        }
    }
}

/// Reads a value as what is wanted.
///
/// # Errors
/// What is wrong, and where.
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T, ArgumentError> {
    T::deserialize(Given(value))
}

struct Given(Value);

impl<'de> Deserializer<'de> for Given {
    type Error = ArgumentError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgumentError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(is_true) => visitor.visit_bool(is_true),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_u64(number),
                (None, Some(number), _) => visitor.visit_i64(number),
                (None, None, number) => visitor.visit_f64(number.unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(Items { rest: items.into_iter(), index: 0 }),
            Value::Object(fields) => visitor.visit_map(Fields { rest: fields.into_iter(), pair: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgumentError> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ArgumentError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, ArgumentError> {
        match self.0 {
            Value::String(variant) => visitor.visit_enum(variant.into_deserializer()),
            Value::Object(fields) => visitor.visit_enum(MapAccessDeserializer::new(Fields { rest: fields.into_iter(), pair: None })),
            other => Given(other).deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

struct Items {
    rest: std::vec::IntoIter<Value>,
    index: usize,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = ArgumentError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, ArgumentError> {
        let Some(item) = self.rest.next() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        seed.deserialize(Given(item)).map(Some).map_err(|wrong| wrong.within(Step::Index(index)))
    }
}

struct Fields {
    rest: <Map<String, Value> as IntoIterator>::IntoIter,
    pair: Option<(String, Value)>,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = ArgumentError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, ArgumentError> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        let (key, _) = self.pair.insert((key, value));
        seed.deserialize(Given(Value::String(key.clone()))).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ArgumentError> {
        let (key, value) = self.pair.take().unwrap_or_default();
        seed.deserialize(Given(value)).map_err(|wrong| wrong.within(Step::Key(key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    #[serde(try_from = "String")]
    struct BeadId;

    impl TryFrom<String> for BeadId {
        type Error = String;

        fn try_from(text: String) -> Result<Self, String> {
            if text == "good" { Ok(Self) } else { Err("no id".to_owned()) }
        }
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Severity {
        Low,
        High,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Task {
        #[expect(dead_code, reason = "only read")]
        title: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only read")]
        depends_on: Vec<usize>,
        #[serde(default)]
        #[expect(dead_code, reason = "only read")]
        bead: Option<BeadId>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Arguments {
        #[expect(dead_code, reason = "only read")]
        rig: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only read")]
        tasks: Vec<Task>,
        #[serde(default)]
        #[expect(dead_code, reason = "only read")]
        beads: Vec<BeadId>,
        #[serde(default)]
        #[expect(dead_code, reason = "only read")]
        limit: Option<u8>,
        #[serde(default)]
        #[expect(dead_code, reason = "only read")]
        severity: Option<Severity>,
        #[serde(default)]
        #[expect(dead_code, reason = "only read")]
        more: Map<String, Value>,
    }

    fn wrong(arguments: Value) -> ArgumentError {
        read::<Arguments>(arguments).unwrap_err()
    }

    fn path_of(arguments: Value) -> String {
        wrong(arguments).path()
    }

    #[test]
    fn what_fits_is_read() {
        let id = "good";
        let all = json!({
            "rig": "api", "tasks": [{"title": "t", "depends_on": [0], "bead": id}], "beads": [id], "limit": 255, "severity": "high",
            "more": {"a": [1, -1, 1.5, null, true]},
        });
        read::<Arguments>(all).unwrap();
        read::<Arguments>(json!({"rig": "api", "limit": null})).unwrap();
        assert_eq!(read::<Value>(json!({"a": [1, -1, 1.5, null, true]})).unwrap(), json!({"a": [1, -1, 1.5, null, true]}));
    }

    #[test]
    fn the_argument_that_is_wrong_is_named_wherever_it_stands() {
        let good = "good";
        assert_eq!(path_of(json!({"rig": 5})), "rig");
        assert_eq!(path_of(json!({"rig": [1]})), "rig");
        assert_eq!(path_of(json!({"rig": {"a": 1}, "tasks": []})), "rig");
        assert_eq!(path_of(json!({"limit": 256, "rig": "api"})), "limit");
        assert_eq!(path_of(json!({"limit": 1.5, "rig": "api"})), "limit");
        assert_eq!(path_of(json!({"rig": "a\"],{", "tasks": 7})), "tasks");
        assert_eq!(path_of(json!({"rig": "api", "tasks": [{"title": "ä\\"}, {"title": null}]})), "tasks[1].title");
        assert_eq!(path_of(json!({"rig": "api", "tasks": [{"depends_on": [0, 1, "2"], "title": "t"}]})), "tasks[0].depends_on[2]");
        assert_eq!(path_of(json!({"rig": "api", "tasks": ["t"]})), "tasks[0]");
        assert_eq!(path_of(json!({"rig": "api", "severity": 3})), "severity");
        assert_eq!(path_of(json!({"beads": ["x"], "rig": "api"})), "beads[0]");
        assert_eq!(path_of(json!({"beads": [good, "x", good], "rig": "api"})), "beads[1]");
        assert_eq!(path_of(json!({"rig": "api", "tasks": [{"bead": "x", "title": "t"}]})), "tasks[0].bead");
        assert_eq!(path_of(json!({"rig": "api", "tasks": [{"title": "t"}, {"bead": "x"}]})), "tasks[1].bead");
    }

    #[test]
    fn what_is_missing_or_unknown_is_so_in_what_holds_it() {
        assert_eq!(path_of(json!({})), "");
        assert_eq!(path_of(json!({"limit": 1})), "");
        assert_eq!(path_of(json!({"limit": 1, "unknown": 2, "rig": "api"})), "");
        assert_eq!(path_of(json!({"rig": "api", "tasks": [{"title": "t"}, {}]})), "tasks[1]");
        assert_eq!(path_of(json!({"rig": "api", "tasks": [{"title": "t", "x": 1}]})), "tasks[0]");
    }

    #[test]
    fn what_is_wrong_is_said_as_the_type_says_it() {
        for (arguments, problem) in [
            (json!({}), "missing field `rig`"),
            (json!({"rig": null}), "invalid type: null, expected a string"),
            (json!({"rig": 5}), "invalid type: integer `5`, expected a string"),
            (json!({"rig": "api", "limit": 256}), "invalid value: integer `256`, expected u8"),
            (json!({"rig": "api", "tasks": [{"x": 1}]}), "unknown field `x`, expected one of `title`, `depends_on`, `bead`"),
        ] {
            assert_eq!(wrong(arguments).to_string(), problem);
        }
        assert!(wrong(json!({"rig": "api", "severity": "dire"})).to_string().contains("unknown variant `dire`, expected `low` or `high`"));
    }

    #[test]
    fn an_argument_is_named_as_its_caller_knows_it() {
        let name = |known: &str| (known == "rig").then_some("rig_id");
        assert_eq!(wrong(json!({"rig": 5})).renamed(name).path(), "rig_id");
        assert_eq!(wrong(json!({})).renamed(name).to_string(), "missing field `rig_id`");
        let inner = wrong(json!({"rig": "api", "tasks": [{}]})).renamed(|known| (known == "title").then_some("name"));
        assert_eq!((inner.path().as_str(), inner.to_string().as_str()), ("tasks[0]", "missing field `title`"));
    }
}
