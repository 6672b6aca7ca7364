//! What the tests stand on: a strict database, a fleet in memory, tokens, and a town with an owner.

pub mod caller;
pub mod client;
pub mod doom;
pub mod edge;
pub mod expect;
pub mod fill;
pub mod fleet;
pub mod host_sql;
pub mod issuer;
pub mod keeping;
pub mod line;
pub mod listener;
pub mod offer;
pub mod playbook;
pub mod sockets;
pub mod tokens;
pub mod town;
pub mod web;
pub mod world;

pub use fleet::{Fleet, Trouble};
pub use host_sql::HostSql;
pub use listener::Listener;
pub use town::Town;
pub use world::World;

use base::error::{Code, Failure, Refusal};

/// The refusal that an outcome must be.
pub fn refusal<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> Refusal {
    match outcome {
        Err(Failure::Refused(refusal)) => refusal,
        other => panic!("not refused: {:.300}", format!("{other:?}")),
    }
}

/// The code of the refusal that an outcome must be.
pub fn code<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> Code {
    refusal(outcome).code
}

/// The rows of a table must be reached by an index, not by reading all of it, and come in order without being sorted.
pub fn assert_indexed(sql: &HostSql, statement: &str, params: &str) {
    let plan = sql.explain(statement, params);
    // What a statement makes itself is as long as what it is given.
    let made = statement.split("WITH RECURSIVE ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or("mine");
    let known = ["USING", "CONSTANT", "VIRTUAL TABLE", "subquery", "mine", made];
    let scans_all = plan.lines().any(|step| step.starts_with("SCAN") && known.iter().all(|known| !step.contains(known)));
    let sorts = plan.lines().any(|step| step.contains("USE TEMP B-TREE") && !step.contains("FOR DISTINCT"));
    assert!(!scans_all && !sorts, "{statement}\n{plan}");
}
