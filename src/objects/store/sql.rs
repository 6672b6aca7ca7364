//! SQL as a small trait, with typed rows on top.
//!
//! Owns how parameters and rows cross the boundary: as JSON text, parameters as one array, rows as an array of arrays.
//! One text each way is the cheapest crossing between wasm and JavaScript, and serde decodes a row straight into a
//! struct whose fields are in column order. Owns no statement. In debug builds `Sql` is told the fields of each query, which
//! the host tests compare with its columns.

use base::error::{Failure, Fault};
use serde::{Serialize, de::DeserializeOwned};

/// The database of one object. Synchronous, as Durable Object SQL is.
pub trait Sql {
    /// Runs one statement. `params` is the JSON text of an array of null, number or text; the answer is the JSON text
    /// of an array of rows, each an array of columns.
    ///
    /// # Errors
    /// `Fault` with the database's message.
    fn exec(&self, statement: &str, params: &str) -> Result<String, Fault>;

    /// Runs one statement without fetching its rows.
    ///
    /// # Errors
    /// As `exec`.
    fn run(&self, statement: &str, params: &str) -> Result<(), Fault> {
        self.exec(statement, params).map(drop)
    }

    /// Is told, before a statement runs, which fields its columns are decoded into, in order. For an implementation that
    /// checks it; debug builds only.
    #[cfg(debug_assertions)]
    fn expect_columns(&self, _statement: &str, _fields: &[&str]) {}

    /// Runs `body` inside one transaction: commits when it answers true, rolls back when it answers false.
    ///
    /// # Errors
    /// `Fault` when the transaction itself fails.
    fn transact(&self, body: &mut dyn FnMut() -> bool) -> Result<(), Fault>;
}

/// Runs `body` in one transaction; an error rolls everything back.
pub fn transaction<T>(sql: &dyn Sql, body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let mut body = Some(body);
    let mut outcome = None;
    sql.transact(&mut || match body.take() {
        Some(body) => {
            let result = body();
            let commit = result.is_ok();
            outcome = Some(result);
            commit
        }
        None => false,
    })?;
    outcome.unwrap_or_else(|| Err(Fault::new("transaction", "the body did not run").into()))
}

/// All rows of a query, decoded into `T` column by column.
pub fn query<T: DeserializeOwned>(sql: &dyn Sql, statement: &str, params: impl Serialize) -> Result<Vec<T>, Fault> {
    #[cfg(debug_assertions)]
    if let Some(fields) = super::row_fields::row_fields::<T>() {
        sql.expect_columns(statement, fields);
    }
    let rows = sql.exec(statement, &params_text(statement, &params)?)?;
    serde_json::from_str(&rows).map_err(|error| Fault::new(first_line(statement), error))
}

/// The first row of a query, if there is one.
pub fn query_one<T: DeserializeOwned>(sql: &dyn Sql, statement: &str, params: impl Serialize) -> Result<Option<T>, Fault> {
    Ok(query(sql, statement, params)?.into_iter().next())
}

/// The single value of a query that always has one row.
pub fn scalar<T: DeserializeOwned>(sql: &dyn Sql, statement: &str, params: impl Serialize) -> Result<T, Fault> {
    match query_one::<(T,)>(sql, statement, params)? {
        Some((value,)) => Ok(value),
        None => Err(Fault::new(first_line(statement), "no row")),
    }
}

/// Runs a statement without fetching its rows.
pub fn execute(sql: &dyn Sql, statement: &str, params: impl Serialize) -> Result<(), Fault> {
    sql.run(statement, &params_text(statement, &params)?)
}

/// The text of the parameter array. serde writes the empty tuple as null, which means no parameters.
fn params_text(statement: &str, params: &impl Serialize) -> Result<String, Fault> {
    let text = serde_json::to_string(params).map_err(|error| Fault::new(first_line(statement), error))?;
    Ok(if text == "null" { "[]".to_owned() } else { text })
}

/// A list as JSON text, for a statement that takes it apart with `json_each`.
///
/// # Errors
/// A fault: the list cannot be written.
pub fn json_list(list: &(impl Serialize + ?Sized)) -> Result<String, Fault> {
    serde_json::to_string(list).map_err(|error| Fault::new("write a list for a statement", error))
}

/// Every statement begins with a comment that names it, so its first line identifies it in a log.
#[must_use]
pub fn first_line(statement: &str) -> &str {
    statement.lines().next().unwrap_or_default()
}
