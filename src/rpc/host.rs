//! Drives one object: calls in, gathered questions, the outbox and the alarm.
//!
//! Owns the order in which storage, messages and the alarm are touched, for the Worker and for the tests alike. The
//! runtime behind it is the `Host` trait. No truth lives in its fields: `Hints` only save look-ups.

use super::call::{Call, Context, Instance, Wire, read_reply, refusal_text, unavailable};
use super::serve::{Answer, Caller, Core, Cx, Flush, Gather, check_access, core, own_context, run};
use super::table::{Absent, Method, find};
use crate::auth::{Accept, Keys, verify};
use crate::error::{Code, Failure, Fault, Refusal, refuse};
use crate::store::outbox::{self, Letter, Owed};
use crate::store::sql::{Sql, transaction};
use crate::store::{meta, migrate};
use crate::time::Timestamp;
use futures::future::{Either, LocalBoxFuture, join_all, select};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How long an object waits for other objects before it answers without them.
pub const GATHER_MILLIS_MAX: u32 = 2_000;
/// How long a delivery may take before it counts as failed.
const DELIVERY_MILLIS_MAX: u32 = 5_000;
/// How long a flush after the reply waits for more changes, so that a burst of calls is one delivery.
const LINGER_MILLIS: u32 = 20;

/// The runtime of one object.
pub trait Host: 'static {
    /// Which object; `None` when the runtime was given an impossible name.
    fn instance(&self) -> Option<&Instance>;
    /// Its database.
    fn sql(&self) -> &dyn Sql;
    /// The signing keys.
    fn keys(&self) -> &Keys;
    /// The current time.
    fn now(&self) -> Timestamp;
    /// Random bytes.
    fn random(&self) -> [u8; 16];
    /// The message layer.
    fn wire(&self) -> &dyn Wire;
    /// When the alarm is set to.
    fn alarm(&self) -> LocalBoxFuture<'_, Result<Option<Timestamp>, Fault>>;
    /// Sets the alarm.
    fn set_alarm(&self, at: Timestamp) -> LocalBoxFuture<'_, Result<(), Fault>>;
    /// Runs work after the reply.
    fn background(&self, work: LocalBoxFuture<'static, ()>);
    /// Logs a fault in full; returns its incident id.
    fn log_fault(&self, fault: &Fault) -> String;
    /// See `Hints`.
    fn hints(&self) -> &Hints;
}

/// What the object happens to remember while it is in memory.
#[derive(Default)]
pub struct Hints {
    /// The schema is the newest.
    migrated: Cell<bool>,
    /// When the alarm is set to, once asked.
    armed: Cell<Option<Option<Timestamp>>>,
    /// A flush is under way and will see new rows.
    flushing: Cell<bool>,
}

/// Answers one call. The reply text is read by `call::read_reply`.
pub async fn call<H: Host>(host: Rc<H>, method: &str, args: &str, context: &str) -> String {
    match answer(&host, method, args, context).await {
        Ok(Answer::Json(json)) => json,
        Ok(Answer::Void) => String::new(),
        Ok(Answer::Gather(_)) => broke(&*host, &Fault::new(method, "gathered twice")),
        Err(Failure::Refused(refusal)) => refusal_text(&refusal),
        Err(Failure::Broke(fault)) => broke(&*host, &fault),
    }
}

fn broke<H: Host>(host: &H, fault: &Fault) -> String {
    let incident = host.log_fault(fault);
    super::call::incident_text(&incident)
}

async fn answer<H: Host>(host: &Rc<H>, method: &str, args: &str, context: &str) -> Result<Answer, Failure> {
    let instance = host.instance().ok_or_else(|| refuse(Code::NotFound, "Not found"))?;
    let method = find(instance.object(), method)
        .ok_or_else(|| refuse(Code::Unsupported, format!("The RPC receiver does not implement the method \"{method}\".")))?;
    let caller = identify(&**host, context)?;
    check_access(method, &caller.principal)?;
    if let Some(answer) = ready(&**host, instance, Some(method))? {
        return Ok(answer);
    }
    if !method.is_read() && host.hints().armed.get().is_none() {
        host.hints().armed.set(Some(host.alarm().await?));
    }
    let random = || host.random();
    let cx = Cx::new(host.sql(), host.now(), instance, &random);
    let outcome = run(&cx, &caller, method, args)?;
    let (wake_at, flush) = cx.effects();
    if let Some(at) = wake_at {
        arm(&**host, at).await?;
    }
    match flush {
        Flush::None => {}
        Flush::BeforeReply => flush_outbox(Rc::clone(host)).await,
        Flush::AfterReply => {
            let host_after = Rc::clone(host);
            host.background(Box::pin(async move {
                host_after.wire().sleep(LINGER_MILLIS).await;
                flush_outbox(host_after).await;
            }));
        }
    }
    match outcome {
        Answer::Gather(gather) => gathered(host, instance, &caller, gather).await,
        answer => Ok(answer),
    }
}

