//! The two ways a call can fail once it has been understood: it is refused, or something broke.
//!
//! Owns `Refusal` (expected; its text is written for the caller, who can act on it) and `Fault` (a bug or an
//! outage; its cause is for the log and never leaves). Protocol errors belong to `mcp`.

pub use crate::hint::{Hint, ToolKey};
use crate::subject;
pub use crate::subject::Subject;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a call was refused. A closed set: clients and tests match on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// No token, or one that cannot be trusted.
    Unauthenticated,
    /// The token is good, but not for this town, role or operation.
    Forbidden,
    /// The thing named does not exist (or is not visible to this caller).
    NotFound,
    /// An argument is missing, malformed or out of range.
    InvalidArgument,
    /// The state of the thing does not allow it, or somebody else holds it.
    Conflict,
    /// This idempotency key was used before with other arguments.
    IdempotencyConflict,
    /// The operation is known but this town does not have it.
    Unsupported,
    /// A part did not answer in time; trying again may work.
    Unavailable,
}

/// An expected refusal. `message` says what is wrong and what is allowed, `hint` names the next call to make, `about` says the
/// same to code: whoever tells refusals apart does it by `code` and `about`, never by the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What kind of refusal.
    pub code: Code,
    /// What is wrong. The contract's own wording where it has one.
    pub message: String,
    /// What to do next; tools have the names of coordinators in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What it is about, where somebody tells it apart.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "subject")]
    pub about: Option<Subject>,
    /// Where the hint names tools: first byte and length of each name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tools: Vec<(usize, usize)>,
}

impl Refusal {
    /// A refusal without a hint.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, about: None, tools: Vec::new() }
    }

    /// `InvalidArgument` for one argument: `path` is where it stands (`tasks[1].title`), `problem` what is wrong with it.
    #[must_use]
    pub fn argument(path: &str, problem: impl fmt::Display) -> Self {
        Self::of_argument(Code::InvalidArgument, path, problem)
    }

    /// The same with another code.
    #[must_use]
    pub fn of_argument(code: Code, path: &str, problem: impl fmt::Display) -> Self {
        let lead = if path.is_empty() { String::new() } else { format!("{path}: ") };
        Self::new(code, format!("{lead}{problem}")).about(Subject::Argument(path.to_owned()))
    }

    /// `NotFound` for `subject`.
    #[must_use]
    pub fn not_found(subject: Subject, message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message).about(subject)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        let Hint { text, tools } = hint.into();
        (self.hint, self.tools) = (Some(text), tools);
        self
    }

    /// Adds what it is about.
    #[must_use]
    pub fn about(mut self, subject: Subject) -> Self {
        self.about = Some(subject);
        self
    }

    /// The same with other words for what is wrong.
    #[must_use]
    pub fn reworded(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// The same about an argument that stands within another.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.message = format!("{outer}.{}", self.message);
        if let Some(Subject::Argument(path)) = &mut self.about {
            *path = format!("{outer}.{path}");
        }
        self
    }

    /// The same about the argument that its caller knows as `path`.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        if let Some(Subject::Argument(known)) = &mut self.about {
            self.message = format!("{path}{}", self.message.get(known.len()..).unwrap_or_default());
            path.clone_into(known);
        }
        self
    }

    /// What callers see of it, as JSON text: code, message and hint.
    #[must_use]
    pub fn shown(&self) -> String {
        #[derive(Serialize)]
        struct Shown<'a> {
            code: Code,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            hint: Option<&'a str>,
        }
        let shown = Shown { code: self.code, message: &self.message, hint: self.hint.as_deref() };
        serde_json::to_string(&shown).unwrap_or_else(|_| self.message.clone())
    }

    /// The same with the tools of its hint under other names; without the hint when one of them has none.
    #[must_use]
    pub fn with_tools(mut self, name: impl for<'a> Fn(&'a str) -> Option<&'a str>) -> Self {
        if self.tools.is_empty() {
            return self;
        }
        let hint = self.hint.take().unwrap_or_default();
        let tools = std::mem::take(&mut self.tools);
        match Hint::renamed(&hint, &tools, name) {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }
}

/// Something broke. `context` is logged beside an incident id; the caller sees the incident id only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    context: String,
    incident: Option<String>,
}

impl Fault {
    /// `doing` says which operation failed, `cause` is the error it met.
    #[must_use]
    pub fn new(doing: &str, cause: impl fmt::Display) -> Self {
        Self { context: format!("{doing}: {cause}"), incident: None }
    }

