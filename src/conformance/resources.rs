//! Resources of the conformance suite.

use super::RED_DOT_PNG;
use crate::resources::{Body, Found, Offering, ResourceDef};
use crate::tools::topic::Source;
use futures::future::ready;
use mcp::types::{Caching, CallFuture};
use serde_json::json;

const CACHING: Caching = Caching { ttl_ms: 60_000, scope: "public" };

/// Every one.
pub const RESOURCES: &[ResourceDef] = &[
    ResourceDef {
        uri: "test://static-text",
        name: "static-text",
        title: "Static text",
        description: "A text that never changes.",
        mime_type: "text/plain",
        caching: CACHING,
        read: |_, _| Box::pin(ready(Ok(Found::fixed("This is the content of the static text resource.")))),
    },
    ResourceDef {
        uri: "test://static-binary",
        name: "static-binary",
        title: "Static image",
        description: "An image that never changes.",
        mime_type: "image/png",
        caching: CACHING,
        read: |_, _| Box::pin(ready(Ok(Found { body: Body::Blob(RED_DOT_PNG), ..Found::fixed("") }))),
    },
    ResourceDef {
        uri: "test://template/{id}/data",
        name: "template",
        title: "Template",
        description: "Data that names the id in its URI.",
        mime_type: "application/json",
        caching: CACHING,
        read: template,
    },
    ResourceDef {
        uri: "test://watched-resource",
        name: "watched-resource",
        title: "Watched resource",
        description: "A resource to subscribe to.",
        mime_type: "text/plain",
        caching: CACHING,
        read: |_, _| {
            let source = Source { source: "self".to_owned(), topic: "watched-resource".to_owned(), town: None, receipt: false };
            Box::pin(ready(Ok(Found { sources: vec![source], ..Found::fixed("Watched resource content") })))
        },
    },
];

fn template<'a>(_: &'a Offering<'a>, values: Vec<String>) -> CallFuture<'a, Found> {
    let id = values.concat();
    let text = json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")}).to_string();
    Box::pin(ready(Ok(Found { body: Body::Text(text.into()), ..Found::fixed("") })))
}
