//! Request scripts on the host: the same files run on workerd (tests/workerd/scripts.test.mjs), so a difference between the
//! two is a failure of one.
//!
//! Owns the interpreter. A script is a list of steps; a step sends a request and says what must come back: status, headers,
//! a JSON value that the body must contain (extra fields are fine, `"$any"` matches anything, `"$absent"` nothing), and what
//! to keep for later steps as `${name}`. Where it says `"stream": true` a stream must begin, which is then left.

use crate::support::edge::{Got, Isolate, Sent, header, text};
use crate::support::{Fleet, tokens};
use gastown_mcp::contract::ids::TownId;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

struct Script {
    at: Isolate,
    kept: BTreeMap<String, String>,
}

impl Script {
    fn run(path: &Path) {
        let steps: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let mut script = Self { at: Isolate::new(&Fleet::new()), kept: BTreeMap::new() };
        for step in &steps {
            let name = format!("{}: {}", path.file_name().unwrap().to_string_lossy(), step["step"].as_str().unwrap());
            script.step(&name, step);
        }
        assert_eq!(script.at.fleet.take_faults(), Vec::<String>::new(), "{}", path.display());
    }

    fn step(&mut self, name: &str, step: &Value) {
        let send: Value = serde_json::from_str(&self.fill(&step["send"].to_string())).unwrap();
        let expect: Value = serde_json::from_str(&self.fill(&step["expect"].to_string())).unwrap();
        let response = match (self.send(&send), expect["stream"] == true) {
            (Got::Whole(response), false) | (Got::Stream(response, _), true) => response,
            (Got::Whole(response), true) => panic!("{name}: no stream but {response:?}"),
            (Got::Stream(..), false) => panic!("{name}: a stream came"),
        };
        let text = text(&response);
        assert_eq!(Value::from(response.status), expect["status"], "{name}: status of {text}");
        for (field, wanted) in expect["headers"].as_object().into_iter().flatten() {
            let found = header(&response, field).map(Value::from);
            matches(&format!("{name}: header {field}"), wanted, found.as_ref());
        }
        let body: Option<Value> = serde_json::from_str(&text).ok();
        if let Some(wanted) = expect.get("json") {
            matches(&format!("{name}: body"), wanted, body.as_ref());
        }
        if let Some(wanted) = expect.get("text") {
            assert!(text.contains(wanted.as_str().unwrap()), "{name}: {text}");
        }
        for (key, from) in step["keep"].as_object().into_iter().flatten() {
            let from = from.as_str().unwrap();
            let value = match from.strip_prefix("header:") {
                Some(name) => header(&response, name),
                None => body.as_ref().and_then(|body| body.pointer(from)).and_then(Value::as_str).map(str::to_owned),
            };
            self.kept.insert(key.clone(), value.unwrap_or_else(|| panic!("{name}: nothing at {from} in {text}")));
        }
    }

    fn send(&self, send: &Value) -> Got {
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in send["headers"].as_object().into_iter().flatten() {
            headers.insert(name.clone(), value.as_str().unwrap().to_owned());
        }
        if let Some(token) = send["token"].as_str() {
            headers.insert("authorization".to_owned(), format!("Bearer {}", self.token(token)));
        }
        let body = match send.get("body") {
            None => String::new(),
            Some(Value::String(raw)) => raw.clone(),
            Some(value) => value.to_string(),
        };
        let text = |field: &str| send[field].as_str().unwrap().to_owned();
        self.at.exchange(Sent { method: text("method"), path: text("path"), headers, body })
    }

    /// `owner`, `stranger`, `observer`, or `mayor:<town id>`.
    fn token(&self, name: &str) -> String {
        match name.split_once(':') {
            Some(("mayor", town)) => tokens::mayor(&self.at.fleet, &TownId::parse(town).unwrap()).jwt,
            Some(("raw", token)) => token.to_owned(),
            _ if name == "observer" => tokens::observer(&self.at.fleet, "owner").jwt,
            _ => tokens::user(&self.at.fleet, name).jwt,
        }
    }

    fn fill(&self, text: &str) -> String {
        self.kept.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
    }
}

/// Whether `found` contains `wanted`.
fn matches(at: &str, wanted: &Value, found: Option<&Value>) {
    match (wanted, found) {
        (Value::String(word), Some(_)) if word == "$any" => {}
        (Value::String(word), found) if word == "$absent" => assert!(found.is_none(), "{at}: {found:?} should not be there"),
        (Value::Object(wanted), Some(Value::Object(found))) => {
            for (key, wanted) in wanted {
                matches(&format!("{at}.{key}"), wanted, found.get(key));
            }
        }
        (Value::Array(wanted), Some(Value::Array(found))) => {
            assert_eq!(wanted.len(), found.len(), "{at}: {found:?}");
            for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                matches(&format!("{at}[{index}]"), wanted, Some(found));
            }
        }
        (wanted, found) => assert_eq!(Some(wanted), found, "{at}"),
    }
}

#[test]
fn every_script_runs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut scripts: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    assert!(scripts.len() >= 4);
    for script in scripts {
        Script::run(&script);
    }
}
