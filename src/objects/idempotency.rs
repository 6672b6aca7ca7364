//! Retries made safe: a key, once used, gives the same answer again and does nothing twice.
//!
//! Owns the `idempotency` table that every object with mutating methods has. The row is written in the transaction of
//! the change, so there is no moment at which one exists without the other.

use crate::contract::limits::idempotency::KEY_CHARS_MAX;
use crate::objects::handler::{Answer, Caller, Cx};
use crate::objects::store::sql::{Sql, execute, query_one};
use crate::rpc::table::Method;
use base::error::{Code, Failure, Fault, Refusal, refuse};
use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

/// How long a key is remembered.
pub const REMEMBER_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// Longest answer that is remembered; a row of the database has 2 MB at most.
pub const REPLY_BYTES_MAX: usize = 1_500_000;

/// Creates the table; part of the first migration of every object with mutating methods.
pub const CREATE_IDEMPOTENCY: &str = "-- idempotency
CREATE TABLE idempotency (
  principal TEXT NOT NULL,       -- whose key
  key TEXT NOT NULL,             -- as the caller chose it
  method TEXT NOT NULL,          -- what was called
  digest TEXT NOT NULL,          -- SHA-256 of the arguments
  reply TEXT NOT NULL,           -- what was answered; empty for a void answer
  created_at INTEGER NOT NULL,   -- ms
  PRIMARY KEY (principal, key)
) STRICT, WITHOUT ROWID";

/// See `CREATE_IDEMPOTENCY`.
pub const CREATE_IDEMPOTENCY_INDEX: &str = "-- idempotency_created
CREATE INDEX idempotency_created ON idempotency (created_at)";

/// Runs `work` unless this caller's key was used before; then gives the answer of that time.
///
/// # Errors
/// `IdempotencyConflict` when the key was used with another method or other arguments; whatever `work` answers.
pub fn once(
    cx: &Cx<'_>,
    caller: &Caller,
    method: &Method,
    args: &str,
    work: impl FnOnce() -> Result<Answer, Failure>,
) -> Result<Answer, Failure> {
    let Some(key) = caller.idempotency_key.as_deref() else {
        return work();
    };
    if key.is_empty() || key.len() > KEY_CHARS_MAX || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refuse(Code::InvalidArgument, format!("idempotency_key must be 1 to {KEY_CHARS_MAX} visible ASCII characters")));
    }
    let principal = caller.principal.key();
    let digest = Base64UrlUnpadded::encode_string(&Sha256::digest(args.as_bytes()));
    let oldest = cx.now.plus_millis(-REMEMBER_MILLIS).millis();
    let known: Option<(String, String, String)> = query_one(
        cx.sql,
        "-- idempotency_find\nSELECT method, digest, reply FROM idempotency WHERE principal = ? AND key = ? AND created_at >= ?",
        (&principal, key, oldest),
    )?;
    if let Some((known_method, known_digest, reply)) = known {
        if known_method == method.name && known_digest == digest {
            return Ok(if reply.is_empty() { Answer::Void } else { Answer::Json(reply) });
        }
        let refusal = Refusal::new(
            Code::IdempotencyConflict,
            format!("idempotency_key {key} was already used for {known_method} with other arguments"),
        );
        return Err(refusal.hint("Repeat the first call unchanged to get its answer, or take a new key for a new call.").into());
    }
    let answer = work()?;
    if matches!(answer, Answer::Gather(_)) {
        // Nothing is done yet: the call comes back here with the gathered answers.
        return Ok(answer);
    }
    let too_long = matches!(&answer, Answer::Json(reply) if reply.len() > REPLY_BYTES_MAX);
    if too_long {
        return Err(refuse(Code::InvalidArgument, format!("the answer would exceed {REPLY_BYTES_MAX} bytes: split the call")));
    }
    let reply = match &answer {
        Answer::Json(reply) => reply.as_str(),
        Answer::Void | Answer::Gather(_) | Answer::Wait(_) | Answer::Stream(_) => "",
    };
    execute(cx.sql, "-- idempotency_expire\nDELETE FROM idempotency WHERE created_at < ?", (oldest,))?;
    execute(
        cx.sql,
        "-- idempotency_record\nINSERT INTO idempotency (principal, key, method, digest, reply, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (&principal, key, method.name, &digest, reply, cx.now.millis()),
    )?;
    Ok(answer)
}

/// Forgets the call that made the thing with this id: it was undone, so repeating the call must make it anew.
///
/// # Errors
/// `Fault` of the database.
pub fn forget(sql: &dyn Sql, id: &str) -> Result<(), Fault> {
    execute(sql, "-- idempotency_forget\nDELETE FROM idempotency WHERE reply <> '' AND json_extract(reply, '$.id') = ?", (id,))
}
