//! Which modules a source file names: its imports, and every path in its code.
//!
//! Reads tokens, not lines, so that groups over many lines, `super`, and paths that begin with something imported are read too.

use crate::tidy::product;
use std::collections::BTreeMap;

/// A path from the root of the source: `objects`, `rig`, `beads`; packages begin with their folder.
type Path = Vec<String>;

/// The module of a file: `src/objects/rig/mod.rs` is `objects::rig`.
pub fn module(file: &str) -> Path {
    let path = file.strip_prefix("src/").unwrap_or(file).trim_end_matches(".rs");
    let mut parts: Path = path.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        parts.pop();
    }
    parts
}

/// Files by their module.
pub fn modules<'a>(files: impl Iterator<Item = &'a str>) -> BTreeMap<Path, String> {
    files.map(|file| (module(file), file.to_owned())).collect()
}

/// Something that a file names.
pub struct Named {
    pub line: usize,
    /// From the root of the source.
    pub path: Path,
    /// The path begins with a module that this file declares: the file says what its folder holds.
    pub is_own_part: bool,
}

/// What a file names outside its tests.
pub fn named(file: &str, text: &str) -> Vec<Named> {
    let tokens = tokens(product(text));
    let own = module(file);
    let parts = declared(&tokens);
    let resolve = |line: usize, path: &[String]| {
        let is_own_part = parts.contains(&path[0].as_str());
        let full = if is_own_part { Some([&own[..], path].concat()) } else { absolute(&own, path) };
        full.map(|path| Named { line, path, is_own_part })
    };
    let mut found = Vec::new();
    // What a name stands for that is imported.
    let mut imported: BTreeMap<String, (Path, bool)> = BTreeMap::new();
    for (line, path, alias) in imports(&tokens) {
        let Some(named) = resolve(line, &path) else { continue };
        let name = alias.or_else(|| named.path.last().cloned()).unwrap_or_default();
        imported.insert(name, (named.path.clone(), named.is_own_part));
        found.push(named);
    }
    for (line, path) in paths(&tokens) {
        let begins = imported.get(&path[0]).map(|(begins, is_own_part)| {
            let path = [&begins[..], &path[1..]].concat();
            Named { line, path, is_own_part: *is_own_part }
        });
        found.extend(begins.or_else(|| resolve(line, &path)));
    }
    found
}

/// The modules that a file declares.
fn declared(tokens: &[(usize, String)]) -> Vec<&str> {
    let is = |at: usize, text: &str| tokens.get(at).is_some_and(|(_, token)| token == text);
    (1..tokens.len()).filter(|at| is(at - 1, "mod") && is(at + 1, ";")).map(|at| tokens[at].1.as_str()).collect()
}

/// The path from the root of the source; `None` for what is none of ours.
fn absolute(own: &[String], path: &[String]) -> Option<Path> {
    let package = own.first().filter(|first| ["base", "mcp", "shell", "runner"].contains(&first.as_str()));
    let mut rest = path.iter().peekable();
    let mut full: Path = match rest.next()?.as_str() {
        "crate" => package.cloned().into_iter().collect(),
        "gastown_mcp" => Vec::new(),
        outside @ ("base" | "mcp") => vec![outside.to_owned()],
        "self" => own.to_vec(),
        "super" => own[..own.len().checked_sub(1)?].to_vec(),
        _ => return None,
    };
    while rest.next_if(|segment| *segment == "super").is_some() {
        full.pop()?;
    }
    full.extend(rest.filter(|segment| !["self", "*"].contains(&segment.as_str())).cloned());
    Some(full)
}

/// Words, `::` and single characters, with their lines; without comments, texts and characters.
fn tokens(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let (mut line, mut rest) = (1, text);
    while let Some(char) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if char == '"' {
            text_length(rest)
        } else if let Some(raw) = rest.strip_prefix("r#\"") {
            3 + raw.find("\"#").map_or(raw.len(), |end| end + 2)
        } else if char == '\'' {
            character_length(rest)
        } else if char.is_alphanumeric() || char == '_' {
            rest.find(|char: char| !(char.is_alphanumeric() || char == '_')).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            char.len_utf8()
        };
        let is_token = !rest.starts_with("//") && !char.is_whitespace() && char != '"' && char != '\'' && !rest.starts_with("r#\"");
        if is_token {
            found.push((line, rest[..length].to_owned()));
        }
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    found
}

