//! The life of one order: worktree, process, end, report.
//!
//! Owns: the sequence of these steps and the report for each way to end. Does not: decide which orders are taken (`fleet`).

use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::agent::{self, Given};
use crate::agent_slots::AgentSlots;
use crate::api::{Api, Failure, PROCESS_HEADER};
use crate::git::Repository;
use crate::heartbeat::{Heartbeat, Subject};
use crate::log::Log;
use crate::options::Options;
use crate::order::Order;
use crate::output::{self, Output};
use crate::process::{self, Identity};
use crate::store::{End, Store, Taken};

/// How often a process is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long the last of a process's output is waited for: a descendant that left the group may hold the pipe for ever.
const LAST_OUTPUT: Duration = Duration::from_secs(1);
/// The longest pause between two reports of an end.
const AGAIN_MAX: Duration = Duration::from_secs(5);
/// How long a stopping runner tries to report an end. An end that was not reported is reported at the next start.
const LAST_REPORT: Duration = Duration::from_secs(10);
/// Why an order failed that the runner itself ended.
const STOPPED: &str = "the runner was stopped";

/// The reason given when a process is ended to free its agent.
const WANTED: &str = "its work is done, and its agent has other work";

/// The parts that all orders of a runner share.
#[derive(Debug)]
pub struct Shared {
    /// The command line.
    pub options: Options,
    /// The client of the Worker.
    pub api: Api,
    /// Where lines go.
    pub log: Log,
    /// Which orders were taken.
    pub store: Store,
    /// The rig's repository.
    pub repository: Repository,
    /// The agents that have a running process.
    pub slots: AgentSlots,
}

/// A message to a running order.
#[derive(Debug)]
pub enum Control {
    /// The Worker says that it is over: the process ends and nothing is reported.
    Over(String),
    /// The runner is to stop: the process ends and is reported as failed.
    Stop,
}

/// How the process, or the attempt to start one, ended.
enum Ended {
    /// To be reported.
    Reported(End),
    /// The Worker knows, and said why.
    Over(String),
}

/// Works on an order that was just taken. `sender` is for its heartbeat; `control` hears that and the fleet.
pub fn work(shared: &Shared, mut taken: Taken, sender: Sender<Control>, control: &Receiver<Control>) {
    let order = Arc::new(taken.order.clone());
    shared.log.hide(&order.token);
    say(
        shared,
        &order,
        "taken",
        &format!(
            "{} gets {} \"{}\" (order {}, attempt {})",
            order.agent.name, order.bead.kind, order.bead.title, order.order, order.attempt
        ),
    );
    let subject = Subject { order: order.clone(), process_id: taken.process_id.clone(), worktree: Arc::default(), output: Arc::default() };
    let heartbeat = Heartbeat::start(shared.api.clone(), shared.log.clone(), shared.options.heartbeat, subject.clone(), move |why| {
        let _ = sender.send(Control::Over(why));
    });
    let ended = attempt(shared, &mut taken, &subject, control);
    shared.slots.leave(&order.agent.id, order.order);
    let ended = ended.unwrap_or_else(|reason| Ended::Reported(End { completed: false, reason: Some(reason) }));
    heartbeat.stop();
    settle(shared, taken, ended, control);
    shared.log.forget(&order.token);
}

/// Ends and reports the orders that a killed runner left behind.
pub fn clear_up(shared: &Shared, taken: Taken, control: &Receiver<Control>) {
    let order = taken.order.clone();
    shared.log.hide(&order.token);
    shared.slots.take(&order.agent.id, order.order);
    if let Some(process) = taken.process.as_ref().filter(|process| process.is_same()) {
        say(shared, &order, "left", &format!("{}: ending its process {}, which an earlier runner left", order.agent.name, process.pid));
        process.terminate();
        end_group(process, Instant::now() + shared.options.grace);
    }
    shared.slots.leave(&order.agent.id, order.order);
    let end = taken.end.clone().unwrap_or_else(|| End { completed: false, reason: Some("the runner was restarted".to_owned()) });
    settle(shared, taken, Ended::Reported(end), control);
    shared.log.forget(&order.token);
}

