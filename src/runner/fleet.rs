//! The runner as a whole: orders in, threads for them, signals, the end.
//!
//! Owns: which orders are taken, and stopping cleanly. Does not: know how one order is worked on (`run`).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::agent_slots::AgentSlots;
use crate::api::{Api, Failure};
use crate::clock;
use crate::dispatch::{self, News};
use crate::git::Repository;
use crate::log::Log;
use crate::options::{Options, Role};
use crate::order::Order;
use crate::run::{self, Control, Shared};
use crate::store::{Store, Taken, Unusable};
use crate::token::{self, Token};

/// A refinery that has nothing to do is recycled some day; it is made again.
const REFINERY_EVERY: Duration = Duration::from_mins(10);
const AGAIN: Duration = Duration::from_secs(2);
/// A terminal and the parent process may both pass on one Ctrl-C; a signal later than this counts as a second one.
const ONE_SIGNAL: Duration = Duration::from_secs(1);

/// How the runner ended, by its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Told to stop, and everything has ended.
    Stopped = 0,
    /// Something of the host does not work.
    Failed = 1,
    /// The Worker refused the token, the town or the rig.
    Refused = 3,
    /// Another runner uses the workdir.
    InUse = 4,
}

enum Message {
    News(News),
    Ended(u64),
    Signal,
}

/// Runs until told to stop, or refused.
#[must_use]
pub fn run(options: Options) -> Exit {
    let log = Log::new(options.json);
    let store = match Store::open(&options.workdir) {
        Ok(store) => store,
        Err(Unusable::InUse) => {
            log.say("failed", &format!("another runner uses {}: give --workdir another folder", options.workdir.display()), json!({}));
            return Exit::InUse;
        }
        Err(Unusable::Broken(error)) => {
            log.say("failed", &format!("the workdir cannot be used: {error}"), json!({}));
            return Exit::Failed;
        }
    };
    let (messages, inbox) = mpsc::channel();
    if let Err(error) = watch_signals(messages.clone()) {
        log.say("failed", &format!("signals cannot be heard: {error}"), json!({}));
        return Exit::Failed;
    }
    if options.attached {
        watch_stdin(messages.clone());
    }
    let token = Token::new(options.token.clone(), &options.town, log.clone());
    let repository = Repository::new(&options.workdir);
    let api = Api::new(&options.url);
    let shared = Arc::new(Shared { options, api, log, store, repository, slots: AgentSlots::default() });
    let mut fleet = Fleet { shared: shared.clone(), messages: messages.clone(), working: HashMap::new() };
    for taken in shared.store.left() {
        fleet.begin(taken, |shared, taken, _, control| run::clear_up(shared, taken, control));
    }
    keep_token(&shared, &token);
    if shared.options.role != Role::Polecat {
        keep_refinery(&shared, &token);
    }
    follow(&shared, &token, messages);
    fleet.serve(&inbox)
}

struct Fleet {
    shared: Arc<Shared>,
    messages: Sender<Message>,
    working: HashMap<u64, Sender<Control>>,
}

impl Fleet {
    fn serve(&mut self, inbox: &Receiver<Message>) -> Exit {
        let mut exit: Option<Exit> = None;
        let mut signalled: Option<Instant> = None;
        while exit.is_none() || !self.working.is_empty() {
            match inbox.recv() {
                Ok(Message::News(News::Order(order))) => self.consider(&order, exit.is_some()),
                Ok(Message::News(News::Refused(why))) => {
                    self.shared.log.say("refused", &format!("the Worker refuses this runner: {why}"), json!({}));
                    exit = exit.or(Some(Exit::Refused));
                    self.stop();
                }
                Ok(Message::Ended(order)) => {
                    self.working.remove(&order);
                    if !self.shared.options.keep_all {
                        let used: Vec<u64> = self.working.keys().copied().collect();
                        self.shared.repository.keep_newest(self.shared.options.keep, &used);
                    }
                }
                Ok(Message::Signal) if signalled.is_some_and(|at| at.elapsed() < ONE_SIGNAL) => {}
                Ok(Message::Signal) => {
                    signalled = Some(Instant::now());
                    self.shared.log.say("stopping", &format!("stopping: {} processes are asked to end", self.working.len()), json!({}));
                    exit = exit.or(Some(Exit::Stopped));
                    self.stop();
                }
                Err(_) => return Exit::Failed,
            }
        }
        self.shared.log.say("stopped", "stopped", json!({}));
        exit.unwrap_or(Exit::Stopped)
    }

