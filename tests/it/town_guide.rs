//! `docs/towns.md`, the guide to towns: what of it is printed from the code, and whether its words are the code's.

use crate::support::expect::section;
use crate::support::{Town, refusal};
use gastown_mcp::contract::formulas::built_in::of_quality;
use gastown_mcp::contract::limits;
use gastown_mcp::contract::outcome::Outcome;
use gastown_mcp::contract::shapes::{ConvoyEntry, ConvoyFlag, Quality};
use gastown_mcp::contract::watch::{THRESHOLDS, WatchSettings};
use gastown_mcp::objects::registry::towns::TOWNS_MAX;
use gastown_mcp::objects::rig::agents::{agent_events, completion, status};
use gastown_mcp::objects::rig::assignment::sling;
use gastown_mcp::objects::rig::beads::{dependencies, lifecycle, molecules};
use gastown_mcp::objects::rig::messages::{mail, nudges};
use gastown_mcp::objects::rig::reviews::landing;
use gastown_mcp::objects::rig::{messages, retention};
use gastown_mcp::objects::town::mayor::{mail as mayor_mail, reading};
use gastown_mcp::objects::town::rigs::pause;
use gastown_mcp::objects::town::views::{feed, viewers};
use gastown_mcp::objects::town::{convoys, escalations};
use gastown_mcp::rpc::call::read_reply;
use gastown_mcp::rpc::table::{METHODS, Object};
use gastown_mcp::tools::TOOLS;
use gastown_mcp::tools::coordinator::convoys::Phase;
use serde_json::{Value, json};
use std::fmt::{Display, Write as _};
use std::fs;

const GUIDE: &str = "docs/towns.md";

fn guide() -> String {
    fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(GUIDE)).unwrap()
}

#[test]
fn the_guide_shows_the_life_of_a_bead_as_the_code_has_it() {
    section(GUIDE, "life", &format!("```mermaid\n{}```\n", lifecycle::diagram()));
}

#[test]
fn the_guide_shows_the_steps_and_gates_of_every_quality() {
    let mut table = "| quality | for | steps, gates in bold |\n|---|---|---|\n".to_owned();
    for quality in Quality::ALL {
        let step =
            |step: &gastown_mcp::contract::shapes::FormulaStep| if step.gate { format!("**{}**", step.title) } else { step.title.clone() };
        let steps: Vec<String> = of_quality(*quality).steps.iter().map(step).collect();
        _ = writeln!(table, "| `{}` | {} | {} |", quality.as_str(), quality.purpose(), steps.join(", "));
    }
    section(GUIDE, "formulas", &table);
}

#[test]
fn the_guide_explains_every_flag_of_convoys_in_their_order() {
    let text = guide();
    let row = |flag: &ConvoyFlag| text.find(&format!("| `{}` |", flag.as_str())).unwrap_or_else(|| panic!("no row {}", flag.as_str()));
    let rows: Vec<usize> = ConvoyFlag::ALL.iter().map(row).collect();
    assert!(rows.is_sorted(), "{rows:?}");
}

// And every tool that it names is marked when it is not shown to everybody.
#[test]
fn the_guide_marks_the_tools_that_are_shown_on_request() {
    let text = guide();
    for tool in TOOLS {
        let named = format!("`{}`", tool.name);
        for (at, _) in text.match_indices(&named) {
            assert_eq!(text[at + named.len()..].starts_with('⁺'), !tool.by_default, "{}", tool.name);
        }
    }
    for (at, _) in text.match_indices("`⁺") {
        let word = text[..at].rsplit('`').next().unwrap();
        assert!(TOOLS.iter().any(|tool| tool.name == word), "{word}");
    }
}

