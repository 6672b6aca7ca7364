//! What a core sees of a call: its context, its caller, and the forms of its answer.
//!
//! Owns `Cx` and the types that cores hand back. Runs nothing (`execute`), sends nothing and waits for nothing (`object`).

use crate::auth::principal::Principal;
use crate::contract::ids::TownId;
use crate::objects::outbox::{Composed, Owed};
use crate::objects::store::meta;
use crate::objects::store::migrate::Migration;
use crate::objects::store::sql::{Sql, transaction};
use crate::rpc::call::{Call, Instance};
use crate::rpc::table::Method;
use base::error::{Code, Failure, Fault, refuse};
use base::time::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The verified caller of one call.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The verified principal.
    pub principal: Principal,
    /// The town the caller believes it addresses.
    pub town: Option<TownId>,
    /// Makes a retry safe.
    pub idempotency_key: Option<String>,
    /// Ties log lines together.
    pub request_id: String,
}

impl Caller {
    /// The name to record as author: the agent, else the user.
    #[must_use]
    pub fn actor(&self) -> String {
        self.principal.agent_id.clone().unwrap_or_else(|| self.principal.user_id.clone())
    }

    /// An agent speaks for itself only; coordinators, Mayors and containers speak for any.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn check_speaks_for(&self, agent_id: &str) -> Result<(), Failure> {
        if self.principal.role.is_of_rig() && self.principal.agent_id.as_deref() != Some(agent_id) {
            return Err(refuse(Code::Forbidden, "Forbidden: an agent reports for itself only"));
        }
        Ok(())
    }
}

/// When letters to other objects are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// After the reply.
    AfterReply,
    /// Before the reply, so that the caller reads its own writes; a target that is slow does not fail the call.
    BeforeReply,
}

/// The effects that follow a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effects {
    /// The alarm must ring by then.
    pub wake_at: Option<Timestamp>,
    /// Letters must arrive before the reply.
    pub flush_before_reply: bool,
    /// There are letters to send after the reply.
    pub flush_after_reply: bool,
    /// The object ends: its storage and its alarm go.
    pub destroy: bool,
    /// The generation of the letter that ended it: no earlier one may bring it back.
    pub tombstone: Option<i64>,
}

/// The context of a core's function: the object's database, the moment, and the effects to follow.
pub struct Cx<'a> {
    /// The object's database.
    pub sql: &'a dyn Sql,
    /// The moment of the call.
    pub now: Timestamp,
    /// Which object this is.
    pub instance: &'a Instance,
    random: &'a dyn Fn() -> [u8; 16],
    pub(super) actor: RefCell<Option<String>>,
    effects: Cell<Effects>,
    number: Cell<Option<i64>>,
    own_row: RefCell<Option<Rc<dyn Any>>>,
    woken: RefCell<Vec<String>>,
    pushed: RefCell<Vec<String>>,
    watched_until: Cell<Option<Timestamp>>,
}

impl<'a> Cx<'a> {
    /// A context for one call or alarm.
    #[must_use]
    pub fn new(sql: &'a dyn Sql, now: Timestamp, instance: &'a Instance, random: &'a dyn Fn() -> [u8; 16]) -> Self {
        Self {
            sql,
            now,
            instance,
            random,
            actor: RefCell::default(),
            effects: Cell::default(),
            number: Cell::new(None),
            own_row: RefCell::new(None),
            woken: RefCell::default(),
            pushed: RefCell::default(),
            watched_until: Cell::new(None),
        }
    }

    /// The author of this change: an agent's or user's id; `None` when an object acts on its own account.
    #[must_use]
    pub fn actor(&self) -> Option<String> {
        self.actor.borrow().clone()
    }

    /// Sixteen random bytes.
    #[must_use]
    pub fn random(&self) -> [u8; 16] {
        (self.random)()
    }

