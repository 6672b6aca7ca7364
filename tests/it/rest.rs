//! The tables of REST routes: what follows from a row is so at every route, and the documents say the same.

use crate::support::edge::{Isolate, ORIGIN, Sent, header, text};
use crate::support::tokens::{self, OWNER};
use crate::support::town::Rig;
use crate::support::{Town, expect};
use base::http::{BODY_BYTES_MAX, Response};
use gastown_mcp::auth::principal::{Role, Scope};
use gastown_mcp::edge::rest::docs::BodyDocs;
use gastown_mcp::edge::rest::openapi::{self, full_path, required, routes};
use gastown_mcp::edge::rest::{GROUPS, Route, RouteCaller, RouteGroup};
use gastown_mcp::rpc::call::Context;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// An id that names nothing.
const NOTHING: &str = "00000000-0000-4000-8000-000000000000";
const ORG: &str = "acme";

struct World {
    at: Isolate,
    town: Town,
    rig: Rig,
}

impl World {
    fn new() -> Self {
        let (town, rig) = Town::with_rig();
        Self { at: Isolate::new(&town.fleet), town, rig }
    }

    /// A path of the world for a route: what its group's prefix names is there, the rest is not.
    fn path(&self, group: &RouteGroup, route: &Route) -> String {
        let prefix = openapi::in_braces(group.prefix);
        let whole = full_path(group, route);
        let own = whole.strip_prefix(&prefix).unwrap();
        let known =
            [("{town}", self.town.id.as_str()), ("{rig}", self.rig.id.as_str()), ("{mayor}", self.town.id.as_str()), ("{user}", OWNER)];
        let mut path = known.iter().fold(prefix.replace("{org}", ORG), |path, (name, value)| path.replace(name, value));
        for part in own.split('/').filter(|part| !part.is_empty()) {
            path.push('/');
            path.push_str(if part.starts_with('{') { NOTHING } else { part });
        }
        path
    }

    /// A token that comes in at the group, and in whose name the route may be asked.
    fn token(&self, group: &RouteGroup, route: &Route) -> Context {
        let fleet = &self.town.fleet;
        match (group.prefix, route.caller) {
            ("/api/mayor/:town/tools" | "/api/mayor/:town/prompt", _) | (_, RouteCaller::Mayor) => tokens::mayor(fleet, &self.town.id),
            (_, RouteCaller::AgentItself) => tokens::container(fleet, &self.town.id),
            ("/api/orgs/:org", _) => tokens::user_with(fleet, OWNER, None, &[(ORG, "owner")]),
            _ => tokens::user(fleet, OWNER),
        }
    }

    fn send(&self, who: Option<&Context>, method: &str, path: &str, body: &str) -> Response {
        let headers = who.map(|who| ("authorization".to_owned(), format!("Bearer {}", who.jwt))).into_iter().collect();
        self.at.send(Sent { method: method.to_owned(), path: path.to_owned(), headers, body: body.to_owned() })
    }
}

/// The methods that a path of a group should list, from the rows alone. A row with a parameter where the path has text counts
/// too: nothing stops an agent from being called `get-or-create`.
fn allowed(group: &RouteGroup, path: &str) -> Vec<String> {
    let fits = |row: &str| {
        let (row, path): (Vec<&str>, Vec<&str>) = (row.split('/').collect(), path.split('/').collect());
        row.len() == path.len() && row.iter().zip(path).all(|(part, segment)| part.starts_with(':') || *part == segment)
    };
    let rows: Vec<&Route> = group.routes.iter().filter(|route| fits(route.path)).collect();
    let mut methods: BTreeSet<String> = rows.iter().map(|route| route.method.to_owned()).collect();
    methods.extend(rows.iter().any(|route| route.answers_head()).then(|| "HEAD".to_owned()));
    methods.insert("OPTIONS".to_owned());
    methods.into_iter().collect()
}

fn listed(response: &Response) -> Vec<String> {
    let mut methods: Vec<String> = header(response, "allow").unwrap().split(", ").map(str::to_owned).collect();
    methods.sort();
    methods
}

