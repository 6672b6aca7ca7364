//! A resource as a row, and the connection that reads it.
//!
//! Owns these types, and how a URI matches a row. The rows are in `rows`; a connection's look-ups are in `lookup`.

use crate::cache::Memory;
use crate::contract::ids::TownId;
use crate::rpc::client::Client;
use crate::tools::profile::Profile;
use crate::tools::topic::Source;
use mcp::client::ClientHandle;
use mcp::types::{Caching, CallFuture, ListSchema};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::borrow::Cow;

/// A connection, as resources, prompts and completions see it.
#[derive(Clone, Copy)]
pub struct Offering<'a> {
    /// Calls in the caller's name.
    pub client: &'a Client<'a>,
    /// The memory of the isolate.
    pub memory: &'a Memory,
    /// The town that the connection is for, if it is for one.
    pub pinned: Option<&'a TownId>,
    /// The profile of the connection.
    pub profile: Profile,
    /// The client, where it can be asked back.
    pub mcp_client: Option<&'a dyn ClientHandle>,
    /// Resources that the build adds to the product's.
    pub additions: &'static [ResourceDef],
}

/// A row of the table.
pub struct ResourceDef {
    /// The URI, or its template: each `{variable}` is one whole segment.
    pub uri: &'static str,
    /// The name, for programs.
    pub name: &'static str,
    /// The title, for people.
    pub title: &'static str,
    /// The description, for models.
    pub description: &'static str,
    /// The type of the content.
    pub mime_type: &'static str,
    /// By how fast it changes.
    pub caching: Caching,
    /// Reads the content.
    pub read: Read,
}

/// Reads a resource. The texts are the values of the URI's variables, in order and decoded.
pub type Read = for<'a> fn(&'a Offering<'a>, Vec<String>) -> CallFuture<'a, Found>;

/// The content of a resource, and the sources of its changes.
pub struct Found {
    /// The content.
    pub body: Body,
    /// JSON text of the content's `_meta`.
    pub meta: Option<&'static str>,
    /// The sources of changes; none for a constant.
    pub sources: Vec<Source>,
}

/// The content of a resource.
pub enum Body {
    /// As it is.
    Text(Cow<'static, str>),
    /// Bytes, in base64.
    Blob(&'static str),
}

impl ResourceDef {
    /// Whether the URI has variables.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.uri.contains('{')
    }

    /// The names of its variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        self.uri.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }

    /// The values of its variables in `uri`, if that is such a URI.
    pub(super) fn matches(&self, uri: &str) -> Option<Vec<String>> {
        let mut values = Vec::new();
        let (mut pattern, mut given) = (self.uri.split('/'), uri.split('/'));
        loop {
            match (pattern.next(), given.next()) {
                (None, None) => return Some(values),
                (Some(part), Some(segment)) if part.starts_with('{') => {
                    let value = percent_decode_str(segment).decode_utf8().ok().filter(|value| !value.is_empty())?;
                    values.push(value.into_owned());
                }
                (Some(part), Some(segment)) if part == segment => {}
                _ => return None,
            }
        }
    }

    pub(super) fn describe(&self, key: &str, uri: &str, name: &str, title: &str, schema: ListSchema) -> Value {
        let mut entry = json!({"name": name, "description": self.description, "mimeType": self.mime_type});
        if let Some(entry) = entry.as_object_mut() {
            entry.insert(key.to_owned(), uri.into());
            if schema == ListSchema::Full {
                entry.insert("title".to_owned(), title.into());
            }
        }
        entry
    }
}