fn attempt(shared: &Shared, taken: &mut Taken, subject: &Subject, control: &Receiver<Control>) -> Result<Ended, String> {
    let order = subject.order.as_ref();
    let worktree = shared.repository.worktree(order, shared.options.repo.as_deref().unwrap_or(&order.git_url))?;
    // Making it may have taken long, and an earlier process of this agent may still live.
    loop {
        match control.try_recv() {
            Ok(Control::Over(why)) => return Ok(Ended::Over(why)),
            Ok(Control::Stop) => return Err(STOPPED.to_owned()),
            Err(_) if shared.slots.take(&order.agent.id, order.order) => break,
            Err(_) => thread::sleep(LOOK_EVERY),
        }
    }
    let mcp_config = agent::write_mcp_config(&shared.store.folder(order.order), order, shared.api.url(), &taken.process_id)?;
    let given = Given {
        order,
        url: shared.api.url(),
        process_id: &taken.process_id,
        worktree: &worktree,
        repository: shared.repository.dir(),
        mcp_config: &mcp_config,
    };
    let command = if order.is_refinery() { &shared.options.refinery_command } else { &shared.options.command };
    let (mut child, process) =
        process::start(&mut agent::command(command, &given)).map_err(|error| format!("the command cannot be started: {error}"))?;
    if let Ok(mut path) = subject.worktree.lock() {
        *path = Some(worktree);
    }
    taken.process = Some(process.clone());
    if let Err(error) = shared.store.write(taken) {
        // Without it a later runner could not end the process. It has not begun yet.
        process.kill();
        let _ = child.wait();
        return Err(error);
    }
    process::let_go(&mut child);
    say(shared, order, "started", &format!("{}: process {} works on {}", order.agent.name, process.pid, order.branch));
    let readers = read(shared, &mut child, order, &subject.output);
    let ended = supervise(shared, order, &mut child, &process, control);
    let deadline = Instant::now() + LAST_OUTPUT;
    while readers.iter().any(|reader| !reader.is_finished()) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
    ended
}

fn read(shared: &Shared, child: &mut Child, order: &Order, output: &Arc<Output>) -> Vec<JoinHandle<()>> {
    let reader = |pipe: Box<dyn std::io::Read + Send>, stream: &'static str| {
        let (log, output, number, name) = (shared.log.clone(), output.clone(), order.order, order.agent.name.clone());
        thread::spawn(move || {
            output::read_lines(pipe, |line| {
                let line = log.clean(line);
                log.output(number, &name, stream, &line);
                output.push(&line);
            });
        })
    };
    let out = child.stdout.take().map(|pipe| reader(Box::new(pipe), "stdout"));
    let err = child.stderr.take().map(|pipe| reader(Box::new(pipe), "stderr"));
    out.into_iter().chain(err).collect()
}

/// Waits for the process, and ends it when told to. Nothing of its group is left afterwards.
fn supervise(shared: &Shared, order: &Order, child: &mut Child, process: &Identity, control: &Receiver<Control>) -> Result<Ended, String> {
    let grace = shared.options.grace;
    let mut told: Option<Control> = None;
    let mut kill_at: Option<Instant> = None;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| format!("its process cannot be waited for: {error}"))? {
            break status;
        }
        let heard = match control.recv_timeout(LOOK_EVERY) {
            Err(RecvTimeoutError::Timeout) if told.is_none() && shared.slots.is_overdue(&order.agent.id, order.order) => {
                Ok(Control::Over(WANTED.to_owned()))
            }
            heard => heard,
        };
        match heard {
            Ok(why) if told.is_none() => {
                process.terminate();
                kill_at = Some(Instant::now() + grace);
                told = Some(why);
            }
            // The second time there is no grace.
            Ok(Control::Stop) => kill_at = Some(Instant::now()),
            Ok(Control::Over(_)) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => thread::sleep(LOOK_EVERY),
        }
        if kill_at.is_some_and(|at| Instant::now() >= at) {
            process.kill();
        }
    };
    if process.is_there() {
        process.terminate();
        end_group(process, kill_at.unwrap_or_else(|| Instant::now() + grace));
    }
    Ok(match told {
        Some(Control::Over(why)) => Ended::Over(why),
        Some(Control::Stop) => Ended::Reported(End { completed: false, reason: Some(STOPPED.to_owned()) }),
        None => Ended::Reported(End { completed: status.success(), reason: (!status.success()).then(|| describe(status)) }),
    })
}

