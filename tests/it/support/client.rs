//! MCP clients of the host tests: requests of both eras to an isolate, and what comes back, at once or as a stream.
//!
//! Owns the forms of requests and the reading of streams. What the answers say is the tests'.

use super::edge::{Got, Isolate, Reading, Sent, header, text};
use super::tokens::{self, OWNER};
use super::{Fleet, Town};
use gastown_mcp::rpc::call::Context;
use serde_json::{Value, json};

/// A client of the owner's.
pub struct Client {
    pub at: Isolate,
    path: String,
    /// Of the stateless era: what it declares.
    capabilities: Value,
    /// Of the eras before: its session.
    session: Option<String>,
    /// Whose token it shows, unless the owner's, and which headers besides.
    jwt: Option<String>,
    headers: Vec<(&'static str, String)>,
}

/// What a client declares that takes tasks.
pub fn tasks() -> Value {
    json!({"extensions": {"io.modelcontextprotocol/tasks": {}}})
}

impl Client {
    /// Of the stateless era, on the fleet's connection.
    pub fn modern(fleet: &Fleet, capabilities: Value) -> Self {
        Self { at: Isolate::new(fleet), path: "/mcp".to_owned(), capabilities, session: None, jwt: None, headers: Vec::new() }
    }

    /// The same on a town's connection.
    pub fn of_town(town: &Town, capabilities: Value) -> Self {
        Self { path: format!("/towns/{}/mcp", town.id), ..Self::modern(&town.fleet, capabilities) }
    }

    /// The same with another's token.
    pub fn of(town: &Town, who: &Context) -> Self {
        Self { jwt: Some(who.jwt.clone()), ..Self::of_town(town, json!({})) }
    }

    /// The same, with a session of 2025-11-25.
    pub fn legacy_of(town: &Town, who: &Context) -> Self {
        Self::begin(Self { session: Some(String::new()), ..Self::of(town, who) }, &json!({}))
    }

    /// With a header more.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// At another path.
    pub fn on(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// With a session of 2025-11-25.
    pub fn legacy(fleet: &Fleet) -> Self {
        Self::legacy_with(fleet, &json!({}))
    }

    /// The same, with these capabilities.
    pub fn legacy_with(fleet: &Fleet, capabilities: &Value) -> Self {
        Self::begin(Self { session: Some(String::new()), ..Self::modern(fleet, Value::Null) }, capabilities)
    }

    fn begin(mut client: Self, capabilities: &Value) -> Self {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": {"name": "t", "version": "1"}});
        let response = client.at.send(client.sent("initialize", Some(json!(0)), params));
        client.session = header(&response, "mcp-session-id");
        client
    }

    /// A request, or without an id a notification.
    pub fn sent(&self, method: &str, id: Option<Value>, mut params: Value) -> Sent {
        let mut sent = Sent { method: "POST".to_owned(), path: self.path.clone(), ..Sent::default() };
        let mut put = |name: &str, value: &str| sent.headers.insert(name.to_owned(), value.to_owned());
        let jwt = self.jwt.clone().unwrap_or_else(|| tokens::user(&self.at.fleet, OWNER).jwt);
        put("authorization", &format!("Bearer {jwt}"));
        for (name, value) in &self.headers {
            put(name, value);
        }
        put("accept", "application/json, text/event-stream");
        match &self.session {
            Some(session) if !session.is_empty() => {
                put("mcp-session-id", session);
            }
            Some(_) => {}
            None => {
                put("mcp-protocol-version", "2026-07-28");
                put("mcp-method", method);
                let name = ["name", "uri", "taskId"].into_iter().find_map(|key| params[key].as_str());
                if let Some(name) = name {
                    put("mcp-name", name);
                }
                let own = params["_meta"].take();
                params["_meta"] = json!({
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientCapabilities": self.capabilities,
                });
                if let Some(own) = own.as_object() {
                    params["_meta"].as_object_mut().unwrap().extend(own.clone());
                }
            }
        }
        let mut body = json!({"jsonrpc": "2.0", "method": method, "params": params});
        if let Some(id) = id {
            body["id"] = id;
        }
        sent.body = body.to_string();
        sent
    }

    /// Sends a request whose answer is the last thing to come, however long it takes.
    pub fn request(&self, method: &str, params: Value) -> Value {
        match self.at.exchange(self.sent(method, Some(json!(1)), params)) {
            Got::Whole(response) => serde_json::from_str(&text(&response)).unwrap(),
            Got::Stream(_, reading) => {
                let mut all = String::new();
                while let Some(chunk) = reading.next() {
                    all.push_str(&chunk);
                }
                messages(&all).pop().expect("an answer")
            }
        }
    }

    /// The result of a request.
    pub fn result(&self, method: &str, params: Value) -> Value {
        let answer = self.request(method, params);
        assert!(answer["result"].is_object(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The result of a call of a tool.
    pub fn call(&self, tool: &str, arguments: &Value) -> Value {
        self.result("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// Sends a request that is answered as a stream.
    pub fn open(&self, method: &str, id: Value, params: Value) -> Reading {
        self.at.open(self.sent(method, Some(id), params))
    }

    /// Sends a notification.
    pub fn notify(&self, method: &str, params: Value) {
        assert_eq!(self.at.send(self.sent(method, None, params)).status, 202, "{method}");
    }

    /// The session's own stream.
    pub fn listen(&self) -> Reading {
        let mut sent = self.sent("", None, json!({}));
        (sent.method, sent.body) = ("GET".to_owned(), String::new());
        sent.headers.insert("accept".to_owned(), "text/event-stream".to_owned());
        self.at.open(sent)
    }
}

/// The messages in a piece of a stream.
pub fn messages(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| !data.is_empty());
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

/// What comes within `millis` on a stream while objects go on with what they left for after their replies; and whether
/// the stream ended.
pub fn watch(reading: &Reading, fleet: &Fleet, millis: u32) -> (Vec<Value>, bool) {
    const STEP_MILLIS: u32 = 50;
    let mut all = String::new();
    for _ in 0..millis.div_ceil(STEP_MILLIS) {
        fleet.run_background();
        let (text, is_over) = reading.within(STEP_MILLIS);
        all.push_str(&text);
        if is_over {
            return (messages(&all), true);
        }
    }
    (messages(&all), false)
}