    fn consider(&mut self, order: &Order, stopping: bool) {
        let options = &self.shared.options;
        if !options.role.takes(&order.agent.role) {
            self.shared.log.say(
                "left out",
                &format!("order {} is for a {}: this runner takes {} only", order.order, order.agent.role, options.role.name()),
                json!({ "order": order.order }),
            );
            return;
        }
        let process_id = format!("{}:{}:{}", options.name, order.order, clock::now_ms());
        match self.shared.store.take(order, &process_id) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                return self.shared.log.say("disk", &format!("order {} is left: {error}", order.order), json!({ "order": order.order }));
            }
        }
        let taken = Taken { order: order.clone(), process_id, process: None, end: None };
        self.begin(taken, run::work);
        // It came while this runner stops: it goes back at once.
        if let Some(control) = self.working.get(&order.order).filter(|_| stopping) {
            let _ = control.send(Control::Stop);
        }
    }

    fn begin(&mut self, taken: Taken, work: impl FnOnce(&Shared, Taken, Sender<Control>, &Receiver<Control>) + Send + 'static) {
        let (sender, control) = mpsc::channel();
        let number = taken.order.order;
        self.working.insert(number, sender.clone());
        let (shared, messages) = (self.shared.clone(), self.messages.clone());
        thread::spawn(move || {
            work(&shared, taken, sender, &control);
            let _ = messages.send(Message::Ended(number));
        });
    }

    fn stop(&self) {
        for control in self.working.values() {
            let _ = control.send(Control::Stop);
        }
    }
}

fn watch_signals(messages: Sender<Message>) -> std::io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    thread::spawn(move || {
        for _ in signals.forever() {
            let _ = messages.send(Message::Signal);
        }
    });
    Ok(())
}

fn watch_stdin(messages: Sender<Message>) {
    thread::spawn(move || {
        // Only the end of stdin matters.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = messages.send(Message::Signal);
    });
}

fn keep_token(shared: &Arc<Shared>, token: &Token) {
    let (shared, token) = (shared.clone(), token.clone());
    thread::spawn(move || {
        loop {
            if let Err(failure) = token.renew_if_due(&shared.api) {
                shared.log.say("token", &format!("the container token was not renewed: {failure}"), json!({}));
            }
            thread::sleep(token::LOOK_EVERY);
        }
    });
}

/// Reviews and merges are given out only where a refinery lives.
fn keep_refinery(shared: &Arc<Shared>, token: &Token) {
    let (shared, token) = (shared.clone(), token.clone());
    let path = format!("/api/towns/{}/rigs/{}/agents/get-or-create", shared.options.town, shared.options.rig);
    thread::spawn(move || {
        loop {
            let wait = match shared.api.post(&path, &token.get(), &[], &json!({ "role": "refinery" })) {
                Ok(_) => REFINERY_EVERY,
                Err(failure) => {
                    shared.log.say("refinery", &format!("the rig's refinery was not made: {failure}"), json!({}));
                    if matches!(failure, Failure::Later(_)) { AGAIN } else { REFINERY_EVERY }
                }
            };
            thread::sleep(wait);
        }
    });
}

fn follow(shared: &Arc<Shared>, token: &Token, messages: Sender<Message>) {
    let options = &shared.options;
    let mut path = format!("/api/towns/{}/rigs/{}/dispatch?runner={}&max={}", options.town, options.rig, options.name, options.max);
    if options.role != Role::Both {
        let _ = write!(path, "&role={}", options.role.name());
    }
    let (shared, token) = (shared.clone(), token.clone());
    thread::spawn(move || dispatch::follow(&shared.api, &shared.log, &token, &path, |news| messages.send(Message::News(news)).is_ok()));
}
