//! The REST routes as an `OpenAPI` 3.1 document, made from the rows alone.
//!
//! Owns the form of a row in it. Compiled for the host only. Shapes of the contract are named, not described: their fields
//! are in `contract::shapes`.

use super::GROUPS;
use super::docs::BodyDocs;
use super::response::ResponseShape;
use super::route::{Action, Credentials, Route, RouteCaller, RouteGroup};
use base::http::BODY_BYTES_MAX;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for (group, route) in routes() {
        let path = full_path(group, route);
        let item = paths.entry(path.clone()).or_insert_with(|| json!({"parameters": path_parameters(&path)}));
        if let Some(item) = item.as_object_mut() {
            item.insert(route.method.to_lowercase(), operation(group, route, &path));
        }
    }
    let refused_content = content(&json!({"$ref": reference("Refused")}));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Gastown REST",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The REST routes beside the MCP endpoints. Answers are `{\"success\":true,\"data\":…}` or \
                `{\"success\":false,\"error\":…,\"hint\":…}`. Every `GET` is answered to `HEAD` too, unless it takes what it shows or \
                streams; `OPTIONS` and the header `Allow` of 405 list what a path has.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": GROUPS.iter().map(|group| json!({"name": group.docs.title, "description": group.docs.callers})).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A user's, agent's or container's token, or an OAuth access token."},
                "expired": {"type": "http", "scheme": "bearer", "description": "A container's token that is at most a day old, expired or not."},
                "subprotocol": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Sec-WebSocket-Protocol",
                    "description": "`bearer.` and a token, for browsers, which send no headers with a WebSocket.",
                },
            },
            "parameters": shared_parameters(),
            "responses": {
                "Refused": {"description": "The request is refused.", "content": refused_content},
                "TooLarge": {"description": format!("The body is larger than {} MiB.", BODY_BYTES_MAX >> 20), "content": refused_content},
            },
            "schemas": schemas(),
        },
    })
}

/// Every route with its group, in the order of the tables.
pub fn routes() -> impl Iterator<Item = (&'static RouteGroup, &'static Route)> {
    GROUPS.iter().flat_map(|group| group.routes.iter().map(|route| (*group, route)))
}

/// The whole path of a route, its parameters in braces.
#[must_use]
pub fn full_path(group: &RouteGroup, route: &Route) -> String {
    let path = if route.path.is_empty() { group.prefix.to_owned() } else { format!("{}/{}", group.prefix, route.path) };
    in_braces(&path)
}

/// A pattern with its parameters in braces.
#[must_use]
pub fn in_braces(pattern: &str) -> String {
    let part = |part: &str| part.split_once(':').map_or(part.to_owned(), |(text, name)| format!("{text}{{{name}}}"));
    pattern.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn path_parameters(path: &str) -> Vec<Value> {
    names_in(path).map(|name| json!({"$ref": format!("#/components/parameters/{name}")})).collect()
}

/// The names in braces.
fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name)
}

/// The parameters of all paths, and the idempotency key.
fn shared_parameters() -> Map<String, Value> {
    let paths: BTreeSet<String> = routes().map(|(group, route)| full_path(group, route)).collect();
    let names: BTreeSet<&str> = paths.iter().flat_map(|path| names_in(path)).collect();
    let in_path = |name: &str| (name.to_owned(), json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
    let mut parameters: Map<String, Value> = names.into_iter().map(in_path).collect();
    let key = json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes a repeated request one change with one answer.",
        "schema": {"type": "string"},
    });
    parameters.insert("key".to_owned(), key);
    parameters
}

fn operation(group: &RouteGroup, route: &Route, path: &str) -> Value {
    let id: String =
        path.chars().filter(|char| !matches!(char, '{' | '}')).map(|char| if char.is_alphanumeric() { char } else { '_' }).collect();
    let mut operation = json!({
        "operationId": format!("{}{id}", route.method.to_lowercase()),
        "tags": [group.docs.title],
        "summary": route.docs.summary,
        "security": security(group, route),
        "responses": responses(route),
    });
    let parameters = parameters(route);
    let mut set = |name: &str, value: Value| operation.as_object_mut().map(|fields| fields.insert(name.to_owned(), value));
    if !parameters.is_empty() {
        set("parameters", Value::from(parameters));
    }
    if let Some(schema) = schema(&route.docs.body) {
        set("requestBody", json!({"required": requires_body(&route.docs.body), "content": content(&schema)}));
    }
    if let Some(description) = description(route) {
        set("description", Value::from(description));
    }
    operation
}

/// The callers beside the scope, or that embedded towns lack the route.
fn description(route: &Route) -> Option<&'static str> {
    match (route.unsupported, route.caller) {
        (Some(_), _) => Some("The contract has this route, embedded towns do not."),
        (None, RouteCaller::AgentItself) => Some("For the agent that the path names, or its container."),
        (None, RouteCaller::Mayor) => Some("For the town's Mayor, or its container."),
        (None, RouteCaller::Any) => None,
    }
}

fn parameters(route: &Route) -> Vec<Value> {
    let query = route.docs.query.iter().map(|field| {
        let (name, is_required) = required(field);
        json!({"name": name, "in": "query", "required": is_required, "schema": {"type": "string"}})
    });
    let key = json!({"$ref": "#/components/parameters/key"});
    query.chain(route.takes_idempotency_key().then_some(key)).collect()
}

