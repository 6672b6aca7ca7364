//! A world: one town with rigs, whoever calls it, and what came of their calls.
//!
//! Owns calls and their replies. A caller waits half a minute and then does not know; or it does not wait at all, and its
//! reply is heard whenever it comes.

use super::ledger::{Ledger, Note};
use super::ops::{Numbers, Op};
use super::{invariants, ops};
use crate::support::edge::Isolate;
use crate::support::tokens::{self, OWNER};
use crate::support::town::Rig;
use crate::support::{Fleet, Town};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::{AgentId, RigId};
use gastown_mcp::rpc::call::{Call, Context, Instance, read_reply};
use gastown_mcp::rpc::deadline::within;
use gastown_mcp::rpc::table::{DELIVER_TO_TOWN, Method};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// How long a caller waits.
pub const PATIENCE_MILLIS: u32 = 30_000;
/// A token is used for so long.
const TOKEN_MILLIS: i64 = 20 * 60 * 1_000;
/// Rigs that a town may have had.
pub const RIGS_MAX: usize = 5;

/// Who calls.
#[derive(Clone, PartialEq, Eq)]
pub enum Caller {
    Owner,
    Container,
    Mayor,
    /// The object that keeps the Mayor's streams.
    Session,
    Polecat(RigId, AgentId),
    /// The process of a dispatch order.
    Process(RigId, AgentId, i64),
}

/// A call with a key.
#[derive(Clone)]
pub struct Keyed {
    pub call: Call,
    pub caller: Caller,
    pub key: String,
    pub at: i64,
    pub note: Note,
    /// What was answered first.
    pub answer: Option<String>,
}

/// What came of a call.
struct Reply {
    note: Note,
    keyed: Option<usize>,
    method: &'static str,
    outcome: Result<String, Failure>,
}

pub struct World {
    pub fleet: Fleet,
    pub town: Town,
    pub isolate: Isolate,
    /// All that there ever were.
    pub rigs: Vec<Rig>,
    pub ledger: Ledger,
    pub keyed: Vec<Keyed>,
    /// Counts whatever must have a name of its own.
    pub made: usize,
    replies: Rc<RefCell<Vec<Reply>>>,
    /// Calls whose replies have not come.
    under_way: Rc<Cell<usize>>,
    token: RefCell<Option<(i64, Context)>>,
    broken: Option<String>,
}

/// One of these, whatever the number.
pub fn pick<T: Clone>(items: &[T], number: usize) -> Option<T> {
    (!items.is_empty()).then(|| items[number % items.len()].clone())
}

impl World {
    pub fn new() -> Self {
        let fleet = Fleet::new();
        let town = Town::new(&fleet, 1);
        town.configure(json!({"max_polecats_per_rig": 2, "staged_convoys_default": false})).unwrap();
        let isolate = Isolate::new(&fleet);
        let mut world = Self {
            fleet,
            town,
            isolate,
            rigs: Vec::new(),
            ledger: Ledger::default(),
            keyed: Vec::new(),
            made: 0,
            replies: Rc::default(),
            under_way: Rc::default(),
            token: RefCell::default(),
            broken: None,
        };
        for name in ["api", "web"] {
            let rig = world.town.add_rig(name, 10 + u8::try_from(world.rigs.len()).unwrap());
            world.rigs.push(rig);
        }
        world
    }

    /// Runs one operation and looks at everything.
    pub fn run(&mut self, op: &Op) -> Result<(), String> {
        (op.row.run)(self, op.numbers);
        self.hear();
        if let Some(broken) = self.broken.take() {
            return Err(broken);
        }
        let checked = invariants::check(self);
        self.ledger.deleting = None;
        checked.map_err(|reason| format!("{reason}\nafter {}", ops::print(std::slice::from_ref(op)).trim()))
    }

    /// An invariant does not hold.
    pub fn breaks(&mut self, reason: String) {
        self.broken.get_or_insert(reason);
    }

