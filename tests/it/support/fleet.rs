//! A world of objects in memory: instances made on first use, messages that can be lost, a clock that is moved.
//!
//! Owns time, tasks and faults. It decides nothing that the Worker's shell would not decide either. It is a `Wire` for
//! the objects and for the edge.

use super::host_sql::HostSql;
use super::line::Line;
use super::sockets::TestSocket;
use super::web::{Web, is_signed};
use base::error::{Failure, Fault};
use base::http::Relayed;
use base::time::Timestamp;
use futures::StreamExt as _;
use futures::channel::mpsc;
use futures::future::LocalBoxFuture;
use gastown_mcp::auth::{Algorithm, Keys};
use gastown_mcp::contract::letters::Letter;
use gastown_mcp::objects::host::{Hints, Host, Socket};
use gastown_mcp::objects::object;
use gastown_mcp::objects::store::sql::Sql;
use gastown_mcp::objects::stream;
use gastown_mcp::rpc::call::{Call, Context, Instance, Wire, decode, read_reply};
use gastown_mcp::rpc::client::Runtime;
use gastown_mcp::rpc::table::{DELIVER_TO_SESSION, Method};
use mcp_fixture::tasks::{Tasks, slot, turn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::rc::Rc;

/// What the message layer does to calls of one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The call does not arrive; the caller gets an error.
    DropBefore,
    /// The call is carried out and its reply is lost.
    DropAfter,
    /// The call arrives twice.
    Duplicate,
    /// The call arrives after so many milliseconds, behind calls that were made later.
    Delay(u32),
    /// The call never arrives, and the caller never hears.
    Hang,
}

/// A clock goes back no further.
pub const CLOCK_BACK_MILLIS_MAX: i64 = 900;
/// 2026-11-21, a second after midnight.
const START_MILLIS: i64 = 1_795_219_201_000;

/// The world. Cheap to clone: every clone is the same world.
#[derive(Clone)]
pub struct Fleet(Rc<State>);

struct State {
    keys: Keys,
    now: Cell<i64>,
    randomness: Cell<u64>,
    tasks: Tasks,
    objects: RefCell<HashMap<Instance, Rc<Machine>>>,
    alarms: RefCell<BTreeMap<String, i64>>,
    ringing: RefCell<BTreeSet<String>>,
    alarm_delay: Cell<u32>,
    background: RefCell<Vec<(String, LocalBoxFuture<'static, ()>)>>,
    troubles: RefCell<HashMap<Instance, (Trouble, u32)>>,
    deaths: Cell<u64>,
    letters: RefCell<Vec<(Instance, Letter)>>,
    faults: RefCell<Vec<String>>,
    web: Web,
    sockets: RefCell<Vec<(Instance, TestSocket)>>,
    shown: RefCell<Vec<(Instance, String)>>,
}

/// One object in memory. Evicting it makes a new one over the same database.
pub struct Machine {
    fleet: Fleet,
    instance: Instance,
    sql: Rc<HostSql>,
    line: Line,
    hints: Hints,
}

impl Fleet {
    pub fn new() -> Self {
        let keys = Keys::new(Some("nextauth-secret-of-the-tests"), Some("gastown-secret-of-the-tests")).unwrap();
        Self(Rc::new(State {
            keys,
            now: Cell::new(START_MILLIS),
            randomness: Cell::new(0),
            tasks: Tasks::default(),
            objects: RefCell::default(),
            alarms: RefCell::default(),
            ringing: RefCell::default(),
            alarm_delay: Cell::new(0),
            background: RefCell::default(),
            troubles: RefCell::default(),
            deaths: Cell::new(0),
            letters: RefCell::default(),
            faults: RefCell::default(),
            web: Web::default(),
            sockets: RefCell::default(),
            shown: RefCell::default(),
        }))
    }

    /// Sends a call and waits for its reply. The clock moves only if everything else waits for it.
    pub fn reply(&self, call: &Call, context: &Context) -> Result<String, Fault> {
        self.block_on(self.send(call, context))
    }

    /// Calls a method and decodes the answer.
    pub fn ask<T: DeserializeOwned>(
        &self,
        to: &Instance,
        method: &'static Method,
        args: impl Serialize,
        context: &Context,
    ) -> Result<T, Failure> {
        decode(method, &self.reply(&Call::new(to.clone(), method, args)?, context)?)
    }

