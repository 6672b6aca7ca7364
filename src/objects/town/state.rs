//! The town's own row: id, owner, configuration, the Mayor's agent id.
//!
//! Owns the `town` table.

use crate::contract::columns::{flag_column, json_column};
use crate::contract::ids::{AgentId, BeadId, TownId};
use crate::contract::shapes::{Owner, OwnerType, TownConfig, TownIdentity};
use crate::objects::handler::Cx;
use crate::objects::store::sql::{execute, query_one};
use base::error::{Code, Failure, Fault, refuse};
use base::time::Timestamp;
use serde::Deserialize;
use std::rc::Rc;

/// The row.
#[derive(Debug, Clone, Deserialize)]
pub struct TownState {
    pub town_id: TownId,
    #[serde(deserialize_with = "json_column")]
    pub identity: Option<TownIdentity>,
    /// Differences from the defaults.
    #[serde(deserialize_with = "json_column")]
    pub config: TownConfig,
    pub mayor_agent_id: AgentId,
    pub created_at: Timestamp,
    /// No session listens from then on, and a change costs nothing more.
    pub listened_until: Timestamp,
    /// No rig gives out work, on purpose.
    #[serde(deserialize_with = "flag_column")]
    pub parked: bool,
    /// Of the drain under way: nothing is given out until it is over.
    pub drain_nonce: Option<String>,
    pub drain_started_at: Option<Timestamp>,
    /// The status has viewers until then.
    pub watched_until: Timestamp,
    /// The town is deleted once its rigs are.
    #[serde(deserialize_with = "flag_column")]
    pub closing: bool,
    /// `idle`, `active` or `waiting`.
    pub mayor_status: String,
    pub mayor_active_at: Option<Timestamp>,
    /// Since then no rig gives out work, because too much has failed.
    pub breaker_opened_at: Option<Timestamp>,
    /// Earlier failures do not count.
    pub breaker_counts_from: Timestamp,
    /// The escalation that stands for it.
    pub breaker_escalation: Option<BeadId>,
}

impl TownState {
    /// The owner of the town; none before the identity was written.
    pub fn owner(&self) -> Owner {
        match &self.identity {
            Some(identity) if identity.owner_type == OwnerType::Org => Owner { user_id: None, org_id: identity.organization_id.clone() },
            Some(identity) => Owner { user_id: Some(identity.owner_user_id.clone()), org_id: None },
            None => Owner { user_id: None, org_id: None },
        }
    }

    /// The town's name, as it was registered.
    pub fn name(&self) -> Option<String> {
        self.identity.as_ref().and_then(|identity| identity.town_name.clone())
    }
}

/// Columns of the row in the order of `TownState`'s fields.
macro_rules! town_columns {
    () => {
        "town_id, identity, config, mayor_agent_id, created_at, listened_until, parked, drain_nonce, drain_started_at, watched_until,
         closing, mayor_status, mayor_active_at, breaker_opened_at, breaker_counts_from, breaker_escalation"
    };
}

/// The row, once the town has been given its id.
pub fn load(cx: &Cx<'_>) -> Result<Option<Rc<TownState>>, Fault> {
    if let Some(known) = cx.recall() {
        return Ok(Some(known));
    }
    let row: Option<TownState> = query_one(cx.sql, concat!("-- town_load\nSELECT ", town_columns!(), " FROM town"), ())?;
    Ok(row.map(|row| cx.remember(row)))
}

/// The row; a town that never got its id does not exist.
pub fn require(cx: &Cx<'_>) -> Result<Rc<TownState>, Failure> {
    load(cx)?.ok_or_else(|| refuse(Code::NotFound, format!("Town {} not found", cx.instance.name())))
}

/// The leases changed: remembers when the last of them ends.
pub(super) fn note_listeners(cx: &Cx<'_>) -> Result<(), Fault> {
    cx.forget();
    execute(cx.sql, "-- town_listened\nUPDATE town SET listened_until = (SELECT coalesce(max(expires_at), 0) FROM listeners)", ())
}
