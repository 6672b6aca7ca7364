//! The settings of a town and of a rig: every key with its kind and limits (Gastown
//! contract 3.9).
//!
//! Owns these two tables and their one check. `config` and `rig_config` merge and store the values.

use crate::contract::formulas;
use crate::contract::limits::rig::POLECATS_PER_RIG_MAX;
use crate::contract::watch;
use base::error::{Code, Refusal};
use serde_json::{Map, Value};

/// Longest custom instructions, in characters.
const INSTRUCTIONS_CHARS_MAX: usize = 2_000;
/// Longest name of a model, an author or an address, in characters.
const NAME_CHARS_MAX: usize = 300;
/// Longest secret that is not an environment variable, in characters.
const SECRET_CHARS_MAX: usize = 4_096;
/// Most gates of a refinery, and most characters of one.
const GATES_MAX: usize = 50;
const GATE_CHARS_MAX: usize = 1_000;

/// A setting and its kind.
pub(super) struct Setting {
    pub(super) name: &'static str,
    kind: Kind,
}

enum Kind {
    /// True or false.
    Flag,
    /// A text of at most so many characters.
    Text(usize),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number from and to.
    Whole(i64, i64),
    /// Minutes, or null for never.
    Minutes,
    /// Commands.
    Gates,
    /// Environment variables.
    Variables,
    /// Formulas of the town's own.
    Formulas,
    /// Thresholds of the watch.
    Watch,
    /// An object of settings.
    Fields(&'static [Setting]),
}

use Kind::{Fields, Flag, Formulas, Gates, Minutes, Text, Variables, Watch, Whole, Word};

const fn setting(name: &'static str, kind: Kind) -> Setting {
    Setting { name, kind }
}

/// The purpose of a rig, as its Mayor is told; in characters.
const PURPOSE_CHARS_MAX: usize = 200;
const MODEL: Kind = Text(NAME_CHARS_MAX);
const INSTRUCTIONS: Kind = Text(INSTRUCTIONS_CHARS_MAX);
const SECRET: Kind = Text(SECRET_CHARS_MAX);
const MERGE_STRATEGY: Kind = Word(&["direct", "pr"]);
const MERGE_MODE: Kind = Word(&["review-then-land", "review-and-merge"]);
const REVIEW_MODE: Kind = Word(&["rework", "comments"]);

/// The settings of a town. Its owner is no setting.
pub(super) static TOWN: &[Setting] = &[
    setting("env_vars", Variables),
    setting(
        "git_auth",
        Fields(&[
            setting("github_token", SECRET),
            setting("gitlab_token", SECRET),
            setting("gitlab_instance_url", Text(NAME_CHARS_MAX)),
            setting("platform_integration_id", Text(NAME_CHARS_MAX)),
        ]),
    ),
    setting("formulas", Formulas),
    setting("watch", Watch),
    setting("kilocode_token", SECRET),
    setting("default_model", MODEL),
    setting("role_models", Fields(&[setting("mayor", MODEL), setting("refinery", MODEL), setting("polecat", MODEL)])),
    setting("small_model", MODEL),
    setting("max_polecats_per_rig", Whole(1, POLECATS_PER_RIG_MAX)),
    setting("merge_strategy", MERGE_STRATEGY),
    setting(
        "refinery",
        Fields(&[
            setting("gates", Gates),
            setting("auto_merge", Flag),
            setting("require_clean_merge", Flag),
            setting("code_review", Flag),
            setting("review_mode", REVIEW_MODE),
            setting("auto_resolve_pr_feedback", Flag),
            setting("auto_resolve_merge_conflicts", Flag),
            setting("auto_merge_delay_minutes", Minutes),
        ]),
    ),
    setting("alarm_interval_active", Whole(5, 600)),
    setting("alarm_interval_idle", Whole(30, 3_600)),
    setting("container", Fields(&[setting("sleep_after_minutes", Whole(5, 120))])),
    setting("staged_convoys_default", Flag),
    setting("convoy_merge_mode", MERGE_MODE),
    setting("github_cli_pat", SECRET),
    setting("git_author_name", Text(NAME_CHARS_MAX)),
    setting("git_author_email", Text(NAME_CHARS_MAX)),
    setting("disable_ai_coauthor", Flag),
    setting(
        "custom_instructions",
        Fields(&[setting("polecat", INSTRUCTIONS), setting("refinery", INSTRUCTIONS), setting("mayor", INSTRUCTIONS)]),
    ),
];

/// The settings that a rig may override.
pub(super) static RIG: &[Setting] = &[
    setting("purpose", Text(PURPOSE_CHARS_MAX)),
    setting("default_model", MODEL),
    setting("role_models", Fields(&[setting("polecat", MODEL), setting("refinery", MODEL)])),
    setting("review_mode", REVIEW_MODE),
    setting("code_review", Flag),
    setting("auto_resolve_pr_feedback", Flag),
    setting("auto_resolve_merge_conflicts", Flag),
    setting("auto_merge_delay_minutes", Minutes),
    setting("merge_strategy", MERGE_STRATEGY),
    setting("convoy_merge_mode", MERGE_MODE),
    setting("custom_instructions", Fields(&[setting("polecat", INSTRUCTIONS), setting("refinery", INSTRUCTIONS)])),
    setting("git_push_flags", Text(NAME_CHARS_MAX)),
    setting("max_concurrent_polecats", Whole(1, POLECATS_PER_RIG_MAX)),
    setting("max_dispatch_attempts", Whole(1, 100)),
];

/// Checks the value of one of `settings`, which stand below the setting `parent` (empty at the top). `of` names their owner.
///
/// # Errors
/// `InvalidArgument` with the allowed values, or the known settings.
pub(super) fn check(of: &str, settings: &[Setting], parent: &str, name: &str, value: &Value) -> Result<(), Refusal> {
    let path = if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") };
    if let Some(setting) = settings.iter().find(|setting| setting.name == name) {
        return check_kind(of, &path, &setting.kind, value);
    }
    let known: Vec<&str> = settings.iter().map(|setting| setting.name).collect();
    let refusal = Refusal::new(Code::InvalidArgument, format!("{path} is not a setting of {of}"));
    Err(refusal.hint(format!("Settings: {}.", known.join(", "))))
}

fn check_kind(of: &str, path: &str, kind: &Kind, value: &Value) -> Result<(), Refusal> {
    let text = value.as_str();
    let (fits, allowed) = match kind {
        Flag => (value.is_boolean(), "true or false".to_owned()),
        Text(most) => (text.is_some_and(|text| text.chars().count() <= *most), format!("a text of at most {most} characters")),
        Word(words) => (text.is_some_and(|text| words.contains(&text)), words.join(" or ")),
        Whole(low, high) => {
            (value.as_i64().is_some_and(|number| (*low..=*high).contains(&number)), format!("a whole number from {low} to {high}"))
        }
        Minutes => (value.is_null() || value.as_u64().is_some(), "a whole number of minutes, or null for never".to_owned()),
        Gates => (
            value.as_array().is_some_and(|gates| {
                gates.len() <= GATES_MAX
                    && gates.iter().all(|gate| gate.as_str().is_some_and(|gate| gate.chars().count() <= GATE_CHARS_MAX))
            }),
            format!("a list of at most {GATES_MAX} texts of at most {GATE_CHARS_MAX} characters"),
        ),
        Variables => (value.as_object().is_some_and(is_variables), "an object of texts; names like NAME_1, not GASTOWN_…".to_owned()),
        Formulas => return formulas::check::check(value),
        Watch => return watch::check(value),
        Fields(fields) => match value.as_object() {
            Some(object) => return object.iter().try_for_each(|(name, value)| check(of, fields, path, name, value)),
            None => (false, "an object".to_owned()),
        },
    };
    if fits { Ok(()) } else { Err(Refusal::new(Code::InvalidArgument, format!("{path} must be {allowed}"))) }
}

/// Names like those of a shell; those that begin with `GASTOWN_` are Gastown's own.
fn is_variables(variables: &Map<String, Value>) -> bool {
    variables.iter().all(|(name, value)| {
        let legal = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let starts = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
        value.is_string() && legal && starts && !name.starts_with("GASTOWN_")
    })
}