    /// Calls a method whose answer is void or does not matter.
    pub fn tell(&self, to: &Instance, method: &'static Method, args: impl Serialize, context: &Context) -> Result<(), Failure> {
        let reply = self.reply(&Call::new(to.clone(), method, args)?, context)?;
        read_reply(&reply).map(drop)
    }

    /// Calls an object with texts, as anyone may who has a binding.
    pub fn raw(&self, to: &Instance, method: &str, args: &str, context: &str) -> String {
        let machine = self.machine(to);
        let (method, args, context) = (method.to_owned(), args.to_owned(), context.to_owned());
        self.block_on(async move { object::call(machine, &method, &args, &context).await })
    }

    /// Runs a future to its end, and with it whatever else can run.
    pub fn block_on<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> T {
        let (sender, receiver) = slot();
        self.0.tasks.spawn("test", async move { sender.put(future.await) });
        loop {
            self.run_tasks();
            if let Some(value) = receiver.take() {
                return value;
            }
            // Everything is stuck: time passes.
            let next = self.0.tasks.next_timer().expect("the call waits for something that never happens");
            self.move_clock(next);
        }
    }

    /// Runs something beside everything else.
    pub fn spawn(&self, owner: &str, future: impl Future<Output = ()> + 'static) {
        self.0.tasks.spawn(owner, future);
    }

    /// Lets time pass; alarms and timers ring on the way.
    pub fn advance(&self, millis: i64) {
        let end = self.0.now.get() + millis;
        loop {
            self.run_tasks();
            let alarm = self.0.alarms.borrow().values().min().copied();
            let next = [self.0.tasks.next_timer(), alarm].into_iter().flatten().min().filter(|at| *at <= end);
            match next {
                Some(at) => self.move_clock(at),
                None => break,
            }
        }
        self.0.now.set(end);
        self.run_tasks();
    }

    /// The clock jumps by so many milliseconds, backwards too; whatever is due rings when time passes again.
    pub fn jump(&self, millis: i64) {
        self.0.now.set(self.0.now.get() + millis);
    }

    fn run_tasks(&self) {
        self.0.tasks.run(|| self.bury());
    }

    /// Whoever died since the last look is made anew over what it had committed.
    fn bury(&self) {
        let is_dead = |machine: &Rc<Machine>| machine.sql.doom.is_dead();
        let mut dead: Vec<Instance> =
            self.0.objects.borrow().iter().filter(|(_, machine)| is_dead(machine)).map(|(instance, _)| instance.clone()).collect();
        dead.sort_by_key(Instance::to_string);
        for instance in dead {
            self.0.deaths.set(self.0.deaths.get() + 1);
            self.evict(&instance);
        }
    }

    /// How many objects have died in the middle of something.
    pub fn deaths(&self) -> u64 {
        self.0.deaths.get()
    }

    fn move_clock(&self, to: i64) {
        self.0.now.set(self.0.now.get().max(to));
        let now = self.0.now.get();
        let due: Vec<String> = self.0.alarms.borrow().iter().filter(|(_, at)| **at <= now).map(|(name, _)| name.clone()).collect();
        for name in due {
            self.ring(&Instance::parse(&name).unwrap());
        }
        self.0.tasks.ring(now);
    }

    /// Rings an object's alarm, whether or not it is set.
    pub fn ring(&self, instance: &Instance) {
        self.0.alarms.borrow_mut().remove(&instance.to_string());
        self.0.ringing.borrow_mut().insert(instance.to_string());
        let machine = self.machine(instance);
        self.0.tasks.spawn(&instance.to_string(), async move {
            let outcome = object::alarm(Rc::clone(&machine)).await;
            if machine.sql.doom.is_dead() {
                return;
            }
            if outcome.is_err() {
                // The runtime rings again.
                machine.fleet.0.alarms.borrow_mut().insert(machine.instance.to_string(), machine.fleet.0.now.get() + 2_000);
            }
            machine.fleet.0.ringing.borrow_mut().remove(&machine.instance.to_string());
        });
    }

    /// Runs what objects left for after their replies.
    pub fn run_background(&self) {
        for (name, work) in self.0.background.take() {
            self.0.tasks.spawn(&name, work);
        }
    }

    /// Runs everything there is to run until no object owes another anything; tells how long that took.
    pub fn settle(&self) -> i64 {
        let start = self.0.now.get();
        for _ in 0..200 {
            self.run_background();
            self.advance(1_000);
            if self.owed() == 0 && self.0.background.borrow().is_empty() {
                return self.0.now.get() - start;
            }
        }
        panic!("{} letters are still owed: {:?}", self.owed(), self.0.faults.borrow().last());
    }

