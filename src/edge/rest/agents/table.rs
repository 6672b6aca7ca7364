//! The routes of the rig plane: method, path, status, for whom, and what it asks for.
//!
//! Owns the rows. A new route is one row and one function that plans its call.

use super::{Asked, Planned, agents, beads};
use crate::edge::rest::agents::{agent_self, submissions};
use crate::edge::rest::router::Address;
use base::error::Failure;

/// For whom a route is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Whomever the rig lets.
    Anyone,
    /// The agent that the path names.
    Own,
    /// The town's Mayor.
    Mayor,
}

/// A row.
pub(super) struct Route {
    /// Method, path, status.
    pub(super) at: Address,
    /// See `Who`.
    pub(super) who: Who,
    /// What it asks for. Sends nothing.
    pub(super) plan: fn(&Asked<'_>) -> Result<Planned, Failure>,
}

/// A function that plans.
type Plan = fn(&Asked<'_>) -> Result<Planned, Failure>;

impl Route {
    const fn get(path: &'static str, plan: Plan) -> Self {
        Self { at: Address::new("GET", path), who: Who::Anyone, plan }
    }

    const fn post(path: &'static str, plan: Plan) -> Self {
        Self { at: Address::new("POST", path), who: Who::Anyone, plan }
    }

    const fn patch(path: &'static str, plan: Plan) -> Self {
        Self { at: Address::new("PATCH", path), who: Who::Anyone, plan }
    }

    const fn delete(path: &'static str, plan: Plan) -> Self {
        Self { at: Address::new("DELETE", path), who: Who::Anyone, plan }
    }

    /// It makes something.
    const fn makes(mut self) -> Self {
        self.at.status = 201;
        self
    }

    /// The contract has it, embedded towns do not.
    const fn missing(mut self) -> Self {
        self.at.status = 501;
        self
    }

    const fn own(mut self) -> Self {
        self.who = Who::Own;
        self
    }

    const fn mayors(mut self) -> Self {
        self.who = Who::Mayor;
        self
    }
}

/// Every route of a rig. Of two that fit a path the first counts.
pub(super) const ROUTES: &[Route] = &[
    Route::post("beads", beads::create).makes(),
    Route::get("beads", beads::list),
    Route::get("beads/:bead", beads::get),
    Route::delete("beads/:bead", beads::delete),
    Route::patch("beads/:bead/status", beads::set_status),
    Route::post("beads/:bead/close", beads::close),
    Route::post("sling", beads::sling).makes(),
    Route::post("escalations", beads::escalate).makes(),
    Route::post("molecules", beads::create_molecule).makes(),
    Route::get("events", beads::events),
    Route::post("agents", agents::register).makes(),
    Route::get("agents", agents::list),
    Route::post("agents/get-or-create", agents::get_or_create),
    Route::get("agents/:agent", agents::get),
    Route::delete("agents/:agent", agents::delete),
    Route::get("agents/:agent/events", agents::events),
    Route::get("agents/:agent/conversation", agents::conversation),
    // An agent's own.
    Route::post("agents/:agent/hook", agent_self::hook).own(),
    Route::delete("agents/:agent/hook", agent_self::unhook).own(),
    Route::get("agents/:agent/prime", agent_self::prime).own(),
    Route::post("agents/:agent/done", agent_self::done).own(),
    Route::post("agents/:agent/request-changes", agent_self::request_changes).makes().own(),
    Route::post("agents/:agent/completed", agent_self::completed).own(),
    Route::post("agents/:agent/waiting", agent_self::waiting).own(),
    Route::post("agents/:agent/checkpoint", agent_self::checkpoint).own(),
    Route::post("agents/:agent/eviction-context", agent_self::eviction_context).missing().own(),
    Route::get("agents/:agent/mail", agent_self::mail).own(),
    Route::post("agents/:agent/heartbeat", agent_self::heartbeat).own(),
    Route::post("agents/:agent/status", agent_self::status).own(),
    Route::get("agents/:agent/pending-nudges", agent_self::pending_nudges).own(),
    Route::post("agents/:agent/nudge-delivered", agent_self::nudge_delivered).own(),
    Route::get("agents/:agent/molecule/current", agent_self::molecule_current).own(),
    Route::post("agents/:agent/molecule/advance", agent_self::molecule_advance).own(),
    Route::get("agents/:agent/db-snapshot", agent_self::db_snapshot).missing().own(),
    Route::post("agents/:agent/db-snapshot", agent_self::db_snapshot).missing().own(),
    Route::delete("agents/:agent/db-snapshot", agent_self::db_snapshot).missing().own(),
    // The rig's desk.
    Route::post("nudge", submissions::nudge),
    Route::post("refresh-git-token", submissions::refresh_git_token).missing(),
    Route::post("agent-events", submissions::append_event).makes(),
    Route::post("mail", submissions::send_mail).makes(),
    Route::post("review-queue", submissions::submit_review).makes(),
    Route::post("review-queue/:entry/complete", submissions::complete_review),
    Route::post("triage/resolve", submissions::resolve_triage),
];

/// The routes of a town's Mayor, under `rigs/mayor-{town}`.
pub(super) const MAYOR: &[Route] = &[
    Route::post("agents/:agent/heartbeat", agent_self::mayor_heartbeat).mayors(),
    Route::post("agents/:agent/waiting", agent_self::mayor_waiting).mayors(),
];
