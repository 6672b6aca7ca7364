//! What an object needs of the runtime behind it, for the Worker and for the tests alike.
//!
//! Owns the traits and what an object happens to remember while it is in memory. No truth lives there: `Hints` only save
//! look-ups.

use super::waiting::Waiting;
use crate::auth::Keys;
use crate::objects::store::sql::Sql;
use crate::rpc::call::{Instance, Wire, incident_text};
use base::error::Fault;
use base::time::Timestamp;
use futures::future::LocalBoxFuture;
use std::cell::Cell;

/// The runtime of one object.
pub trait Host: 'static {
    /// The instance; `None` when its name is malformed.
    fn instance(&self) -> Option<&Instance>;
    /// Its database.
    fn sql(&self) -> &dyn Sql;
    /// The signing keys.
    fn keys(&self) -> &Keys;
    /// The current time.
    fn now(&self) -> Timestamp;
    /// Random bytes.
    fn random(&self) -> [u8; 16];
    /// The message layer.
    fn wire(&self) -> &dyn Wire;
    /// When the alarm is set to.
    fn alarm(&self) -> LocalBoxFuture<'_, Result<Option<Timestamp>, Fault>>;
    /// Sets the alarm.
    fn set_alarm(&self, at: Timestamp) -> LocalBoxFuture<'_, Result<(), Fault>>;
    /// Deletes all storage of the object, its alarm too.
    fn destroy(&self) -> LocalBoxFuture<'_, Result<(), Fault>>;
    /// Runs work after the reply.
    fn background(&self, work: LocalBoxFuture<'static, ()>);
    /// The open connections.
    fn sockets(&self) -> Vec<Box<dyn Socket>>;
    /// Logs a fault in full; returns its incident id.
    fn log_fault(&self, fault: &Fault) -> String;
    /// See `Hints`.
    fn hints(&self) -> &Hints;
}

/// Facts that the object remembers while it is in memory.
#[derive(Default)]
pub struct Hints {
    /// The schema is the newest.
    pub(in crate::objects) migrated: Cell<bool>,
    /// When the alarm is set to.
    pub(in crate::objects) armed: Cell<Armed>,
    /// A flush after the reply is planned or under way, and will see rows written meanwhile.
    pub(in crate::objects) flushing: Cell<bool>,
    /// Who waits for what.
    pub(in crate::objects) waiting: Waiting,
}

impl Hints {
    /// Whether the object has its tables. An object that ended during an await has none.
    pub(in crate::objects) fn has_tables(&self) -> bool {
        self.migrated.get()
    }
}

/// The known state of the alarm.
#[derive(Clone, Copy, Default)]
pub(in crate::objects) enum Armed {
    /// Nobody has asked.
    #[default]
    Unknown,
    /// It is not set.
    Never,
    /// It rings then.
    At(Timestamp),
}

/// A connection.
pub trait Socket {
    /// When its token ends.
    fn expires_at(&self) -> Timestamp;
    /// Sends a message. A client that is gone is no error.
    fn send(&self, text: &str);
    /// Ends it.
    fn close(&self, code: u16, reason: &str);
}

/// Logs a fault; answers the reply text, which says the incident only.
pub(in crate::objects) fn broke<H: Host>(host: &H, fault: &Fault) -> String {
    incident_text(&host.log_fault(fault))
}