// The words are those of `convoy_status` and of `wait_for`; a convoy that is deleted has no state.
#[test]
fn the_guides_convoys_go_through_the_phases_that_the_code_knows() {
    let text = guide();
    let (_, diagram) = text.split_once("<!-- phases:").unwrap();
    let (_, diagram) = diagram.split_once("```mermaid\n").unwrap();
    let (diagram, _) = diagram.split_once("```").unwrap();
    let schema = serde_json::to_value(schemars::schema_for!(Phase)).unwrap();
    let mut words: Vec<String> = schema["enum"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect();
    assert_eq!(words.len(), 5);
    for (state, closed, failed) in
        [(json!({"staged": true}), 0, 0), (json!({}), 0, 0), (json!({}), 2, 0), (json!({}), 1, 1), (json!({"status": "landed"}), 2, 0)]
    {
        words.push(outcome(&state, closed, failed));
    }
    words.push(outcome(&json!({"status": "landed", "forced_at": "2026-01-01T00:00:00.000Z"}), 1, 1));
    for word in &words {
        let is_state = |line: &str| line.split_whitespace().any(|part| part.trim_end_matches(':') == word);
        assert!(diagram.lines().any(is_state), "{word}");
    }
    for state in diagram.lines().filter(|line| line.contains("-->")).flat_map(|line| line.split(':').next().unwrap().split("-->")) {
        assert!(state.trim() == "[*]" || words.iter().any(|word| word == state.trim()), "{state}");
    }
}

/// What is said of a convoy of two beads.
fn outcome(state: &Value, closed: i64, failed: i64) -> String {
    let mut entry = json!({
        "id": "00000000-0000-4000-8000-000000000000", "title": "t", "status": "active", "staged": false, "total_beads": 2,
        "closed_beads": closed, "failed_beads": failed, "created_by": null, "created_at": "2026-01-01T00:00:00.000Z", "landed_at": null,
        "feature_branch": null, "merge_mode": null, "landings": "[]", "flags": "[]"
    });
    entry.as_object_mut().unwrap().extend(state.as_object().unwrap().clone());
    let entry: ConvoyEntry = serde_json::from_value(entry).unwrap();
    Outcome::of_convoy(&entry).told["status"].as_str().unwrap().to_owned()
}

/// A number as people write it.
fn count(number: impl Display) -> String {
    let digits = number.to_string();
    let (first, rest) = digits.split_at((digits.len() - 1) % 3 + 1);
    rest.as_bytes().chunks(3).fold(first.to_owned(), |text, three| text + "," + std::str::from_utf8(three).unwrap())
}

fn bytes(number: usize) -> String {
    if number.is_multiple_of(1024) { format!("{} KiB", number / 1024) } else { format!("{} bytes", count(number)) }
}

fn time(millis: i64) -> String {
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000);
    match (hours / 24, hours, minutes) {
        (days @ 2.., ..) => format!("{days} days"),
        (_, hours @ 1.., _) => format!("{hours} hours"),
        _ => format!("{minutes} minutes"),
    }
}

