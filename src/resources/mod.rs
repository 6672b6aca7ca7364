//! Resources: texts that clients read by URI.
//!
//! `rows` has the table and one function per resource, `feed` shows a town's feed, `lookup` looks things up, `skills` has
//! the guides. This file has the parts that all rows share: how a URI finds its row, the lists, and the reply made of a row's
//! answer.

pub mod feed;
pub mod lookup;
pub mod rows;
pub mod skills;

pub use crate::resources::lookup::Offering;

use crate::resources::lookup::unknown_thing;
use crate::rpc::call::Instance;
use crate::tools::paging::sort;
use crate::tools::resolve::{registries, rigs_of, towns_of};
use crate::tools::text::name;
use crate::tools::topic::Source;
use base::error::Fault;
use base::json::object;
use base::signed_text::{Purpose, open, seal};
use futures::future::try_join;
use mcp::client::NotificationRoute;
use mcp::types::{Caching, CallError, CallFuture, Change, Contents, ListSchema, Listing};
use percent_encoding::percent_decode_str;
use rows::{FEED, FLEET, MAYOR_TALK, RESOURCES, RIG, TOWN};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Resources on a page of the list.
pub const PAGE_MAX: usize = 100;

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
    fn matches(&self, uri: &str) -> Option<Vec<String>> {
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

    fn describe(&self, key: &str, uri: &str, name: &str, title: &str, schema: ListSchema) -> Value {
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

/// The rows of the product, then those that the build adds.
fn rows(additions: &'static [ResourceDef]) -> impl Iterator<Item = &'static ResourceDef> {
    RESOURCES.iter().chain(additions)
}

/// The templates of a connection. On a connection to one town those that only name the town are in the list itself.
pub fn visible_templates(is_pinned: bool, additions: &'static [ResourceDef]) -> impl Iterator<Item = &'static ResourceDef> {
    rows(additions).filter(move |row| row.is_template() && !(is_pinned && row.variables().eq(["town"])))
}

/// `resources/templates/list` as the JSON text of an array, built once per connection kind and schema.
#[must_use]
pub fn templates(pinned: bool, schema: ListSchema, additions: &'static [ResourceDef]) -> Rc<str> {
    thread_local! {
        static LISTS: RefCell<HashMap<(bool, ListSchema, usize), Rc<str>>> = RefCell::default();
    }
    let build = || {
        let entries = visible_templates(pinned, additions).map(|row| row.describe("uriTemplate", row.uri, row.name, row.title, schema));
        Value::Array(entries.collect()).to_string().into()
    };
    LISTS.with_borrow_mut(|lists| lists.entry((pinned, schema, additions.len())).or_insert_with(build).clone())
}

/// The place of a resource in the list: fleet, towns, rigs, feed and Mayor, then common ones; each in order of creation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Position(u8, i64, String);

/// A page of `resources/list`: the fleet and its towns, or the town with its rigs, its feed and its Mayor; then the common
/// ones.
///
/// # Errors
/// `Invalid` for a malformed cursor; the refusal or fault of a registry or the town.
pub async fn list(at: &Offering<'_>, schema: ListSchema, cursor: Option<&str>) -> Result<Listing, CallError> {
    let key = at.client.runtime.keys().seal_key();
    let after: Option<Position> = match cursor {
        None => None,
        Some(text) => Some(
            open(key, Purpose::Cursor, text)
                .ok_or_else(|| CallError::Invalid("cursor: not a cursor of this list; leave it out to begin at the start".to_owned()))?,
        ),
    };
    let mut entries: Vec<(Position, Value)> = Vec::new();
    let mut put = |group, made, id: &str, row: &ResourceDef, uri: &str, named: &str, title: &str| {
        entries.push((Position(group, made, id.to_owned()), row.describe("uri", uri, named, title, schema)));
    };
    for (number, row) in (0..).zip(rows(at.additions).filter(|row| !row.is_template())) {
        if row.uri != FLEET.uri {
            put(4, number, row.uri, row, row.uri, row.name, row.title);
        } else if at.pinned.is_none() {
            put(0, number, row.uri, row, row.uri, row.name, row.title);
        }
    }
    if let Some(town) = at.pinned {
        let (town_name, rigs) = try_join(at.town_name(town), rigs_of(at.client, town)).await?;
        let own = format!("gastown://towns/{town}");
        put(1, 0, "", &TOWN, &own, &name(&town_name), TOWN.title);
        for rig in rigs {
            put(2, rig.created_at.millis(), rig.id.as_str(), &RIG, &format!("{own}/rigs/{}", rig.id), &name(&rig.name), RIG.title);
        }
        put(3, 0, "", &FEED, &format!("{own}/feed"), FEED.name, FEED.title);
        put(3, 1, "", &MAYOR_TALK, &format!("{own}/mayor"), MAYOR_TALK.name, MAYOR_TALK.title);
    } else {
        for town in towns_of(at.client).await? {
            let uri = format!("gastown://towns/{}", town.id);
            put(1, town.created_at.millis(), town.id.as_str(), &TOWN, &uri, &name(&town.name), TOWN.title);
        }
    }
    Ok(page(key, entries, after.as_ref())?)
}

fn page(key: &[u8], mut entries: Vec<(Position, Value)>, after: Option<&Position>) -> Result<Listing, Fault> {
    entries.retain(|(position, _)| after.is_none_or(|after| position > after));
    // Fifteen digits of milliseconds are in the order of the numbers until the year 33658.
    let mut entries = sort(entries, false, |(Position(group, at, id), _)| (i64::from(*group), format!("{at:015}{id}")));
    // A town may stand in two registries while it changes hands.
    entries.dedup_by(|(one, _), (other, _)| one == other);
    let has_more = entries.len() > PAGE_MAX;
    entries.truncate(PAGE_MAX);
    let last = entries.last().filter(|_| has_more);
    let next_cursor =
        last.map(|(position, _)| seal(key, Purpose::Cursor, position).map_err(|error| Fault::new("seal a cursor", error))).transpose()?;
    Ok(Listing { json: Value::Array(entries.into_iter().map(|(_, entry)| entry).collect()).to_string(), next_cursor })
}

/// `resources/read`.
///
/// # Errors
/// `Unknown` for a missing resource or one of another caller; `Invalid` for an ambiguous name.
pub async fn read(at: &Offering<'_>, uri: &str) -> Result<Contents, CallError> {
    let (row, found) = find(at, uri).await?;
    let mut item = json!({"uri": uri, "mimeType": row.mime_type});
    if let Some(item) = item.as_object_mut() {
        match found.body {
            Body::Text(text) => item.insert("text".to_owned(), text.into()),
            Body::Blob(data) => item.insert("blob".to_owned(), data.into()),
        };
        if let Some(meta) = found.meta {
            let meta = serde_json::from_str(meta).map_err(|error| Fault::new(row.uri, error))?;
            item.insert("_meta".to_owned(), meta);
        }
    }
    Ok(Contents { json: json!([item]).to_string(), caching: row.caching })
}

async fn find(at: &Offering<'_>, uri: &str) -> Result<(&'static ResourceDef, Found), CallError> {
    let (row, values) = rows(at.additions).find_map(|row| Some((row, row.matches(uri)?))).ok_or(CallError::Unknown)?;
    match (row.read)(at, values).await {
        Ok(found) => Ok((row, found)),
        Err(error) => Err(unknown_thing(error)),
    }
}

/// The sources of a change, and the notification it becomes. A resource must exist to be subscribed to.
///
/// # Errors
/// As for `read`.
pub async fn routes(at: &Offering<'_>, change: Change<'_>) -> Result<Vec<NotificationRoute>, CallError> {
    let (method, sources, params) = match change {
        // The lists of tools and prompts never change.
        Change::Tools | Change::Prompts => return Ok(Vec::new()),
        Change::Resources => ("notifications/resources/list_changed", list_sources(at), Map::new()),
        Change::Resource(uri) => {
            let (_, found) = find(at, uri).await?;
            let params = object([("uri", Value::from(uri))]);
            ("notifications/resources/updated", found.sources, params)
        }
    };
    Ok(sources.into_iter().map(|source| source.route(method, params.clone())).collect())
}

fn list_sources(at: &Offering<'_>) -> Vec<Source> {
    match at.pinned {
        Some(town) => vec![Source::town(town, "rigs")],
        None => registry_sources(at),
    }
}

/// The registries tell of towns that come and go.
fn registry_sources(at: &Offering<'_>) -> Vec<Source> {
    let source = |at: Instance| Source { source: at.to_string(), topic: "towns".to_owned(), town: None, receipt: false };
    registries(at.client).into_iter().map(source).collect()
}