    /// See `breaks`.
    pub fn broken(&mut self) -> Option<String> {
        self.broken.take()
    }

    /// Whether a call has not been answered yet.
    pub fn is_waited_for(&self) -> bool {
        self.under_way.get() > 0
    }

    /// A rig that there is, or was.
    pub fn rig(&self, number: usize) -> Rig {
        let living: Vec<Rig> = self.rigs.iter().filter(|rig| self.is_there(rig)).cloned().collect();
        pick(&living, number).unwrap_or_else(|| self.rigs[0].clone())
    }

    /// Whether a rig has its tables.
    pub fn is_there(&self, rig: &Rig) -> bool {
        self.fleet.sql(&rig.at).has_table("beads")
    }

    /// An object, the town first.
    pub fn place(&self, number: usize) -> Instance {
        let all: Vec<Instance> = std::iter::once(self.town.at.clone()).chain(self.rigs.iter().map(|rig| rig.at.clone())).collect();
        pick(&all, number).unwrap_or_else(|| self.town.at.clone())
    }

    /// Rows of a rig; none when it is gone.
    pub fn rows<T: DeserializeOwned>(&self, rig: &Rig, statement: &str) -> Vec<T> {
        if self.is_there(rig) { self.fleet.sql(&rig.at).rows(statement) } else { Vec::new() }
    }

    /// Rows of the town.
    pub fn town_rows<T: DeserializeOwned>(&self, statement: &str) -> Vec<T> {
        self.fleet.sql(&self.town.at).rows(statement)
    }

    /// One of the first column of a rig's rows.
    pub fn one<T: DeserializeOwned + Clone>(&self, rig: &Rig, statement: &str, number: usize) -> Option<T> {
        pick(&self.rows::<(T,)>(rig, statement), number).map(|(value,)| value)
    }

    /// Some bead of a rig.
    pub fn bead(&self, rig: &Rig, number: usize) -> Option<String> {
        self.one(rig, "SELECT bead_id FROM beads ORDER BY sequence DESC LIMIT 40", number)
    }

    /// Some agent of a rig.
    pub fn agent(&self, rig: &Rig, number: usize) -> Option<AgentId> {
        self.one(rig, "SELECT id FROM agents ORDER BY created_at, id", number)
    }

    /// A name that nothing else has.
    pub fn name(&mut self, of: &str) -> String {
        self.made += 1;
        format!("{of}-{}.", self.made)
    }

    fn context(&self, caller: &Caller) -> Context {
        match caller {
            Caller::Owner => {
                let now = self.fleet.now().millis();
                if let Some((at, context)) = &*self.token.borrow()
                    && (0..TOKEN_MILLIS).contains(&(now - at))
                {
                    return context.clone();
                }
                let context = tokens::user(&self.fleet, OWNER);
                self.token.replace(Some((now, context.clone())));
                context
            }
            Caller::Container => tokens::container(&self.fleet, &self.town.id),
            Caller::Mayor => tokens::mayor(&self.fleet, &self.town.id),
            Caller::Session => {
                let own = Instance::Session(format!("town:{}", self.town.id));
                tokens::internal(&self.fleet, &own, Some(&self.town.id), &DELIVER_TO_TOWN)
            }
            Caller::Polecat(rig, agent) => tokens::polecat(&self.fleet, &self.town.id, rig, agent),
            Caller::Process(rig, agent, order) => tokens::ordered(&self.fleet, &self.town.id, rig, agent, *order),
        }
    }

    /// The owner calls. The last number says whether there is a key, and whether somebody waits.
    pub fn call(&mut self, to: &Instance, method: &'static Method, args: impl Serialize, note: Note, numbers: Numbers) {
        self.call_as(Caller::Owner, to, method, args, note, numbers);
    }

