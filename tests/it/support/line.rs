//! An object's own way to the others: it is cut when the object dies.
//!
//! Owns the steps that messages are. What happens to a message under way is the fleet's.

use super::{Fleet, HostSql};
use base::error::Fault;
use base::http::Relayed;
use futures::future::LocalBoxFuture;
use gastown_mcp::rpc::call::{Call, Context, Wire};
use std::future::pending;
use std::rc::Rc;

pub struct Line {
    pub fleet: Fleet,
    pub sql: Rc<HostSql>,
}

impl Line {
    /// Goes on unless the object dies before.
    fn then<T: 'static>(&self, next: impl FnOnce() -> LocalBoxFuture<'static, T>) -> LocalBoxFuture<'static, T> {
        if self.sql.doom.before_message().is_err() {
            return Box::pin(pending());
        }
        let (next, sql) = (next(), Rc::clone(&self.sql));
        Box::pin(async move {
            let value = next.await;
            if sql.doom.before_message().is_err() { pending().await } else { value }
        })
    }
}

impl Wire for Line {
    fn send(&self, call: &Call, context: &Context) -> LocalBoxFuture<'static, Result<String, Fault>> {
        self.then(|| self.fleet.send(call, context))
    }

    fn open(&self, call: &Call, context: &Context) -> LocalBoxFuture<'static, Result<Result<Relayed, String>, Fault>> {
        self.fleet.open(call, context)
    }

    fn upgrade(&self, call: &Call, context: &Context) -> LocalBoxFuture<'static, Result<Result<Relayed, String>, Fault>> {
        self.fleet.upgrade(call, context)
    }

    fn sleep(&self, millis: u32) -> LocalBoxFuture<'static, ()> {
        self.then(|| self.fleet.sleep(millis))
    }
}
