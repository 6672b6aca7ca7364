//! Connections on which an object shows what happens: pushed to and closed.
//!
//! Owns when one is closed and what is answered on it. What is pushed, the object's core says, and `object::connect` who is
//! let in; the connections are the runtime's, which keeps them while the object is out of memory.

use crate::objects::host::{Host, Socket};

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
