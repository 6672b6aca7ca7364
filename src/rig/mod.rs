//! The core of `RigDO`: one rig, whole. Synchronous, over `Sql`; knows no MCP, no HTTP and no other rig.
//!
//! - The rig: `state` (who it is), `schema`, `tally` (counts), `retention` (how long things are kept), `check` (whether it
//!   agrees with itself), `removal` (its end).
//! - Beads: `beads` (the collection), `bead_text` (what they may hold), `bead_lists`, `bead_fields`, `bead_deletion`, `lifecycle`
//!   (legal moves), `dependencies` (who waits for whom), `events` (what happened).
//! - Work: `dispatch` (what is given out next), `roster` (who is free), `hooks` (who holds what), `orders` (what runners are told), `reassign`, `sling`, `formulas`
//!   and `molecules` (the steps of work), `convoys` (the part of a convoy that lives here).
//! - How it goes: `pool` (who could work, and what waits), `work_report` and `work_fold` (what came of the work, from events).
//! - Agents: `agents` (the collection), `names`, `agent_status`, `checkpoints`, `agent_events`, `prime`, `finish` (what they report).
//! - Reviews: `reviews` (merge requests), `verdicts` (their results), `rework`, `landing` (of convoys), `merge_queue` (how all that
//!   looks).
//! - When nothing moves: `watch` (what is done by itself when nobody reports), `inspection` (a close look at convoys), `unstick`
//!   (one step, asked for).
//! - What is said: `messages` (all of them), `mail`, `nudges`, `mayor_mail`; `escalations` (what goes up), `triage` (what is decided).
//! - Told to others: `report` (to the town), `topics` (to sessions).

pub mod agent_events;
pub mod agent_status;
pub mod agents;
pub mod bead_deletion;
pub mod bead_fields;
pub mod bead_lists;
pub mod bead_text;
pub mod beads;
pub mod check;
pub mod checkpoints;
pub mod convoys;
pub mod dependencies;
pub mod dispatch;
mod escalations;
pub mod events;
pub mod finish;
pub mod formulas;
pub mod hooks;
pub mod inspection;
pub mod landing;
pub mod lifecycle;
pub mod mail;
mod mayor_mail;
pub mod merge_queue;
pub mod messages;
pub mod molecules;
pub mod names;
pub mod nudges;
pub mod orders;
pub mod pool;
pub mod prime;
pub mod reassign;
pub mod removal;
mod report;
pub mod retention;
pub mod reviews;
pub mod rework;
mod roster;
mod schema;
pub mod sling;
mod state;
mod tally;
pub mod topics;
pub mod triage;
pub mod unstick;
pub mod verdicts;
pub mod watch;
mod work_fold;
pub mod work_report;

pub use convoys::{BlockerTold, ConvoyOrder, OrderedBead, OrderedEdge, TaskDetails};
pub use landing::{LandingOrder, LandingReport};
pub use state::RigState;
pub use watch::WatchSettings;

use crate::auth::principal::TokenKind;
use crate::error::{Code, Failure, Refusal, refuse};
use crate::rpc::call::Instance;
use crate::rpc::receive::receive;
use crate::rpc::serve::{Answer, Caller, Core, Cx, Owes};
use crate::store::outbox::Letter;

/// What `rpc` needs to run a rig.
pub const CORE: Core = Core {
    migrations: schema::MIGRATIONS,
    authorize,
    check_writer: Some(orders::writer::check),
    alarm,
    owes: Some(Owes { compose: report::compose, town: |cx, _| Ok(state::load(cx)?.map(|rig| rig.town_id.clone())) }),
    read_stream: None,
};

/// Whatever was left for later: landings that are tried again, what is past its time, and work to give out.
fn alarm(cx: &Cx<'_>) -> Result<(), Failure> {
    let Some(rig) = state::load(cx)? else { return Ok(()) };
    landing::alarm(cx, &rig)?;
    retention::prune(cx)?;
    messages::expire(cx)?;
    watch::run(cx, &rig)?;
    dispatch::dispatch(cx, &rig)?;
    Ok(dispatch::wake_when_rested(cx)?)
}

/// Internal callers must come from the rig's own town; everyone else must be allowed to use that town, and an agent
/// only its own rig.
fn authorize(cx: &Cx<'_>, caller: &Caller) -> Result<(), Failure> {
    let Some(rig) = state::load(cx)? else {
        let first_letter = caller.principal.kind == TokenKind::Internal;
        return if first_letter { Ok(()) } else { Err(refuse(Code::NotFound, format!("Rig {} not found", cx.instance.name()))) };
    };
    // First: whoever may not use the rig's town is not told that some other town has this rig.
    if caller.town.as_ref().is_some_and(|town| *town != rig.town_id) {
        return Err(Refusal::new(Code::Forbidden, "Rig not found in this town").hint("Call list_rigs to see the rigs of the town.").into());
    }
    caller.principal.check_owner(&rig.town_id, &rig.owner())?;
    if caller.principal.rig.as_ref().is_some_and(|own| *own != rig.rig_id) {
        return Err(refuse(Code::Forbidden, "Forbidden: this token is for another rig"));
    }
    Ok(())
}

/// Applies what the town sends: the rig's own record, and the beads of convoys.
pub(crate) fn deliver(cx: &Cx<'_>, caller: &Caller, (letters,): (Vec<Letter>,)) -> Result<Answer, Failure> {
    let source = caller.principal.from.as_deref().unwrap_or_default();
    if let Some(rig) = state::load(cx)?
        && source != Instance::Town(rig.town_id.clone()).to_string()
    {
        return Err(refuse(Code::Forbidden, "Forbidden: letters come from the rig's own town"));
    }
    let answer = receive(cx, source, &letters, |letter| match letter.kind.as_str() {
        "rig" => state::apply(cx, source, letter),
        "convoy" => convoys::apply(cx, letter),
        "landing" => landing::apply(cx, letter),
        "triage" => triage::apply(cx, letter),
        escalations::ACKNOWLEDGED => escalations::acknowledged(cx, letter),
        removal::REMOVED => {
            cx.destroy_by(letter.generation);
            Ok(())
        }
        "blocker" => convoys::apply_blocker(cx, letter),
        other => Err(refuse(Code::Unsupported, format!("A rig takes no letters of kind {other}"))),
    })?;
    if !cx.effects().destroy {
        dispatch::dispatch(cx, &*state::require(cx)?)?;
    }
    Ok(answer)
}