    /// Letters that wait in any outbox.
    pub fn owed(&self) -> i64 {
        let machines: Vec<Rc<Machine>> = self.0.objects.borrow().values().cloned().collect();
        let has_outbox = |sql: &HostSql| sql.value::<i64>("SELECT COUNT(*) FROM sqlite_master WHERE name = 'outbox'") == 1;
        machines
            .iter()
            .filter(|machine| has_outbox(&machine.sql))
            .map(|machine| machine.sql.value::<i64>("SELECT COUNT(*) FROM outbox"))
            .sum()
    }

    /// The object leaves memory in the middle of whatever it does: hints, tasks and work after replies are gone.
    pub fn evict(&self, instance: &Instance) {
        let name = instance.to_string();
        self.0.tasks.kill(&name);
        if self.0.ringing.borrow_mut().remove(&name) {
            // An alarm whose handler did not end rings again, as the runtime has it.
            self.0.alarms.borrow_mut().insert(name.clone(), self.0.now.get());
        }
        self.0.background.borrow_mut().retain(|(owner, _)| *owner != name);
        let known = self.0.objects.borrow_mut().remove(instance);
        if let Some(known) = known {
            known.sql.doom.lift();
            self.0.objects.borrow_mut().insert(instance.clone(), Rc::new(Machine::new(self, instance, &known.sql)));
        }
    }

    /// Everything leaves memory.
    pub fn restart(&self) {
        let mut all: Vec<Instance> = self.0.objects.borrow().keys().cloned().collect();
        all.sort_by_key(Instance::to_string);
        for instance in all {
            self.evict(&instance);
        }
    }

    /// Ends the world: its objects know it and it knows them, so it would never be freed.
    pub fn close(&self) {
        self.restart();
        self.0.objects.borrow_mut().clear();
        self.0.background.borrow_mut().clear();
        for owner in ["network", "caller", "edge", "test"] {
            self.0.tasks.kill(owner);
        }
    }

    /// Calls to `target` get into trouble from now on; `None` ends it.
    pub fn trouble(&self, target: &Instance, trouble: Option<Trouble>) {
        self.trouble_for(target, trouble, u32::MAX);
    }

    /// The same for so many calls.
    pub fn trouble_for(&self, target: &Instance, trouble: Option<Trouble>, calls: u32) {
        let mut troubles = self.0.troubles.borrow_mut();
        match trouble {
            Some(trouble) => troubles.insert(target.clone(), (trouble, calls)),
            None => troubles.remove(target),
        };
    }

    /// Whether calls to `target` get into trouble.
    pub fn is_troubled(&self, target: &Instance) -> bool {
        self.0.troubles.borrow().contains_key(target)
    }

    /// What happens to the next call.
    fn next_trouble(&self, target: &Instance) -> Option<Trouble> {
        let mut troubles = self.0.troubles.borrow_mut();
        let (trouble, calls) = troubles.get_mut(target)?;
        let trouble = *trouble;
        *calls -= 1;
        if *calls == 0 {
            troubles.remove(target);
        }
        Some(trouble)
    }

    /// Objects hear so many milliseconds later what their alarm was set to when they asked.
    pub fn delay_alarm_answers(&self, millis: u32) {
        self.0.alarm_delay.set(millis);
    }

    /// The object's database.
    pub fn sql(&self, instance: &Instance) -> Rc<HostSql> {
        Rc::clone(&self.machine(instance).sql)
    }

    /// When the object's alarm rings.
    pub fn alarm_of(&self, instance: &Instance) -> Option<Timestamp> {
        self.0.alarms.borrow().get(&instance.to_string()).copied().map(Timestamp::from_millis)
    }

    /// The letters that arrived at a session since the last call, each as often as it arrived.
    pub fn take_letters(&self, session: &Instance) -> Vec<Letter> {
        self.0.letters.borrow_mut().extract_if(.., |(to, _)| to == session).map(|(_, letter)| letter).collect()
    }

    /// What was logged as a fault since the last call.
    pub fn take_faults(&self) -> Vec<String> {
        self.0.faults.take()
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now.get())
    }

    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// The tokens that objects were shown since the last look.
    pub fn take_shown(&self) -> Vec<(Instance, String)> {
        self.0.shown.take()
    }

    /// What the edge finds on the web.
    pub fn web(&self) -> &Web {
        &self.0.web
    }

