//! Which argument an error of serde is about.
//!
//! Owns the way from a place in JSON text to a path like `tasks[1].title`. Does not parse arguments, or word a refusal.
//! The whole of it runs once a call is refused, so that nothing has to be followed while arguments are read.

use std::fmt::Write as _;

/// An object or array that the text is inside of.
struct Open<'a> {
    is_array: bool,
    /// In an object, the key whose value is read; between two pairs none.
    key: Option<&'a str>,
    /// In an array, how many elements have begun.
    begun: usize,
}

/// The path to where the reader of `text` was when it met `error`; empty for the whole. `text` has no white space between
/// its tokens, as `serde_json` writes it.
#[must_use]
pub fn path(text: &str, error: &serde_json::Error) -> String {
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut closed = None;
    let mut string_from = None;
    let mut name = None;
    let mut is_escaped = false;
    let mut begins = true;
    for (at, byte) in text.bytes().enumerate().take(error.column()) {
        if let Some(from) = string_from {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => name = text.get(from..at),
                _ => {}
            }
            if byte == b'"' && name.is_some() {
                string_from = None;
            }
            continue;
        }
        closed = None;
        if begins && byte != b']' {
            begins = false;
            if let Some(array) = open.last_mut().filter(|last| last.is_array) {
                array.begun += 1;
            }
        }
        match byte {
            b'"' => (string_from, name) = (Some(at + 1), None),
            b'{' | b'[' => {
                open.push(Open { is_array: byte == b'[', key: None, begun: 0 });
                begins = true;
            }
            b'}' | b']' => {
                closed = open.pop();
                begins = false;
            }
            b':' => open.iter_mut().last().into_iter().for_each(|last| last.key = name),
            b',' => {
                open.iter_mut().last().into_iter().for_each(|last| last.key = None);
                begins = true;
            }
            _ => {}
        }
    }
    // What is missing is missing in what has just ended; anything else that is wrong was the last thing in it.
    let last = closed.filter(|_| !error.to_string().starts_with("missing field"));
    open.iter().chain(&last).fold(String::new(), |mut path, place| {
        match place.key {
            Some(key) if path.is_empty() => path.push_str(key),
            Some(key) => _ = write!(path, ".{key}"),
            None if place.begun > 0 => _ = write!(path, "[{}]", place.begun - 1),
            None => {}
        }
        path
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::ids::BeadId;
    use serde::Deserialize;
    use serde_json::{Value, json};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Task {
        #[expect(dead_code, reason = "only read")]
        title: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only read")]
        depends_on: Vec<usize>,
        #[serde(default)]
        #[expect(dead_code, reason = "only read")]
        bead: Option<BeadId>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Arguments {
        #[expect(dead_code, reason = "only read")]
        rig: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only read")]
        tasks: Vec<Task>,
        #[serde(default)]
        #[expect(dead_code, reason = "only read")]
        beads: Vec<BeadId>,
        #[serde(default)]
        #[expect(dead_code, reason = "only read")]
        limit: Option<u8>,
    }

    fn path_of(arguments: Value) -> String {
        let text = arguments.to_string();
        path(&text, &serde_json::from_str::<Arguments>(&text).unwrap_err())
    }

    #[test]
    fn the_argument_that_is_wrong_is_named_wherever_it_stands() {
        let good = "00000000-0000-4000-8000-000000000000";
        assert_eq!(path_of(json!({"rig": 5})), "rig");
        assert_eq!(path_of(json!({"rig": [1]})), "rig");
        assert_eq!(path_of(json!({"rig": {"a": 1}, "tasks": []})), "rig");
        assert_eq!(path_of(json!({"limit": 256, "rig": "api"})), "limit");
        assert_eq!(path_of(json!({"limit": 1.5, "rig": "api"})), "limit");
        assert_eq!(path_of(json!({"rig": "a\"],{", "tasks": 7})), "tasks");
        assert_eq!(path_of(json!({"rig": "api", "tasks": [{"title": "ä\\"}, {"title": null}]})), "tasks[1].title");
        assert_eq!(path_of(json!({"rig": "api", "tasks": [{"depends_on": [0, 1, "2"], "title": "t"}]})), "tasks[0].depends_on[2]");
        assert_eq!(path_of(json!({"rig": "api", "tasks": ["t"]})), "tasks[0]");
        // Found wrong only after it was read.
        assert_eq!(path_of(json!({"beads": ["x"], "rig": "api"})), "beads[0]");
        assert_eq!(path_of(json!({"beads": [good, "x", good], "rig": "api"})), "beads[1]");
        assert_eq!(path_of(json!({"rig": "api", "tasks": [{"bead": "x", "title": "t"}]})), "tasks[0].bead");
        assert_eq!(path_of(json!({"rig": "api", "tasks": [{"title": "t"}, {"bead": "x"}]})), "tasks[1].bead");
    }

    #[test]
    fn what_is_missing_or_unknown_is_so_in_what_holds_it() {
        assert_eq!(path_of(json!({})), "");
        assert_eq!(path_of(json!({"limit": 1})), "");
        assert_eq!(path_of(json!({"limit": 1, "unknown": 2, "rig": "api"})), "");
        assert_eq!(path_of(json!({"rig": "api", "tasks": [{"title": "t"}, {}]})), "tasks[1]");
        assert_eq!(path_of(json!({"rig": "api", "tasks": [{"title": "t", "x": 1}]})), "tasks[0]");
    }
}
