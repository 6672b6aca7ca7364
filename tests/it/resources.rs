//! Resources: what is listed, what each holds, who may read it, and who tells of changes.

use crate::support::offer::{At, rig, town};
use crate::support::{Fleet, Trouble, tokens};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::{BeadId, RigId, TownId};
use gastown_mcp::objects::store::sql::Sql;
use gastown_mcp::resources::rows::{RESOURCES, WATCHED_TOWNS_MAX};
use gastown_mcp::resources::{PAGE_MAX, routes, templates};
use gastown_mcp::rpc::call::Instance;
use mcp::client::{Interruption, NotificationRoute};
use mcp::types::{CallError, Change, ListSchema};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn is_unknown<T: std::fmt::Debug>(outcome: Result<T, CallError>) -> bool {
    matches!(outcome, Err(CallError::Unknown))
}

fn uris(listed: &str) -> Vec<String> {
    let entries: Vec<Value> = serde_json::from_str(listed).unwrap();
    entries.iter().map(|entry| entry["uri"].as_str().unwrap().to_owned()).collect()
}

/// Source, topic and whether a town is named.
fn told(routes: &[NotificationRoute]) -> Vec<(String, String, bool)> {
    routes.iter().map(|route| (route.source.clone(), route.topic.clone(), route.town.is_some())).collect()
}

const COMMON: [&str; 4] = ["ui://gastown/town-overview", SKILLS[0], SKILLS[1], "skill://gastown/gastown-coordinator/references/convoys.md"];
const SKILLS: [&str; 2] = ["skill://gastown/gastown-coordinator/SKILL.md", "skill://gastown/gastown-mayor/SKILL.md"];

#[test]
fn rows_are_named_once_and_described() {
    let mut names = BTreeSet::new();
    for row in RESOURCES {
        assert!(names.insert(row.name) && names.insert(row.uri), "{} twice", row.name);
        assert!((20..200).contains(&row.description.len()) && !row.title.is_empty(), "{}", row.name);
        assert!(!row.caching.scope.is_empty() && row.caching.ttl_ms > 0);
        assert_eq!(row.is_template(), row.caching.scope == "private" && row.name != "fleet", "{}", row.name);
    }
}

#[test]
fn towns_and_rigs_are_listed_in_the_order_of_their_making() {
    let fleet = Fleet::new();
    let (one, two) = (town(&fleet, "backend"), town(&fleet, "frontend"));
    let (api, web) = (rig(&one, "api"), rig(&one, "web"));
    let listing = At::fleet(&fleet).list(None).unwrap();
    assert_eq!(listing.next_cursor, None);
    let known = ["gastown://fleet".to_owned(), format!("gastown://towns/{}", one.id), format!("gastown://towns/{}", two.id)];
    let towns: BTreeSet<String> = known.into_iter().collect();
    let listed = uris(&listing.json);
    assert_eq!(listed[0], "gastown://fleet");
    assert_eq!(listed[..3].iter().cloned().collect::<BTreeSet<_>>(), towns);
    assert_eq!(listed[3..7], COMMON);
    let entries: Value = serde_json::from_str(&listing.json).unwrap();
    assert!(entries.as_array().unwrap().iter().any(|entry| entry["name"] == "backend" && entry["mimeType"] == "application/json"));

    let pinned = uris(&At::town(&one).list(None).unwrap().json);
    let own = format!("gastown://towns/{}", one.id);
    assert_eq!(pinned[0], own);
    let rigs: BTreeSet<String> = [api, web].iter().map(|rig| format!("{own}/rigs/{}", rig.id)).collect();
    assert_eq!(pinned[1..3].iter().cloned().collect::<BTreeSet<_>>(), rigs);
    assert_eq!(pinned[3], format!("{own}/feed"));
    assert_eq!(pinned[4], format!("{own}/mayor"));
    assert_eq!(pinned[5..9], COMMON);
    assert_eq!(fleet.take_faults(), Vec::<String>::new());
}

#[test]
fn a_long_list_goes_on_by_cursor_and_loses_nothing() {
    let fleet = Fleet::new();
    let towns: Vec<TownId> = (0..PAGE_MAX + 5).map(|number| town(&fleet, &format!("town-{number}")).id).collect();
    let at = At::fleet(&fleet);
    let first = at.list(None).unwrap();
    let cursor = first.next_cursor.unwrap();
    let second = at.list(Some(&cursor)).unwrap();
    assert_eq!(second.next_cursor, None);
    let (first, second) = (uris(&first.json), uris(&second.json));
    assert_eq!(first.len(), PAGE_MAX);
    let all: BTreeSet<&String> = first.iter().chain(&second).collect();
    assert_eq!(all.len(), first.len() + second.len());
    assert!(towns.iter().all(|town| all.contains(&format!("gastown://towns/{town}"))));
    for bad in ["", "x", "eyJ9.e.f", &cursor[..cursor.len() - 1]] {
        assert!(matches!(at.list(Some(bad)), Err(CallError::Invalid(text)) if text.contains("cursor")), "{bad}");
    }
}

