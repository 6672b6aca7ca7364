//! A tool under another name: the Mayor's, with the arguments that Gastown's own Mayor knows (Gastown contract 6).
//!
//! Owns how arguments are called here and there, both ways. What the tool does is the tool's behind it.

use base::argument::ArgumentError;
use serde_json::{Map, Value};

/// What a row shows instead of what the tool behind it would.
#[derive(Debug, Clone, Copy)]
pub struct Alias {
    /// Name of the tool behind it.
    pub behind: &'static str,
    /// What models read; empty: as the tool behind it has it.
    pub description: &'static str,
    /// Every argument that is offered, in order.
    pub arguments: &'static [Argument],
    /// Arguments of the tool behind it that are always so, as JSON text.
    pub fixed: &'static [(&'static str, &'static str)],
}

/// An argument that is offered.
#[derive(Debug, Clone, Copy)]
pub struct Argument {
    /// As it is called here.
    pub name: &'static str,
    /// As the tool behind it calls it.
    pub behind: &'static str,
    /// What the two make of a value.
    pub fit: Fit,
    /// It must be there, although the tool behind it may do without.
    pub is_required: bool,
}

/// How a value here becomes one there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It is the same.
    Same,
    /// One text, or a list of them, here; a list there.
    List,
}

/// An argument that both call the same.
#[must_use]
pub const fn same(name: &'static str) -> Argument {
    Argument { name, behind: name, fit: Fit::Same, is_required: false }
}

/// An argument that the tool behind calls `behind`.
#[must_use]
pub const fn named(name: &'static str, behind: &'static str) -> Argument {
    Argument { name, behind, fit: Fit::Same, is_required: false }
}

impl Argument {
    /// See `is_required`.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// See `Fit::List`; one of them must be there.
    #[must_use]
    pub const fn listed(mut self) -> Self {
        self.fit = Fit::List;
        self.required()
    }

    fn to_behind(self, value: Value) -> Value {
        match (self.fit, value) {
            (Fit::List, one @ Value::String(_)) => Value::Array(vec![one]),
            (_, other) => other,
        }
    }

    fn to_here(self, value: &Value) -> Value {
        match (self.fit, value) {
            (Fit::List, Value::Array(several)) => match several.as_slice() {
                [one] => one.clone(),
                _ => value.clone(),
            },
            _ => value.clone(),
        }
    }
}

impl Alias {
    /// The arguments for the tool behind.
    ///
    /// # Errors
    /// For one that is not offered, and for one that is missing.
    pub fn arguments_behind(&self, given: Map<String, Value>) -> Result<Map<String, Value>, ArgumentError> {
        if let Some(missing) = self.arguments.iter().find(|argument| argument.is_required && !given.contains_key(argument.name)) {
            return Err(ArgumentError::missing(missing.name));
        }
        let mut behind = Map::new();
        for (name, value) in given {
            let Some(argument) = self.arguments.iter().find(|argument| argument.name == name) else {
                let known: Vec<&str> = self.arguments.iter().map(|argument| argument.name).collect();
                return Err(ArgumentError::unknown(&name, &known));
            };
            behind.insert(argument.behind.to_owned(), argument.to_behind(value));
        }
        behind.extend(self.fixed().map(|(name, value)| (name.to_owned(), value)));
        Ok(behind)
    }

    /// How an argument of the tool behind is called here.
    #[must_use]
    pub fn name_here(&self, behind: &str) -> Option<&'static str> {
        self.arguments.iter().find(|argument| argument.behind == behind).map(|argument| argument.name)
    }

    /// A path into the arguments of the tool behind, as it is here.
    #[must_use]
    pub fn path_here(&self, behind: &str) -> String {
        let root = behind.split(['.', '[']).next().unwrap_or_default();
        match (self.name_here(root), behind.get(root.len()..)) {
            (Some(name), Some(rest)) => format!("{name}{rest}"),
            _ => behind.to_owned(),
        }
    }

    /// The arguments as they are called here; `None` when this alias cannot say the same.
    #[must_use]
    pub fn arguments_here(&self, behind: &Map<String, Value>) -> Option<Map<String, Value>> {
        let is_fixed = |name: &str, value: &Value| self.fixed().any(|(known, fixed)| known == name && fixed == *value);
        if !self.fixed().all(|(name, fixed)| behind.get(name).is_none_or(|given| *given == fixed)) {
            return None;
        }
        let others = behind.iter().filter(|(name, value)| *name != "town" && !is_fixed(name, value));
        let here = |(name, value): (&String, &Value)| {
            if name == "idempotency_key" {
                return Some((name.clone(), value.clone()));
            }
            let argument = self.arguments.iter().find(|argument| argument.behind == name)?;
            Some((argument.name.to_owned(), argument.to_here(value)))
        };
        others.map(here).collect()
    }

    fn fixed(&self) -> impl Iterator<Item = (&'static str, Value)> {
        self.fixed.iter().map(|(name, text)| (*name, serde_json::from_str(text).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NUDGE: Alias = Alias {
        behind: "send_message",
        description: "",
        arguments: &[named("rig_id", "rig"), named("agent_id", "to"), same("mode"), named("beads", "add_beads").listed()],
        fixed: &[("channel", "\"nudge\"")],
    };

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn arguments_are_called_otherwise_both_ways() {
        let here = object(json!({"rig_id": "api", "agent_id": "Toast", "beads": "b"}));
        let behind = NUDGE.arguments_behind(here.clone()).unwrap();
        assert_eq!(Value::Object(behind.clone()), json!({"rig": "api", "to": "Toast", "add_beads": ["b"], "channel": "nudge"}));
        assert_eq!(NUDGE.arguments_here(&behind), Some(here));
        assert_eq!(NUDGE.arguments_here(&object(json!({"to": "Toast", "channel": "mail"}))), None);
        assert_eq!(NUDGE.arguments_here(&object(json!({"to": "Toast", "body": "x"}))), None);
        assert_eq!(NUDGE.arguments_here(&object(json!({"town": "t", "to": "Toast"}))), Some(object(json!({"agent_id": "Toast"}))));
    }

    #[test]
    fn what_is_not_offered_or_missing_is_said_under_its_name_here() {
        let wrong = NUDGE.arguments_behind(object(json!({"beads": [], "rig": "api"}))).unwrap_err();
        assert_eq!(wrong.to_string(), "unknown field `rig`, expected one of `rig_id`, `agent_id`, `mode`, `beads`");
        assert_eq!(NUDGE.arguments_behind(Map::new()).unwrap_err().to_string(), "missing field `beads`");
    }

    #[test]
    fn a_path_begins_with_the_name_here() {
        for (behind, here) in [("rig", "rig_id"), ("add_beads[1]", "beads[1]"), ("to.name", "agent_id.name"), ("rigs", "rigs"), ("", "")] {
            assert_eq!(NUDGE.path_here(behind), here);
        }
    }
}
