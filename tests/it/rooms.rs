//! Dependencies between the rooms of the source point down: computed from what the files import.

use super::tidy::{code, none, sources};
use std::collections::BTreeMap;

/// The rooms from the bottom up, each with the rooms that it may name. A room that is missing in a list is out of reach.
const ROOMS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("mcp", &["base"]),
    ("contract", &["base"]),
    ("auth", &["base", "contract"]),
    ("rpc", &["base", "contract", "auth"]),
    ("store", &["base"]),
    ("objects", &["base", "contract", "auth", "rpc", "store"]),
    ("registry", &["base", "contract", "auth", "rpc", "store", "objects"]),
    ("rig", &["base", "contract", "auth", "rpc", "store", "objects"]),
    ("town", &["base", "contract", "auth", "rpc", "store", "objects"]),
    ("session", &["base", "mcp", "contract", "auth", "rpc", "store", "objects"]),
    ("cache", &["base", "mcp", "contract", "auth", "rpc"]),
    ("provision", &["base", "contract", "auth", "rpc"]),
    ("apps", &[]),
    ("tools", &["base", "mcp", "contract", "auth", "rpc", "cache", "provision", "apps"]),
    ("resources", &["base", "mcp", "contract", "auth", "rpc", "cache", "apps", "tools"]),
    ("prompts", &["base", "mcp", "contract", "auth", "rpc", "cache", "tools", "resources"]),
    ("edge", &["base", "mcp", "contract", "auth", "rpc", "cache", "provision", "apps", "tools", "resources", "prompts"]),
];

/// Files that put rooms together, with the rooms that they may name besides their own room's.
const COMPOSITION: &[(&str, &[&str])] = &[("src/objects/handlers.rs", &["rig", "town", "registry", "session"])];

/// Rooms that are a folder inside another.
const CORES: &[&str] = &["registry", "rig", "town", "session", "store"];

/// The room of a file; `None` for programs of the host and the shell, which stand above all rooms.
fn room(file: &str) -> Option<&str> {
    let mut parts = file.strip_prefix("src/")?.split('/');
    let first = parts.next()?.trim_end_matches(".rs");
    if first == "objects" {
        let second = parts.next()?.trim_end_matches(".rs");
        return Some(if CORES.contains(&second) { second } else { first });
    }
    ROOMS.iter().any(|(name, _)| *name == first).then_some(first)
}

/// The rooms that a file names, with the line of each.
fn named(file: &str, text: &str) -> Vec<(String, String)> {
    let own = room(file).unwrap_or_default();
    let in_package = own == "mcp" || own == "base";
    let mut found = Vec::new();
    for (number, line) in code(text) {
        for path in paths(line) {
            let mut segments = path.iter().map(String::as_str);
            let name = match segments.next() {
                Some("crate") if in_package => continue,
                Some("crate") => match segments.next() {
                    Some("objects") => segments.next().filter(|core| CORES.contains(core)).unwrap_or("objects"),
                    Some(first) => first,
                    None => continue,
                },
                Some(package @ ("base" | "mcp")) if path.len() > 1 => package,
                _ => continue,
            };
            if name != own && ROOMS.iter().any(|(room, _)| *room == name) {
                found.push((name.to_owned(), format!("{file}:{number}: {line}")));
            }
        }
    }
    found
}

/// The paths in a line of code, groups taken apart: `crate::{a::b, c}` names two.
fn paths(line: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for start in ["crate::", "base::", "mcp::"] {
        for (at, _) in line.match_indices(start) {
            let before = line[..at].chars().next_back();
            if before.is_some_and(|before| before.is_alphanumeric() || "_:".contains(before)) {
                continue;
            }
            let rest = &line[at..];
            match rest.split_once("::{") {
                Some((prefix, group)) if prefix.chars().all(|char| char.is_alphanumeric() || "_:".contains(char)) => {
                    let parts: Vec<String> = prefix.split("::").map(str::to_owned).collect();
                    for member in group.trim_end_matches(['}', ';']).split(',') {
                        let mut path = parts.clone();
                        path.extend(member.trim().split("::").map(str::to_owned));
                        found.push(path);
                    }
                }
                _ => {
                    let end = rest.find(|char: char| !(char.is_alphanumeric() || "_:".contains(char))).unwrap_or(rest.len());
                    found.push(rest[..end].split("::").map(str::to_owned).collect());
                }
            }
        }
    }
    found
}