#[test]
fn the_guide_shows_every_limit_that_users_meet() {
    let rows = [
        ("towns of an owner; rigs of a town", format!("{}; {}", count(TOWNS_MAX), count(limits::rig::RIGS_MAX))),
        (
            "polecats of a rig (`max_polecats_per_rig`)",
            format!("{} unless configured, 1 to {}", limits::rig::POLECATS_PER_RIG_DEFAULT, limits::rig::POLECATS_PER_RIG_MAX),
        ),
        ("name of a town or rig", format!("{} characters", limits::rig::NAME_CHARS_MAX)),
        ("title; body", format!("{} characters; {}", limits::bead::TITLE_CHARS_MAX, bytes(limits::bead::BODY_BYTES_MAX))),
        ("labels of a bead", format!("{}, each {} characters", limits::bead::LABELS_MAX, limits::bead::LABEL_CHARS_MAX)),
        ("metadata of a bead", format!("{}, {} levels", bytes(limits::bead::METADATA_BYTES_MAX), limits::bead::METADATA_LEVELS_MAX)),
        ("`args`", bytes(limits::bead::ARGS_BYTES_MAX)),
        ("beads that one bead waits for", format!("{}; {} in one `sling`", dependencies::BLOCKERS_MAX, sling::DEPENDS_ON_MAX)),
        ("attempts before a bead fails", completion::DISPATCH_ATTEMPTS_MAX.to_string()),
        ("tasks of one `sling_batch`; beads of a convoy", format!("{}; {}", limits::convoy::TASKS_MAX, convoys::MEMBERS_MAX)),
        ("failed attempts before a landing is given up", landing::ATTEMPTS_MAX.to_string()),
        ("formulas of a town; steps of a formula", format!("{}; {}", limits::formula::FORMULAS_MAX, limits::formula::STEPS_MAX)),
        (
            "text of a step; value of a variable",
            format!("{} characters; {}", count(limits::formula::STEP_CHARS_MAX), bytes(limits::formula::VALUE_BYTES_MAX)),
        ),
        ("a worker's summary of a step", format!("{} characters", count(molecules::SUMMARY_CHARS_MAX))),
        ("subject; body of mail", format!("{} characters; {}", mail::SUBJECT_CHARS_MAX, bytes(mail::BODY_BYTES_MAX))),
        ("a nudge", format!("{}, kept {} at most", bytes(nudges::NUDGE_BYTES_MAX), time(nudges::TTL_SECONDS_MAX * 1_000))),
        ("unread messages of an agent, per channel", count(messages::WAITING_MAX)),
        ("read messages are kept", time(messages::READ_KEPT_MILLIS)),
        ("a message to the Mayor; unread messages", format!("{}; {}", bytes(mayor_mail::MESSAGE_BYTES_MAX), count(mayor_mail::UNREAD_MAX))),
        ("a reply of the Mayor; replies to one message", format!("{}; {}", bytes(reading::REPLY_BYTES_MAX), reading::REPLIES_MAX)),
        ("messages that the Mayor has read or answered", format!("the {} that changed last", count(reading::SETTLED_MAX))),
        (
            "an escalation; open escalations of a town",
            format!("{}; {}", bytes(escalations::MESSAGE_BYTES_MAX), count(escalations::OPEN_MAX)),
        ),
        (
            "an escalation is raised again",
            format!("after {}, {} times", time(WatchSettings::default().re_escalate_seconds * 1_000), escalations::RAISED_AGAIN_MAX),
        ),
        ("acknowledged escalations that are kept", count(escalations::ACKNOWLEDGED_KEPT)),
        ("an agent's status line", format!("{} characters", status::MESSAGE_CHARS_MAX)),
        ("events of a rig", format!("{}, at most {}", time(retention::KEEP_MILLIS), count(retention::EVENTS_MAX))),
        ("events of an agent", count(agent_events::EVENTS_MAX)),
        ("entries of a town's own feed", count(feed::ENTRIES_MAX)),
        ("a drain", time(pause::DRAIN_MILLIS_MAX)),
        ("WebSockets on a town's status", viewers::SOCKETS_MAX.to_string()),
    ];
    let mut table = "| of | limit |\n|---|---|\n".to_owned();
    for (what, limit) in rows {
        _ = writeln!(table, "| {what} | {limit} |");
    }
    section(GUIDE, "limits", &table);
}

#[test]
fn the_guide_shows_every_threshold_of_the_watch() {
    let mut table = "| threshold | default | reached |\n|---|---|---|\n".to_owned();
    for threshold in THRESHOLDS {
        let default =
            if threshold.name.ends_with("_seconds") { format!("{} s", count(threshold.default)) } else { count(threshold.default) };
        _ = writeln!(table, "| `{}` | {default} | {} |", threshold.name, threshold.about);
    }
    section(GUIDE, "watch", &table);
}

#[test]
fn the_guide_lists_every_method_that_embedded_towns_do_not_have() {
    let (town, rig) = Town::with_rig();
    let owner = serde_json::to_string(&town.owner()).unwrap();
    let mut table = "| method | why | instead |\n|---|---|---|\n".to_owned();
    for method in METHODS.iter().filter(|method| method.is_unsupported) {
        let (to, object) = if method.object == Object::Rig { (&rig.at, "rig") } else { (&town.at, "town") };
        let args = Value::from(vec![Value::Null; method.params.len()]).to_string();
        let refused = refusal(read_reply(&town.fleet.raw(to, method.name, &args, &owner)).map(str::to_owned));
        let why = refused.message.split_once(": ").unwrap().1;
        _ = writeln!(table, "| `{}` of the {object} | {why} | {} |", method.name, refused.hint.unwrap());
    }
    section(GUIDE, "unsupported", &table);
}
