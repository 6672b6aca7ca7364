//! Sends the letters of an object's outbox: one delivery per target, all targets at once.
//!
//! Owns the fate of each row: acknowledged, or kept for another attempt after a pause. Rows are data that another
//! version of this code may have written, so one row that makes no sense never holds up the others.

use crate::contract::letters::{FromSession, Rejected};
use crate::objects::handler::{Cx, Owes};
use crate::objects::handlers::core;
use crate::objects::host::Host;
use crate::objects::outbox;
use crate::objects::outbox::{Owed, REFUSED_RETRY_MILLIS_MAX, RETRY_MILLIS_MAX, Which};
use crate::objects::store::sql::transaction;
use crate::rpc::call::own_context;
use crate::rpc::call::{Call, Context, Instance};
use crate::rpc::deadline::answer_within;
use crate::rpc::table::{Method, takes_letters, takes_listeners};
use base::error::{Code, Failure, Fault};
use futures::future::join_all;
use std::collections::BTreeMap;

/// A delivery that has reached this many bytes takes no further letter.
const DELIVERY_BYTES_MAX: usize = 1024 * 1024;

/// The letters to one target in one call.
struct Parcel {
    target: Instance,
    method: &'static Method,
    rows: Vec<Owed>,
    letters: Vec<String>,
    is_lease: bool,
    bytes: usize,
}

/// Sends until nothing of `which` is due. A target that takes longer than `patience` milliseconds has failed.
pub(in crate::objects) async fn flush<H: Host>(host: &H, which: Which, patience: u32) {
    let Some(instance) = host.instance() else { return };
    let Some(owes) = &core(instance.object()).owes else { return };
    // The object may end while a delivery is awaited.
    while host.hints().has_tables() {
        match round(host, instance, owes, which, patience).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(failure) => {
                log(host, "flush the outbox", &failure);
                return;
            }
        }
    }
}

/// True when something was done and there may be more.
async fn round<H: Host>(host: &H, instance: &Instance, owes: &Owes, which: Which, patience: u32) -> Result<bool, Failure> {
    let random = || host.random();
    let cx = Cx::new(host.sql(), host.now(), instance, &random);
    let due = outbox::due(cx.sql, cx.now, which)?;
    if due.is_empty() {
        return Ok(false);
    }
    let mut deliveries = Vec::new();
    for parcel in pack(host, &cx, owes, due)? {
        let town = (owes.town)(&cx, &parcel.target)?;
        let context = own_context(host.keys(), &instance.to_string(), town.as_ref(), parcel.method, "outbox", cx.now)?;
        deliveries.push(deliver(host, parcel, context, patience));
    }
    let outcomes = join_all(deliveries).await;
    if !host.hints().has_tables() {
        // The object has ended meanwhile, and its letters with it.
        return Ok(false);
    }
    for failure in outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().err()) {
        log(host, "deliver letters", failure);
    }
    transaction(host.sql(), || {
        for (rows, outcome) in &outcomes {
            for row in rows {
                settle(host, row, outcome)?;
            }
        }
        Ok(())
    })?;
    Ok(true)
}

/// Writes the letters. Rows whose subject is gone are dropped; rows that cannot be written wait.
fn pack<H: Host>(host: &H, cx: &Cx<'_>, owes: &Owes, due: Vec<Owed>) -> Result<Vec<Parcel>, Failure> {
    let mut parcels: BTreeMap<(String, bool), Parcel> = BTreeMap::new();
    for row in due {
        // A request to be told is a call of its own.
        let is_lease = row.kind == FromSession::Lease.as_str();
        let key = (row.target.clone(), is_lease);
        if parcels.get(&key).is_some_and(|parcel| parcel.bytes >= DELIVERY_BYTES_MAX) {
            continue;
        }
        let takes = if is_lease { takes_listeners } else { takes_letters };
        let target = Instance::parse(&row.target).and_then(|target| takes(target.object()).map(|method| (target, method)));
        let Some((target, method)) = target else {
            log(host, &row.target, &Fault::new("flush the outbox", "the target takes no letters").into());
            outbox::acknowledge(cx.sql, &row)?;
            continue;
        };
        match letter(cx, owes, &row) {
            Ok(Some(letter)) => {
                let parcel = parcels.entry(key).or_insert_with(|| Parcel {
                    target,
                    method,
                    rows: Vec::new(),
                    letters: Vec::new(),
                    is_lease,
                    bytes: 0,
                });
                parcel.bytes += letter.len();
                parcel.letters.push(letter);
                parcel.rows.push(row);
            }
            Ok(None) => outbox::acknowledge(cx.sql, &row)?,
            Err(failure) => {
                log(host, &row.subject, &failure);
                outbox::retry_later(cx.sql, &row, cx.now, REFUSED_RETRY_MILLIS_MAX)?;
            }
        }
    }
    Ok(parcels.into_values().collect())
}

/// The JSON text of a letter, or of the arguments by which a lease is asked for; `None` when its subject is gone.
fn letter(cx: &Cx<'_>, owes: &Owes, row: &Owed) -> Result<Option<String>, Failure> {
    let Some(body) = (owes.compose)(cx, row)? else { return Ok(None) };
    if row.kind == FromSession::Lease.as_str() {
        return Ok(Some(body.get().to_owned()));
    }
    // An `outbox::Letter`, with its state as it was written.
    let [kind, subject] = [&row.kind, &row.subject].map(|text| serde_json::Value::from(text.as_str()));
    Ok(Some(format!("{{\"kind\":{kind},\"subject\":{subject},\"generation\":{},\"body\":{body}}}", row.generation)))
}

async fn deliver<H: Host>(host: &H, parcel: Parcel, context: Context, patience: u32) -> (Vec<Owed>, Result<Vec<Rejected>, Failure>) {
    let Parcel { target, method, rows, letters, is_lease, .. } = parcel;
    let letters = letters.join(",");
    let call = Call { instance: target, method, args: if is_lease { letters } else { format!("[[{letters}]]") } };
    let answer = answer_within(host.wire(), &call, &context, patience).await;
    let rejected = answer.and_then(|answer| match answer.as_str() {
        "" => Ok(Vec::new()),
        list => serde_json::from_str(list).map_err(|error| Fault::new("read what was rejected", error).into()),
    });
    (rows, rejected)
}

fn settle<H: Host>(host: &H, row: &Owed, outcome: &Result<Vec<Rejected>, Failure>) -> Result<(), Fault> {
    let pause_max = match outcome {
        Ok(rejected) => {
            let Some(rejection) = rejected.iter().find(|rejection| rejection.kind == row.kind && rejection.subject == row.subject) else {
                return outbox::acknowledge(host.sql(), row);
            };
            host.log_fault(&Fault::new(&format!("{} letter {} to {}", row.kind, row.subject, row.target), &rejection.reason));
            REFUSED_RETRY_MILLIS_MAX
        }
        Err(Failure::Refused(refusal)) if !matches!(refusal.code, Code::Unavailable | Code::Unauthenticated) => REFUSED_RETRY_MILLIS_MAX,
        Err(_) => RETRY_MILLIS_MAX,
    };
    outbox::retry_later(host.sql(), row, host.now(), pause_max)
}

/// Logs either kind of failure.
pub(in crate::objects) fn log<H: Host>(host: &H, doing: &str, failure: &Failure) {
    match failure {
        Failure::Refused(refusal) => host.log_fault(&Fault::new(doing, &refusal.message)),
        Failure::Broke(fault) => host.log_fault(fault),
    };
}
