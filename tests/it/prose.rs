//! No code tells refusals, faults or errors apart by what their texts say: computed from the sources.
//!
//! What is looked for is a comparison or a search whose subject is the text of a refusal or an error, by the names that such a
//! text has here. Input of users, headers and streams have other names.

use super::tidy::{code, none, sources};
use std::collections::BTreeSet;

/// What a text for people is called.
const TEXTS: &[&str] = &["message", "hint", "reason", "why", "problem", "said", "sentence", "log_text", "stderr", "wording"];
/// What an error is called; its text is what `to_string` makes of it.
const ERRORS: &[&str] = &["error", "refusal", "refused", "fault", "failure", "wrong", "err"];
/// Who has a message that somebody sent, and not one that is said of a failure.
const INPUTS: &[&str] = &["self", "input", "told", "new"];
/// Calls that look into a text.
const SEARCHES: &[&str] = &[
    "starts_with",
    "ends_with",
    "contains",
    "strip_prefix",
    "strip_suffix",
    "find",
    "rfind",
    "split",
    "split_once",
    "rsplit_once",
    "splitn",
    "split_at",
    "matches",
    "match_indices",
    "replace",
    "eq_ignore_ascii_case",
    "cmp",
];
/// Calls whose result is the same text.
const SAME: &[&str] = &[
    "as_str",
    "as_deref",
    "as_ref",
    "borrow",
    "clone",
    "to_owned",
    "to_lowercase",
    "to_ascii_lowercase",
    "to_uppercase",
    "trim",
    "trim_start",
    "trim_end",
    "unwrap_or_default",
    "into_owned",
    "bytes",
    "chars",
];

