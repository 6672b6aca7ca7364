//! Schemas as clients like them: objects at the root, everything inlined, nothing that models do not need.
//!
//! Owns the one pass from a tool's types to what `tools/list` shows, and the two arguments every tool gets. It runs on the
//! host only: the Worker carries its result as a text (`list`), which a test keeps equal to this.

use super::profile::Audience;
use super::tool::{Reach, ToolDef};
use crate::contract::limits::idempotency::KEY_CHARS_MAX;
use crate::tools::alias::{Alias, Fit};
use crate::tools::tool_names::sentence;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// A tool as clients of the fleet connection and the newest revision see it.
#[must_use]
pub fn describe<Input: JsonSchema, Output: JsonSchema>(tool: &ToolDef) -> Value {
    let input = raw::<Input>();
    let mut described = json!({
        "name": tool.name,
        "title": tool.title,
        "description": description(tool, &one_line(input.get("description").and_then(Value::as_str).unwrap_or_default())),
        "inputSchema": arguments(tool, input),
        "outputSchema": outline(tool, tidy(raw::<Output>())),
        "annotations": {
            "readOnlyHint": tool.hints.read_only,
            "destructiveHint": tool.hints.destructive,
            "idempotentHint": tool.hints.idempotent,
            "openWorldHint": tool.hints.open_world,
        },
    });
    if let (Some(meta), Some(described)) = (tool.meta, described.as_object_mut()) {
        described.insert("_meta".to_owned(), serde_json::from_str(meta).unwrap_or_default());
    }
    described
}

fn description(tool: &ToolDef, own: &str) -> String {
    match &tool.alias {
        Some(alias) if !alias.description.is_empty() => alias.description.to_owned(),
        Some(_) => sentence(own),
        None => own.to_owned(),
    }
}

/// The schema of a type, with nothing referenced from elsewhere.
fn raw<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// The arguments of the tool's type, with `town` before them and `idempotency_key` after them where they belong.
fn arguments(tool: &ToolDef, schema: Value) -> Value {
    let mut schema = without_description(tidy(schema));
    if let Some(alias) = &tool.alias {
        schema = offered(alias, schema);
    }
    let Some(root) = schema.as_object_mut() else { return schema };
    let mut properties = Map::new();
    let mut required = Vec::new();
    if tool.reach == Reach::Town {
        properties.insert("town".to_owned(), json!({"type": "string", "description": "Town: its id, or its name if that is unique."}));
        required.push(Value::from("town"));
    }
    if let Some(Value::Object(own)) = root.remove("properties") {
        properties.extend(own);
    }
    if let Some(Value::Array(own)) = root.remove("required") {
        required.extend(own);
    }
    if !tool.hints.read_only {
        let mut key = json!({"type": "string", "maxLength": KEY_CHARS_MAX});
        let description = match tool.audience {
            Audience::Coordinators => Some("Any text of your own. Repeating a call with the same key and arguments does nothing twice."),
            // Agents read it with every piece of work, and their instructions say what it is for.
            Audience::Agents | Audience::Refineries => Some("Repeated with the same key it is done once."),
            // The Mayor's prompt explains it.
            Audience::Mayors => None,
        };
        if let Some((key, description)) = key.as_object_mut().zip(description) {
            key.insert("description".to_owned(), description.into());
        }
        properties.insert("idempotency_key".to_owned(), key);
    }
    root.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        root.insert("required".to_owned(), Value::Array(required));
    }
    root.insert("additionalProperties".to_owned(), Value::Bool(false));
    schema
}

/// The arguments that an alias offers, of those of the tool behind it.
fn offered(alias: &Alias, schema: Value) -> Value {
    let own = schema.get("properties").cloned().unwrap_or_default();
    let needed = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut properties = Map::new();
    let mut required = Vec::new();
    for argument in alias.arguments {
        let mut property = own.get(argument.behind).cloned().unwrap_or_default();
        if let Some(Value::String(text)) = property.get_mut("description") {
            *text = sentence(text);
        }
        if argument.fit == Fit::List
            && let Some(property) = property.as_object_mut()
        {
            property.insert("type".to_owned(), json!(["string", "array"]));
        }
        properties.insert(argument.name.to_owned(), property);
        if argument.is_required || needed.iter().any(|name| name == argument.behind) {
            required.push(Value::from(argument.name));
        }
    }
    let mut schema = json!({"type": "object", "properties": properties});
    if let Some(schema) = schema.as_object_mut().filter(|_| !required.is_empty()) {
        schema.insert("required".to_owned(), Value::Array(required));
    }
    schema
}

/// What an answer has at its top. The rest explains itself when it is read, and would cost every model tokens before.
fn outline(tool: &ToolDef, schema: Value) -> Value {
    let Value::Object(mut root) = without_description(schema) else { return json!({"type": "object"}) };
    // A Mayor reads its list with every conversation; what is always there it sees in the answers, and there is one town.
    if tool.audience == Audience::Mayors {
        root.remove("required");
        if let Some(Value::Object(properties)) = root.get_mut("properties") {
            properties.remove("town");
        }
    }
    if let Some(Value::Object(properties)) = root.get_mut("properties") {
        for property in properties.values_mut() {
            let kind = property.get("type").cloned().unwrap_or_else(|| "object".into());
            let kept = property.get("enum").map(|values| ("enum".to_owned(), values.clone()));
            let mut short = Map::from_iter([("type".to_owned(), kind)]);
            short.extend(kept);
            *property = Value::Object(short);
        }
    }
    Value::Object(root)
}

fn without_description(mut schema: Value) -> Value {
    if let Some(root) = schema.as_object_mut() {
        root.remove("description");
    }
    schema
}

/// Doc comments are wrapped for the source's sake.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Drops what costs tokens and helps nobody (titles, number formats, null alternatives of fields that are simply left
/// out) and opens `anyOf` with null.
fn tidy(schema: Value) -> Value {
    match schema {
        Value::Object(mut object) => {
            for noise in ["title", "format", "default", "$schema"] {
                // A property may be called title; then its value is a schema.
                if object.get(noise).is_none_or(|value| !value.is_object()) {
                    object.remove(noise);
                }
            }
            if object.get("minimum").and_then(Value::as_i64) == Some(0) {
                object.remove("minimum");
            }
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = one_line(text);
            }
            // The entries' type explains itself less well than the list's field.
            if let Some(Value::Object(items)) = object.get_mut("items") {
                items.remove("description");
            }
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [single] = types.as_slice() {
                    let single = single.clone();
                    object.insert("type".to_owned(), single);
                }
            }
            if let Some(Value::Array(values)) = object.get_mut("enum") {
                values.retain(|value| !value.is_null());
            }
            if let Some(Value::Array(choices)) = object.remove("anyOf") {
                let described = object.remove("description");
                for choice in choices {
                    if choice.get("type").and_then(Value::as_str) != Some("null")
                        && let Value::Object(choice) = choice
                    {
                        object.extend(choice);
                    }
                }
                if let Some(described) = described {
                    object.insert("description".to_owned(), described);
                }
            }
            object.into_iter().map(|(key, value)| (key, tidy(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(tidy).collect(),
        other => other,
    }
}
