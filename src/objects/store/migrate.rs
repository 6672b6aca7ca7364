//! Schema versions: each object lists its migrations, and an object on an older version is brought up step by step.
//!
//! Owns the procedure. Each object owns its list of migrations; a migration is never edited once released.

use super::meta;
use super::sql::{Sql, execute, transaction};
use base::error::{Failure, Fault};

/// The `meta` row that holds the version.
const VERSION: &str = "schema_version";

/// One step: the statements that lead from the version before it to this one.
pub type Migration = &'static [&'static str];

/// Brings the schema to the newest version, all steps in one transaction.
///
/// # Errors
/// `Fault` when a statement fails (nothing is changed then), or when the object was written by newer code.
pub fn migrate(sql: &dyn Sql, migrations: &[Migration]) -> Result<(), Failure> {
    let current = if meta::exists(sql)? { meta::get(sql, VERSION)? } else { 0 };
    let newest = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    if current == newest {
        return Ok(());
    }
    if current > newest {
        return Err(Fault::new("migrate", format!("schema version {current} is newer than this code ({newest})")).into());
    }
    transaction(sql, || {
        let done = usize::try_from(current).unwrap_or_default();
        for statement in migrations.iter().skip(done).copied().flatten() {
            execute(sql, statement, ())?;
        }
        Ok(meta::set(sql, VERSION, newest)?)
    })
}
