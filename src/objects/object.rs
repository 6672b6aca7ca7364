//! Drives one object: calls in, gathered questions, the alarm.
//!
//! Owns the order in which storage, messages and the alarm are touched, for the Worker and for the tests alike. The
//! runtime behind it is `host::Host`.

use super::socket;
use crate::auth::principal::TokenKind;
use crate::auth::{Accept, verify};
use crate::objects::execute::run;
use crate::objects::execute::run_gathered;
use crate::objects::handler::{Answer, Caller, Cx, Effects, Gather};
use crate::objects::handlers::core;
use crate::objects::host::{Armed, Host, broke};
use crate::objects::outbox;
use crate::objects::outbox::Which;
use crate::objects::outbox_delivery::flush;
use crate::objects::store::sql::transaction;
use crate::objects::store::{meta, migrate, tombstone};
use crate::rpc::access::check_access;
use crate::rpc::call::own_context;
use crate::rpc::call::{Call, Context, Instance, refusal_text};
use crate::rpc::deadline::answer_within;
use crate::rpc::table::{Absent, Method, find};
use base::error::{Code, Failure, Fault, Refusal, refuse};
use base::time::Timestamp;
use futures::future::{LocalBoxFuture, join_all, select};
use serde_json::Value;
use std::rc::Rc;

/// How long an object waits for other objects before it answers without them.
pub const GATHER_MILLIS_MAX: u32 = 800;
/// How long a delivery that a caller waits for may take before it counts as failed.
pub const DELIVERY_MILLIS_MAX: u32 = 2_000;
/// The same for a delivery that no caller waits for.
pub const PATIENT_DELIVERY_MILLIS_MAX: u32 = 5_000;
/// How long a flush after the reply waits for more changes, so that a burst of calls is one delivery.
const LINGER_MILLIS: u32 = 20;
/// The alarm rings again after this pause when its work could not be finished.
const ALARM_RETRY_MILLIS: i64 = 5_000;
/// The alarm never rings again sooner than this.
const ALARM_PAUSE_MILLIS_MIN: i64 = 1_000;
/// No call waits longer before it looks again.
const WAIT_MILLIS_MAX: u32 = 60_000;

/// Answers one call. The reply text is read by `call::read_reply`.
pub async fn call<H: Host>(host: Rc<H>, method: &str, args: &str, context: &str) -> String {
    match answer(&host, method, args, context).await {
        Ok(Answer::Json(json)) => json,
        Ok(Answer::Void) => String::new(),
        Ok(Answer::Gather(_) | Answer::Wait(_)) => broke(&*host, &Fault::new(method, "gathered or waited twice")),
        Ok(Answer::Stream(_)) => broke(&*host, &Fault::new(method, "a stream is opened, not called")),
        Err(Failure::Refused(refusal)) => refusal_text(&refusal),
        Err(Failure::Broke(fault)) => broke(&*host, &fault),
    }
}

/// Carries out the effects of a committed change.
pub(in crate::objects) async fn follow_up<H: Host>(host: &Rc<H>, cx: &Cx<'_>) -> Result<(), Failure> {
    host.hints().waiting.wake(cx.woken());
    socket::push(&**host, &cx.pushed());
    let effects = cx.effects();
    if effects.destroy {
        return Ok(end(&**host, effects.tombstone).await?);
    }
    if let Some(at) = effects.wake_at {
        arm(&**host, at).await?;
    }
    if effects.flush_before_reply {
        flush(&**host, Which::Awaited, DELIVERY_MILLIS_MAX).await;
    }
    if effects.flush_after_reply {
        flush_after_reply(host);
    }
    Ok(())
}

/// Ends the object: waiting calls look again and find nothing.
async fn end<H: Host>(host: &H, tombstone: Option<i64>) -> Result<(), Fault> {
    // Before and after: a call that comes while this is awaited looks itself whether there are tables, and may have found some.
    host.hints().migrated.set(false);
    let destroyed = host.destroy().await;
    host.hints().migrated.set(false);
    host.hints().armed.set(Armed::Unknown);
    destroyed?;
    host.hints().waiting.wake_all();
    if let Some(generation) = tombstone {
        tombstone::put(host.sql(), generation)?;
        arm(host, host.now().plus_millis(tombstone::KEPT_MILLIS)).await?;
    }
    Ok(())
}

