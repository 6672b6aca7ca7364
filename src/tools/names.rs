//! How a connection calls tools.
//!
//! Owns the way from a tool's key to the name that a reader has for it: in sentences that are written here, in refusals that
//! objects wrote, and in calls that an answer offers. The tables are its caller's. Reads no text: a sentence either names a tool
//! by its key or names none.

use super::alias::Alias;
use super::tool::ToolDef;
use crate::contract::tool_keys::KEYS;
use base::error::{Refusal, Subject, ToolKey};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// What a connection reads for the tools of coordinators.
#[derive(Clone, Copy)]
pub struct Names {
    /// The reader's own tools, among them those that are a coordinator's under another name.
    rows: &'static [ToolDef],
    /// Whether a tool that the reader lacks is named all the same, for others to call.
    has_others: bool,
    /// Whether the connection is for one town, and its tools take no `town`.
    is_pinned: bool,
}

/// A call that the reader can make as it is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NextCall {
    tool: &'static str,
    arguments: Map<String, Value>,
    /// Who can make it, when the reader cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<&'static str>,
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Names").field("rows", &self.rows.len()).field("is_pinned", &self.is_pinned).finish_non_exhaustive()
    }
}

impl Names {
    /// Names as coordinators have them.
    #[must_use]
    pub const fn of_coordinators(is_pinned: bool) -> Self {
        Self { rows: &[], has_others: true, is_pinned }
    }

    /// Names as the Mayor has them, from its table. What is none of its tools it can ask a coordinator for.
    #[must_use]
    pub const fn of_mayors(rows: &'static [ToolDef], is_pinned: bool) -> Self {
        Self { rows, has_others: true, is_pinned }
    }

    /// Names as an agent has them, from its table. It is told of no tool that it lacks.
    #[must_use]
    pub const fn of_agents(rows: &'static [ToolDef]) -> Self {
        Self { rows, has_others: false, is_pinned: true }
    }

