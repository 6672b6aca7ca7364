//! The runner's log: one line per event, for people or as JSON.
//!
//! Owns: the lines, and that no token is in them. Does not: decide which events are logged.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::clock;

/// Replaces a token.
const HIDDEN: &str = "[token]";
/// A shorter one is not a token, and would spoil ordinary text.
const TOKEN_CHARS_MIN: usize = 16;

/// Writes to stdout; clones share the tokens that are kept out.
#[derive(Debug, Clone, Default)]
pub struct Log {
    json: bool,
    secrets: Arc<Mutex<Vec<String>>>,
}

impl Log {
    /// Lines for people, or one JSON object a line.
    #[must_use]
    pub fn new(json: bool) -> Self {
        Self { json, secrets: Arc::default() }
    }

    /// From now on this text is in no line.
    pub fn hide(&self, secret: &str) {
        if secret.len() < TOKEN_CHARS_MIN {
            return;
        }
        if let Ok(mut secrets) = self.secrets.lock()
            && !secrets.iter().any(|known| known == secret)
        {
            secrets.push(secret.to_owned());
        }
    }

    /// This text need not be looked for any more.
    pub fn forget(&self, secret: &str) {
        if let Ok(mut secrets) = self.secrets.lock() {
            secrets.retain(|known| known != secret);
        }
    }

    /// The text without the tokens that are in it.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        let Ok(secrets) = self.secrets.lock() else { return String::new() };
        secrets.iter().fold(text.to_owned(), |text, secret| if text.contains(secret) { text.replace(secret, HIDDEN) } else { text })
    }

    /// Something that the runner itself did or noticed. `fields` are for JSON only.
    pub fn say(&self, event: &str, text: &str, fields: Value) {
        let text = self.clean(text);
        if self.json {
            let mut line = json!({ "time": clock::iso(clock::now_ms()), "event": event, "text": text });
            if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), fields) {
                line.extend(fields);
            }
            write(&line.to_string());
        } else {
            write(&format!("[runner] {text}"));
        }
    }

    /// A line that an agent's process wrote; `text` is clean already.
    pub fn output(&self, order: u64, agent: &str, stream: &str, text: &str) {
        if self.json {
            let line = json!({ "time": clock::iso(clock::now_ms()), "event": "output", "order": order, "agent": agent, "stream": stream, "text": text });
            write(&line.to_string());
        } else {
            write(&format!("[{agent}] {text}"));
        }
    }
}

/// The reader of the log may be gone; the work goes on.
fn write(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_token_is_in_no_line() {
        let log = Log::new(false);
        log.hide("eyJhbGciOiJIUzI1NiJ9.e30.signature");
        log.hide("short");
        assert_eq!(log.clean("Bearer eyJhbGciOiJIUzI1NiJ9.e30.signature, short"), "Bearer [token], short");
        log.forget("eyJhbGciOiJIUzI1NiJ9.e30.signature");
        assert_eq!(log.clean("eyJhbGciOiJIUzI1NiJ9.e30.signature"), "eyJhbGciOiJIUzI1NiJ9.e30.signature");
    }
}