#[test]
fn every_path_says_what_methods_it_has() {
    let world = World::new();
    let mut seen = 0;
    for (group, route) in routes() {
        let (whole, path) = (full_path(group, route), world.path(group, route));
        let wrong = world.send(Some(&world.token(group, route)), "PUT", &path, "");
        assert_eq!((wrong.status, listed(&wrong)), (405, allowed(group, route.path)), "{whole}");
        assert_eq!(text(&wrong), "{\"error\":\"Method not allowed\",\"success\":false}", "{whole}");
        let options = world.send(None, "OPTIONS", &path, "");
        assert_eq!((options.status, listed(&options)), (204, allowed(group, route.path)), "{whole}");
        seen += 1;
    }
    assert!(seen > 100, "{seen}");
    let nowhere = world.send(None, "OPTIONS", &format!("/api/towns/{}/castles", world.town.id), "");
    assert_eq!((nowhere.status, header(&nowhere, "allow")), (204, None));
}

#[test]
fn a_page_learns_from_a_preflight_what_it_may_send() {
    let world = World::new();
    let headers = BTreeMap::from([("origin".to_owned(), ORIGIN.to_owned())]);
    let path = format!("/api/towns/{}/config", world.town.id);
    let answer = world.at.send(Sent { method: "OPTIONS".to_owned(), path, headers, body: String::new() });
    assert_eq!(header(&answer, "access-control-allow-methods").as_deref(), Some("GET, HEAD, PATCH, OPTIONS"));
    assert_eq!(header(&answer, "access-control-allow-origin").as_deref(), Some(ORIGIN));
}

#[test]
fn head_is_answered_where_get_is_safe() {
    let world = World::new();
    let (mut answered, mut refused) = (0, 0);
    for (group, route) in routes().filter(|(_, route)| route.method == "GET") {
        let (path, token) = (world.path(group, route), world.token(group, route));
        let head = world.send(Some(&token), "HEAD", &path, "");
        if route.answers_head() {
            let get = world.send(Some(&token), "GET", &path, "");
            assert_eq!(head.status, get.status, "{path}");
            answered += 1;
        } else {
            assert_eq!(head.status, 405, "{path}");
            refused += 1;
        }
    }
    assert!(answered > 30, "{answered}");
    // What takes mail or orders, and what streams.
    assert_eq!(refused, 5);
}

/// A `HEAD` that took the mail would lose it.
#[test]
fn head_takes_no_mail() {
    let world = World::new();
    let agent = world.town.sling(&world.rig, "work").agent.unwrap().id;
    let base = format!("/api/towns/{}/rigs/{}", world.town.id, world.rig.id);
    let container = tokens::container(&world.town.fleet, &world.town.id);
    let mail = json!({"from_agent_id": "mayor", "to_agent_id": agent, "subject": "s", "body": "b"}).to_string();
    let sent = world.send(Some(&container), "POST", &format!("{base}/mail"), &mail);
    assert_eq!(sent.status, 201, "{}", text(&sent));
    let inbox = format!("{base}/agents/{agent}/mail");
    assert_eq!(world.send(Some(&container), "HEAD", &inbox, "").status, 405);
    let taken: Value = serde_json::from_str(&text(&world.send(Some(&container), "GET", &inbox, ""))).unwrap();
    assert_eq!(taken["data"].as_array().unwrap().len(), 1, "{taken}");
}

