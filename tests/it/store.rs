//! Schema versions and the strict database itself.

use crate::support::HostSql;
use base::error::Failure;
use gastown_mcp::objects::store::meta;
use gastown_mcp::objects::store::meta::CREATE_META;
use gastown_mcp::objects::store::migrate::{Migration, migrate};
use gastown_mcp::objects::store::sql::{Sql, execute, query, transaction};
use serde::Deserialize;

const ONE: Migration = &[CREATE_META, "CREATE TABLE a (id TEXT PRIMARY KEY) STRICT"];
const TWO: Migration = &["ALTER TABLE a ADD COLUMN b TEXT", "CREATE INDEX a_b ON a (b)"];
const THREE: Migration = &["CREATE TABLE c (id TEXT PRIMARY KEY) STRICT", "UPDATE a SET b = 'old' WHERE b IS NULL"];
const BROKEN: Migration = &["CREATE TABLE d (id TEXT PRIMARY KEY) STRICT", "UPDATE nowhere SET x = 1"];

fn version(sql: &HostSql) -> i64 {
    meta::get(sql, "schema_version").unwrap()
}

#[test]
fn every_older_version_becomes_the_newest_and_equals_a_fresh_one() {
    let all = [ONE, TWO, THREE];
    let fresh = HostSql::new();
    migrate(&fresh, &all).unwrap();
    for from in 1..=all.len() {
        let sql = HostSql::new();
        migrate(&sql, &all[..from]).unwrap();
        execute(&sql, "INSERT INTO a (id) VALUES ('kept')", ()).unwrap();
        migrate(&sql, &all).unwrap();
        assert_eq!(sql.schema(), fresh.schema());
        assert_eq!(version(&sql), 3);
        assert_eq!(sql.value::<String>("SELECT id FROM a"), "kept");
        assert_eq!(sql.value::<Option<String>>("SELECT b FROM a"), (from < 3).then(|| "old".to_owned()));
    }
}

#[test]
fn the_same_version_again_runs_nothing() {
    let sql = HostSql::new();
    migrate(&sql, &[ONE, TWO]).unwrap();
    sql.take_log();
    migrate(&sql, &[ONE, TWO]).unwrap();
    assert!(sql.take_log().iter().all(|(statement, _)| statement.contains("SELECT")));
}

#[test]
fn a_newer_version_on_disk_is_refused_and_left_alone() {
    let sql = HostSql::new();
    migrate(&sql, &[ONE, TWO, THREE]).unwrap();
    let before = sql.schema();
    let Err(Failure::Broke(fault)) = migrate(&sql, &[ONE, TWO]) else { panic!("accepted") };
    assert!(fault.log_text().contains("schema version 3 is newer than this code (2)"), "{}", fault.log_text());
    assert_eq!(sql.schema(), before);
}

#[test]
fn a_step_that_fails_changes_nothing() {
    let sql = HostSql::new();
    migrate(&sql, &[ONE]).unwrap();
    let before = sql.schema();
    assert!(migrate(&sql, &[ONE, TWO, BROKEN]).is_err());
    assert_eq!((sql.schema(), version(&sql)), (before, 1));
    let sql = HostSql::new();
    assert!(migrate(&sql, &[ONE, BROKEN]).is_err());
    assert!(sql.schema().is_empty());
}

#[test]
fn transactions_nest_and_each_level_undoes_its_own() {
    let sql = HostSql::new();
    migrate(&sql, &[ONE]).unwrap();
    let insert = |id: &str| execute(&sql, "INSERT INTO a (id) VALUES (?)", (id,)).map_err(Failure::from);
    let outcome = transaction(&sql, || {
        insert("outer")?;
        let inner: Result<(), Failure> = transaction(&sql, || {
            insert("inner")?;
            insert("inner")
        });
        assert!(inner.is_err());
        insert("after")
    });
    outcome.unwrap();
    assert_eq!(sql.rows::<(String,)>("SELECT id FROM a ORDER BY id"), [("after".to_owned(),), ("outer".to_owned(),)]);
}

/// Two texts that a struct holds in the other order would be decoded without a complaint.
#[test]
#[should_panic(expected = "columns are not the struct's fields in order")]
fn a_column_list_in_another_order_than_its_struct_is_found() {
    #[derive(Deserialize)]
    struct Pair {
        _first: Option<String>,
        _second: Option<String>,
    }
    let pairs = |list: &str| query::<Pair>(&HostSql::new(), &format!("SELECT {list}"), ());
    assert_eq!(pairs("'a' AS _first, 'b' AS _second").unwrap().len(), 1);
    drop(pairs("'b' AS _second, 'a' AS _first"));
}

/// What workerd refuses, the tests refuse.
#[test]
fn the_test_database_is_as_strict_as_the_runtime() {
    let sql = HostSql::new();
    for refused in ["BEGIN", "-- x\nSAVEPOINT y", "COMMIT", "PRAGMA user_version = 3"] {
        assert!(sql.exec(refused, "[]").is_err(), "{refused}");
    }
    let variables = |count: usize| (format!("SELECT {}", vec!["?"; count].join(" + ")), serde_json::to_string(&vec![1; count]).unwrap());
    let (statement, params) = variables(100);
    assert_eq!(sql.exec(&statement, &params).unwrap(), "[[100]]");
    let (statement, params) = variables(101);
    assert!(sql.exec(&statement, &params).is_err());
    assert!(sql.exec(&format!("SELECT '{}'", "x".repeat(100_000)), "[]").is_err());
    assert!(sql.exec(&format!("SELECT 'x' LIKE '{}'", "x".repeat(51)), "[]").is_err());
    assert!(sql.exec("SELECT ?", "[9007199254740992]").is_err());
    assert!(sql.exec("SELECT 9007199254740992", "[]").is_err());
    assert_eq!(sql.exec("SELECT 9007199254740991", "[]").unwrap(), "[[9007199254740991]]");
    for params in ["[true]", "[[]]", "[{}]", "[]", "[1, 2]"] {
        assert!(sql.exec("SELECT ?", params).is_err(), "{params}");
    }
}