#[test]
fn old_revisions_see_no_titles() {
    for pinned in [false, true] {
        let full: Vec<Value> = serde_json::from_str(&templates(pinned, ListSchema::Full, &[])).unwrap();
        let old: Vec<Value> = serde_json::from_str(&templates(pinned, ListSchema::Before2025June, &[])).unwrap();
        assert!(full.iter().all(|entry| entry["title"].is_string() && entry["uriTemplate"].is_string()));
        assert!(old.iter().all(|entry| entry.get("title").is_none() && entry["name"].is_string()));
        let own = full.iter().any(|entry| entry["uriTemplate"] == "gastown://towns/{town}");
        assert_eq!(own, !pinned, "what is listed is no template");
    }
}

#[test]
fn things_are_read_as_the_tools_show_them() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    let (api, web) = (rig(&town, "api/v2"), rig(&town, "web"));
    let slung = town.sling_as(&web, json!({"rigId": web.id, "title": "a «title»", "body": "first\nsecond"}), &town.owner()).unwrap();
    let convoy = town.convoy(&api, Some(true), &[&[], &[0]]);
    fleet.settle();
    let agent = slung.agent.unwrap();
    let at = At::fleet(&fleet);

    assert_eq!(at.json("gastown://fleet")["towns"][0]["name"], "backend");
    for named in [town.id.as_str(), "backend"] {
        let status = at.json(&format!("gastown://towns/{named}"));
        assert_eq!((status["town"].as_str(), status["rigs"].as_array().unwrap().len()), (Some(town.id.as_str()), 2));
    }
    for named in [api.id.as_str(), "api%2Fv2"] {
        let shown = at.json(&format!("gastown://towns/backend/rigs/{named}"));
        assert_eq!(shown["rig"]["id"], api.id.as_str());
        assert_eq!(shown["beads"]["beads"].as_array().unwrap().len(), 2);
        assert_eq!(shown["agents"]["coverage"], json!({"asked": 1, "answered": 1}));
    }
    let bead = at.json(&format!("gastown://towns/backend/beads/{}", slung.bead.bead_id));
    assert_eq!(bead["bead"]["title"], "«a \"title\"»");
    assert_eq!(bead["body"], "«first\nsecond»");
    assert_eq!(bead["bead"]["status"], "hooked");
    for named in [agent.id.as_str(), &agent.name] {
        let shown = at.json(&format!("gastown://towns/{}/agents/{named}", town.id));
        assert_eq!(shown["agent"]["hook"], slung.bead.bead_id.as_str());
    }
    let shown = at.json(&format!("gastown://towns/backend/convoys/{}", convoy.convoy.id));
    assert_eq!((&shown["phase"], &shown["progress"]["total"]), (&json!("staged"), &json!(2)));
    let feed = at.json("gastown://towns/backend/feed");
    let kinds: Vec<&str> = feed["entries"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["town_created", "rig_added", "rig_added", "convoy_created"]);
    assert_eq!(feed["last"], 4);
    assert!(feed["entries"][3]["detail"].to_string().contains("«Payments API»"), "{feed}");
    let view = at.read("ui://gastown/town-overview").unwrap();
    assert_eq!(view["mimeType"], "text/html;profile=mcp-app");
    assert_eq!(view["_meta"]["ui"]["prefersBorder"], true);
    for skill in SKILLS {
        let content = at.read(skill).unwrap();
        assert_eq!(content["mimeType"], "text/markdown");
        assert!(content["text"].as_str().unwrap().starts_with("---\nname: "));
    }
    assert_eq!(fleet.take_faults(), Vec::<String>::new());
}

