//! The `WebSocket` connections of an object: let in, pushed to, closed.
//!
//! Owns closing and the answer to a ping. The object's core says which messages are pushed and which callers are let in; the
//! runtime owns the connections and keeps them while the object is out of memory.

use crate::objects::handler::Answer;
use crate::objects::object::{Host, answer, broke};
use crate::rpc::call::refusal_text;
use base::error::{Code, Failure, Fault, refuse};
use base::time::Timestamp;
use serde_json::Value;
use std::rc::Rc;

/// A client that writes this is answered `PONG`, even while the object is out of memory; anything else is ignored.
pub const PING: &str = "ping";
/// See `PING`.
pub const PONG: &str = "pong";
/// Longest message of a client, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 1024;
/// Closes a connection whose token has ended.
pub const EXPIRED: (u16, &str) = (4001, "token expired: connect again with a new one");
/// Closes a connection whose client sends too much (RFC 6455, 7.4.1).
const TOO_BIG: (u16, &str) = (1009, "nothing but \"ping\" is understood here");

/// A connection.
pub trait Socket {
    /// When its token ends.
    fn expires_at(&self) -> Timestamp;
    /// Sends a message. A client that is gone is no error.
    fn send(&self, text: &str);
    /// Ends it.
    fn close(&self, code: u16, reason: &str);
}

/// A new connection: its end, and its first message.
pub type Opened = (Timestamp, String);

/// Asks the object whether a connection is let in. `args` are the method's but for the last, the number of connections,
/// which only the host knows. The error is a reply text, as of `call`.
pub async fn open<H: Host>(host: Rc<H>, method: &str, args: &str, context: &str) -> Result<Opened, String> {
    let asked = async {
        let bad = |_| refuse(Code::InvalidArgument, "the arguments are no list");
        let mut args: Vec<Value> = serde_json::from_str(args).map_err(bad)?;
        args.push(Value::from(sweep(&*host).len()));
        match answer(&host, method, &Value::from(args).to_string(), context).await? {
            Answer::Json(opened) => serde_json::from_str(&opened).map_err(|error| Fault::new(method, error).into()),
            Answer::Void | Answer::Gather(_) | Answer::Wait(_) | Answer::Stream(_) => Err(Fault::new(method, "no connection").into()),
        }
    };
    asked.await.map_err(|failure: Failure| match failure {
        Failure::Refused(refusal) => refusal_text(&refusal),
        Failure::Broke(fault) => broke(&*host, &fault),
    })
}

/// Sends every connection these messages, in order.
pub(in crate::objects) fn push<H: Host>(host: &H, messages: &[String]) {
    if messages.is_empty() {
        return;
    }
    let now = host.now();
    for socket in host.sockets() {
        if now >= socket.expires_at() {
            socket.close(EXPIRED.0, EXPIRED.1);
        } else {
            for message in messages {
                socket.send(message);
            }
        }
    }
}

/// Closes the connections whose tokens have ended; returns the others.
pub(in crate::objects) fn sweep<H: Host>(host: &H) -> Vec<Box<dyn Socket>> {
    let now = host.now();
    let (ended, open): (Vec<_>, Vec<_>) = host.sockets().into_iter().partition(|socket| now >= socket.expires_at());
    for socket in ended {
        socket.close(EXPIRED.0, EXPIRED.1);
    }
    open
}

/// A client wrote so many bytes.
pub fn received(socket: &dyn Socket, bytes: usize) {
    if bytes > MESSAGE_BYTES_MAX {
        socket.close(TOO_BIG.0, TOO_BIG.1);
    }
}
