//! Connections of the host tests: what a client gets, and how its connection ended.

use base::time::Timestamp;
use gastown_mcp::objects::host::Socket;
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;

/// Both ends of a connection.
#[derive(Clone)]
pub struct TestSocket(Rc<Ends>);

struct Ends {
    expires_at: Timestamp,
    got: RefCell<Vec<String>>,
    closed: RefCell<Option<u16>>,
}

impl TestSocket {
    pub fn new(expires_at: Timestamp) -> Self {
        Self(Rc::new(Ends { expires_at, got: RefCell::default(), closed: RefCell::default() }))
    }

    /// What came since the last look.
    pub fn take(&self) -> Vec<Value> {
        self.0.got.take().iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    /// The code it was closed with.
    pub fn closed(&self) -> Option<u16> {
        *self.0.closed.borrow()
    }

    /// The client leaves.
    pub fn leave(&self) {
        self.0.closed.replace(Some(1000));
    }
}

impl Socket for TestSocket {
    fn expires_at(&self) -> Timestamp {
        self.0.expires_at
    }

    fn send(&self, text: &str) {
        assert!(self.closed().is_none(), "nothing is sent on a closed connection: {text}");
        self.0.got.borrow_mut().push(text.to_owned());
    }

    fn close(&self, code: u16, _reason: &str) {
        self.0.closed.replace(Some(code));
    }
}
