//! The feed of a town: everything in order, resumable, bounded.

use crate::support::tokens::{OWNER, internal};
use crate::support::town::Rig;
use crate::support::{Town, assert_indexed};
use gastown_mcp::contract::shapes::{FeedEntry, FeedKind};
use gastown_mcp::objects::store::sql::{Sql, transaction};
use gastown_mcp::objects::town::views::feed::{ENTRIES_MAX, LIST_LIMIT_MAX};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn feed(town: &Town, after: Option<i64>, limit: Option<i64>) -> Vec<FeedEntry> {
    town.fleet.ask(&town.at, &rpc::LIST_FEED, (after, limit), &town.owner()).unwrap()
}

fn kinds(town: &Town) -> Vec<&'static str> {
    feed(town, None, None).into_iter().map(|entry| entry.kind.as_str()).collect()
}

/// The rig tells that the convoy's beads were merged. Nobody else can yet.
fn tell_merged(town: &Town, rig: &Rig, convoy: &gastown_mcp::contract::ids::ConvoyId, generation: i64) {
    let letters: Vec<Value> = town
        .convoy_status(convoy)
        .beads
        .iter()
        .map(|bead| {
            let mut body = json!(bead);
            body["merge_commit"] = json!("c0ffee");
            json!({"kind": "bead", "subject": bead.bead_id, "generation": generation, "body": body})
        })
        .collect();
    let context = internal(&town.fleet, &rig.at, Some(&town.id), &rpc::DELIVER_TO_TOWN);
    town.fleet.tell(&town.at, &rpc::DELIVER_TO_TOWN, (letters,), &context).unwrap();
}

#[test]
fn the_feed_tells_what_happened_in_order_and_resumes_at_any_number() {
    let (town, rig) = Town::with_rig();
    let input = json!({"rigId": rig.id, "convoyTitle": "Payments API", "tasks": [{"title": "a"}, {"title": "b"}], "staged": true, "merge_mode": "review-and-merge"});
    let landing = town.try_convoy(input).unwrap();
    town.start(&landing.convoy.id).unwrap();
    town.fleet.tell(&town.at, &rpc::SEND_MAYOR_MESSAGE, ("a secret plan", (), (), ()), &town.owner()).unwrap();
    let failing = town.convoy(&rig, Some(false), &[&[]]);
    town.fleet.settle();
    town.fail(&rig, &failing.beads[0].bead.bead_id);
    town.fleet.settle();
    for part in &landing.beads {
        town.close(&rig, &part.bead.bead_id);
    }
    town.fleet.settle();
    // That the beads were merged is told twice: the convoy lands once.
    tell_merged(&town, &rig, &landing.convoy.id, 1_000_000);
    tell_merged(&town, &rig, &landing.convoy.id, 1_000_001);

    let entries = feed(&town, None, None);
    assert_eq!(
        kinds(&town),
        [
            "town_created",
            "rig_added",
            "convoy_created",
            "convoy_started",
            "mayor_message",
            "convoy_created",
            "convoy_bead_failed",
            "convoy_ended",
            "convoy_ended",
            "convoy_landed"
        ]
    );
    assert!(entries.iter().zip(1..).all(|(entry, number)| entry.number == number));
    assert!(entries.is_sorted_by_key(|entry| entry.at));
    let subjects: Vec<&str> = entries.iter().map(|entry| entry.subject.as_str()).collect();
    assert_eq!(subjects[..4], [town.id.as_str(), rig.id.as_str(), landing.convoy.id.as_str(), landing.convoy.id.as_str()]);
    assert_eq!(subjects[6], failing.beads[0].bead.bead_id.as_str());
    assert!(entries[..6].iter().all(|entry| entry.actor.as_deref() == Some(OWNER)), "{entries:#?}");
    assert!(entries[6..].iter().all(|entry| entry.actor.is_none()));
    assert_eq!(entries[9].detail["title"], "Payments API");
    assert_eq!((&entries[7].detail["failed_beads"], &entries[7].detail["closed_beads"]), (&json!(1), &json!(0)));
    assert!(!serde_json::to_string(&entries).unwrap().contains("secret plan"));

    for (at, entry) in entries.iter().enumerate() {
        assert_eq!(feed(&town, Some(entry.number), None), entries[at + 1..]);
    }
    assert_eq!(feed(&town, Some(3), Some(2)), entries[3..5]);
    assert_eq!(feed(&town, Some(-7), Some(0)), entries[..1]);
    assert_eq!(feed(&town, None, Some(-2)), entries[entries.len() - 2..]);
    assert_eq!(feed(&town, Some(1), Some(i64::MIN)), entries);
    town.fleet.restart();
    assert_eq!(feed(&town, None, Some(1_000)), entries);
}

