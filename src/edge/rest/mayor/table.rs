//! The Mayor's routes: method, path, status, and what each asks for.
//!
//! Owns the rows. A new route is one row and one function: one that plans a call, or, where several calls belong together,
//! one that makes them.

use super::{Asked, Planned, Running, agents, beads, convoys, lists, rigs, sling, town};
use crate::edge::rest::mayor::unsupported;
use crate::edge::rest::router::Address;
use base::error::Failure;

/// A row.
pub(super) struct Route {
    /// Method, path, status.
    pub(super) at: Address,
    /// What embedded towns answer, if they have no such thing.
    pub(super) absent: Option<u16>,
    /// What it does.
    pub(super) does: Does,
}

/// What a route does.
pub(super) enum Does {
    /// One call. Sends nothing.
    Asks(Plan),
    /// Several that belong together.
    Runs(Run),
}

use Does::{Asks, Runs};

type Plan = fn(&Asked<'_>) -> Result<Planned, Failure>;
type Run = for<'a> fn(&'a Asked<'a>) -> Running<'a>;

impl Route {
    const fn new(method: &'static str, path: &'static str, does: Does) -> Self {
        Self { at: Address::new(method, path), absent: None, does }
    }

    const fn get(path: &'static str, does: Does) -> Self {
        Self::new("GET", path, does)
    }

    const fn post(path: &'static str, does: Does) -> Self {
        Self::new("POST", path, does)
    }

    const fn patch(path: &'static str, does: Does) -> Self {
        Self::new("PATCH", path, does)
    }

    const fn delete(path: &'static str, does: Does) -> Self {
        Self::new("DELETE", path, does)
    }

    /// It makes something.
    const fn makes(mut self) -> Self {
        self.at.status = 201;
        self
    }

    /// The contract has it, embedded towns do not.
    const fn missing(mut self, status: u16) -> Self {
        self.absent = Some(status);
        self
    }
}

/// Every route. Of two that fit a path the first counts.
pub(super) const ROUTES: &[Route] = &[
    // Work.
    Route::post("sling", Runs(sling::sling)).makes(),
    Route::post("sling-batch", Runs(sling::sling_batch)).makes(),
    // What there is, in all rigs.
    Route::get("beads", Runs(lists::beads)),
    Route::get("agents", Runs(lists::agents)),
    // Rigs.
    Route::get("rigs", Asks(rigs::list)),
    Route::post("rigs", Runs(rigs::create)).makes(),
    Route::delete("rigs/:rig", Runs(rigs::delete)),
    // Beads of a rig.
    Route::get("rigs/:rig/beads", Asks(lists::beads_of_rig)),
    Route::post("rigs/:rig/beads/bulk-delete", Asks(beads::delete_many)),
    Route::post("rigs/:rig/beads/delete-by-status", Asks(beads::delete_by_status)),
    Route::get("rigs/:rig/beads/:bead", Runs(beads::get)),
    Route::patch("rigs/:rig/beads/:bead", Asks(beads::update)),
    Route::delete("rigs/:rig/beads/:bead", Asks(beads::delete)),
    Route::post("rigs/:rig/beads/:bead/reassign", Asks(beads::reassign)),
    Route::get("rigs/:rig/beads/:bead/events", Runs(beads::events)),
    Route::get("rigs/:rig/events", Asks(beads::events_of_rig)),
    // Agents of a rig.
    Route::get("rigs/:rig/agents", Asks(lists::agents_of_rig)),
    Route::post("rigs/:rig/agents/:agent/reset", Asks(agents::reset)),
    Route::get("rigs/:rig/agents/:agent/pending-nudges", Asks(agents::pending_nudges)),
    Route::post("mail", Asks(agents::mail)),
    // Convoys.
    Route::get("convoys", Asks(convoys::list)),
    Route::get("convoys/:convoy", Asks(convoys::get)),
    Route::patch("convoys/:convoy", Asks(convoys::update)),
    Route::post("convoys/:convoy/start", Runs(convoys::start)),
    Route::post("convoys/:convoy/close", Asks(convoys::close)),
    Route::post("convoys/:convoy/add-bead", Asks(convoys::add_bead)),
    Route::post("convoys/:convoy/remove-bead", Asks(convoys::remove_bead)),
    // The town.
    Route::get("escalations", Asks(town::escalations)),
    Route::post("escalations/:escalation/acknowledge", Asks(town::acknowledge)),
    Route::get("merge-queue", Asks(town::merge_queue)),
    Route::get("status", Asks(town::status)),
    Route::get("config", Runs(town::config)),
    Route::post("ui-action", Runs(town::ui_action)),
    // What embedded towns do not have.
    Route::get("wasteland/browse", Runs(unsupported::browse)).missing(404),
    Route::post("wasteland/claim", Runs(unsupported::claim)).missing(404),
    Route::post("wasteland/post", Runs(unsupported::post)).makes().missing(404),
    Route::post("wasteland/done", Runs(unsupported::done)).missing(404),
    Route::post("babysit-pr", Asks(unsupported::babysit)).makes().missing(501),
];
