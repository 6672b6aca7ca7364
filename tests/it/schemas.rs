//! The released migrations, frozen: one file for each step of each object, under `tests/snapshots/schema`.
//!
//! An object on an older version exists somewhere, made by the statements that were released then. So a step that has a file
//! must stay as it is, and `UPDATE_EXPECT=1` writes files for new steps only.

use crate::support::HostSql;
use gastown_mcp::objects::handlers::core;
use gastown_mcp::objects::store::meta;
use gastown_mcp::objects::store::migrate::{Migration, migrate};
use gastown_mcp::rpc::table::Object;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

const OBJECTS: [(Object, &str); 4] =
    [(Object::Rig, "rig"), (Object::Town, "town"), (Object::Registry, "registry"), (Object::Session, "session")];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/schema")
}

fn name(object: &str, step: usize) -> String {
    format!("{object}-{step}.sql")
}

fn text(step: Migration) -> String {
    format!("{};\n", step.join(";\n"))
}

/// The files of the first `steps` steps.
fn frozen(object: &str, steps: usize) -> impl Iterator<Item = String> {
    (1..=steps).map(move |step| fs::read_to_string(folder().join(name(object, step))).unwrap())
}

#[test]
fn a_released_migration_is_never_edited() {
    let mut known = BTreeSet::new();
    for (object, label) in OBJECTS {
        for (index, step) in core(object).migrations.iter().enumerate() {
            let name = name(label, index + 1);
            let path = folder().join(&name);
            if !path.exists() && std::env::var_os("UPDATE_EXPECT").is_some() {
                fs::create_dir_all(folder()).unwrap();
                fs::write(&path, text(step)).unwrap();
            }
            let released = fs::read_to_string(&path).unwrap_or_else(|_| panic!("{name} is missing: run UPDATE_EXPECT=1 cargo test"));
            assert!(released == text(step), "{label}, step {}: a released migration was edited; undo that, and add a new step", index + 1);
            known.insert(name);
        }
    }
    let there: BTreeSet<String> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(there, known, "each file is a step of an object's migrations");
}

/// From any released version, made by its own statements, to the newest.
#[test]
fn every_released_version_is_brought_to_what_a_fresh_object_has() {
    for (object, label) in OBJECTS {
        let all = core(object).migrations;
        let fresh = HostSql::new();
        migrate(&fresh, all).unwrap();
        for from in 1..all.len() {
            let sql = HostSql::new();
            frozen(label, from).for_each(|step| sql.script(&step));
            meta::set(&sql, "schema_version", i64::try_from(from).unwrap()).unwrap();
            migrate(&sql, all).unwrap();
            assert_eq!(sql.schema(), fresh.schema(), "{label}, from step {from}");
            let version = |sql: &HostSql| meta::get(sql, "schema_version").unwrap();
            assert_eq!(version(&sql), version(&fresh), "{label}, from step {from}");
        }
        for table in fresh.schema().iter().filter(|sql| sql.starts_with("CREATE TABLE") && !sql.contains("sqlite_")) {
            assert!(table.contains("STRICT"), "{table}");
        }
    }
}

/// What a rig of the first version held is there in the newest: its mail as messages, what was on a hook as an order.
#[test]
fn rows_of_the_first_version_are_carried_over() {
    let sql = HostSql::new();
    frozen("rig", 1).for_each(|step| sql.script(&step));
    sql.script(
        "INSERT INTO meta VALUES ('schema_version', 1), ('change', 7);
         INSERT INTO beads (bead_id, type, status, title, rig_id, priority, labels, metadata, created_at, updated_at, priority_rank, sequence, held, convoy_id)
           VALUES ('b', 'issue', 'in_progress', 't', 'r', 'low', '[]', '{}', 1, 1, 0, 1, 1, 'c');
         INSERT INTO agents (id, rig_id, role, name, identity, status, current_hook_bead_id, last_activity_at, created_at)
           VALUES ('a', 'r', 'polecat', 'Toast', 'r/Toast', 'working', 'b', 5, 2);
         INSERT INTO mail VALUES ('m', 'x', 'a', 's', 'words', 3, NULL, 1), ('n', 'x', 'a', 's', 'read', 3, 4, 2);",
    );
    migrate(&sql, core(Object::Rig).migrations).unwrap();
    let messages = "SELECT id, channel, sender, recipient, body, delivered_at, expires_at FROM messages ORDER BY sequence";
    assert_eq!(
        sql.rows::<(String, String, String, String, String, Option<i64>, Option<i64>)>(messages),
        [("m", "words", None, None), ("n", "read", Some(4), Some(2_592_000_004))].map(|(id, body, read, until)| (
            id.into(),
            "mail".into(),
            "x".into(),
            "a".into(),
            body.into(),
            read,
            until
        ))
    );
    let orders =
        "SELECT orders.id, agent_id, bead_id, orders.created_at, progress_at, fence FROM orders JOIN agents ON agents.id = agent_id";
    assert_eq!(sql.rows::<(i64, String, String, i64, i64, i64)>(orders), [(8, "a".into(), "b".into(), 5, 5, 8)]);
    assert_eq!(meta::get(&sql, "change").unwrap(), 8);
    assert_eq!(sql.value::<i64>("SELECT staged FROM beads"), 1);
}

#[test]
fn messages_of_a_towns_first_version_keep_their_order() {
    let sql = HostSql::new();
    frozen("town", 1).for_each(|step| sql.script(&step));
    sql.script(
        "INSERT INTO meta VALUES ('schema_version', 1);
         INSERT INTO mayor_messages (id, sender, message, status, created_at, sequence) VALUES ('m', 'x', 'words', 'queued', 1, 9);",
    );
    migrate(&sql, core(Object::Town).migrations).unwrap();
    assert_eq!(sql.rows::<(String, i64)>("SELECT id, touched FROM mayor_messages"), [("m".into(), 9)]);
}