    /// The number of this change, greater than that of every earlier one and never used again, not even after a
    /// restart: generations and fences. Ask within the transaction of the change.
    pub fn number(&self) -> Result<i64, Fault> {
        self.number.get().map_or_else(|| self.next_number(), Ok)
    }

    /// A further number, for things that have an order of arrival.
    pub fn next_number(&self) -> Result<i64, Fault> {
        let number = meta::next(self.sql, "change")?;
        self.number.set(Some(number));
        Ok(number)
    }

    /// The object's own row if this call has read it: authorization and handler read it once.
    #[must_use]
    pub fn recall<T: 'static>(&self) -> Option<Rc<T>> {
        self.own_row.borrow().clone().and_then(|row| row.downcast().ok())
    }

    /// Keeps the object's own row until the call ends or changes it.
    pub fn remember<T: 'static>(&self, row: T) -> Rc<T> {
        let row = Rc::new(row);
        self.own_row.replace(Some(row.clone()));
        row
    }

    /// The object's own row has changed.
    pub fn forget(&self) {
        self.own_row.replace(None);
    }

    /// Runs a part of the change that may fail without undoing the rest.
    ///
    /// # Errors
    /// Whatever `part` answers; it has changed nothing then.
    pub fn attempt<T>(&self, part: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        let pushed = self.pushed.borrow().len();
        let outcome = transaction(self.sql, part);
        if outcome.is_err() {
            self.pushed.borrow_mut().truncate(pushed);
            // Both may come from the undone part.
            self.number.set(None);
            self.forget();
        }
        outcome
    }

    /// Asks for the alarm at `at` or earlier.
    pub fn wake_at(&self, at: Timestamp) {
        let mut effects = self.effects.get();
        effects.wake_at = Some(effects.wake_at.map_or(at, |known| known.min(at)));
        self.effects.set(effects);
    }

    /// Asks for the outbox to be sent.
    pub fn flush(&self, when: Flush) {
        let mut effects = self.effects.get();
        match when {
            Flush::AfterReply => effects.flush_after_reply = true,
            Flush::BeforeReply => effects.flush_before_reply = true,
        }
        self.effects.set(effects);
    }

    /// Ends the object once the change is committed: it is as if it had never been made. Nothing that it owes is sent any more.
    pub fn destroy(&self) {
        self.effects.set(Effects { destroy: true, ..self.effects.get() });
    }

    /// The same because of a letter: earlier letters may still be under way and must not bring the object back.
    pub fn destroy_by(&self, generation: i64) {
        self.destroy();
        self.effects.set(Effects { tombstone: Some(generation), ..self.effects.get() });
    }

    /// Wakes calls and streams of this object that wait for `key`, once the change is committed.
    pub fn wake(&self, key: String) {
        self.woken.borrow_mut().push(key);
    }

    /// The keys to wake.
    #[must_use]
    pub fn woken(&self) -> Vec<String> {
        self.woken.take()
    }

    /// Sends a message to every connection of this object, once the change is committed.
    pub fn push(&self, message: String) {
        self.pushed.borrow_mut().push(message);
    }

    /// The messages to push.
    #[must_use]
    pub fn pushed(&self) -> Vec<String> {
        self.pushed.take()
    }

    /// In an alarm: the earliest end of a connection's token; `None` without connections.
    #[must_use]
    pub fn watched_until(&self) -> Option<Timestamp> {
        self.watched_until.get()
    }

    /// See `watched_until`.
    pub fn set_watched_until(&self, until: Option<Timestamp>) {
        self.watched_until.set(until);
    }

    /// The effects asked for.
    #[must_use]
    pub fn effects(&self) -> Effects {
        self.effects.get()
    }
}

/// The answer of a handler.
pub enum Answer {
    /// JSON text.
    Json(String),
    /// Nothing (`undefined` to a JavaScript caller).
    Void,
    /// Other objects must be asked first.
    Gather(Gather),
    /// Nothing yet: the call runs again when it is woken, and when the time is over.
    Wait(Wait),
    /// A stream, from here on.
    Stream(Position),
}