#[test]
fn what_is_not_there_is_unknown_and_never_empty() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    rig(&town, "api");
    let at = At::fleet(&fleet);
    let none = BeadId::from_random([9; 16]);
    for uri in [
        "",
        "gastown://",
        "gastown://nothing",
        "gastown://fleet/",
        "gastown://fleet?x=1",
        "GASTOWN://fleet",
        "gastown://towns/",
        "gastown://towns/nowhere",
        "gastown://towns/nowhere/feed",
        "gastown://towns/%ff",
        &format!("gastown://towns/{none}"),
        "gastown://towns/backend/rigs/nothing",
        &format!("gastown://towns/backend/rigs/{none}"),
        "gastown://towns/backend/beads/nothing",
        &format!("gastown://towns/backend/beads/{none}"),
        "gastown://towns/backend/agents/nobody",
        &format!("gastown://towns/backend/agents/{none}"),
        "gastown://towns/backend/convoys/nothing",
        &format!("gastown://towns/backend/convoys/{none}"),
        "skill://gastown/nothing/SKILL.md",
        "file:///etc/passwd",
    ] {
        assert!(is_unknown(at.read(uri)), "{uri}");
        assert!(is_unknown(at.watch(uri)), "{uri}");
    }
    assert_eq!(fleet.take_faults(), Vec::<String>::new());
}

#[test]
fn another_town_is_unknown_to_a_pinned_connection_and_to_strangers() {
    let fleet = Fleet::new();
    let (own, other) = (town(&fleet, "backend"), town(&fleet, "frontend"));
    let web = rig(&other, "web");
    let bead = other.sling(&web, "task").bead.bead_id;
    let pinned = At::town(&own);
    let mayor = At { token: tokens::mayor(&fleet, &own.id).jwt, ..pinned.clone() };
    for at in [&pinned, &mayor] {
        let towns = at.json("gastown://fleet")["towns"].clone();
        assert_eq!((towns.as_array().unwrap().len(), &towns[0]["id"]), (1, &json!(own.id)));
        assert_eq!(at.json("gastown://towns/backend")["town"], own.id.as_str());
        for uri in [format!("gastown://towns/{}", other.id), "gastown://towns/frontend".to_owned()] {
            assert!(is_unknown(at.read(&uri)), "{uri}");
            assert!(is_unknown(at.read(&format!("{uri}/beads/{bead}"))), "{uri}");
        }
        let within = [format!("beads/{bead}"), format!("rigs/{}", web.id)];
        assert!(within.iter().all(|rest| is_unknown(at.read(&format!("gastown://towns/{}/{rest}", own.id)))));
    }
    let stranger = At { token: tokens::user(&fleet, "stranger").jwt, ..At::fleet(&fleet) };
    assert_eq!(stranger.json("gastown://fleet")["towns"], json!([]));
    for rest in [String::new(), format!("/beads/{bead}"), format!("/rigs/{}", web.id)] {
        assert!(is_unknown(stranger.read(&format!("gastown://towns/{}{rest}", other.id))), "{rest}");
    }
}

#[test]
fn a_name_of_several_is_no_good_and_says_which_there_are() {
    let fleet = Fleet::new();
    let towns = [town(&fleet, "same"), town(&fleet, "same")];
    let Err(CallError::Invalid(text)) = At::fleet(&fleet).read("gastown://towns/same") else { panic!("two towns are one") };
    assert!(towns.iter().all(|town| text.contains(town.id.as_str())), "{text}");
}

// Truth rule 3: who did not answer may have it.
#[test]
fn a_thing_is_unknown_only_when_every_rig_has_said_so() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    let (api, web) = (rig(&town, "api"), rig(&town, "web"));
    let slung = town.sling(&web, "task");
    let (bead, agent) = (slung.bead.bead_id, slung.agent.unwrap());
    let at = At::town(&town);
    let uri = |rest: &str| format!("gastown://towns/{}/{rest}", town.id);
    fleet.trouble(&api.at, Some(Trouble::Hang));
    assert!(at.read(&uri(&format!("beads/{bead}"))).is_ok());
    assert!(at.read(&uri(&format!("agents/{}", agent.id))).is_ok());
    for rest in [format!("beads/{}", BeadId::from_random([9; 16])), format!("agents/{}", agent.name), "agents/nobody".to_owned()] {
        match at.read(&uri(&rest)) {
            Err(CallError::Interrupted(Interruption::Failed(Failure::Refused(refusal)))) => {
                assert_eq!(refusal.code, Code::Unavailable, "{rest}");
            }
            other => panic!("{rest}: {other:?}"),
        }
    }
}