    /// Somebody calls.
    pub fn call_as(
        &mut self,
        caller: Caller,
        to: &Instance,
        method: &'static Method,
        args: impl Serialize,
        note: Note,
        [.., how]: Numbers,
    ) {
        let call = Call::new(to.clone(), method, args).unwrap();
        let keyed = (how % 4 == 0).then(|| {
            let key = self.name("key");
            let at = self.fleet.now().millis();
            self.keyed.push(Keyed { call: call.clone(), caller: caller.clone(), key, at, note: note.clone(), answer: None });
            self.keyed.len() - 1
        });
        self.send(&call, &caller, note, keyed, how % 7 != 0);
    }

    /// Sends a call, with its key if it has one, and waits for its reply or not.
    pub fn send(&self, call: &Call, caller: &Caller, note: Note, keyed: Option<usize>, waits: bool) {
        let mut context = self.context(caller);
        context.idempotency_key = keyed.map(|index| self.keyed[index].key.clone());
        let (fleet, call, replies) = (self.fleet.clone(), call.clone(), Rc::clone(&self.replies));
        let under_way = Rc::clone(&self.under_way);
        under_way.set(under_way.get() + 1);
        let work = async move {
            let outcome = within(&fleet, &call, &context, PATIENCE_MILLIS).await;
            under_way.set(under_way.get() - 1);
            let outcome = outcome.and_then(|text| read_reply(&text).map(str::to_owned));
            replies.borrow_mut().push(Reply { note, keyed, method: call.method.name, outcome });
        };
        if waits {
            self.fleet.block_on(work);
        } else {
            self.fleet.spawn("caller", work);
        }
    }

    /// Asks and reads the answer, for those who look only.
    pub fn ask(&self, to: &Instance, method: &'static Method, args: impl Serialize) -> Result<Value, Failure> {
        let (call, context) = (Call::new(to.clone(), method, args)?, self.context(&Caller::Owner));
        let fleet = self.fleet.clone();
        let text = self.fleet.block_on(async move { within(&fleet, &call, &context, PATIENCE_MILLIS).await })?;
        let text = read_reply(&text)?;
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(text).unwrap() })
    }

    /// Something was answered that is not a reply of an object.
    pub fn answered(&self, note: Note, method: &'static str, outcome: Result<String, Failure>) {
        self.replies.borrow_mut().push(Reply { note, keyed: None, method, outcome });
    }

    /// What was answered counts from now on.
    pub fn hear(&mut self) {
        let replies = self.replies.take();
        for Reply { note, keyed, method, outcome } in replies {
            if let Some(index) = keyed {
                self.hear_keyed(index, &outcome);
            }
            if let Ok(text) = outcome {
                let value = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
                if let Err(reason) = self.ledger.accepted(&note, &value, self.fleet.now().millis()) {
                    self.breaks(format!("{reason} ({method})"));
                }
            }
        }
    }

    /// A key gives one answer.
    fn hear_keyed(&mut self, index: usize, outcome: &Result<String, Failure>) {
        let Keyed { call, answer, key, .. } = &self.keyed[index];
        let differs = match (answer, outcome) {
            (Some(first), Ok(again)) => (first != again).then(|| again.clone()),
            (Some(_), Err(Failure::Refused(refusal))) => {
                let is_gone = refusal.code == Code::NotFound && refusal.message.starts_with("Rig ");
                (refusal.code != Code::Unavailable && !is_gone).then(|| refusal.message.clone())
            }
            (None, Err(Failure::Refused(refusal))) if refusal.code == Code::IdempotencyConflict => Some(refusal.message.clone()),
            _ => None,
        };
        if let Some(differs) = differs {
            let reason = format!("a key answers differently: {} {key}: {answer:?}, then {differs}", call.method.name);
            self.breaks(reason);
        } else if let (None, Ok(text)) = (&self.keyed[index].answer, outcome) {
            self.keyed[index].answer = Some(text.clone());
        }
    }
}