/// The wait of a call.
#[derive(Debug, Clone)]
pub struct Wait {
    /// See `Cx::wake`.
    pub key: String,
    /// When to stop waiting.
    pub until: Timestamp,
}

/// Where the reader of a stream stands. The stream itself is in the database; this is the reader's.
#[derive(Debug, Clone, Default)]
pub struct Position {
    /// Which stream; also the key that wakes its reader.
    pub stream: String,
    /// Which connection this is; a newer one takes over.
    pub generation: i64,
    /// The last event that was sent.
    pub after: i64,
    /// Sent before anything else.
    pub prelude: String,
}

/// The next piece of a stream.
pub struct Next {
    /// Text to send; empty when there is nothing new.
    pub text: String,
    /// The reader's new place.
    pub after: i64,
    /// The stream is over.
    pub ends: bool,
    /// Look again at this time at the latest.
    pub until: Timestamp,
}

/// Questions to other objects, asked at once and with a deadline, and the continuation that takes the answers. State may
/// have changed when `then` runs, so it reads again.
pub struct Gather {
    /// The town on whose behalf they are asked.
    pub town: TownId,
    /// The questions.
    pub calls: Vec<Call>,
    /// Answers in the order of `calls`.
    pub then: GatherThen,
}

/// Turns the gathered answers into the answer of the call. Of a method that changes something it is the change.
pub type GatherThen = Box<dyn FnOnce(&Cx<'_>, Vec<Result<String, Failure>>) -> Result<Answer, Failure>>;

/// A JSON answer.
///
/// # Errors
/// `Fault` when the value cannot be written.
pub fn json(value: &impl Serialize) -> Result<Answer, Failure> {
    Ok(Answer::Json(serde_json::to_string(value).map_err(|error| Fault::new("write an answer", error))?))
}

/// Decodes positional arguments.
///
/// # Errors
/// `InvalidArgument`.
pub fn arguments<A: DeserializeOwned>(method: &Method, args: &str) -> Result<A, Failure> {
    // serde reads the empty tuple from null, not from an empty array.
    let args = if method.params.is_empty() && args == "[]" { "null" } else { args };
    serde_json::from_str(args).map_err(|error| bad_arguments(method, &error))
}

/// Apart from `arguments`, of which there is one for each shape of arguments.
fn bad_arguments(method: &Method, error: &serde_json::Error) -> Failure {
    refuse(Code::InvalidArgument, format!("{}({}): {error}", method.name, method.params.join(", ")))
}

/// The parts of an object's core besides its handlers.
pub struct Core {
    /// The schema steps, in order.
    pub migrations: &'static [Migration],
    /// Whether the caller may use this object.
    pub authorize: Check,
    /// Whether the caller may report for its agent, asked before every change that agents may make.
    pub check_writer: Option<Check>,
    /// The core's part of the alarm; letters are sent besides.
    pub alarm: fn(&Cx<'_>) -> Result<(), Failure>,
    /// How the outbox is sent, when the object has one.
    pub owes: Option<Owes>,
    /// Reads on in a stream, when the object has streams.
    pub read_stream: Option<ReadStream>,
}

/// Whether a caller may.
pub type Check = fn(&Cx<'_>, &Caller) -> Result<(), Failure>;

/// Reads on from a place in a stream.
pub type ReadStream = fn(&Cx<'_>, &Position) -> Result<Next, Failure>;

/// How an object's outbox is sent.
pub struct Owes {
    /// The state that a row stands for; `None` when the subject is gone.
    pub compose: fn(&Cx<'_>, &Owed) -> Composed,
    /// The town on whose behalf something is sent to this target, if on a town's.
    pub town: fn(&Cx<'_>, &Instance) -> Result<Option<TownId>, Failure>,
}
