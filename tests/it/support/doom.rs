//! When an object dies, or its database fails it: after so many steps from now.
//!
//! Owns the count. A step is a statement, the end of a transaction, or a message that leaves or comes back. Whoever is dead
//! writes nothing and sends nothing; the fleet finds out and makes the object anew (`Fleet::bury`).

use std::cell::Cell;

/// What the log says of whatever a dead object still tried.
pub const DIED: &str = "the object died";
/// What it says of a statement that failed on purpose.
pub const FAILED: &str = "the database failed";

#[derive(Clone, Copy)]
enum End {
    /// At this step the object is gone, with all that is not committed.
    Death,
    /// This statement fails and changes nothing; the object lives on.
    Failure,
}

/// The doom of one object.
#[derive(Default)]
pub struct Doom {
    next: Cell<Option<(End, u32)>>,
    dead: Cell<bool>,
}

impl Doom {
    /// The object dies when it has taken so many steps more.
    pub fn die_after(&self, steps: u32) {
        self.next.set(Some((End::Death, steps)));
    }

    /// After so many statements more, one fails.
    pub fn fail_after(&self, statements: u32) {
        self.next.set(Some((End::Failure, statements)));
    }

    /// Nothing will happen to it.
    pub fn lift(&self) {
        self.next.set(None);
        self.dead.set(false);
    }

    pub fn is_dead(&self) -> bool {
        self.dead.get()
    }

    /// What happens to a statement.
    pub fn before_statement(&self) -> Result<(), &'static str> {
        if let Some((End::Failure, left)) = self.next.get() {
            self.next.set(left.checked_sub(1).map(|left| (End::Failure, left)));
            return if left == 0 { Err(FAILED) } else { Ok(()) };
        }
        self.before_message()
    }

    /// What happens to anything else that is a step.
    pub fn before_message(&self) -> Result<(), &'static str> {
        if let Some((End::Death, left)) = self.next.get() {
            self.next.set(left.checked_sub(1).map(|left| (End::Death, left)));
            self.dead.set(left == 0 || self.dead.get());
        }
        if self.dead.get() { Err(DIED) } else { Ok(()) }
    }
}
