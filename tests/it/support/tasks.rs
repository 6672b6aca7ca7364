//! A task runner without a clock of its own: tasks run until all are stuck, timers ring when they are told.
//!
//! Owns the tasks, each under the name of its owner, who may die.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

struct Task {
    owner: String,
    woken: Arc<Woken>,
    future: Pin<Box<dyn Future<Output = ()>>>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// By time, then in the order in which they were made.
type Timers = RefCell<BTreeMap<(i64, u64), Slot<()>>>;

/// All tasks and timers of a world.
#[derive(Default)]
pub struct Tasks {
    all: RefCell<Vec<Task>>,
    timers: Rc<Timers>,
    timers_made: Cell<u64>,
}

impl Tasks {
    pub fn spawn(&self, owner: &str, future: impl Future<Output = ()> + 'static) {
        let task = Task { owner: owner.to_owned(), woken: Arc::new(Woken(AtomicBool::new(true))), future: Box::pin(future) };
        self.all.borrow_mut().push(task);
    }

    /// Polls whatever was woken until all tasks are stuck. `between` runs after each round, when no task does.
    pub fn run(&self, between: impl Fn()) {
        while self.step() {
            between();
        }
    }

    /// Polls whatever was woken, once; false when all tasks are stuck.
    fn step(&self) -> bool {
        let mut ready: Vec<Task> = self.all.borrow_mut().extract_if(.., |task| task.woken.0.swap(false, Ordering::Relaxed)).collect();
        if ready.is_empty() {
            return false;
        }
        for task in &mut ready {
            let waker = Waker::from(Arc::clone(&task.woken));
            if task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                task.owner.clear();
            }
        }
        let (done, going): (Vec<Task>, Vec<Task>) = ready.into_iter().partition(|task| task.owner.is_empty());
        // Dropping a task may wake or spawn others.
        drop(done);
        self.all.borrow_mut().extend(going);
        true
    }

    /// Drops every task of an owner, in the middle of whatever it does.
    pub fn kill(&self, owner: &str) {
        let dropped: Vec<Task> = self.all.borrow_mut().extract_if(.., |task| task.owner == owner).collect();
        drop(dropped);
    }

    /// Resolves when the time is `at`.
    pub fn timer(&self, at: i64) -> impl Future<Output = ()> + use<> {
        let (sender, receiver) = slot();
        let key = (at, self.timers_made.get());
        self.timers_made.set(key.1 + 1);
        self.timers.borrow_mut().insert(key, sender);
        let guard = Guard { timers: Rc::clone(&self.timers), key };
        async move {
            let _guard = guard;
            receiver.wait().await;
        }
    }

    pub fn next_timer(&self) -> Option<i64> {
        self.timers.borrow().keys().next().map(|(at, _)| *at)
    }

    /// Rings every timer up to `now`.
    pub fn ring(&self, now: i64) {
        let rest = self.timers.borrow_mut().split_off(&(now + 1, 0));
        let due = self.timers.replace(rest);
        for timer in due.into_values() {
            timer.put(());
        }
    }
}

/// Resolves when every other task that can run has run once.
pub fn turn() -> impl Future<Output = ()> {
    let mut first = true;
    std::future::poll_fn(move |cx| {
        if std::mem::take(&mut first) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
}

/// Forgets a timer that nobody waits for any more.
struct Guard {
    timers: Rc<Timers>,
    key: (i64, u64),
}

impl Drop for Guard {
    fn drop(&mut self) {
        let timer = self.timers.borrow_mut().remove(&self.key);
        drop(timer);
    }
}

struct Inside<T> {
    value: Option<T>,
    waker: Option<Waker>,
    abandoned: bool,
}

/// The end of a slot that a value is put into.
pub struct Slot<T>(Rc<RefCell<Inside<T>>>);

/// The end that waits for it.
pub struct Waiting<T>(Rc<RefCell<Inside<T>>>);

pub fn slot<T>() -> (Slot<T>, Waiting<T>) {
    let inside = Rc::new(RefCell::new(Inside { value: None, waker: None, abandoned: false }));
    (Slot(Rc::clone(&inside)), Waiting(inside))
}

impl<T> Slot<T> {
    pub fn put(self, value: T) {
        self.0.borrow_mut().value = Some(value);
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        let mut inside = self.0.borrow_mut();
        inside.abandoned = true;
        if let Some(waker) = inside.waker.take() {
            waker.wake();
        }
    }
}

impl<T> Waiting<T> {
    pub fn take(&self) -> Option<T> {
        self.0.borrow_mut().value.take()
    }

    /// The value, or `None` when it will never come.
    pub async fn wait(self) -> Option<T> {
        std::future::poll_fn(|cx| {
            let mut inside = self.0.borrow_mut();
            if inside.value.is_some() || inside.abandoned {
                return Poll::Ready(inside.value.take());
            }
            inside.waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}