/// How long a text in quotes is.
fn text_length(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.char_indices().skip(1).find(|(_, char)| {
        let ends = !is_escaped && *char == '"';
        is_escaped = !is_escaped && *char == '\\';
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

/// How long a character in quotes is; of a lifetime, the quote alone.
fn character_length(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let after = at + escaped.len_utf8();
            text[after..].find('\'').map_or(1, |end| after + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

/// The paths of `use` items, groups taken apart, each with its line and the name that it gets.
fn imports(tokens: &[(usize, String)]) -> Vec<(usize, Path, Option<String>)> {
    let mut found = Vec::new();
    for (at, _) in tokens.iter().enumerate().filter(|(_, (_, token))| token == "use") {
        tree(tokens, at + 1, &[], &mut found);
    }
    found
}

/// One tree of a `use` item; answers where it ends.
fn tree(tokens: &[(usize, String)], mut at: usize, before: &[String], found: &mut Vec<(usize, Path, Option<String>)>) -> usize {
    let mut path = before.to_vec();
    loop {
        let Some((line, token)) = tokens.get(at) else { return at };
        match token.as_str() {
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|(_, token)| token != "}") {
                    at = tree(tokens, at, &path, found);
                    at += usize::from(tokens.get(at).is_some_and(|(_, token)| token == ","));
                }
                return at + 1;
            }
            "," | "}" | ";" => {
                return at;
            }
            segment => path.push(segment.to_owned()),
        }
        at += 1;
        match tokens.get(at).map(|(_, token)| token.as_str()) {
            Some("::") => at += 1,
            Some("as") => {
                let alias = tokens.get(at + 1).map(|(_, alias)| alias.clone());
                found.push((*line, path, alias));
                return at + 2;
            }
            _ => {
                found.push((*line, path, None));
                return at;
            }
        }
    }
}

/// The paths in code that have more than one segment, each with its line.
fn paths(tokens: &[(usize, String)]) -> Vec<(usize, Path)> {
    let is_word = |at: usize| tokens.get(at).is_some_and(|(_, token)| token.starts_with(|char: char| char.is_alphabetic() || char == '_'));
    let is = |at: usize, text: &str| tokens.get(at).is_some_and(|(_, token)| token == text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is(at, "use") {
            while at < tokens.len() && !is(at, ";") {
                at += 1;
            }
        }
        let begins = is_word(at) && is(at + 1, "::") && (at == 0 || !is(at - 1, "::"));
        if !begins {
            at += 1;
            continue;
        }
        let line = tokens[at].0;
        let mut path = vec![tokens[at].1.clone()];
        at += 1;
        while is(at, "::") && is_word(at + 1) {
            path.push(tokens[at + 1].1.clone());
            at += 2;
        }
        if path.len() > 1 {
            found.push((line, path));
        }
    }
    found
}

#[test]
fn what_a_file_names_is_read_in_every_form() {
    let text = r#"
use crate::{
    auth::Keys, // crate::commented::out
    objects::{rig as core, store::sql::{self, Sql}},
};
pub(super) use super::super::contract::ids::*;
use base::time::Timestamp;
mod rows;
fn f<'a>(x: &'a str) { core::beads::find("crate::in::text", '"', '\'', sql::query); Timestamp::new(); gastown_mcp::tools::TOOLS; some_base::y; rows::ALL }
#[cfg(test)]
mod tests { use crate::edge::Edge; }
"#;
    let read = |file: &str| -> Vec<String> {
        named(file, text).into_iter().map(|named| format!("{} {}", named.line, named.path.join("::"))).collect()
    };
    assert_eq!(
        read("src/tools/agent/bead.rs"),
        [
            "3 auth::Keys",
            "4 objects::rig",
            "4 objects::store::sql",
            "4 objects::store::sql::Sql",
            "6 tools::contract::ids",
            "7 base::time::Timestamp",
            "9 objects::rig::beads::find",
            "9 objects::store::sql::query",
            "9 base::time::Timestamp::new",
            "9 tools::TOOLS",
            "9 tools::agent::bead::rows::ALL",
        ]
    );
    // Of a file one folder deeper `super` leads elsewhere, and a package's own paths stay in it.
    assert!(read("src/tools/bead.rs").contains(&"6 contract::ids".to_owned()));
    assert!(read("src/mcp/methods/tools.rs").contains(&"3 mcp::auth::Keys".to_owned()));
    assert_eq!(module("src/objects/rig/mod.rs"), ["objects", "rig"]);
}