/// Verifies the caller context: without it, or with a token that cannot be trusted, the call is refused.
fn identify<H: Host>(host: &H, context: &str) -> Result<Caller, Failure> {
    let context: Context = serde_json::from_str(context).map_err(|_| {
        Failure::from(Refusal::new(Code::Unauthenticated, "Authentication required: the last argument must be {jwt, requestId, idempotencyKey?}"))
    })?;
    let principal = verify(host.keys(), &context.jwt, host.now(), Accept::Internal).map_err(Refusal::from)?;
    Ok(Caller { principal, town: context.town_id, idempotency_key: context.idempotency_key, request_id: context.request_id })
}

/// Makes sure that the object has its tables, or answers what an object without any answers.
fn ready<H: Host>(host: &H, instance: &Instance, method: Option<&Method>) -> Result<Option<Answer>, Failure> {
    if host.hints().migrated.get() {
        return Ok(None);
    }
    if !meta::exists(host.sql())? {
        match method.map_or(Absent::Refuse, |method| method.absent) {
            Absent::Create => {}
            Absent::Answer(json) => return Ok(Some(Answer::Json(json.to_owned()))),
            Absent::Refuse => return Err(not_found(instance).into()),
        }
    }
    migrate::migrate(host.sql(), core(instance.object()).migrations)?;
    host.hints().migrated.set(true);
    Ok(None)
}

fn not_found(instance: &Instance) -> Refusal {
    match instance {
        Instance::Rig(id) => Refusal::new(Code::NotFound, format!("Rig {id} not found")).hint("Call list_rigs to see the rigs of the town."),
        Instance::Town(id) => Refusal::new(Code::NotFound, format!("Town {id} not found")).hint("Call list_towns to see your towns."),
        other => Refusal::new(Code::NotFound, format!("{other} not found")),
    }
}

/// Asks everyone at once; whoever has not answered by the deadline is reported as unavailable.
async fn gathered<H: Host>(host: &Rc<H>, instance: &Instance, caller: &Caller, gather: Gather) -> Result<Answer, Failure> {
    let questions = gather.calls.iter().map(|call| ask(&**host, instance, caller, &gather, call));
    let answers = join_all(questions).await;
    let random = || host.random();
    let cx = Cx::new(host.sql(), host.now(), instance, &random);
    (gather.then)(&cx, answers)
}

async fn ask<H: Host>(host: &H, instance: &Instance, caller: &Caller, gather: &Gather, call: &Call) -> Result<String, Failure> {
    let context = own_context(host.keys(), instance, Some(&gather.town), call.method, &caller.request_id, host.now())?;
    let reply = within(host.wire(), call, &context, GATHER_MILLIS_MAX).await?;
    read_reply(&reply).map(str::to_owned)
}

/// Sends a call, but does not wait longer than `millis`.
///
/// # Errors
/// `Unavailable` after the deadline; a fault when the message layer failed.
pub async fn within(wire: &dyn Wire, call: &Call, context: &Context, millis: u32) -> Result<String, Failure> {
    match select(wire.send(call, context), wire.sleep(millis)).await {
        Either::Left((reply, _)) => Ok(reply?),
        Either::Right(_) => Err(unavailable(&call.instance, millis).into()),
    }
}

/// Sets the alarm to `at` unless it already rings by then.
async fn arm<H: Host>(host: &H, at: Timestamp) -> Result<(), Fault> {
    if let Some(Some(armed)) = host.hints().armed.get()
        && armed <= at
    {
        return Ok(());
    }
    host.hints().armed.set(Some(Some(at)));
    host.set_alarm(at).await
}

