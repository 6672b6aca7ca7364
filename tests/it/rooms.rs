//! Dependencies between the rooms of the source point down, and modules import each other in circles only where one thing is
//! spread over several files: computed from what the files name.

mod imports;

use super::tidy::{none, sources};
use imports::{Named, modules, named};
use std::collections::{BTreeMap, BTreeSet};

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
    ("shell", &["base", "contract", "auth", "rpc", "store", "objects", "cache", "edge"]),
    ("runner", &["base"]),
];

/// Files that put rooms together, with the rooms that they may name besides their own room's.
const COMPOSITION: &[(&str, &[&str])] = &[("src/objects/handlers.rs", &["rig", "town", "registry", "session"])];

/// Rooms that are a folder inside another.
const CORES: &[&str] = &["registry", "rig", "town", "session", "store"];

/// Where modules may import each other in a circle, because they are one thing in several files: all files of the circle
/// begin with one of these.
const WHOLES: &[&str] = &["src/objects/rig/", "src/objects/town/", "src/objects/session/", "src/tools/", "src/edge/"];

/// The room of a module; `None` for the fixture of the conformance suite, which stands above all rooms.
fn room(module: &[String]) -> Option<&str> {
    let mut parts = module.iter().map(String::as_str);
    let first = parts.next()?;
    let core = parts.next().filter(|core| first == "objects" && CORES.contains(core));
    core.or_else(|| ROOMS.iter().map(|(name, _)| *name).find(|name| *name == first))
}

#[test]
fn dependencies_between_rooms_point_down() {
    let mut wrong = Vec::new();
    for (file, text) in &sources() {
        let module = imports::module(file);
        let Some(own) = room(&module) else { continue };
        let may = ROOMS.iter().find(|(name, _)| *name == own).map(|(_, may)| *may).unwrap();
        let extra = COMPOSITION.iter().find(|(name, _)| name == file).map_or(&[][..], |(_, rooms)| *rooms);
        for Named { line, path, .. } in named(file, text) {
            let Some(named) = room(&path).filter(|named| *named != own) else { continue };
            if !may.contains(&named) && !extra.contains(&named) {
                wrong.push(format!("{file}:{line}: {}", path.join("::")));
            }
        }
    }
    none("a room names only rooms below it", &wrong);
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

/// The files that each file names, without those of tests and fixtures. That a file says what its folder holds does not count.
fn graph() -> BTreeMap<String, BTreeSet<String>> {
    let is_product = |file: &str| !["/tests", "/fixture", "/fuzz", "src/conformance"].iter().any(|part| file.contains(part));
    let sources: Vec<(String, String)> = sources().into_iter().filter(|(file, _)| is_product(file)).collect();
    let modules = modules(sources.iter().map(|(file, _)| file.as_str()));
    let mut graph = BTreeMap::new();
    for (file, text) in &sources {
        // The longest part of a path that is a module is the file that it leads to.
        let target = |path: Vec<String>| (1..=path.len()).rev().find_map(|length| modules.get(&path[..length]).cloned());
        let targets = named(file, text).into_iter().filter(|named| !named.is_own_part).filter_map(|named| target(named.path));
        let targets = targets.filter(|target| target != file);
        graph.insert(file.clone(), targets.collect());
    }
    graph
}

/// Everything that can be reached from a file.
fn reached<'a>(graph: &'a BTreeMap<String, BTreeSet<String>>, from: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        for target in &graph[file] {
            if found.insert(target.as_str()) {
                next.push(target);
            }
        }
    }
    found
}

/// The files that import each other in a circle, one set for each.
fn circles(graph: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<BTreeSet<&str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = graph.keys().map(|file| (file.as_str(), reached(graph, file))).collect();
    let circle = |file: &&str| reached[file].iter().copied().filter(|other| reached[other].contains(file)).collect::<BTreeSet<&str>>();
    reached.keys().filter(|file| reached[*file].contains(*file)).map(circle).collect()
}

#[test]
fn modules_import_each_other_only_where_they_are_one_thing() {
    let graph = graph();
    let circles = circles(&graph);
    let is_whole = |circle: &BTreeSet<&str>, whole: &str| circle.iter().all(|file| file.starts_with(whole));
    let wrong: Vec<String> = circles
        .iter()
        .filter(|circle| !WHOLES.iter().any(|whole| is_whole(circle, whole)))
        .map(|circle| circle.iter().copied().collect::<Vec<_>>().join(" ↔ "))
        .collect();
    none("modules import each other", &wrong);
    let idle: Vec<String> = WHOLES
        .iter()
        .filter(|whole| !circles.iter().any(|circle| is_whole(circle, whole)))
        .map(|whole| format!("{whole} has no circle: take it off the list"))
        .collect();
    none("the list of circles is no longer than it must be", &idle);
}

#[test]
fn circles_are_found() {
    let graph = |edges: &[(&str, &[&str])]| -> BTreeMap<String, BTreeSet<String>> {
        edges.iter().map(|(from, to)| ((*from).to_owned(), to.iter().map(|to| (*to).to_owned()).collect())).collect()
    };
    let none = graph(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]);
    assert_eq!(circles(&none), BTreeSet::new());
    let one = graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]);
    assert_eq!(circles(&one), BTreeSet::from([BTreeSet::from(["b", "c"])]));
}