#[test]
fn a_token_with_too_narrow_a_scope_is_told_the_scope() {
    let world = World::new();
    let narrow = |scope| tokens::user_with(&world.town.fleet, OWNER, Some(scope), &[(ORG, "owner")]);
    let mut seen = 0;
    // The Mayor's routes take no user's token.
    for (group, route) in routes().filter(|(group, _)| !group.prefix.starts_with("/api/mayor")) {
        let needed = route.scope(Role::Coordinator);
        if needed == Scope::Read {
            continue;
        }
        let path = world.path(group, route);
        let less = if needed == Scope::Admin { Scope::Write } else { Scope::Read };
        let refused = world.send(Some(&narrow(less)), route.method, &path, "{}");
        let challenge = header(&refused, "www-authenticate").unwrap_or_default();
        assert_eq!(refused.status, 403, "{} {path}", route.method);
        assert!(challenge.contains(needed.name()), "{} {path}: {challenge}", route.method);
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn a_body_without_a_field_that_a_row_requires_is_refused_by_name() {
    let world = World::new();
    let mut seen = 0;
    for (group, route) in routes() {
        let BodyDocs::Fields(fields) = route.docs.body else { continue };
        let needed: BTreeSet<&str> =
            fields.iter().map(|field| required(field)).filter(|(_, needed)| *needed).map(|(name, _)| name).collect();
        if needed.is_empty() {
            continue;
        }
        let path = world.path(group, route);
        let refused = world.send(Some(&world.token(group, route)), route.method, &path, "{}");
        let answer: Value = serde_json::from_str(&text(&refused)).unwrap();
        assert_eq!((refused.status, answer["error"].as_str()), (400, Some("Invalid request body")), "{path}: {answer}");
        let hint = answer["hint"].as_str().unwrap();
        assert!(needed.iter().any(|name| hint.contains(name)), "{path}: {hint}");
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn a_body_over_the_limit_is_413_in_every_group() {
    let world = World::new();
    for group in GROUPS {
        let route = &group.routes[0];
        let large = "x".repeat(BODY_BYTES_MAX + 1);
        let refused = world.send(Some(&world.token(group, route)), route.method, &world.path(group, route), &large);
        assert_eq!((refused.status, text(&refused).contains("Request body too large")), (413, true), "{}", group.prefix);
    }
}

/// Every row is found by its own path: none is hidden behind an earlier one.
#[test]
fn no_two_rows_are_the_same() {
    let all: Vec<(&str, String)> = routes().map(|(group, route)| (route.method, full_path(group, route))).collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
fn the_document_on_rest_lists_every_route() {
    let mut text = String::new();
    for group in GROUPS {
        let prefix = openapi::in_braces(group.prefix);
        writeln!(text, "## {}: `{prefix}`\n\n{}\n", group.docs.title, group.docs.callers).unwrap();
        text.push_str("| method | path | scope | for | status | key | what it does |\n|---|---|---|---|---|---|---|\n");
        for route in group.routes {
            assert!(route.docs.summary.ends_with('.'), "{} {} says what it does", route.method, route.path);
            let scope = if route.is_unauthenticated() { "" } else { route.scope(group.docs.role).name().trim_start_matches("gastown:") };
            let who = match route.caller {
                RouteCaller::Any => "",
                RouteCaller::AgentItself => "the agent",
                RouteCaller::Mayor => "the Mayor",
            };
            let key = if route.takes_idempotency_key() { "yes" } else { "" };
            let path = full_path(group, route).strip_prefix(&prefix).unwrap().to_owned();
            let (path, status) = (if path.is_empty() { "/" } else { &path }, route.unsupported.unwrap_or(route.status));
            writeln!(text, "| {} | `{path}` | {scope} | {who} | {status} | {key} | {} |", route.method, route.docs.summary).unwrap();
        }
        text.push('\n');
    }
    expect::section("docs/rest.md", "routes", &format!("\n{text}"));
}

#[test]
fn the_openapi_document_is_whole() {
    let document = openapi::document();
    let written = serde_json::to_string_pretty(&document).unwrap();
    for reference in written.split("\"$ref\": \"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    let mut ids = BTreeSet::new();
    let paths = document["paths"].as_object().unwrap();
    for (path, item) in paths {
        let parameter = |one: &Value| document.pointer(one["$ref"].as_str().unwrap().trim_start_matches('#')).unwrap()["name"].clone();
        let declared: BTreeSet<String> =
            item["parameters"].as_array().unwrap().iter().map(|one| parameter(one).as_str().unwrap().to_owned()).collect();
        let named: BTreeSet<String> = path.split('{').skip(1).map(|part| part.split('}').next().unwrap().to_owned()).collect();
        assert_eq!(declared, named, "{path}");
        for (method, operation) in item.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters") {
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}");
            assert!(!operation["responses"].as_object().unwrap().is_empty() && operation["security"].is_array(), "{method} {path}");
        }
    }
    assert_eq!(ids.len(), routes().count());
    expect::file("tests/snapshots/openapi.json", &format!("{written}\n"));
}
