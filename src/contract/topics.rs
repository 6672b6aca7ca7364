//! What sessions listen to, where the object that tells and the tools that ask must write it alike.
//!
//! Owns the names of topics and of the number that a notification has. When a topic changes, each core knows.

/// Messages to the Mayor, for the Mayor's own session.
pub const MESSAGES: &str = "messages";
/// Where what is told of a topic has a number that only ever grows: a session that has handed the notification on says which.
pub const RECEIPT: &str = "sequence";