#[test]
fn each_resource_names_whoever_tells_of_its_changes() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    let web = rig(&town, "web");
    let slung = town.sling(&web, "task");
    let (bead, agent) = (slung.bead.bead_id, slung.agent.unwrap());
    let convoy = town.convoy(&web, Some(true), &[&[]]).convoy.id;
    let at = At::fleet(&fleet);
    let own = format!("gastown://towns/{}", town.id);
    let one = |source: &Instance, topic: String| vec![(source.to_string(), topic, true)];
    let cases = [
        (own.clone(), [one(&town.at, "town".to_owned()), one(&town.at, "feed".to_owned())].concat()),
        ("gastown://towns/backend/rigs/web".to_owned(), one(&web.at, "rig".to_owned())),
        (format!("{own}/beads/{bead}"), one(&web.at, format!("bead:{bead}"))),
        (format!("{own}/agents/{}", agent.name), one(&web.at, format!("agent:{}", agent.id))),
        (format!("{own}/convoys/{convoy}"), one(&town.at, format!("convoy:{convoy}"))),
        (format!("{own}/feed"), one(&town.at, "feed".to_owned())),
        (SKILLS[0].to_owned(), Vec::new()),
    ];
    for (uri, expected) in cases {
        let routes = at.watch(&uri).unwrap();
        assert_eq!(told(&routes), expected, "{uri}");
        for route in routes {
            assert_eq!(route.method, "notifications/resources/updated");
            assert_eq!(Value::Object(route.params), json!({"uri": uri}));
            assert_eq!(route.town.as_deref(), Some(town.id.as_str()));
        }
    }
    let registry = ("user:user-owner".to_owned(), "towns".to_owned(), false);
    let of_town = (town.at.to_string(), "town".to_owned(), true);
    assert_eq!(told(&at.watch("gastown://fleet").unwrap()), [registry.clone(), of_town.clone()]);
    assert_eq!(told(&At::town(&town).watch("gastown://fleet").unwrap()), [of_town]);

    let list = |at: &At| at.run(|at| Box::pin(async move { routes(at, Change::Resources).await })).unwrap();
    assert_eq!(told(&list(&at)), [registry]);
    assert_eq!(told(&list(&At::town(&town))), [(town.at.to_string(), "rigs".to_owned(), true)]);
    assert_eq!(list(&at)[0].method, "notifications/resources/list_changed");
    for change in [Change::Tools, Change::Prompts] {
        assert_eq!(at.run(move |at| Box::pin(async move { routes(at, change).await })).unwrap(), []);
    }
}

#[test]
fn a_long_feed_shows_its_newest_entries() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    let sql = town.sql(&town.at);
    let write = "INSERT INTO feed (at, kind, subject, actor, detail) VALUES (0, 'rig_added', 'x', NULL, '{}')";
    for _ in 0..150 {
        sql.run(write, "[]").unwrap();
    }
    let feed = At::town(&town).json(&format!("gastown://towns/{}/feed", town.id));
    let numbers: Vec<i64> = feed["entries"].as_array().unwrap().iter().map(|entry| entry["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (52..=151).collect::<Vec<i64>>());
}

#[test]
fn of_a_big_fleet_so_many_towns_are_watched() {
    let fleet = Fleet::new();
    for number in 0..=WATCHED_TOWNS_MAX {
        town(&fleet, &format!("town-{number}"));
    }
    assert_eq!(At::fleet(&fleet).watch("gastown://fleet").unwrap().len(), WATCHED_TOWNS_MAX + 1);
}

#[test]
fn a_rig_of_another_town_is_not_shown_by_its_id() {
    let fleet = Fleet::new();
    let (own, other) = (town(&fleet, "backend"), town(&fleet, "frontend"));
    let web: RigId = rig(&other, "web").id;
    assert!(is_unknown(At::fleet(&fleet).read(&format!("gastown://towns/{}/rigs/{web}", own.id))));
}

mod conformance {
    use super::*;

    #[test]
    fn the_suites_resources_are_read_as_it_expects() {
        let at = At::fleet(&Fleet::new()).with_fixture();
        let text = |uri: &str| at.read(uri).unwrap()["text"].as_str().unwrap().to_owned();
        assert_eq!(text("test://static-text"), "This is the content of the static text resource.");
        let data: Value = serde_json::from_str(&text("test://template/123/data")).unwrap();
        assert_eq!(data, json!({"id": "123", "templateTest": true, "data": "Data for ID: 123"}));
        let image = at.read("test://static-binary").unwrap();
        assert!(image["blob"].is_string() && image.get("text").is_none() && image["mimeType"] == "image/png");
        assert_eq!(told(&at.watch("test://watched-resource").unwrap()), [("self".to_owned(), "watched-resource".to_owned(), false)]);
        let listed = uris(&at.list(None).unwrap().json);
        assert!(
            ["test://static-text", "test://static-binary", "test://watched-resource"].iter().all(|uri| listed.contains(&(*uri).to_owned()))
        );
    }
}