pub(in crate::objects) async fn answer<H: Host>(host: &Rc<H>, method: &str, args: &str, context: &str) -> Result<Answer, Failure> {
    let instance = host.instance().ok_or_else(|| refuse(Code::NotFound, "Not found"))?;
    let method = find(instance.object(), method)
        .ok_or_else(|| refuse(Code::Unsupported, format!("The RPC receiver does not implement the method \"{method}\".")))?;
    let caller = identify(&**host, context)?;
    check_access(method, &caller.principal)?;
    if !method.is_read() {
        // Asked before storage is touched: nothing may come between a change and the alarm that stands for it.
        known_alarm(&**host).await?;
    }
    loop {
        let random = || host.random();
        let cx = Cx::new(host.sql(), host.now(), instance, &random);
        let outcome = match (has_tables(&**host, instance)?, method.absent) {
            (true, _) => run(&cx, &caller, method, args)?,
            (false, Absent::Create) => create(&**host, &cx, &caller, method, args)?,
            (false, Absent::Answer(json)) => {
                (core(method.object).authorize)(&cx, &caller)?;
                return Ok(Answer::Json(json.to_owned()));
            }
            (false, Absent::Refuse) => return Err(not_found(instance).into()),
        };
        // Before the first await: the event that wakes this call may happen from now on.
        let waiting = if let Answer::Wait(wait) = &outcome { Some((host.hints().waiting.begin(&wait.key), wait.until)) } else { None };
        follow_up(host, &cx).await?;
        match (outcome, waiting) {
            (_, Some((waiting, until))) => {
                let millis = u32::try_from(until.since(host.now())).unwrap_or(WAIT_MILLIS_MAX).min(WAIT_MILLIS_MAX);
                select(waiting, host.wire().sleep(millis)).await;
            }
            (Answer::Gather(gather), None) => return gathered(host, instance, &caller, method, args, gather).await,
            (answer, None) => return Ok(answer),
        }
    }
}

/// Verifies the caller context: without it, or with a token that cannot be trusted, the call is refused.
fn identify<H: Host>(host: &H, context: &str) -> Result<Caller, Failure> {
    let context: Context = serde_json::from_str(context).map_err(|_| {
        Failure::from(Refusal::new(
            Code::Unauthenticated,
            "Authentication required: the last argument must be {jwt, requestId, idempotencyKey?}",
        ))
    })?;
    let mut principal = verify(host.keys(), &context.jwt, host.now(), Accept::Internal).map_err(Refusal::from)?;
    if principal.kind == TokenKind::Container {
        // A container speaks for all its agents; the request names one.
        principal.agent_id = context.agent_id;
    }
    principal.process = context.process_id;
    Ok(Caller { principal, town: context.town_id, idempotency_key: context.idempotency_key, request_id: context.request_id })
}

/// Whether the object was ever initialised; brings its schema to the newest version then.
fn has_tables<H: Host>(host: &H, instance: &Instance) -> Result<bool, Failure> {
    if !host.hints().migrated.get() && meta::exists(host.sql())? {
        migrate::migrate(host.sql(), core(instance.object()).migrations)?;
        host.hints().migrated.set(true);
    }
    Ok(host.hints().migrated.get())
}

/// Runs the call that initialises the object. A refused one leaves no table behind, and neither does one that ends it.
fn create<H: Host>(host: &H, cx: &Cx<'_>, caller: &Caller, method: &Method, args: &str) -> Result<Answer, Failure> {
    let (mut outcome, mut is_made) = (None, false);
    cx.sql.transact(&mut || {
        let answer = migrate::migrate(cx.sql, core(method.object).migrations).and_then(|()| run(cx, caller, method, args));
        is_made = answer.is_ok() && !cx.effects().destroy;
        outcome = Some(answer);
        is_made
    })?;
    host.hints().migrated.set(is_made);
    outcome.unwrap_or_else(|| Err(Fault::new(method.name, "the transaction did not run").into()))
}

fn not_found(instance: &Instance) -> Refusal {
    match instance {
        Instance::Rig(id) => {
            Refusal::new(Code::NotFound, format!("Rig {id} not found")).hint("Call list_rigs to see the rigs of the town.")
        }
        Instance::Town(id) => Refusal::new(Code::NotFound, format!("Town {id} not found")).hint("Call list_towns to see your towns."),
        other @ (Instance::User(_) | Instance::Org(_) | Instance::Session(_)) => Refusal::new(Code::NotFound, format!("{other} not found")),
    }
}

