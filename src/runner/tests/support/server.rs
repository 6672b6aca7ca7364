//! A small HTTP server that speaks the wire contract of orders: the dispatch stream, heartbeats and reports.
//!
//! Owns: sockets, the requests received, and the answers that a test chose. Does not: keep beads (the Worker does; the tests on workerd run against that).

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// One request other than the stream.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: Value,
}

#[derive(Debug, Default)]
struct State {
    orders: Vec<Value>,
    requests: Vec<Request>,
    answers: Vec<(String, u16, Value)>,
    streams: u64,
    connected: u64,
    down: bool,
}

/// The server; it ends with the test's process.
#[derive(Debug, Clone)]
pub struct Server {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { url: format!("http://{}", listener.local_addr().unwrap()), state: Arc::default() };
        let on = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let on = on.clone();
                thread::spawn(move || on.serve(&stream));
            }
        });
        server
    }

    /// Every stream sends this order, those that are open and those to come.
    pub fn offer(&self, order: Value) {
        self.state.lock().unwrap().orders.push(order);
    }

    /// Answers requests whose path ends in `path_end`; the newest answer counts.
    pub fn answer(&self, path_end: &str, status: u16, body: Value) {
        self.state.lock().unwrap().answers.insert(0, (path_end.to_owned(), status, body));
    }

    /// Closes connections without an answer, streams too, until it is up again.
    pub fn set_down(&self, down: bool) {
        self.state.lock().unwrap().down = down;
    }

    /// Closes the streams that are open.
    pub fn cut(&self) {
        self.state.lock().unwrap().streams += 1;
    }

    /// How many streams have been opened.
    pub fn connected(&self) -> u64 {
        self.state.lock().unwrap().connected
    }

    /// Requests whose path ends in `path_end`, oldest first.
    pub fn requests(&self, path_end: &str) -> Vec<Request> {
        self.state.lock().unwrap().requests.iter().filter(|request| request.path.ends_with(path_end)).cloned().collect()
    }

    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some(request) = read(&mut reader) {
            if self.state.lock().unwrap().down {
                return;
            }
            if request.path.contains("/dispatch?") {
                let refusal = self.state.lock().unwrap().answers.iter().find(|(end, ..)| end == "/dispatch").cloned();
                match refusal {
                    Some((_, status, body)) => write_answer(stream, status, &body),
                    None => return self.stream(stream),
                }
                continue;
            }
            let (status, body) = {
                let mut state = self.state.lock().unwrap();
                state.requests.push(request.clone());
                let given = state.answers.iter().find(|(end, ..)| request.path.ends_with(end)).cloned();
                given.map_or_else(|| (200, json!({ "success": true, "data": { "order": "open" } })), |(_, status, body)| (status, body))
            };
            write_answer(stream, status, &body);
        }
    }

    fn stream(&self, mut stream: &TcpStream) {
        let number = {
            let mut state = self.state.lock().unwrap();
            state.connected += 1;
            state.streams
        };
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        let mut sent = 0;
        if stream.write_all(head.as_bytes()).is_err() {
            return;
        }
        loop {
            let next = {
                let state = self.state.lock().unwrap();
                if state.down || state.streams != number {
                    return;
                }
                state.orders.get(sent).cloned()
            };
            let text = if let Some(order) = next {
                sent += 1;
                format!("event: order\nid: {}\ndata: {order}\n\n", order["order"])
            } else {
                thread::sleep(Duration::from_millis(20));
                ":\n\n".to_owned()
            };
            if stream.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).is_err() {
                return;
            }
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { path, headers, body: serde_json::from_slice(&body).unwrap_or_default() })
}

fn write_answer(mut stream: &TcpStream, status: u16, body: &Value) {
    let body = body.to_string();
    let _ = write!(stream, "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
}
