//! `Sql` over rusqlite, as strict as workerd: its limits, its refusals, and numbers that are doubles.
//!
//! Owns the log of statements that tests count and explain.

use super::doom::{DIED, Doom};
use base::error::Fault;
use gastown_mcp::objects::store::sql::Sql;
use rusqlite::limits::Limit;
use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, StatementStatus, params_from_iter};
use serde_json::{Number, Value};
use std::cell::{Cell as Counter, RefCell};

/// `src/workerd/util/sqlite.c++`.
const LIMITS: [(Limit, i32); 6] = [
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100),
    (Limit::SQLITE_LIMIT_COLUMN, 100),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 5),
    (Limit::SQLITE_LIMIT_LENGTH, 2_000_000),
];
/// Prepared statements that are kept: more than an object has.
const STATEMENTS_KEPT: usize = 500;
/// Integers from here on do not survive JavaScript.
const INTEGER_END: i64 = 1 << 53;

/// One object's database.
pub struct HostSql {
    db: RefCell<Connection>,
    depth: Counter<u32>,
    log: RefCell<Vec<(String, String)>>,
    steps: Counter<u64>,
    /// When its object dies.
    pub doom: Doom,
}

impl HostSql {
    pub fn new() -> Self {
        Self { db: RefCell::new(open()), depth: Counter::new(0), log: RefCell::default(), steps: Counter::new(0), doom: Doom::default() }
    }

    /// A number that is another one whenever something may have been written since.
    pub fn version(&self) -> u64 {
        self.db.borrow().total_changes()
    }

    /// Whether it has a table of this name.
    pub fn has_table(&self, name: &str) -> bool {
        self.value::<i64>(&format!("SELECT COUNT(*) FROM sqlite_master WHERE name = '{name}'")) == 1
    }

    /// Everything is gone, as if nothing had ever been written.
    pub fn clear(&self) {
        self.db.replace(open());
    }

    /// The statements since the last call, with their parameters.
    pub fn take_log(&self) -> Vec<(String, String)> {
        self.log.take()
    }

    /// How much work statements were since the last call, in steps of the database's machine: a row costs about ten.
    pub fn take_steps(&self) -> u64 {
        self.steps.take()
    }

    /// How the database would run a statement, one step a line.
    pub fn explain(&self, statement: &str, params: &str) -> String {
        let plan = self.run(&format!("EXPLAIN QUERY PLAN {statement}"), params).unwrap();
        let steps: Vec<(i64, i64, i64, String)> = serde_json::from_str(&plan).unwrap();
        steps.into_iter().map(|(.., step)| step).collect::<Vec<_>>().join("\n")
    }

    /// The `CREATE` statements of the schema, sorted.
    pub fn schema(&self) -> Vec<String> {
        self.rows::<(String,)>("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY sql").into_iter().map(|(sql,)| sql).collect()
    }

    /// Runs the statements of a script, as a database of an older version was made.
    pub fn script(&self, statements: &str) {
        self.db.borrow().execute_batch(statements).unwrap();
    }

    /// Rows of a query that a test asks on its own account.
    pub fn rows<T: serde::de::DeserializeOwned>(&self, statement: &str) -> Vec<T> {
        serde_json::from_str(&self.run(statement, "[]").unwrap()).unwrap()
    }

    /// The single value of such a query.
    pub fn value<T: serde::de::DeserializeOwned>(&self, statement: &str) -> T {
        self.rows::<(T,)>(statement).pop().unwrap().0
    }