/// Asks all at once; an object that has not answered by the deadline counts as unavailable.
async fn gathered<H: Host>(
    host: &Rc<H>,
    instance: &Instance,
    caller: &Caller,
    method: &Method,
    args: &str,
    gather: Gather,
) -> Result<Answer, Failure> {
    let questions = gather
        .calls
        .iter()
        .map(|call| -> LocalBoxFuture<'_, Result<String, Failure>> { Box::pin(ask(&**host, instance, caller, &gather, call)) });
    let answers = join_all(questions).await;
    if !has_tables(&**host, instance)? {
        return Err(not_found(instance).into());
    }
    let random = || host.random();
    let cx = Cx::new(host.sql(), host.now(), instance, &random);
    let answer = run_gathered(&cx, caller, method, args, gather.then, answers)?;
    follow_up(host, &cx).await?;
    Ok(answer)
}

async fn ask<H: Host>(host: &H, instance: &Instance, caller: &Caller, gather: &Gather, call: &Call) -> Result<String, Failure> {
    let context = own_context(host.keys(), &instance.to_string(), Some(&gather.town), call.method, &caller.request_id, host.now())?;
    answer_within(host.wire(), call, &context, GATHER_MILLIS_MAX).await
}

/// Asks once when the alarm is set to. Meanwhile another call may have set it, and then knows better.
async fn known_alarm<H: Host>(host: &H) -> Result<Armed, Fault> {
    if matches!(host.hints().armed.get(), Armed::Unknown) {
        let asked = host.alarm().await?;
        if matches!(host.hints().armed.get(), Armed::Unknown) {
            host.hints().armed.set(asked.map_or(Armed::Never, Armed::At));
        }
    }
    Ok(host.hints().armed.get())
}

/// Sets the alarm to `at` unless it already rings by then.
async fn arm<H: Host>(host: &H, at: Timestamp) -> Result<(), Fault> {
    if let Armed::At(armed) = known_alarm(host).await?
        && armed <= at
    {
        return Ok(());
    }
    host.hints().armed.set(Armed::At(at));
    let set = host.set_alarm(at).await;
    if set.is_err() {
        host.hints().armed.set(Armed::Unknown);
    }
    set
}

/// The alarm rang: the core does its part, due letters are sent, and the alarm is set again while any letter is
/// owed. A failure is logged and tried again: a runtime gives up on an alarm that keeps failing, we do not.
///
/// # Errors
/// `Fault` when the alarm cannot be set; the runtime rings again later.
pub async fn alarm<H: Host>(host: Rc<H>) -> Result<(), Fault> {
    let Some(instance) = host.instance() else { return Ok(()) };
    host.hints().armed.set(Armed::Never);
    let Effects { wake_at, destroy, tombstone, .. } = match tick(&*host, instance) {
        Ok(effects) => effects,
        Err(failure) => {
            crate::objects::outbox_delivery::log(&*host, "alarm", &failure);
            Effects { wake_at: Some(host.now().plus_millis(ALARM_RETRY_MILLIS)), ..Effects::default() }
        }
    };
    if destroy {
        return end(&*host, tombstone).await;
    }
    if let Some(at) = wake_at {
        arm(&*host, at).await?;
    }
    if !host.hints().migrated.get() || core(instance.object()).owes.is_none() {
        return Ok(());
    }
    flush(&*host, Which::All, PATIENT_DELIVERY_MILLIS_MAX).await;
    arm_for_owed(&*host).await
}

/// The core's part of the alarm. An object that has no tables has nothing to do.
fn tick<H: Host>(host: &H, instance: &Instance) -> Result<Effects, Failure> {
    if !has_tables(host, instance)? {
        return Ok(Effects { destroy: tombstone::is_all(host.sql())?, ..Effects::default() });
    }
    let random = || host.random();
    let cx = Cx::new(host.sql(), host.now(), instance, &random);
    cx.set_watched_until(socket::sweep(host).iter().map(|socket| socket.expires_at()).min());
    transaction(cx.sql, || (core(instance.object()).alarm)(&cx))?;
    host.hints().waiting.wake(cx.woken());
    socket::push(host, &cx.pushed());
    Ok(cx.effects())
}

/// While anything is owed the alarm is set, for then or, if it is being sent just now, for a little later.
async fn arm_for_owed<H: Host>(host: &H) -> Result<(), Fault> {
    if !host.hints().has_tables() {
        return Ok(());
    }
    match outbox::next_due(host.sql())? {
        Some(at) => arm(host, at.max(host.now().plus_millis(ALARM_PAUSE_MILLIS_MIN))).await,
        None => Ok(()),
    }
}

/// Sends new letters once the reply is on its way and a burst of calls is over.
fn flush_after_reply<H: Host>(host: &Rc<H>) {
    /// Forgets the flush when it ends, and also when the runtime drops it.
    struct Running<H: Host>(Rc<H>);
    impl<H: Host> Drop for Running<H> {
        fn drop(&mut self) {
            self.0.hints().flushing.set(false);
        }
    }
    if host.hints().flushing.replace(true) {
        return;
    }
    let running = Running(Rc::clone(host));
    host.background(Box::pin(async move {
        let host = &*running.0;
        host.wire().sleep(LINGER_MILLIS).await;
        flush(host, Which::New, PATIENT_DELIVERY_MILLIS_MAX).await;
    }));
}

/// A new connection: its end, and its first message.
pub type Opened = (Timestamp, String);

/// Asks the object whether a connection is let in. `args` are the method's but for the last, the number of connections,
/// which only the host knows. The error is a reply text, as of `call`.
pub async fn connect<H: Host>(host: Rc<H>, method: &str, args: &str, context: &str) -> Result<Opened, String> {
    let asked = async {
        let bad = |_| refuse(Code::InvalidArgument, "the arguments are no list");
        let mut args: Vec<Value> = serde_json::from_str(args).map_err(bad)?;
        args.push(Value::from(socket::sweep(&*host).len()));
        match answer(&host, method, &Value::from(args).to_string(), context).await? {
            Answer::Json(opened) => serde_json::from_str(&opened).map_err(|error| Fault::new(method, error).into()),
            Answer::Void | Answer::Gather(_) | Answer::Wait(_) | Answer::Stream(_) => Err(Fault::new(method, "no connection").into()),
        }
    };
    asked.await.map_err(|failure: Failure| match failure {
        Failure::Refused(refusal) => refusal_text(&refusal),
        Failure::Broke(fault) => broke(&*host, &fault),
    })
}
