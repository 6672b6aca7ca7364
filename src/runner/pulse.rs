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

/// Who the pulse is of.
#[derive(Debug, Clone)]
pub struct Of {
    /// The order.
    pub order: Arc<Order>,
    /// What the process calls itself to the Worker.
    pub process_id: String,
    /// Its folder, once there is one.
    pub worktree: Arc<Mutex<Option<PathBuf>>>,
    /// What it writes.
    pub output: Arc<Output>,
}

/// A thread that sends signs of life until it is stopped, or the Worker says that the order is over.
#[derive(Debug)]
pub struct Pulse {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Pulse {
    /// Begins with a heartbeat at once. `over` is called once, with the Worker's words, when the order is over for this process.
    pub fn start(api: Api, log: Log, every: Duration, of: Of, over: impl FnOnce(String) + Send + 'static) -> Self {
        let (stop, stopped) = mpsc::channel();
        let every = every.min(Duration::from_secs((of.order.lease_seconds / 3).max(1)));
        let thread = std::thread::spawn(move || {
            let mut next = Instant::now();
            loop {
                if Instant::now() >= next {
                    match heartbeat(&api, &of) {
                        Ok(_) => next = Instant::now() + every,
                        Err(failure) if failure.is_over() => return over(failure.to_string()),
                        Err(failure) => {
                            log.say(
                                "heartbeat",
                                &format!("{}: a heartbeat was not taken, again: {failure}", of.order.agent.name),
                                json!({ "order": of.order.order }),
                            );
                            next = Instant::now() + AGAIN.min(every);
                        }
                    }
                }
                tell(&api, &of);
                let wait = next.saturating_duration_since(Instant::now()).min(TELL_EVERY);
                match stopped.recv_timeout(wait) {
                    Err(RecvTimeoutError::Timeout) => {}
                    _ => return tell(&api, &of),
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

fn heartbeat(api: &Api, of: &Of) -> Result<Value, Failure> {
    let mut body = serde_json::Map::new();
    if let Some(worktree) = of.worktree.lock().ok().and_then(|path| path.clone()) {
        body.insert("worktree".to_owned(), worktree.to_string_lossy().into_owned().into());
    }
    if let Some(at) = of.output.last_at() {
        body.insert("lastEventAt".to_owned(), clock::iso(at).into());
    }
    let path = format!("{}/heartbeat", of.order.api.agent_path);
    api.post(&path, &of.order.token, &[(PROCESS_HEADER, &of.process_id)], &Value::Object(body))
}

/// For people who follow: when it fails, these lines are only on the runner's own output.
fn tell(api: &Api, of: &Of) {
    let Some((lines, left_out)) = of.output.take() else { return };
    let path = format!("/api/towns/{}/rigs/{}/agent-events", of.order.town.id, of.order.rig.id);
    let body = json!({
        "agent_id": of.order.agent.id,
        "event_type": "output",
        "data": { "order": of.order.order, "bead_id": of.order.bead.bead_id, "lines": lines, "left_out": left_out },
    });
    let _ = api.post(&path, &of.order.token, &[(PROCESS_HEADER, &of.process_id)], &body);
}
