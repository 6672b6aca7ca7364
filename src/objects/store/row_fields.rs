//! The fields of a row's type, in the order in which they are decoded. Debug builds only.
//!
//! Owns a deserializer that decodes nothing: it reads which fields a struct asks for. A row is an array of columns, so a
//! column list and a struct must agree in order; the host tests compare the two for every query that they run.

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use std::fmt::{self, Display};

/// The fields of `T`; `None` when it is a tuple, whose columns have no names.
pub(super) fn row_fields<'de, T: Deserialize<'de>>() -> Option<&'static [&'static str]> {
    T::deserialize(Probe).err().and_then(|Stopped(fields)| fields)
}

struct Probe;

/// How every probe ends.
#[derive(Debug)]
struct Stopped(Option<&'static [&'static str]>);

impl Display for Stopped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a probe decodes nothing")
    }
}

impl std::error::Error for Stopped {}

impl Error for Stopped {
    fn custom<M: Display>(_message: M) -> Self {
        Self(None)
    }
}

impl<'de> Deserializer<'de> for Probe {
    type Error = Stopped;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Stopped> {
        Err(Stopped(None))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Stopped> {
        Err(Stopped(Some(fields)))
    }

    // A struct that is decoded as another one, or holds nothing else.
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Stopped> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map enum identifier ignored_any
    }
}