/// The alarm rang: the core does its part, then everything that is due is sent, then the alarm is set again.
///
/// # Errors
/// `Fault`; the runtime rings again later.
pub async fn alarm<H: Host>(host: Rc<H>) -> Result<(), Fault> {
    let Some(instance) = host.instance() else { return Ok(()) };
    host.hints().armed.set(Some(None));
    let outcome = (|| {
        ready(&*host, instance, None)?;
        let random = || host.random();
        let cx = Cx::new(host.sql(), host.now(), instance, &random);
        transaction(cx.sql, || (core(instance.object()).alarm)(&cx))?;
        Ok(cx.effects().0)
    })();
    let wake_at = match outcome {
        Ok(wake_at) => wake_at,
        // An object that has no tables has nothing to do.
        Err(Failure::Refused(_)) => return Ok(()),
        Err(Failure::Broke(fault)) => return Err(fault),
    };
    if let Some(at) = wake_at {
        arm(&*host, at).await?;
    }
    flush_outbox(Rc::clone(&host)).await;
    Ok(())
}

/// Sends everything that is due, a delivery per target, until nothing is due. One flush at a time: rows written
/// meanwhile are seen by the running one.
async fn flush_outbox<H: Host>(host: Rc<H>) {
    struct Flushing<'a>(&'a Cell<bool>);
    impl Drop for Flushing<'_> {
        fn drop(&mut self) {
            self.0.set(false);
        }
    }
    if host.hints().flushing.replace(true) {
        return;
    }
    let _flushing = Flushing(&host.hints().flushing);
    let Some(instance) = host.instance() else { return };
    loop {
        match flush_once(&*host, instance, core(instance.object())).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(Failure::Refused(refusal)) => {
                host.log_fault(&Fault::new("flush the outbox", refusal.message));
                return;
            }
            Err(Failure::Broke(fault)) => {
                host.log_fault(&fault);
                return;
            }
        }
    }
}

/// One round: true when something was sent and there may be more.
async fn flush_once<H: Host>(host: &H, instance: &Instance, core: &Core) -> Result<bool, Failure> {
    let random = || host.random();
    let cx = Cx::new(host.sql(), host.now(), instance, &random);
    let due = outbox::due(cx.sql, cx.now)?;
    if due.is_empty() {
        if let Some(at) = outbox::next_due(cx.sql)? {
            arm(host, at).await?;
        }
        return Ok(false);
    }
    let Some(town) = (core.town)(&cx)? else { return Ok(false) };
    let mut by_target: BTreeMap<String, Vec<Owed>> = BTreeMap::new();
    for owed in due {
        by_target.entry(owed.target.clone()).or_default().push(owed);
    }
    let mut deliveries = Vec::new();
    for (target, owed) in by_target {
        let (letters, vanished) = compose(&cx, core, &owed)?;
        for gone in vanished {
            outbox::acknowledge(cx.sql, gone)?;
        }
        if letters.is_empty() {
            continue;
        }
        let Some(target) = Instance::parse(&target) else { continue };
        let method = find(target.object(), "deliver").ok_or_else(|| Fault::new("flush", "target takes no letters"))?;
        let context = own_context(host.keys(), instance, Some(&town), method, "outbox", cx.now)?;
        let delivery = Call::new(target, method, (letters,))?;
        deliveries.push(async move {
            let outcome = within(host.wire(), &delivery, &context, DELIVERY_MILLIS_MAX).await;
            (owed, outcome.and_then(|reply| read_reply(&reply).map(drop)))
        });
    }
    let outcomes = join_all(deliveries).await;
    transaction(host.sql(), || {
        for (owed, outcome) in &outcomes {
            for row in owed {
                match outcome {
                    Ok(()) => outbox::acknowledge(host.sql(), row)?,
                    Err(_) => outbox::retry_later(host.sql(), row, host.now())?,
                }
            }
        }
        Ok(())
    })?;
    Ok(true)
}

/// The letters for rows that still mean something, and the rows whose subject is gone.
fn compose<'o>(cx: &Cx<'_>, core: &Core, owed: &'o [Owed]) -> Result<(Vec<Letter>, Vec<&'o Owed>), Failure> {
    let mut letters = Vec::new();
    let mut vanished = Vec::new();
    for row in owed {
        match (core.compose)(cx, row)? {
            Some(body) => letters.push(Letter { kind: row.kind.clone(), subject: row.subject.clone(), generation: row.generation, body }),
            None => vanished.push(row),
        }
    }
    Ok((letters, vanished))
}