#[test]
fn dependencies_between_rooms_point_down() {
    let mut wrong = Vec::new();
    for (file, text) in &sources() {
        let Some(own) = room(file) else { continue };
        let may = ROOMS.iter().find(|(name, _)| *name == own).map(|(_, may)| *may).unwrap();
        let extra = COMPOSITION.iter().find(|(name, _)| name == file).map_or(&[][..], |(_, rooms)| *rooms);
        wrong.extend(named(file, text).into_iter().filter(|(name, _)| !may.contains(&name.as_str()) && !extra.contains(&name.as_str())));
    }
    none("a room names only rooms below it", &wrong.into_iter().map(|(_, place)| place).collect::<Vec<_>>());
}

#[test]
fn the_list_of_rooms_has_no_circle() {
    let height: BTreeMap<&str, usize> = ROOMS.iter().enumerate().map(|(index, (name, _))| (*name, index)).collect();
    for (room, may) in ROOMS {
        for below in *may {
            assert!(height[below] < height[room], "{room} may name {below}, which is not below it");
        }
    }
}

/// The protocol's modules, each with those of its own folder that it names. `methods` is one module to all others; the table
/// in its `mod.rs` and the handlers beside it name each other by design.
fn modules_of_the_protocol() -> BTreeMap<String, Vec<String>> {
    let mut modules: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, text) in sources() {
        let Some(name) = file.strip_prefix("src/mcp/").and_then(|name| name.strip_suffix(".rs")) else { continue };
        let handler = name.strip_prefix("methods/").filter(|name| *name != "mod");
        if name == "lib" || (name.contains('/') && !name.starts_with("methods/")) {
            continue;
        }
        for (_, line) in code(&text) {
            let siblings = line.strip_prefix("use super::").filter(|_| handler.is_some()).map(|rest| format!("crate::{rest}"));
            let from =
                if siblings.is_some() { format!("methods/{}", handler.unwrap()) } else { name.split('/').next().unwrap().to_owned() };
            let prefix = if siblings.is_some() { "methods/" } else { "" };
            for path in paths(siblings.as_deref().unwrap_or(line)).iter().filter(|path| path[0] == "crate" && path.len() > 1) {
                let to = format!("{prefix}{}", path[1].trim_end_matches([';', '}']));
                if to != from {
                    modules.entry(from.clone()).or_default().push(to);
                }
            }
        }
    }
    modules
}

#[test]
fn modules_of_the_protocol_have_no_circle() {
    let mut modules = modules_of_the_protocol();
    assert!(modules["methods"].contains(&"request".to_owned()) && modules["methods/tools"].contains(&"methods/tasks".to_owned()));
    // Whoever names nobody that is left is at the bottom and is taken away; a circle has no bottom.
    loop {
        let named: Vec<String> = modules.keys().cloned().collect();
        let before = modules.len();
        modules.retain(|_, below| below.iter().any(|name| named.contains(name)));
        if modules.len() == before {
            break;
        }
    }
    assert!(modules.is_empty(), "these name each other in a circle: {modules:#?}");
}

#[test]
fn paths_in_groups_are_read() {
    let read = paths("use crate::{auth::Keys, objects::rig};");
    assert_eq!(read, [vec!["crate", "auth", "Keys"], vec!["crate", "objects", "rig"]]);
    assert_eq!(paths("let x = base::time::Timestamp::new(some_base::y);"), [vec!["base", "time", "Timestamp", "new"]]);
}