/// What is undone leaves no entry, and a call that is repeated leaves one.
#[test]
fn an_entry_stands_for_a_change_that_was_made() {
    let (town, rig) = Town::with_rig();
    let before = kinds(&town);
    town.try_convoy(json!({"rigId": rig.id, "convoyTitle": "c", "tasks": []})).unwrap_err();
    town.try_add_rig("", &rig.id).unwrap_err();
    assert_eq!(kinds(&town), before);
    let key = crate::support::tokens::with_key(town.owner(), "k");
    let input = json!({"rigId": rig.id, "convoyTitle": "c", "tasks": [{"title": "t"}]});
    for _ in 0..2 {
        town.fleet.ask::<Value>(&town.at, &rpc::SLING_CONVOY, (&input,), &key).unwrap();
    }
    assert_eq!(kinds(&town)[before.len()..], ["convoy_created"]);
    // The polecat that failed the bead goes: its bead is told again, and is no news.
    let convoy = town.convoy(&rig, Some(false), &[&[], &[]]);
    town.fleet.settle();
    town.fail(&rig, &convoy.beads[0].bead.bead_id);
    town.fleet.settle();
    let before = kinds(&town);
    assert_eq!(before.last(), Some(&"convoy_bead_failed"));
    for agent in town.agents(&rig) {
        town.delete_agent(&rig, &agent.id);
    }
    town.fleet.settle();
    assert_eq!(kinds(&town), before);
}

#[test]
fn the_feed_keeps_its_newest_entries() {
    let (town, _rig) = Town::with_rig();
    let sql = town.sql(&town.at);
    let write = "INSERT INTO feed (at, kind, subject, actor, detail) VALUES (0, 'rig_added', 'x', NULL, '{}')";
    let written = transaction(&*sql, || {
        for _ in 0..ENTRIES_MAX {
            sql.run(write, "[]")?;
        }
        Ok(())
    });
    written.unwrap();
    assert_eq!(sql.value::<i64>("SELECT COUNT(*) FROM feed"), ENTRIES_MAX);
    sql.take_log();
    town.fleet.tell(&town.at, &rpc::SEND_MAYOR_MESSAGE, ("m", (), (), ()), &town.owner()).unwrap();
    assert_eq!(sql.value::<i64>("SELECT COUNT(*) FROM feed"), ENTRIES_MAX);
    // Two entries were there before; the oldest that is kept comes first, whoever asks for older ones.
    let page = feed(&town, Some(1), Some(LIST_LIMIT_MAX + 1));
    assert_eq!((page.len(), page[0].number), (usize::try_from(LIST_LIMIT_MAX).unwrap(), 4));
    let last = feed(&town, Some(ENTRIES_MAX + 2), None);
    assert_eq!(last.iter().map(|entry| (entry.number, entry.kind)).collect::<Vec<_>>(), [(ENTRIES_MAX + 3, FeedKind::MayorMessage)]);
    for (statement, params) in sql.take_log().iter().filter(|(statement, _)| statement.contains("feed")) {
        assert_indexed(&sql, statement, params);
    }
    assert_indexed(&sql, "DELETE FROM feed WHERE number <= 7", "[]");
    assert_eq!(feed(&town, None, Some(-1))[0].number, ENTRIES_MAX + 3);
}
