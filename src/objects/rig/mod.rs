//! The core of `RigDO`: one rig, whole. Synchronous, over `Sql`; knows no MCP, no HTTP and no other rig.
//!
//! - The rig: `state` (its record), `schema`, `counters`, `retention` (how long things are kept), `check` (whether it agrees
//!   with itself), `deletion` (its end).
//! - `beads`: the collection, legal moves, dependencies, events, formulas and molecules (the steps of work).
//! - `assignment`: from a bead that is ready to the agent that holds it: sling, dispatch, hooks, orders.
//! - `agents`: the collection, the name pool, status, checkpoints, `prime`, and agents' reports.
//! - `reviews`: merge requests, their results, rework, landings of convoys.
//! - `convoys`: the part of a convoy that lives here, a close look at it, and the one step that unsticks it.
//! - `messages`: mail, nudges, escalations (what goes up), triage (what is decided).
//! - `watchdog`: what is done by itself when nobody reports.
//! - How it goes: `work_report`, `work_steps` and `work_totals` (what came of the work, from events).
//! - Told to others: `outbox_letters` (to the town), `topics` (to sessions).

pub mod agents;
pub mod assignment;
pub mod beads;
pub mod check;
pub mod convoys;
mod counters;
pub mod deletion;
pub mod messages;
mod outbox_letters;
pub mod retention;
pub mod reviews;
mod schema;
mod state;
pub mod topics;
pub mod watchdog;
pub mod work_report;
pub mod work_steps;
mod work_totals;

use crate::auth::principal::TokenKind;
use crate::contract::letters::{Letter, TownToRig};
use crate::objects::handler::{Answer, Caller, Core, Cx, Owes};
use crate::objects::inbox::receive;
use crate::rpc::call::Instance;
use base::error::{Code, Failure, Refusal, refuse};

/// The core of a rig, for `objects::handlers`.
pub const CORE: Core = Core {
    migrations: schema::MIGRATIONS,
    authorize,
    check_writer: Some(assignment::orders::writer::check),
    alarm,
    owes: Some(Owes { compose: outbox_letters::compose, town: |cx, _| Ok(state::load(cx)?.map(|rig| rig.town_id.clone())) }),
    read_stream: None,
};

/// Work left for later: landings to try again, expired rows, the watchdog, and beads to give out.
fn alarm(cx: &Cx<'_>) -> Result<(), Failure> {
    let Some(rig) = state::load(cx)? else { return Ok(()) };
    reviews::landing::alarm(cx, &rig)?;
    retention::prune(cx)?;
    messages::expire(cx)?;
    watchdog::run(cx, &rig)?;
    assignment::dispatch::dispatch(cx, &rig)?;
    Ok(assignment::dispatch::wake_when_rested(cx)?)
}

/// Internal callers must come from the rig's own town; everyone else must be allowed to use that town, and an agent
/// only its own rig.
fn authorize(cx: &Cx<'_>, caller: &Caller) -> Result<(), Failure> {
    let Some(rig) = state::load(cx)? else {
        let first_letter = caller.principal.kind == TokenKind::Internal;
        return if first_letter { Ok(()) } else { Err(refuse(Code::NotFound, format!("Rig {} not found", cx.instance.name()))) };
    };
    // First: a caller of another town must not learn that this rig exists there.
    if caller.town.as_ref().is_some_and(|town| *town != rig.town_id) {
        return Err(Refusal::new(Code::Forbidden, "Rig not found in this town").hint("Call list_rigs to see the rigs of the town.").into());
    }
    caller.principal.check_owner(&rig.town_id, &rig.owner())?;
    if caller.principal.rig.as_ref().is_some_and(|own| *own != rig.rig_id) {
        return Err(refuse(Code::Forbidden, "Forbidden: this token is for another rig"));
    }
    Ok(())
}

/// Applies letters of the town: the rig's own record, and the beads of convoys.
pub(crate) fn deliver(cx: &Cx<'_>, caller: &Caller, (letters,): (Vec<Letter>,)) -> Result<Answer, Failure> {
    let source = caller.principal.from.as_deref().unwrap_or_default();
    if let Some(rig) = state::load(cx)?
        && source != Instance::Town(rig.town_id.clone()).to_string()
    {
        return Err(refuse(Code::Forbidden, "Forbidden: letters come from the rig's own town"));
    }
    let answer = receive(cx, source, &letters, |letter| match letter.kind() {
        Some(TownToRig::Rig) => state::apply(cx, source, letter),
        Some(TownToRig::Convoy) => convoys::apply(cx, letter),
        Some(TownToRig::Landing) => reviews::landing::apply(cx, letter),
        Some(TownToRig::Triage) => messages::triage::apply(cx, letter),
        Some(TownToRig::Acknowledged) => messages::escalations::acknowledged(cx, letter),
        Some(TownToRig::Removed) => {
            cx.destroy_by(letter.generation);
            Ok(())
        }
        Some(TownToRig::Blocker) => convoys::apply_blocker(cx, letter),
        None => Err(refuse(Code::Unsupported, format!("A rig takes no letters of kind {}", letter.kind))),
    })?;
    if !cx.effects().destroy {
        assignment::dispatch::dispatch(cx, &*state::require(cx)?)?;
    }
    Ok(answer)
}
