//! How a field is read that a database keeps as text or as a number.
//!
//! Owns two decoders, each of which reads the column and the wire's own form alike, so that one struct serves both.

use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error as _};
use serde_json::Value;
use serde_json::value::RawValue;

/// Decodes a column that holds JSON text; also reads the JSON itself, so one struct serves rows and wire objects.
pub fn json_column<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    // Everything is decoded from text, so that a type has one decoder in the binary and not one per form.
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    if raw.get().starts_with('"') {
        let text: String = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
        return serde_json::from_str(&text).or_else(|_| serde_json::from_str(raw.get())).map_err(D::Error::custom);
    }
    serde_json::from_str(raw.get()).map_err(D::Error::custom)
}

/// Decodes a flag column: 0 or 1, or a JSON boolean.
pub fn flag_column<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Bool(flag) => Ok(flag),
        Value::Number(number) => Ok(number.as_i64() == Some(1)),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => Err(D::Error::custom("not a flag")),
    }
}