    fn run(&self, statement: &str, params: &str) -> Result<String, String> {
        let params: Vec<Value> = serde_json::from_str(params).map_err(|error| error.to_string())?;
        let params = params.iter().map(bind).collect::<Result<Vec<_>, _>>()?;
        let db = self.db.borrow();
        let mut prepared = db.prepare_cached(statement).map_err(|error| error.to_string())?;
        if prepared.parameter_count() != params.len() {
            return Err(format!("{} parameters wanted, {} given", prepared.parameter_count(), params.len()));
        }
        let columns = prepared.column_count();
        let mut rows = prepared.query(params_from_iter(params)).map_err(|error| error.to_string())?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(|error| error.to_string())? {
            let cells = (0..columns).map(|index| show(row.get_ref_unwrap(index)));
            out.push(Value::Array(cells.collect::<Result<_, _>>()?));
        }
        drop(rows);
        let steps = prepared.reset_status(StatementStatus::VmStep);
        self.steps.set(self.steps.get() + u64::try_from(steps).unwrap_or_default());
        serde_json::to_string(&out).map_err(|error| error.to_string())
    }
}

fn open() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    for (limit, most) in LIMITS {
        db.set_limit(limit, most).unwrap();
    }
    db
}

/// A parameter as JavaScript would hand it on: every number is a double.
fn bind(param: &Value) -> Result<Cell, String> {
    match param {
        Value::Null => Ok(Cell::Null),
        Value::String(text) => Ok(Cell::Text(text.clone())),
        Value::Number(number) => match number.as_i64() {
            Some(integer) if integer.abs() >= INTEGER_END => Err(format!("{integer} does not survive JavaScript")),
            _ => number.as_f64().map(Cell::Real).ok_or_else(|| "not a number".to_owned()),
        },
        other => Err(format!("a parameter is null, a number or a text, not {other}")),
    }
}

/// A column as JavaScript would show it: doubles without a fraction look like integers.
fn show(cell: ValueRef<'_>) -> Result<Value, String> {
    match cell {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(integer) if integer.abs() >= INTEGER_END => Err(format!("{integer} does not survive JavaScript")),
        ValueRef::Integer(integer) => Ok(Value::from(integer)),
        #[expect(clippy::cast_possible_truncation, reason = "checked: no fraction, below 2^53")]
        ValueRef::Real(real) if real.fract() == 0.0 && real.abs() < 9e15 => Ok(Value::from(real as i64)),
        ValueRef::Real(real) => Number::from_f64(real).map(Value::Number).ok_or_else(|| "not a number".to_owned()),
        ValueRef::Text(text) => Ok(Value::from(String::from_utf8_lossy(text).into_owned())),
        ValueRef::Blob(_) => Err("blobs do not cross as JSON".to_owned()),
    }
}

impl Sql for HostSql {
    fn exec(&self, statement: &str, params: &str) -> Result<String, Fault> {
        let name = statement.lines().next().unwrap_or_default();
        let code: String =
            statement.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join(" ").to_uppercase();
        if ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA"].iter().any(|word| code.trim_start().starts_with(word)) {
            return Err(Fault::new(name, "not authorized"));
        }
        self.doom.before_statement().map_err(|what| Fault::new(name, what))?;
        self.log.borrow_mut().push((statement.to_owned(), params.to_owned()));
        self.run(statement, params).map_err(|error| Fault::new(name, error))
    }

    // A row is decoded by position, so a column under another name than its field is a column in the wrong place.
    fn expect_columns(&self, statement: &str, fields: &[&str]) {
        let db = self.db.borrow();
        let Ok(prepared) = db.prepare_cached(statement) else { return };
        let columns: Vec<&str> = prepared.column_names().collect();
        assert!(fields.starts_with(&columns), "columns are not the struct's fields in order\n{columns:?}\n{fields:?}\n{statement}");
    }

    fn transact(&self, body: &mut dyn FnMut() -> bool) -> Result<(), Fault> {
        let depth = self.depth.get();
        let run = |sql: String| self.db.borrow().execute_batch(&sql).map_err(|error| Fault::new("transaction", error));
        run(format!("SAVEPOINT level_{depth}"))?;
        self.depth.set(depth + 1);
        let commit = body();
        self.depth.set(depth);
        // Who dies before the commit has changed nothing.
        let died = self.doom.before_message().is_err();
        if !commit || died {
            run(format!("ROLLBACK TO level_{depth}"))?;
        }
        run(format!("RELEASE level_{depth}"))?;
        if died { Err(Fault::new("transaction", DIED)) } else { Ok(()) }
    }
}