    /// A fault that another object has logged under `incident`.
    #[must_use]
    pub fn logged(incident: &str) -> Self {
        Self { context: "logged where it happened".to_owned(), incident: Some(incident.to_owned()) }
    }

    /// The incident id under which it is logged already.
    #[must_use]
    pub fn incident(&self) -> Option<&str> {
        self.incident.as_deref()
    }

    /// The full text, for the log only.
    #[must_use]
    pub fn log_text(&self) -> &str {
        &self.context
    }
}

/// Either of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Expected; tell the caller.
    Refused(Refusal),
    /// Unexpected; tell the log.
    Broke(Fault),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Broke(fault)
    }
}

/// Short for a refusal as a failure.
pub fn refuse(code: Code, message: impl Into<String>) -> Failure {
    Failure::Refused(Refusal::new(code, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hint;

    const LIST_RIGS: ToolKey = ToolKey("list_rigs");

    fn refusal() -> Refusal {
        Refusal::not_found(Subject::Rig("r".to_owned()), "Rig r not found").hint(hint!["Call ", LIST_RIGS, " to see list_rigs."])
    }

    #[test]
    fn a_refusal_travels_with_what_it_is_about_and_shows_its_text_only() {
        let text = serde_json::to_string(&refusal()).unwrap();
        assert_eq!(
            text,
            r#"{"code":"not_found","message":"Rig r not found","hint":"Call list_rigs to see list_rigs.","about":["rig","r"],"tools":[[5,9]]}"#
        );
        assert_eq!(serde_json::from_str::<Refusal>(&text).unwrap(), refusal());
        assert_eq!(refusal().shown(), r#"{"code":"not_found","message":"Rig r not found","hint":"Call list_rigs to see list_rigs."}"#);
    }

    #[test]
    fn a_refusal_of_another_version_is_read() {
        let old: Refusal = serde_json::from_str(r#"{"code":"conflict","message":"m","hint":"Call list_rigs."}"#).unwrap();
        assert_eq!(old, Refusal::new(Code::Conflict, "m").hint("Call list_rigs."));
        let new: Refusal = serde_json::from_str(r#"{"code":"conflict","message":"m","about":["comet","1"]}"#).unwrap();
        assert_eq!(new, Refusal::new(Code::Conflict, "m"));
    }

    #[test]
    fn every_subject_is_read_as_it_was_written() {
        use Subject::{Agent, Argument, Bead, Body, ClosingTown, Convoy, InitializedTown, Rig, Town};
        for of in [Rig, Bead, Convoy, Agent, Town, ClosingTown, InitializedTown, Argument, Body] {
            let refusal = Refusal::new(Code::Conflict, "m").about(of("x".to_owned()));
            assert_eq!(serde_json::from_str::<Refusal>(&serde_json::to_string(&refusal).unwrap()).unwrap(), refusal);
        }
    }

    #[test]
    fn a_hint_names_tools_as_its_reader_does_and_only_where_it_means_one() {
        let renamed = refusal().with_tools(|tool| if tool == "list_rigs" { Some("gt_list_rigs") } else { None });
        assert_eq!(renamed.hint.as_deref(), Some("Call gt_list_rigs to see list_rigs."));
        assert_eq!(refusal().with_tools(|_| None).hint, None);
        let plain = Refusal::new(Code::NotFound, "m").hint("Call list_rigs.");
        assert_eq!(plain.clone().with_tools(|_| Some("other")), plain);
    }

    #[test]
    fn a_place_in_the_text_that_is_none_loses_the_hint_and_nothing_else() {
        #[expect(clippy::unnecessary_wraps, reason = "as a reader without a name would answer none")]
        const fn same(tool: &str) -> Option<&str> {
            Some(tool)
        }
        let torn: Refusal = serde_json::from_str(r#"{"code":"conflict","message":"m","hint":"ä","tools":[[1,9]]}"#).unwrap();
        assert_eq!(torn.with_tools(same).hint, None);
    }

    #[test]
    fn an_argument_is_named_as_its_caller_knows_it() {
        let refusal = Refusal::of_argument(Code::NotFound, "rig", "no rig has that id");
        assert_eq!(refusal.message, "rig: no rig has that id");
        let renamed = refusal.at("rig_id").within("tasks[1]");
        assert_eq!(renamed.message, "tasks[1].rig_id: no rig has that id");
        assert_eq!(renamed.about, Some(Subject::Argument("tasks[1].rig_id".to_owned())));
        assert_eq!(Refusal::argument("", "missing field `x`").message, "missing field `x`");
    }
}
