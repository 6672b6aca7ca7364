//! Server-sent events out of bytes, as they arrive.
//!
//! Owns: the framing (WHATWG HTML, "Server-sent events"). Does not: read from anywhere, or know what an event means.

/// One event with data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The `event` field; `message` where the event has no such field.
    pub name: String,
    /// Its data; several `data` lines are joined by line feeds.
    pub data: String,
    /// The newest `id` of the stream, this event's included.
    pub id: Option<String>,
}

/// Takes bytes in any portions and gives the events that they complete.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    after_cr: bool,
    started: bool,
    name: String,
    data: Option<String>,
    id: Option<String>,
}

impl Parser {
    /// The events that end in `bytes`. Comments and unknown fields are left out.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in bytes {
            let after_cr = std::mem::take(&mut self.after_cr);
            match byte {
                b'\n' if after_cr => {}
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    events.extend(self.end_line(&String::from_utf8_lossy(&line)));
                }
                _ => self.line.push(byte),
            }
        }
        events
    }

    fn end_line(&mut self, line: &str) -> Option<Event> {
        let line = if std::mem::replace(&mut self.started, true) { line } else { line.strip_prefix('\u{feff}').unwrap_or(line) };
        if line.is_empty() {
            let name = std::mem::take(&mut self.name);
            let data = self.data.take()?;
            return Some(Event { name: if name.is_empty() { "message".to_owned() } else { name }, data, id: self.id.clone() });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "id" if !value.contains('\0') => self.id = (!value.is_empty()).then(|| value.to_owned()),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str, id: Option<&str>) -> Event {
        Event { name: name.to_owned(), data: data.to_owned(), id: id.map(str::to_owned) }
    }

    #[test]
    fn events_come_out_whole_however_the_bytes_are_cut() {
        let stream = "\u{feff}: hello\n\nevent: order\nid: 17\ndata: {\"name\":\"M\u{fc}ller\"}\n\r\ndata:one\r\ndata: two\rretry: 5\r\r: bye\n\nid\ndata\n\n";
        let wanted = [
            event("order", "{\"name\":\"M\u{fc}ller\"}", Some("17")),
            event("message", "one\ntwo", Some("17")),
            event("message", "", None),
        ];
        let bytes = stream.as_bytes();
        for size in [1, 2, 3, 7, bytes.len()] {
            let mut parser = Parser::default();
            let events: Vec<Event> = bytes.chunks(size).flat_map(|part| parser.feed(part)).collect();
            assert_eq!(events, wanted, "in portions of {size}");
        }
    }

    #[test]
    fn an_event_that_is_not_complete_is_not_given() {
        let mut parser = Parser::default();
        assert_eq!(parser.feed(b"event: order\nid: 3\ndata: {}\n"), []);
        assert_eq!(parser.feed(b"\n"), [event("order", "{}", Some("3"))]);
    }
}