    /// Starts a call without waiting for it: several of them run side by side.
    pub fn start(&self, call: &Call, context: &Context) -> LocalBoxFuture<'static, Result<String, Fault>> {
        self.send(call, context)
    }

    fn machine(&self, instance: &Instance) -> Rc<Machine> {
        let mut objects = self.0.objects.borrow_mut();
        let machine = objects.entry(instance.clone()).or_insert_with(|| Rc::new(Machine::new(self, instance, &Rc::new(HostSql::new()))));
        Rc::clone(machine)
    }

    /// Runs a call on its target, in a task of the target's own: it dies with the target.
    fn arrive(&self, call: &Call, context: &str) -> impl Future<Output = Result<String, Fault>> + use<> {
        let (sender, receiver) = slot();
        let machine = self.machine(&call.instance);
        if std::ptr::eq(call.method, &raw const DELIVER_TO_SESSION) {
            let (letters,): (Vec<Letter>,) = serde_json::from_str(&call.args).unwrap();
            self.0.letters.borrow_mut().extend(letters.into_iter().map(|letter| (call.instance.clone(), letter)));
        }
        let (method, args, context) = (call.method.name, call.args.clone(), context.to_owned());
        self.0.tasks.spawn(&call.instance.to_string(), async move {
            let reply = object::call(Rc::clone(&machine), method, &args, &context).await;
            if !machine.sql.doom.is_dead() {
                sender.put(reply);
            }
        });
        async move { receiver.wait().await.ok_or_else(|| Fault::new(method, "the target went away")) }
    }

    fn draw(&self) -> u64 {
        let next = self.0.randomness.get() + 1;
        self.0.randomness.set(next);
        // SplitMix64: the same bytes in every run, spread over the whole range.
        let mut mixed = next.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn random_bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.draw().to_le_bytes());
        bytes[8..].copy_from_slice(&self.draw().to_le_bytes());
        bytes
    }

    fn log(&self, fault: &Fault) -> String {
        if let Some(incident) = fault.incident() {
            return incident.to_owned();
        }
        self.0.faults.borrow_mut().push(fault.log_text().to_owned());
        format!("incident-{}", self.0.faults.borrow().len())
    }
}

impl Wire for Fleet {
    fn send(&self, call: &Call, context: &Context) -> LocalBoxFuture<'static, Result<String, Fault>> {
        self.0.shown.borrow_mut().push((call.instance.clone(), context.jwt.clone()));
        let trouble = self.next_trouble(&call.instance);
        let (fleet, call, context) = (self.clone(), call.clone(), serde_json::to_string(context).unwrap());
        let (sender, receiver) = slot();
        // The message is under way from here on, whether or not the sender goes on waiting.
        self.0.tasks.spawn("network", async move {
            let lost = |what: &str| Err(Fault::new(call.method.name, what));
            let outcome = match trouble {
                None => fleet.arrive(&call, &context).await,
                Some(Trouble::DropBefore) => lost("the message was lost"),
                Some(Trouble::DropAfter) => {
                    let _reply = fleet.arrive(&call, &context).await;
                    lost("the reply was lost")
                }
                Some(Trouble::Duplicate) => {
                    let _reply = fleet.arrive(&call, &context).await;
                    fleet.arrive(&call, &context).await
                }
                Some(Trouble::Delay(millis)) => {
                    fleet.sleep(millis).await;
                    fleet.arrive(&call, &context).await
                }
                Some(Trouble::Hang) => std::future::pending().await,
            };
            sender.put(outcome);
        });
        Box::pin(async move { receiver.wait().await.unwrap_or_else(|| Err(Fault::new("network", "the message was lost"))) })
    }

    fn open(&self, call: &Call, context: &Context) -> LocalBoxFuture<'static, Result<Result<Relayed, String>, Fault>> {
        let machine = self.machine(&call.instance);
        let (call, context, fleet) = (call.clone(), serde_json::to_string(context).unwrap(), self.clone());
        Box::pin(async move {
            let owner = call.instance.to_string();
            let stream = match stream::open(machine, call.method.name, &call.args, &context).await {
                Ok(stream) => stream,
                Err(reply) => return Ok(Err(reply)),
            };
            // The object writes as long as somebody reads, and dies with its stream.
            let (sender, receiver) = mpsc::unbounded();
            fleet.0.tasks.spawn(&owner, async move {
                let mut stream = stream;
                while let Some(text) = stream.next().await {
                    if sender.unbounded_send(text).is_err() {
                        return;
                    }
                }
            });
            Ok(Ok(Relayed(Rc::new(RefCell::new(Some(receiver))))))
        })
    }

    fn upgrade(&self, call: &Call, context: &Context) -> LocalBoxFuture<'static, Result<Result<Relayed, String>, Fault>> {
        let machine = self.machine(&call.instance);
        let (call, context, fleet) = (call.clone(), serde_json::to_string(context).unwrap(), self.clone());
        Box::pin(async move {
            let (expires_at, first) = match object::connect(machine, call.method.name, &call.args, &context).await {
                Ok(opened) => opened,
                Err(reply) => return Ok(Err(reply)),
            };
            let socket = TestSocket::new(expires_at);
            socket.send(&first);
            fleet.0.sockets.borrow_mut().push((call.instance, socket.clone()));
            Ok(Ok(Relayed(Rc::new(socket))))
        })
    }

    fn sleep(&self, millis: u32) -> LocalBoxFuture<'static, ()> {
        Box::pin(self.0.tasks.timer(self.0.now.get() + i64::from(millis)))
    }
}

