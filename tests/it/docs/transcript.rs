//! The transcript in the README: one bead from `sling` to `merged`, recorded from the tools' own answers.
//!
//! Owns which calls are made and which fields of their answers are shown.

use crate::support::client::Client;
use crate::support::expect::section;
use crate::support::{Fleet, Town, tokens};
use gastown_mcp::contract::ids::BeadId;
use gastown_mcp::contract::shapes::Agent;
use gastown_mcp::rpc::table::GET_OR_CREATE_AGENT;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Characters of an id that are shown.
const ID_CHARS: usize = 8;

/// What was called and answered, as the README shows it.
struct Transcript(String);

impl Transcript {
    /// Calls a tool and writes down the call and the named fields of its answer, `bead.id` for a field of a field.
    fn call(&mut self, who: &str, client: &Client, tool: &str, arguments: &Value, shown: &[&str]) -> Value {
        let result = client.call(tool, arguments);
        let answer = result["structuredContent"].clone();
        assert!(answer.is_object() && result["isError"] != true, "{tool}: {result}");
        let arguments = arguments.to_string().replace("\":", "\": ").replace(",\"", ", \"");
        _ = writeln!(self.0, "{who:<12} {tool} {}", short(&arguments));
        for name in shown {
            let field = answer.pointer(&format!("/{}", name.replace('.', "/"))).unwrap_or_else(|| panic!("{tool} {name}: {answer}"));
            let field = field.as_str().map_or_else(|| field.to_string(), str::to_owned);
            _ = writeln!(self.0, "{:>15}{name}: {}", "→ ", short(&field));
        }
        answer
    }
}

/// The text with its ids cut short.
fn short(text: &str) -> String {
    let is_part = |next: char| next.is_ascii_hexdigit() || next == '-';
    let pieces = text.split_inclusive(|next: char| !is_part(next)).map(|piece| {
        let (word, end) = piece.split_at(piece.trim_end_matches(|next: char| !is_part(next)).len());
        if BeadId::parse(word).is_ok() { format!("{}…{end}", &word[..ID_CHARS]) } else { piece.to_owned() }
    });
    pieces.collect()
}

#[test]
fn the_readme_shows_a_bead_from_sling_to_merged_as_the_tools_answer() {
    let town = Town::new(&Fleet::new(), 1);
    let rig = town.add_rig("web", 2);
    let refinery: Agent = town.fleet.ask(&rig.at, &GET_OR_CREATE_AGENT, ("refinery", Value::Null), &town.owner()).unwrap();
    town.fleet.settle();
    let coordinator = Client::of(&town, &town.owner());
    let reviewer = Client::of(&town, &tokens::refinery(&town.fleet, &town.id, &rig.id, &refinery.id));
    let mut said = Transcript(String::new());

    let task = json!({"rig": "web", "title": "Add GET /health that answers the version"});
    let shown = ["bead.id", "bead.status", "agent.name", "agent.branch"];
    let slung = said.call("coordinator", &coordinator, "sling", &task, &shown);
    let bead = slung["bead"]["id"].as_str().unwrap();
    let polecat = town.agents(&rig).into_iter().find(|agent| agent.name == "Toast").unwrap();
    let worker = Client::of(&town, &town.polecat(&rig, &polecat.id));
    let primed = said.call("Toast", &worker, "gt_prime", &json!({}), &["instructions"]);
    let finished = json!({"branch": primed["branch"], "summary": "Route and test are pushed."});
    said.call("Toast", &worker, "gt_done", &finished, &["summary"]);
    town.fleet.settle();
    said.call("refinery", &reviewer, "gt_prime", &json!({}), &["hooked_bead.type", "branch", "base_branch"]);
    let merged = json!({"status": "merged", "commit_sha": "4f2c9ab", "base_commit": "77d01e3"});
    said.call("refinery", &reviewer, "gt_review_complete", &merged, &["summary"]);
    town.fleet.settle();
    let ended = said.call("coordinator", &coordinator, "wait_for", &json!({"bead": bead}), &["done", "status"]);
    said.call("coordinator", &coordinator, "get_bead", &json!({"rig": "web", "bead": bead}), &["bead.status", "bead.merge_commit"]);
    assert_eq!((&ended["done"], &ended["status"]), (&json!(true), &json!("merged")));
    assert_eq!(town.fleet.take_faults(), Vec::<String>::new());
    section("README.md", "transcript", &format!("```text\n{}```\n", said.0));
}
