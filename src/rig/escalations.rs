//! Escalations that the rig raises: something that a person or the Mayor must decide.
//!
//! Owns the bead of an escalation. Who is told, and what becomes of it, is the town's.

use super::beads::{self, NewBead};
use super::events::{self, Happened};
use super::report;
use super::state::RigState;
use crate::error::Failure;
use crate::ids::BeadId;
use crate::rpc::model::{BeadEventType, BeadType, Priority, Severity};
use crate::rpc::serve::Cx;
use serde_json::{Map, Value};

/// An escalation about to be raised.
pub(super) struct NewEscalation<'a> {
    /// How bad it is.
    pub(super) severity: Severity,
    /// One word for what it is about.
    pub(super) category: &'a str,
    /// What is to be decided.
    pub(super) message: &'a str,
    /// The agent concerned.
    pub(super) agent: Option<&'a str>,
    /// The bead concerned.
    pub(super) bead: Option<&'a BeadId>,
}

/// Raises it: a bead, an event, and a letter to the town.
pub(super) fn raise(cx: &Cx<'_>, rig: &RigState, new: &NewEscalation<'_>) -> Result<BeadId, Failure> {
    let priority = match new.severity {
        Severity::Low => Priority::Low,
        Severity::Medium => Priority::Medium,
        Severity::High => Priority::High,
        Severity::Critical => Priority::Critical,
    };
    let mut metadata = Map::new();
    metadata.insert("category".to_owned(), Value::from(new.category));
    metadata.insert("severity".to_owned(), Value::from(new.severity.as_str()));
    for (key, value) in [("source_agent_id", new.agent), ("source_bead_id", new.bead.map(BeadId::as_str))] {
        if let Some(value) = value {
            metadata.insert(key.to_owned(), Value::from(value));
        }
    }
    let bead = beads::insert(
        cx,
        rig,
        NewBead {
            bead_id: BeadId::from_random(cx.random()),
            kind: BeadType::Escalation,
            title: format!("Escalation: {}", new.category),
            body: Some(new.message.to_owned()),
            parent_bead_id: None,
            priority,
            labels: vec!["gt:escalation".to_owned(), format!("severity:{}", new.severity.as_str())],
            metadata,
            created_by: new.agent.map(str::to_owned),
            created_at: cx.now,
            blockers_open: 0,
            held: false,
            convoy_id: None,
            quality: None,
        },
    )?;
    let mut event = Happened::to(BeadEventType::Escalated, &bead.bead_id).values(None, new.severity.as_str());
    event.agent = new.agent;
    events::write(cx, &event)?;
    report::tell(cx, rig, "escalation", bead.bead_id.as_str())?;
    Ok(bead.bead_id)
}
