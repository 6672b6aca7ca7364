//! The stream of a rig's orders, through reconnects.
//!
//! Owns: opening it, noticing that it died, and waiting before the next try. Does not: take orders.
//!
//! It sends no `Last-Event-ID`: without one the Worker sends every order of this runner again that shows no sign of life, and
//! the store knows those that were taken. A number could hide an order that was lost on the way.

use std::io::Read;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::api::{Api, Failure};
use crate::log::Log;
use crate::order::Order;
use crate::sse::Parser;
use crate::token::Token;

/// The Worker says something every 15 seconds; after this much silence the connection is dead.
const SILENCE: Duration = Duration::from_secs(45);
const AGAIN_MIN: Duration = Duration::from_millis(250);
const AGAIN_MAX: Duration = Duration::from_secs(10);
/// A stream that lived this long was a good one: the next try comes soon.
const GOOD: Duration = Duration::from_secs(5);

/// A message from the stream to the main loop.
#[derive(Debug)]
pub enum News {
    /// An order, perhaps one that came before.
    Order(Box<Order>),
    /// The Worker will have nothing to do with this runner: its words.
    Refused(String),
}

/// Follows the stream until the Worker refuses it or the receiver is gone.
pub fn follow(api: &Api, log: &Log, token: &Token, path: &str, take: impl Fn(News) -> bool) {
    let mut wait = AGAIN_MIN;
    loop {
        let opened = Instant::now();
        let why = match api.stream(path, &token.get()) {
            Ok(stream) => {
                log.say("connected", "following the rig's orders", json!({}));
                match listen(stream, log, &take) {
                    Some(why) => why,
                    None => return,
                }
            }
            Err(failure) => match consider(&failure, api, token) {
                Ok(()) => continue,
                Err(failure @ Failure::Refused(401 | 403 | 404, _)) => {
                    take(News::Refused(failure.to_string()));
                    return;
                }
                Err(failure) => failure.to_string(),
            },
        };
        if opened.elapsed() >= GOOD {
            wait = AGAIN_MIN;
        }
        log.say("disconnected", &format!("the stream of orders ended ({why}), again in {} ms", wait.as_millis()), json!({}));
        thread::sleep(wait);
        wait = (wait * 2).min(AGAIN_MAX);
    }
}

/// A token that has ended is renewed, once; anything else stands.
fn consider(failure: &Failure, api: &Api, token: &Token) -> Result<(), Failure> {
    if !matches!(failure, Failure::Refused(401, _)) {
        return Err(failure.clone());
    }
    match token.renew(api) {
        Ok(()) => Ok(()),
        Err(Failure::Later(text)) => Err(Failure::Later(text)),
        Err(Failure::Refused(..)) => Err(failure.clone()),
    }
}

/// Hands on the orders; returns why the stream ended, or `None` when the receiver is gone.
fn listen(mut stream: impl Read + Send + 'static, log: &Log, take: &impl Fn(News) -> bool) -> Option<String> {
    let (bytes, arrived) = mpsc::channel::<Result<Vec<u8>, String>>();
    // Reading blocks, so a thread of its own does it. A dead connection keeps that thread until the system gives it up.
    thread::spawn(move || read(&mut stream, &bytes));
    let mut parser = Parser::default();
    loop {
        let portion = match arrived.recv_timeout(SILENCE) {
            Ok(Ok(portion)) => portion,
            Ok(Err(why)) => return Some(why),
            Err(RecvTimeoutError::Timeout) => return Some("nothing came for too long".to_owned()),
            Err(RecvTimeoutError::Disconnected) => return Some("it was closed".to_owned()),
        };
        for event in parser.feed(&portion) {
            if event.name != "order" {
                continue;
            }
            match Order::parse(&event.data) {
                Ok(order) => {
                    if !take(News::Order(Box::new(order))) {
                        return None;
                    }
                }
                Err(error) => log.say("unreadable", &error, json!({})),
            }
        }
    }
}

fn read(stream: &mut impl Read, bytes: &Sender<Result<Vec<u8>, String>>) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let portion = match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => Ok(buffer.get(..count).unwrap_or_default().to_vec()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error.to_string()),
        };
        let failed = portion.is_err();
        if bytes.send(portion).is_err() || failed {
            return;
        }
    }
}
