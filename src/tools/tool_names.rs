//! What an answer says of other tools, under the names that the connection has for them.
//!
//! Owns the rewriting of calls that an answer names (`NextCall`) and of tools in sentences. Text that agents or users wrote is left alone.

use super::alias::Alias;
use crate::tools::mayor::TOOLS;
use crate::tools::tool::ToolDef;
use base::error::{Failure, Refusal};
use mcp::client::{DeferredResult, Interruption, TaskOutcome};
use mcp::types::ToolReply;
use serde_json::{Map, Value, json};

/// Fields whose text speaks of tools.
const SPOKEN: [&str; 4] = ["next", "summary", "hint", "why"];

/// How a connection calls tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// It has the Mayor's names.
    pub is_mayors: bool,
    /// It is for one town, and takes no `town`.
    pub is_pinned: bool,
}

impl Words {
    /// What a tool answered, in these words.
    #[must_use]
    pub fn reply(self, reply: ToolReply) -> ToolReply {
        match reply {
            ToolReply::Structured(text) if self.is_mayors || self.is_pinned && text.contains("\"tool\":") => {
                ToolReply::Structured(match serde_json::from_str(&text) {
                    Ok(value) => self.value(value).to_string(),
                    Err(_) => text,
                })
            }
            ToolReply::Deferred(later) if self.is_mayors => ToolReply::Deferred(self.later(later)),
            other => other,
        }
    }

    fn later(self, later: DeferredResult) -> DeferredResult {
        let due = later.due.map(|(at, ending)| match ending {
            TaskOutcome::Result(mut result) => {
                if let Some(content) = result.remove("structuredContent") {
                    let content = self.value(content);
                    result.insert("content".to_owned(), json!([{"type": "text", "text": content.to_string()}]));
                    result.insert("structuredContent".to_owned(), content);
                }
                (at, TaskOutcome::Result(result))
            }
            other @ TaskOutcome::Error(_) => (at, other),
        });
        DeferredResult { frame: self.fields(later.frame), due, ..later }
    }

    fn value(self, value: Value) -> Value {
        match value {
            Value::Object(fields) => self.object(fields),
            Value::Array(several) => several.into_iter().map(|value| self.value(value)).collect(),
            other => other,
        }
    }

    fn object(self, fields: Map<String, Value>) -> Value {
        match (fields.get("tool"), fields.get("arguments")) {
            (Some(Value::String(tool)), Some(Value::Object(arguments))) if fields.len() == 2 => self.call(tool, arguments),
            _ => Value::Object(self.fields(fields)),
        }
    }

    fn fields(self, fields: Map<String, Value>) -> Map<String, Value> {
        let said = |(key, value): (String, Value)| {
            let value = match value {
                Value::String(text) if self.is_mayors && SPOKEN.contains(&key.as_str()) => Value::String(sentence(&text)),
                other => self.value(other),
            };
            (key, value)
        };
        fields.into_iter().map(said).collect()
    }

    fn call(self, tool: &str, arguments: &Map<String, Value>) -> Value {
        let mut own = arguments.clone();
        if self.is_pinned {
            own.remove("town");
        }
        if !self.is_mayors {
            return json!({"tool": tool, "arguments": own});
        }
        call(tool, &own).map_or_else(
            || json!({"tool": tool, "arguments": own, "who": "a coordinator: it is none of the Mayor's tools"}),
            |(name, arguments)| json!({"tool": name, "arguments": arguments}),
        )
    }
}

/// The Mayor's name and arguments for a call, if the Mayor has such a tool.
fn call(tool: &str, arguments: &Map<String, Value>) -> Option<(&'static str, Map<String, Value>)> {
    rows(tool).find_map(|(row, alias)| Some((row.name, alias.arguments_here(arguments)?)))
}

fn rows(behind: &str) -> impl Iterator<Item = (&'static ToolDef, &'static Alias)> {
    TOOLS.iter().filter_map(|row| Some((row, row.alias.as_ref()?))).filter(move |(_, alias)| alias.behind == behind)
}

/// The same stop, about the Mayor's names for tools and arguments.
#[must_use]
pub fn stop(tool: &ToolDef, stop: Interruption) -> Interruption {
    match stop {
        Interruption::Failed(Failure::Refused(refused)) => Interruption::Failed(Failure::Refused(refusal(tool, refused))),
        other => other,
    }
}

fn refusal(tool: &ToolDef, refusal: Refusal) -> Refusal {
    // Its hint names tools. What is wrong it says in words of the tool behind, some of which are names of tools as well.
    let message = tool.alias.as_ref().map_or_else(|| refusal.message.clone(), |alias| alias.message_here(tool.name, &refusal.message));
    Refusal { message, hint: refusal.hint.as_deref().map(sentence), ..refusal }
}

/// A sentence that names tools. A name that is an English word too is one only in backticks or after "call".
#[must_use]
pub fn sentence(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = "";
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '«' => rest.find('»').map_or(rest.len(), |end| end + '»'.len_utf8()),
            c if is_part(c) => rest.find(|c| !is_part(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (piece, after) = rest.split_at(length);
        let is_meant = piece.contains('_') || said.ends_with('`') || said.ends_with(' ') && before.eq_ignore_ascii_case("call");
        let is_path = said.ends_with(['/', '.']);
        match rows(piece).next().filter(|_| is_meant && !is_path) {
            Some((row, _)) => said.push_str(row.name),
            None => said.push_str(piece),
        }
        if is_part(first) {
            before = piece;
        }
        rest = after;
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAYOR: Words = Words { is_mayors: true, is_pinned: true };
    const COORDINATOR: Words = Words { is_mayors: false, is_pinned: true };

    #[test]
    fn a_sentence_names_the_tools_of_the_mayor() {
        for (plain, own) in [
            ("Call list_beads to see the ids.", "Call gt_list_beads to see the ids."),
            ("get_bead says why; `sling` gives one.", "gt_bead_status says why; `gt_sling` gives one."),
            ("Call sling, or drain it.", "Call gt_sling, or drain it."),
            ("3 escalations wait: sling them.", "3 escalations wait: sling them."),
            ("«call list_beads» said so", "«call list_beads» said so"),
            ("gastown://towns/t/list_beads", "gastown://towns/t/list_beads"),
            ("my_list_beads and list_beads_of", "my_list_beads and list_beads_of"),
            ("unclosed « list_beads", "unclosed « list_beads"),
        ] {
            assert_eq!(sentence(plain), own);
        }
    }

    #[test]
    fn a_call_is_one_that_the_connection_can_make() {
        let answer = |words: Words, value: Value| match words.reply(ToolReply::Structured(value.to_string())) {
            ToolReply::Structured(text) => serde_json::from_str::<Value>(&text).unwrap(),
            _ => panic!("another reply"),
        };
        let given = json!({"calls": [{"tool": "sling", "arguments": {"town": "t", "rig": "api", "title": "x"}}], "title": "«list_beads»"});
        let mayors = json!({"calls": [{"tool": "gt_sling", "arguments": {"rig_id": "api", "title": "x"}}], "title": "«list_beads»"});
        assert_eq!(answer(MAYOR, given.clone()), mayors);
        let pinned = json!({"calls": [{"tool": "sling", "arguments": {"rig": "api", "title": "x"}}], "title": "«list_beads»"});
        assert_eq!(answer(COORDINATOR, given), pinned);
        let foreign = answer(MAYOR, json!({"call": {"tool": "update_config", "arguments": {"config": {}}}}));
        assert_eq!(foreign["call"]["tool"], "update_config");
        assert!(foreign["call"]["who"].as_str().unwrap().contains("coordinator"));
    }
}
