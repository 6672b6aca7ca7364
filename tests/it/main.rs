//! The host tests: the objects' cores over a strict database, in a fleet whose messages can be lost.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, wherever its helpers live"
)]

mod agent_mcp;
mod agent_plane;
mod agent_tools;
mod bead_tools;
mod completion;
mod confirm;
mod conformance;
mod convoy_playbooks;
mod convoy_tools;
mod dispatch_stream;
mod docs;
mod examples;
mod feed_stream;
mod feed_tool;
mod mayor_guide;
mod mayor_plugin;
mod mayor_prompt;
mod mayor_tools;
mod oauth;
mod playbooks;
mod prompts;
mod prose;
mod provision;
mod refusals;
mod registry;
mod resources;
mod rest;
mod rig;
mod rooms;
mod rpc;
mod schemas;
mod scripts;
mod sessions;
mod simulated;
mod simulation;
mod skills;
mod sling_tool;
mod store;
mod streams;
mod subscriptions;
mod support;
mod task_keeping;
mod tidy;
mod tools;
mod tools_admin;
mod town;
mod town_guide;
mod town_plane;
mod wait;
