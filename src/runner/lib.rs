//! The runner: follows the dispatch orders of a rig and runs an agent's process for each, in a git worktree of its own.
//!
//! Owns: processes, worktrees, and the reports about them to the Worker.
//! Does not: decide who works on what (the rig does), or know what an agent does (the agent's command does).
//!
//! | module | owns |
//! |---|---|
//! | `options` | the command line |
//! | `fleet` | the main loop: orders in, processes out, stopping |
//! | `dispatch` | the stream of orders, through reconnects |
//! | `run` | the life of one order, from its worktree to its report |
//! | `heartbeat` | heartbeats and output of one process, told to the Worker |
//! | `agent` | the environment and MCP configuration of a process |
//! | `agent_slots` | one process for an agent at a time |
//! | `process` | process groups: starting, recognising and ending them |
//! | `git` | the shared repository and the worktrees |
//! | `store` | which orders were taken, on disk |
//! | `api` | HTTP requests and what their answers mean |
//! | `token` | the container token and its renewal |
//! | `order`, `output`, `sse`, `log`, `clock` | values |

pub mod agent;
pub mod agent_slots;
pub mod api;
pub mod clock;
pub mod dispatch;
pub mod fleet;
pub mod git;
pub mod heartbeat;
pub mod log;
pub mod options;
pub mod order;
pub mod output;
pub mod process;
pub mod run;
pub mod sse;
pub mod store;
pub mod token;
