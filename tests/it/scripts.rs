//! Request scripts on the host: the same files run on workerd (tests/workerd/scripts.test.mjs), so a difference between the
//! two is a failure of one.
//!
//! Owns the interpreter. A script is a list of steps; a step sends a request and says what must come back: status, headers,
//! a JSON value that the body must contain (extra fields are fine, `"$any"` matches anything, `"$absent"` nothing), and what
//! to keep for later steps as `${name}`.

use crate::support::{Fleet, tokens};
use gastown_mcp::edge::{Edge, Settings, handle};
use gastown_mcp::http::{Headers, Request, RequestBody, Response, ResponseBody};
use gastown_mcp::ids::TownId;
use gastown_mcp::isolate::Memory;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

struct Script {
    fleet: Fleet,
    memory: Rc<Memory>,
    kept: BTreeMap<String, String>,
}

struct SentHeaders(BTreeMap<String, String>);

impl Headers for SentHeaders {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

impl Script {
    fn run(path: &Path) {
        let steps: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let mut script = Self { fleet: Fleet::new(), memory: Rc::default(), kept: BTreeMap::new() };
        for step in &steps {
            let name = format!("{}: {}", path.file_name().unwrap().to_string_lossy(), step["step"].as_str().unwrap());
            script.step(&name, step);
        }
        assert_eq!(script.fleet.take_faults(), Vec::<String>::new(), "{}", path.display());
    }

    fn step(&mut self, name: &str, step: &Value) {
        let send: Value = serde_json::from_str(&self.fill(&step["send"].to_string())).unwrap();
        let expect: Value = serde_json::from_str(&self.fill(&step["expect"].to_string())).unwrap();
        let response = self.send(&send);
        let text = match &response.body {
            ResponseBody::Empty => String::new(),
            ResponseBody::Json(text) => text.clone(),
            ResponseBody::SharedJson(text) => text.to_string(),
            ResponseBody::Text(text) | ResponseBody::Html(text) => text.to_string(),
        };
        assert_eq!(Value::from(response.status), expect["status"], "{name}: status of {text}");
        for (header, wanted) in expect["headers"].as_object().into_iter().flatten() {
            let found = response.headers.iter().find(|(name, _)| name == header).map(|(_, value)| Value::from(value.as_ref()));
            matches(&format!("{name}: header {header}"), wanted, found.as_ref());
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
                Some(header) => response.headers.iter().find(|(name, _)| *name == header).map(|(_, value)| value.to_string()),
                None => body.as_ref().and_then(|body| body.pointer(from)).and_then(Value::as_str).map(str::to_owned),
            };
            self.kept.insert(key.clone(), value.unwrap_or_else(|| panic!("{name}: nothing at {from} in {text}")));
        }
    }

    fn send(&self, send: &Value) -> Response {
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
        if !body.is_empty() {
            headers.entry("content-type".to_owned()).or_insert_with(|| "application/json".to_owned());
        }
        let target = send["path"].as_str().unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (method, path, query) = (send["method"].as_str().unwrap().to_owned(), path.to_owned(), query.to_owned());
        let (fleet, memory) = (self.fleet.clone(), Rc::clone(&self.memory));
        self.fleet.block_on(async move {
            let headers = SentHeaders(headers);
            let settings = Settings::read("https://allowed.example", "");
            let edge = Edge { runtime: &fleet, memory: &memory, settings: &settings };
            let body = RequestBody::Bytes(body.into_bytes());
            handle(edge, &Request { method, origin: "http://127.0.0.1".to_owned(), path, query, headers: &headers, body }).await
        })
    }

    /// `owner`, `stranger`, `observer`, or `mayor:<town id>`.
    fn token(&self, name: &str) -> String {
        match name.split_once(':') {
            Some(("mayor", town)) => tokens::mayor(&self.fleet, &TownId::parse(town).unwrap()).jwt,
            Some(("raw", token)) => token.to_owned(),
            _ if name == "observer" => tokens::observer(&self.fleet, "owner").jwt,
            _ => tokens::user(&self.fleet, name).jwt,
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