/// A chain of names and calls, as `refusal.message.as_str()`, that ends before `end`, from its last link to its first; a link is a name
/// and whether it is called.
fn chain(line: &str, end: usize) -> Vec<(&str, bool)> {
    let bytes = line.as_bytes();
    let mut links = Vec::new();
    let mut at = end;
    loop {
        let mut is_called = false;
        while at > 0 && (bytes[at - 1] == b'?' || bytes[at - 1] == b' ') {
            at -= 1;
        }
        if at > 0 && bytes[at - 1] == b')' {
            let mut depth = 0;
            while at > 0 {
                at -= 1;
                match bytes[at] {
                    b')' => depth += 1,
                    b'(' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
            is_called = true;
        }
        let stop = at;
        while at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_') {
            at -= 1;
        }
        if at == stop {
            return links;
        }
        links.push((&line[at..stop], is_called));
        if at == 0 || bytes[at - 1] != b'.' {
            return links;
        }
        at -= 1;
    }
}

/// Whether a chain is the text of a refusal or an error. `locals`: names that were given one. What is searched is a text; what is
/// compared may be an error itself, which is a value like any other.
fn is_text(links: &[(&str, bool)], locals: &BTreeSet<String>, is_searched: bool) -> bool {
    let mut made_text = is_searched;
    for (index, (name, is_called)) in links.iter().enumerate() {
        if *is_called && *name == "to_string" {
            made_text = true;
        } else if *is_called && SAME.contains(name) {
        } else if TEXTS.contains(name) {
            // A caller's message is input.
            return links.get(index + 1).is_none_or(|(owner, _)| !INPUTS.contains(owner));
        } else if ERRORS.contains(name) {
            return made_text || index > 0;
        } else {
            return index + 1 == links.len() && !*is_called && locals.contains(*name);
        }
    }
    false
}

/// Where a chain that begins at `start` ends.
fn end_of_chain(line: &str, start: usize) -> usize {
    let mut depth = 0_i32;
    for (at, byte) in line.bytes().enumerate().skip(start) {
        match byte {
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            b'.' | b'_' | b'?' | b'&' | b'*' => {}
            byte if byte.is_ascii_alphanumeric() => {}
            _ => return at,
        }
    }
    line.len()
}

/// The lines with what continues them, and the number of the first.
fn statements(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for (number, line) in code(text) {
        match found.last_mut() {
            Some((_, before)) if line.starts_with('.') || line.starts_with("== ") || line.starts_with("!= ") || line.starts_with("&& ") => {
                if !line.starts_with('.') {
                    before.push(' ');
                }
                before.push_str(line);
            }
            _ => found.push((number, line.to_owned())),
        }
    }
    found
}

/// The statements that look into the text of a refusal or an error.
fn readers(text: &str) -> Vec<(usize, String)> {
    let mut locals = BTreeSet::new();
    let mut found = Vec::new();
    for (number, line) in statements(text) {
        if line.starts_with("fn ") || line.contains(" fn ") || line.starts_with("pub fn ") {
            locals.clear();
        }
        if reads(&line, &locals) {
            found.push((number, line.clone()));
        }
        if let Some((name, value)) = line.strip_prefix("let ").and_then(|rest| rest.split_once(" = "))
            && let Some(end) = value.find(';')
            && is_text(&chain(value, end), &locals, false)
        {
            locals.insert(name.trim_start_matches("mut ").split(':').next().unwrap().to_owned());
        }
    }
    found
}

fn reads(line: &str, locals: &BTreeSet<String>) -> bool {
    let searched = SEARCHES.iter().any(|call| {
        let call = format!(".{call}(");
        line.match_indices(&call).any(|(at, _)| is_text(&chain(line, at), locals, true))
    });
    let compared = [" == ", " != "].iter().any(|sign| {
        line.match_indices(sign).any(|(at, _)| {
            let right = at + sign.len();
            [at, end_of_chain(line, right)].iter().any(|end| is_text(&chain(line, *end), locals, false))
        })
    });
    let matched = line.match_indices("match ").any(|(at, word)| {
        let start = at + word.len();
        let end = end_of_chain(line, start);
        let links = chain(line, end);
        let is_as_text = links.iter().any(|(name, is_called)| *is_called && (SAME.contains(name) || *name == "to_string"));
        line[end..].trim_start().starts_with('{') && is_as_text && is_text(&links, locals, false)
    });
    let in_macro = line.contains("matches!(") && {
        let start = line.find("matches!(").unwrap() + "matches!(".len();
        is_text(&chain(line, end_of_chain(line, start)), locals, false)
    };
    searched || compared || matched || in_macro
}

#[test]
fn no_code_reads_the_text_of_a_refusal_or_an_error() {
    let mut places = Vec::new();
    for (name, text) in sources().iter().filter(|(name, _)| !name.contains("/tests/") && !name.ends_with("/tests.rs")) {
        places.extend(readers(text).into_iter().map(|(number, line)| format!("{name}:{number}: {line}")));
    }
    none("tell refusals apart by code and subject, errors by their kind", &places);
}

/// Sentences of the contract, and of a table whose rows they stand in.
const OWN_NAMES: &[(&str, &str)] = &[
    ("src/objects/rig/assignment/hooks.rs", "triage requests are resolved via gt_triage_resolve"),
    ("src/tools/mayor/mod.rs", "One that seems stuck takes `gt_nudge`"),
];

/// A sentence with a tool's name in it would be wrong for whoever calls the tool otherwise: it takes the name from its reader's table.
#[test]
fn sentences_name_tools_by_key() {
    let tools: BTreeSet<&str> = gastown_mcp::tools::all().map(|tool| tool.name).filter(|name| name.contains('_')).collect();
    let mut places = Vec::new();
    for (file, text) in sources()
        .iter()
        .filter(|(file, _)| !file.contains("/tests/") && !file.starts_with("src/mcp/") && !file.starts_with("src/conformance/"))
    {
        for (number, line) in code(text) {
            for literal in line.split('"').skip(1).step_by(2).filter(|literal| is_sentence(literal)) {
                let named = literal.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').any(|word| tools.contains(word));
                if named && !OWN_NAMES.iter().any(|(own, sentence)| own == file && literal.contains(sentence)) {
                    places.push(format!("{file}:{number}: {literal}"));
                }
            }
        }
    }
    none("name a tool by its key, and let names say how the reader calls it", &places);
}

/// Not a name, and neither SQL nor JSON.
fn is_sentence(literal: &str) -> bool {
    literal.contains(' ') && !literal.contains("-- ") && !literal.contains(" FROM ") && !literal.starts_with('{')
}

/// Each is one that there was.
#[test]
fn a_reader_of_text_is_found() {
    for line in [
        r#"Err(Failure::Refused(refusal)) if key.is_some() && refusal.message == "Town identity already initialized" => {"#,
        r#"refusal.code == Code::NotFound || (refusal.code == Code::Conflict && refusal.message.ends_with("is being deleted"))"#,
        r#"refusal.message.starts_with("Rig ") && matches!(refusal.code, Code::NotFound | Code::Forbidden)"#,
        "refusal\n    .message\n    .starts_with(\"Rig \")",
        r"if refusal.message == INVALID_BODY {",
        r#"let (path, message) = hint.split_once(": ").unwrap_or(("", hint));"#,
        r"if message.strip_prefix(tool).is_some_and(|rest| rest.starts_with(':')) {",
        r#"match refusal.message.strip_prefix(tool).and_then(|rest| rest.strip_prefix(": ")) {"#,
        "let full = error.to_string();\nlet what = full.strip_suffix(&position).unwrap_or(&full);",
        r#"let last = closed.filter(|_| !error.to_string().starts_with("missing field"));"#,
        r#"let is_meant = piece.contains('_') || said.ends_with('`') || before == "call";"#,
        r#"Err(error) if tries < TRIES && (error.contains(".lock'") || error.contains("cannot lock ref")) => {"#,
        "let mut deadline: Option<Instant> = (end.reason.as_deref() == Some(STOPPED)).then(|| Instant::now());",
        r#"if "gone" == refusal.message {"#,
        r"match refusal.message.as_str() {",
        r#"if matches!(failure.to_string().as_str(), "gone") {"#,
        r#"if fault.log_text().contains("lost") {"#,
    ] {
        assert_ne!(readers(line), Vec::new(), "{line}");
    }
}

#[test]
fn input_values_and_kinds_of_errors_are_no_prose() {
    for line in [
        r#"let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));"#,
        r"let first = self.body.lines().map(str::trim).find(|line| !line.is_empty());",
        r"let first = new.message.lines().map(str::trim).find(|line| !line.is_empty());",
        r"Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeSet::new(),",
        r"if error == TokenError::MalformedHeader {",
        r"if refusal.code == Code::NotFound && refusal.hint.is_some() {",
        r#"Refusal::new(Code::NotFound, message).hint("split: a == b")"#,
        r"if known.message_id == given.message_id {",
        r"if text.trim_start().starts_with('{') { read(text) }",
        r"match &refusal.hint {",
        "let line = self.message.trim();\nif line.contains(['\\n', '\\r']) {",
        r"let value = value.strip_prefix(' ').unwrap_or(value);",
        "fn one() { let text = error.to_string(); }\nfn other(text: &str) { text.starts_with('x'); }",
    ] {
        assert_eq!(readers(line), Vec::new(), "{line}");
    }
}