fn security(group: &RouteGroup, route: &Route) -> Value {
    let scope = route.scope(group.docs.role).name();
    match (&route.action, route.credentials) {
        (Action::Unauthenticated(_), _) => json!([{"expired": []}]),
        (_, Credentials::Header) => json!([{"bearer": [scope]}]),
        (_, Credentials::HeaderOrSubprotocol) => json!([{"bearer": [scope]}, {"subprotocol": []}]),
    }
}

fn responses(route: &Route) -> Value {
    let refused = || json!({"$ref": "#/components/responses/Refused"});
    let mut statuses = Map::new();
    let success = match (&route.action, route.credentials) {
        _ if route.unsupported.is_some() => None,
        (Action::Stream(..), Credentials::HeaderOrSubprotocol) => Some((101, json!({"description": "A WebSocket."}))),
        (Action::Stream(..), _) => {
            let mut content = content(&envelope(route));
            if let Some(types) = content.as_object_mut() {
                types.insert("text/event-stream".to_owned(), json!({"schema": {"type": "string"}}));
            }
            Some((route.status, json!({"description": "One page, or events where the client accepts them.", "content": content})))
        }
        _ => Some((route.status, json!({"description": "Success.", "content": content(&envelope(route))}))),
    };
    if let Some((status, response)) = success {
        statuses.insert(status.to_string(), response);
    }
    for status in [401, 403, 404].into_iter().chain(route.unsupported) {
        statuses.insert(status.to_string(), refused());
    }
    if !matches!(route.docs.body, BodyDocs::None) || !route.docs.query.is_empty() {
        statuses.insert("400".to_owned(), refused());
    }
    if !matches!(route.docs.body, BodyDocs::None) {
        statuses.insert("413".to_owned(), json!({"$ref": "#/components/responses/TooLarge"}));
    }
    if route.takes_idempotency_key() {
        statuses.insert("409".to_owned(), refused());
    }
    statuses.insert("default".to_owned(), refused());
    Value::Object(statuses)
}

fn envelope(route: &Route) -> Value {
    let mut fields = json!({"success": {"const": true}});
    let data = match route.shape {
        ResponseShape::Whole | ResponseShape::Found(_) => schema(&route.docs.answer),
        ResponseShape::Field(name) => Some(object(&[name])),
        ResponseShape::Flag(name) => Some(json!({"type": "object", "properties": {name: {"const": true}}, "required": [name]})),
        ResponseShape::Deleted(_) => Some(json!({"type": "object", "properties": {"deleted": {"const": true}}, "required": ["deleted"]})),
    };
    if let (Some(data), Some(fields)) = (data, fields.as_object_mut()) {
        fields.insert("data".to_owned(), data);
    }
    json!({"type": "object", "properties": fields, "required": ["success"]})
}

fn schema(docs: &BodyDocs) -> Option<Value> {
    match docs {
        BodyDocs::None => None,
        BodyDocs::One(name) => Some(json!({"$ref": reference(shape_name(name()))})),
        BodyDocs::List(name) => Some(json!({"type": "array", "items": {"$ref": reference(shape_name(name()))}})),
        BodyDocs::Fields(fields) => Some(object(fields)),
    }
}

fn object(fields: &[&str]) -> Value {
    let names: Vec<(&str, bool)> = fields.iter().map(|field| required(field)).collect();
    let properties: Map<String, Value> = names.iter().map(|(name, _)| ((*name).to_owned(), json!({}))).collect();
    let needed: Vec<&str> = names.iter().filter(|(_, is_required)| *is_required).map(|(name, _)| *name).collect();
    json!({"type": "object", "properties": properties, "required": needed})
}

/// The name of a field, and whether it must be there.
#[must_use]
pub fn required(field: &str) -> (&str, bool) {
    field.strip_suffix('?').map_or((field, true), |name| (name, false))
}

fn requires_body(body: &BodyDocs) -> bool {
    match body {
        BodyDocs::Fields(fields) => fields.iter().any(|field| required(field).1),
        BodyDocs::None | BodyDocs::One(_) | BodyDocs::List(_) => true,
    }
}

/// The name of a shape, from its type's.
#[must_use]
pub fn shape_name(type_name: &str) -> &str {
    type_name.rsplit("::").next().unwrap_or(type_name)
}

fn schemas() -> Value {
    let named = routes().flat_map(|(_, route)| [route.docs.body, route.docs.answer]).filter_map(|docs| match docs {
        BodyDocs::One(name) | BodyDocs::List(name) => Some(shape_name(name())),
        BodyDocs::None | BodyDocs::Fields(_) => None,
    });
    let mut schemas: Map<String, Value> = named
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|name| (name.to_owned(), json!({"type": "object", "description": format!("The contract's `{name}`.")})))
        .collect();
    let text = || json!({"type": "string"});
    let refused = json!({
        "type": "object",
        "properties": {
            "success": {"const": false},
            "error": text(),
            "hint": text(),
            "incident": text(),
            "issues": {"type": "array", "items": {"type": "object"}},
        },
        "required": ["success", "error"],
    });
    schemas.insert("Refused".to_owned(), refused);
    Value::Object(schemas)
}

fn content(schema: &Value) -> Value {
    json!({"application/json": {"schema": schema}})
}

fn reference(name: &str) -> String {
    format!("#/components/schemas/{name}")
}