    /// The reader's name for a tool; the coordinators' where it has none.
    #[must_use]
    pub fn of(self, tool: ToolKey) -> &'static str {
        self.own(tool.0).unwrap_or(tool.0)
    }

    /// The reader's name for the tool with this key, if it has one.
    #[must_use]
    pub fn own(self, key: &str) -> Option<&'static str> {
        self.rows_of(key).next().map(|(row, _)| row.name)
    }

    /// A template with the reader's names in place of `{key}`. Other braces stay.
    #[must_use]
    pub fn text(self, template: &str) -> String {
        let mut text = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let key = after.split_once('}').and_then(|(key, _)| KEYS.iter().find(|known| known.0 == key));
            rest = if let Some(key) = key {
                text.push_str(self.of(*key));
                after.get(key.0.len() + 1..).unwrap_or_default()
            } else {
                text.push('{');
                after
            };
        }
        text + rest
    }

    /// A refusal of a call of `tool`, under the reader's names for tools and arguments. A hint that sends an agent to a tool
    /// that it lacks is left out.
    #[must_use]
    pub fn refusal(self, tool: &ToolDef, refusal: Refusal) -> Refusal {
        let path = match (&tool.alias, &refusal.about) {
            (Some(alias), Some(Subject::Argument(path))) => Some(alias.path_here(path)),
            _ => None,
        };
        let refusal = match path {
            Some(path) => refusal.at(&path),
            None => refusal,
        };
        self.hint(refusal)
    }

    /// A refusal under the reader's names for tools.
    #[must_use]
    pub fn hint(self, refusal: Refusal) -> Refusal {
        if self.rows.is_empty() {
            return refusal;
        }
        refusal.with_tools(|key| self.own(key).or(self.has_others.then_some(key)))
    }

    /// A call of a coordinator's tool, as the reader makes it. `arguments`: an object, with `town`.
    #[must_use]
    pub fn call(self, tool: ToolKey, arguments: Value) -> NextCall {
        let mut arguments = match arguments {
            Value::Object(arguments) => arguments,
            _ => Map::new(),
        };
        if self.is_pinned {
            arguments.remove("town");
        }
        if self.rows.is_empty() {
            return NextCall { tool: tool.0, arguments, who: None };
        }
        let own = self.rows_of(tool.0).find_map(|(row, alias)| Some((row.name, alias.arguments_here(&arguments)?)));
        match own {
            Some((tool, arguments)) => NextCall { tool, arguments, who: None },
            None => NextCall { tool: tool.0, arguments, who: Some("a coordinator: it is none of the Mayor's tools") },
        }
    }

    fn rows_of(self, key: &str) -> impl Iterator<Item = (&'static ToolDef, &'static Alias)> {
        self.rows.iter().filter_map(|row| Some((row, row.alias.as_ref()?))).filter(move |(_, alias)| alias.behind == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::tool_keys::{LIST_BEADS, LIST_RIGS, LIST_TOWNS, SLING, UPDATE_RIG};
    use crate::tools::profile::Profile;
    use crate::tools::{find, names};
    use base::error::Code;
    use base::hint;
    use serde_json::json;

    fn refusal() -> Refusal {
        let refusal = Refusal::of_argument(Code::NotFound, "rig", "no rig of this town has that id or name");
        refusal.hint(hint!["Call ", LIST_RIGS, "; «", "list_rigs", "» said so."])
    }

    #[test]
    fn a_refusal_names_tools_and_arguments_as_its_reader_does() {
        let tool = find(Profile::Mayor, "gt_sling").unwrap();
        let read = names(Profile::Mayor, true).refusal(tool, refusal());
        assert_eq!(read.message, "rig_id: no rig of this town has that id or name");
        assert_eq!(read.hint.as_deref(), Some("Call gt_list_rigs; «list_rigs» said so."));
        let tool = find(Profile::Coordinator, "sling").unwrap();
        assert_eq!(names(Profile::Coordinator, true).refusal(tool, refusal()), refusal());
    }

    #[test]
    fn an_agent_is_sent_to_no_tool_it_lacks_and_a_mayor_knows_whom_to_ask() {
        let tool = find(Profile::Polecat, "gt_done").unwrap();
        assert_eq!(names(Profile::Polecat, true).refusal(tool, refusal()).hint, None);
        let towns = Refusal::new(Code::NotFound, "m").hint(hint!["Call ", LIST_TOWNS, "."]);
        assert_eq!(names(Profile::Mayor, true).hint(towns).hint.as_deref(), Some("Call list_towns."));
    }

    #[test]
    fn a_template_is_read_by_key_and_nothing_else() {
        let mayor = names(Profile::Mayor, true);
        for (template, read) in [
            ("Call {list_beads} to see the ids.", "Call gt_list_beads to see the ids."),
            ("{get_bead} says why; `{sling}` gives one.", "gt_bead_status says why; `gt_sling` gives one."),
            ("list_beads, {town}, {} and {list_beads", "list_beads, {town}, {} and {list_beads"),
        ] {
            assert_eq!(mayor.text(template), read);
        }
        assert_eq!(names(Profile::Coordinator, false).text("{list_beads} of {town}"), "list_beads of {town}");
        assert_eq!(mayor.of(LIST_BEADS), "gt_list_beads");
        assert_eq!(mayor.of(UPDATE_RIG), "update_rig");
    }

    #[test]
    fn a_call_is_one_that_the_connection_can_make() {
        let call = |names: Names, tool, arguments| serde_json::to_value(names.call(tool, arguments)).unwrap();
        let given = json!({"town": "t", "rig": "api", "title": "x"});
        let mayor = names(Profile::Mayor, true);
        assert_eq!(call(mayor, SLING, given.clone()), json!({"tool": "gt_sling", "arguments": {"rig_id": "api", "title": "x"}}));
        let pinned = json!({"tool": "sling", "arguments": {"rig": "api", "title": "x"}});
        assert_eq!(call(names(Profile::Coordinator, true), SLING, given.clone()), pinned);
        assert_eq!(call(names(Profile::Coordinator, false), SLING, given.clone()), json!({"tool": "sling", "arguments": given}));
        let foreign = call(mayor, UPDATE_RIG, json!({"town": "t", "config": {}}));
        let who = "a coordinator: it is none of the Mayor's tools";
        assert_eq!(foreign, json!({"tool": "update_rig", "arguments": {"config": {}}, "who": who}));
    }

    #[test]
    fn every_key_is_a_tool_of_coordinators() {
        for key in KEYS {
            assert!(find(Profile::Coordinator, key.0).is_some(), "{}", key.0);
        }
    }

    /// What a Mayor's sentences name that is none of its tools: it asks a coordinator for these, or never meets them.
    #[test]
    fn every_key_is_a_tool_of_mayors_but_for_those_of_coordinators_alone() {
        let mayor = names(Profile::Mayor, true);
        let foreign: Vec<&str> = KEYS.iter().map(|key| key.0).filter(|key| mayor.own(key).is_none()).collect();
        assert_eq!(foreign, ["list_towns", "mayor_messages", "send_mayor_message", "town_check", "update_config", "update_rig"]);
    }
}