/// Waits until a group that was asked to end has, and ends it at the deadline.
fn end_group(process: &Identity, deadline: Instant) {
    while process.is_there() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
    process.kill();
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("its process ended with exit code {code}"),
        (None, Some(signal)) => format!("its process was ended by signal {signal}"),
        (None, None) => "its process ended".to_owned(),
    }
}

/// Reports the end until that is acknowledged, and clears up.
fn settle(shared: &Shared, mut taken: Taken, ended: Ended, control: &Receiver<Control>) {
    let order = taken.order.clone();
    let clean = match ended {
        Ended::Over(why) => {
            say(shared, &order, "over", &format!("{}: order {} is over: {why}", order.agent.name, order.order));
            false
        }
        Ended::Reported(end) => {
            let reason = end.reason.clone().unwrap_or_default();
            let text =
                if end.completed { format!("{}: done", order.agent.name) } else { format!("{}: failed: {reason}", order.agent.name) };
            say(shared, &order, if end.completed { "completed" } else { "failed" }, &text);
            taken.end = Some(end.clone());
            if let Err(error) = shared.store.write(&taken) {
                say(shared, &order, "disk", &error);
            }
            if !report(shared, &taken, &end, control) {
                return; // the next start of the runner reports it
            }
            end.completed
        }
    };
    if let Err(error) = shared.store.finish(order.order) {
        say(shared, &order, "disk", &error);
    }
    if clean && !shared.options.keep_all {
        shared.repository.remove(&order);
    }
}

/// Whether the Worker heard of it, or has no use for it any more.
fn report(shared: &Shared, taken: &Taken, end: &End, control: &Receiver<Control>) -> bool {
    let order = &taken.order;
    let path = format!("{}/completed", order.api.agent_path);
    let mut body = json!({ "status": if end.completed { "completed" } else { "failed" } });
    if let (Some(reason), Some(fields)) = (&end.reason, body.as_object_mut()) {
        fields.insert("reason".to_owned(), reason.as_str().into());
    }
    let key = format!("runner-order-{}-completed", order.order);
    let headers = [(PROCESS_HEADER, taken.process_id.as_str()), ("idempotency-key", key.as_str())];
    let mut wait = LOOK_EVERY;
    let mut deadline: Option<Instant> = (end.reason.as_deref() == Some(STOPPED)).then(|| Instant::now() + LAST_REPORT);
    loop {
        match shared.api.post(&path, &order.token, &headers, &body) {
            Ok(_) => return true,
            Err(Failure::Refused(status, text)) => {
                say(shared, order, "refused", &format!("{}: its end was not taken ({status}): {text}", order.agent.name));
                return true;
            }
            Err(Failure::Later(text)) => {
                say(shared, order, "later", &format!("{}: its end was not taken, again: {text}", order.agent.name));
            }
        }
        match control.recv_timeout(wait) {
            Ok(Control::Stop) => deadline = deadline.or_else(|| Some(Instant::now() + LAST_REPORT)),
            Err(RecvTimeoutError::Disconnected) => thread::sleep(wait),
            _ => {}
        }
        if deadline.is_some_and(|at| Instant::now() >= at) {
            return false;
        }
        wait = (wait * 2).min(AGAIN_MAX);
    }
}

fn say(shared: &Shared, order: &Order, event: &str, text: &str) {
    let fields = json!({ "order": order.order, "agent": order.agent.name, "role": order.agent.role, "bead_id": order.bead.bead_id, "attempt": order.attempt });
    shared.log.say(event, text, fields);
}
