//! The Workers runtime, and the only part that knows it.
//!
//! `entry` turns fetch events into `base::http::Request`s, `objects` are the Durable Object classes, `sql` and `wire` implement
//! the traits that the cores call, `platform` is the clock, the random source, the keys and the log, `web` fetches and checks signatures. No decision is made
//! here: decisions are tested on the host.

#![cfg(target_arch = "wasm32")]

mod entry;
mod objects;
mod platform;
mod sql;
mod timer;
mod web;
mod wire;
