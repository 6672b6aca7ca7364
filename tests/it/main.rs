//! The host tests: the objects' cores over a strict database, in a fleet whose messages can be lost.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, wherever its helpers live"
)]

mod completion;
mod confirm;
#[cfg(feature = "conformance")]
mod conformance;
mod convoy_tools;
mod docs;
mod oauth;
mod prompts;
mod provision;
mod registry;
mod resources;
mod rig;
mod rpc;
mod scripts;
mod sessions;
mod skills;
mod store;
mod streams;
mod subscriptions;
mod support;
mod task_keeping;
mod tidy;
mod tools;
mod town;
mod wait;