impl Runtime for Fleet {
    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    fn random(&self) -> [u8; 16] {
        self.random_bytes()
    }

    fn keys(&self) -> &Keys {
        &self.0.keys
    }

    fn log_fault(&self, fault: &Fault) -> String {
        self.log(fault)
    }

    fn fetch_text(&self, url: &str, bytes_max: usize) -> LocalBoxFuture<'static, Result<String, Fault>> {
        let (page, latency) = (self.0.web.open(url, bytes_max), self.sleep(super::web::LATENCY_MILLIS));
        Box::pin(async move {
            latency.await;
            page.await
        })
    }

    fn verify_signature(&self, algorithm: Algorithm, jwk: &str, message: &[u8], signature: &[u8]) -> LocalBoxFuture<'static, bool> {
        let is_signed = is_signed(algorithm, jwk, message, signature);
        Box::pin(async move { is_signed })
    }
}

impl Machine {
    fn new(fleet: &Fleet, instance: &Instance, sql: &Rc<HostSql>) -> Self {
        let line = Line { fleet: fleet.clone(), sql: Rc::clone(sql) };
        Self { fleet: fleet.clone(), instance: instance.clone(), sql: Rc::clone(sql), line, hints: Hints::default() }
    }
}

impl Host for Machine {
    fn instance(&self) -> Option<&Instance> {
        Some(&self.instance)
    }

    fn sql(&self) -> &dyn Sql {
        &*self.sql
    }

    fn keys(&self) -> &Keys {
        self.fleet.keys()
    }

    fn now(&self) -> Timestamp {
        self.fleet.now()
    }

    fn random(&self) -> [u8; 16] {
        self.fleet.random_bytes()
    }

    fn wire(&self) -> &dyn Wire {
        &self.line
    }

    fn alarm(&self) -> LocalBoxFuture<'_, Result<Option<Timestamp>, Fault>> {
        // Answers in a later turn, as the runtime does.
        let known = self.fleet.alarm_of(&self.instance);
        let millis = self.fleet.0.alarm_delay.get();
        Box::pin(async move {
            if millis == 0 {
                turn().await;
            } else {
                self.fleet.sleep(millis).await;
            }
            Ok(known)
        })
    }

    fn set_alarm(&self, at: Timestamp) -> LocalBoxFuture<'_, Result<(), Fault>> {
        // Takes effect with the writes before it, as the runtime does.
        if !self.sql.doom.is_dead() {
            self.fleet.0.alarms.borrow_mut().insert(self.instance.to_string(), at.millis());
        }
        Box::pin(async { Ok(()) })
    }

    fn destroy(&self) -> LocalBoxFuture<'_, Result<(), Fault>> {
        self.sql.clear();
        self.fleet.0.alarms.borrow_mut().remove(&self.instance.to_string());
        Box::pin(async {
            turn().await;
            Ok(())
        })
    }

    fn background(&self, work: LocalBoxFuture<'static, ()>) {
        self.fleet.0.background.borrow_mut().push((self.instance.to_string(), work));
    }

    fn sockets(&self) -> Vec<Box<dyn Socket>> {
        // They outlive the object's time in memory.
        let all = self.fleet.0.sockets.borrow();
        let open = all.iter().filter(|(to, socket)| *to == self.instance && socket.closed().is_none());
        open.map(|(_, socket)| -> Box<dyn Socket> { Box::new(socket.clone()) }).collect()
    }

    fn log_fault(&self, fault: &Fault) -> String {
        self.fleet.log(fault)
    }

    fn hints(&self) -> &Hints {
        &self.hints
    }
}
