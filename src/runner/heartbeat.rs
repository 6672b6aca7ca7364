//! The signs of life of one process, told to the Worker while it is prepared and runs.
//!
//! Owns: when heartbeats and output are sent, and noticing that the order is over. Does not: end the process.

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::{Api, Failure, PROCESS_HEADER};
use crate::clock;
use crate::log::Log;
use crate::order::Order;
use crate::output::Output;

/// Output is told this often at most.
const TELL_EVERY: Duration = Duration::from_secs(2);
/// Between two tries when there was no answer.
const AGAIN: Duration = Duration::from_secs(1);

/// The process that the heartbeat speaks for.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The order that the process works on.
    pub order: Arc<Order>,
    /// The id that the process sends in `X-Gastown-Process-Id`.
    pub process_id: String,
    /// Its folder, once there is one.
    pub worktree: Arc<Mutex<Option<PathBuf>>>,
    /// The output of the process.
    pub output: Arc<Output>,
}

/// A thread that sends signs of life until it is stopped, or the Worker says that the order is over.
#[derive(Debug)]
pub struct Heartbeat {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Heartbeat {
    /// Begins with a heartbeat at once. `over` is called once, with the Worker's words, when the order is over for this process.
    pub fn start(api: Api, log: Log, every: Duration, subject: Subject, over: impl FnOnce(String) + Send + 'static) -> Self {
        let (stop, stopped) = mpsc::channel();
        let every = every.min(Duration::from_secs((subject.order.lease_seconds / 3).max(1)));
        let thread = std::thread::spawn(move || {
            let mut next = Instant::now();
            loop {
                if Instant::now() >= next {
                    match heartbeat(&api, &subject) {
                        Ok(_) => next = Instant::now() + every,
                        Err(failure) if failure.is_over() => return over(failure.to_string()),
                        Err(failure) => {
                            log.say(
                                "heartbeat",
                                &format!("{}: a heartbeat was not taken, again: {failure}", subject.order.agent.name),
                                json!({ "order": subject.order.order }),
                            );
                            next = Instant::now() + AGAIN.min(every);
                        }
                    }
                }
                tell(&api, &subject);
                let wait = next.saturating_duration_since(Instant::now()).min(TELL_EVERY);
                match stopped.recv_timeout(wait) {
                    Err(RecvTimeoutError::Timeout) => {}
                    _ => return tell(&api, &subject),
                }
            }
        });
        Self { stop, thread }
    }

    /// Tells the last of the output and ends.
    pub fn stop(self) {
        drop(self.stop);
        let _ = self.thread.join();
    }
}

fn heartbeat(api: &Api, subject: &Subject) -> Result<Value, Failure> {
    let mut body = serde_json::Map::new();
    if let Some(worktree) = subject.worktree.lock().ok().and_then(|path| path.clone()) {
        body.insert("worktree".to_owned(), worktree.to_string_lossy().into_owned().into());
    }
    if let Some(at) = subject.output.last_at() {
        body.insert("lastEventAt".to_owned(), clock::iso(at).into());
    }
    let path = format!("{}/heartbeat", subject.order.api.agent_path);
    api.post(&path, &subject.order.token, &[(PROCESS_HEADER, &subject.process_id)], &Value::Object(body))
}

/// Sends output lines to the people who follow. On failure the lines are in the runner's own log only.
fn tell(api: &Api, subject: &Subject) {
    let Some((lines, left_out)) = subject.output.take() else { return };
    let path = format!("/api/towns/{}/rigs/{}/agent-events", subject.order.town.id, subject.order.rig.id);
    let body = json!({
        "agent_id": subject.order.agent.id,
        "event_type": "output",
        "data": { "order": subject.order.order, "bead_id": subject.order.bead.bead_id, "lines": lines, "left_out": left_out },
    });
    let _ = api.post(&path, &subject.order.token, &[(PROCESS_HEADER, &subject.process_id)], &body);
}
