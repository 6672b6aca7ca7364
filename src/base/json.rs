//! Reading and making JSON with one copy of what many types would bring along each for itself.
//!
//! Owns no format: serde does the work.

use serde::de::{Deserialize, Deserializer, Visitor};
use serde_json::de::StrRead;
use serde_json::{Error, Map, Value};

/// An object of these fields. Not `collect`, which sorts first, with a copy of the sort for every kind of iterator.
pub fn object<Name: Into<String>>(fields: impl IntoIterator<Item = (Name, Value)>) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, value) in fields {
        object.insert(name.into(), value);
    }
    object
}

/// Reads a struct from the text of an object. serde also takes an array, field by field: that is ambiguous where clients write,
/// and a second decoder for every type.
///
/// # Errors
/// As serde has them, with the place in the text.
pub fn read_object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(ObjectOnly(&mut reader))?;
    reader.end()?;
    Ok(value)
}

/// Takes an object for a struct, and nothing else. Structs inside are read as ever.
struct ObjectOnly<'r, 'de>(&'r mut serde_json::Deserializer<StrRead<'de>>);

impl<'de> Deserializer<'de> for ObjectOnly<'_, 'de> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        id: u8,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Inner(u8);

    #[test]
    fn a_struct_is_an_object_and_nothing_comes_after_it() {
        assert_eq!(read_object::<Outer>(r#" {"id":1,"inner":2} "#).unwrap(), Outer { id: 1, inner: Some(Inner(2)) });
        for bad in ["[1,2]", "null", "1", "", "{}", r#"{"id":1,"id":2}"#, r#"{"id":1,"other":2}"#, r#"{"id":1}]"#] {
            assert!(read_object::<Outer>(bad).is_err(), "{bad}");
        }
        let error = read_object::<Outer>("{\"id\":1,\n\"inner\":\"x\"}").unwrap_err();
        assert_eq!((error.line(), error.column()), (2, 11));
    }

    #[test]
    fn a_field_that_comes_twice_is_the_later_one() {
        assert_eq!(Value::Object(object([("a", 1.into()), ("b", 2.into()), ("a", 3.into())])), serde_json::json!({"a": 3, "b": 2}));
    }
}
