//! The core of `TownDO`: what spans the rigs of one town. The beads themselves live in the rigs. Synchronous, over `Sql`; knows
//! no MCP, no HTTP and no other town.
//!
//! - The town: `state` (its row), `identity` (its owner), `config` (its configuration), `settings` (the keys of it), `schema`,
//!   `check` (whether all agrees).
//! - `rigs`: the list, how each is set up, parking and drains, the circuit breaker, deletion of rigs and town.
//! - `convoys`: the collection, batches of new work, changes, the graph of dependencies, the mirror of members, landing.
//! - `mayor`: its session, messages to it, their life, and its `prime`.
//! - `escalations`: the inbox of people.
//! - `views`: status, capacity, merge queue, feed, viewers.
//! - Told to others: `outbox_letters` (to the rigs), `topics` (to sessions).

pub mod check;
pub mod config;
pub mod convoys;
pub mod escalations;
pub mod identity;
pub mod mayor;
mod outbox_letters;
pub mod rigs;
mod schema;
mod settings;
mod state;
pub mod topics;
pub mod views;

use crate::auth::principal::TokenKind;
use crate::contract::letters::{Letter, RigToTown};
use crate::objects::handler::{Answer, Caller, Core, Cx, Owes};
use crate::objects::inbox::receive;
use crate::rpc::call::Instance;
use base::error::{Code, Failure, Refusal, refuse};

/// The core of a town, for `objects::handlers`.
pub const CORE: Core = Core {
    migrations: schema::MIGRATIONS,
    authorize,
    check_writer: None,
    alarm,
    owes: Some(Owes { compose: outbox_letters::compose, town: |cx, _| Ok(state::load(cx)?.map(|town| town.town_id.clone())) }),
    read_stream: None,
};

/// The caller must be allowed to use this town; a town without an owner serves only our own objects.
fn authorize(cx: &Cx<'_>, caller: &Caller) -> Result<(), Failure> {
    let Some(town) = state::load(cx)? else {
        let meant = caller.principal.town.as_ref().is_some_and(|town| town.as_str() == cx.instance.name());
        let first_call = caller.principal.kind == TokenKind::Internal && meant;
        return if first_call { Ok(()) } else { Err(refuse(Code::NotFound, format!("Town {} not found", cx.instance.name()))) };
    };
    caller.principal.check_owner(&town.town_id, &town.owner())?;
    if caller.town.as_ref().is_some_and(|meant| *meant != town.town_id) {
        return Err(Refusal::new(Code::Forbidden, "Forbidden: the call is meant for another town").into());
    }
    if town.closing && caller.principal.kind != TokenKind::Internal {
        let refusal = Refusal::new(Code::Conflict, format!("Town {} is being deleted", town.town_id));
        return Err(refusal.hint("Call list_towns to see the towns that there are.").into());
    }
    Ok(())
}

/// Work that is due by time. There is one alarm, so each part asks again for its own next time.
fn alarm(cx: &Cx<'_>) -> Result<(), Failure> {
    let Some(town) = state::load(cx)? else { return Ok(()) };
    escalations::alarm(cx)?;
    views::viewers::alarm(cx)?;
    rigs::breaker::alarm(cx)?;
    rigs::pause::end_when_over(cx, &town)?;
    rigs::deletion::go_when_told(cx, &town)
}

/// Applies letters: the rigs' summaries and states of convoys' beads, and the sessions' receipts for a Mayor.
pub(crate) fn deliver(cx: &Cx<'_>, caller: &Caller, (letters,): (Vec<Letter>,)) -> Result<Answer, Failure> {
    let source = caller.principal.from.as_deref().unwrap_or_default();
    let rig = match Instance::parse(source) {
        Some(Instance::Rig(rig)) => rig,
        Some(Instance::Session(_)) => return receive(cx, source, &letters, |letter| mayor::reading::taken(cx, letter)),
        _ => return Err(refuse(Code::Forbidden, "Forbidden: a town takes letters from its rigs and sessions only")),
    };
    if state::require(cx)?.closing || rigs::deletion::is_leaving(cx, &rig)? {
        return Ok(Answer::Void);
    }
    rigs::require(cx, &rig)?;
    receive(cx, source, &letters, |letter| match letter.kind() {
        Some(RigToTown::Summary) => rigs::apply_summary(cx, &rig, letter),
        Some(RigToTown::Escalation) => escalations::apply(cx, &rig, letter),
        Some(RigToTown::Message) => mayor::mail::receive(cx, letter),
        Some(RigToTown::Frames) => views::viewers::apply_frames(cx, &rig, letter),
        Some(RigToTown::Bead) => convoys::mirror::apply_bead(cx, &rig, letter),
        Some(RigToTown::Landing) => convoys::landing::apply_report(cx, &rig, letter),
        None => Err(refuse(Code::Unsupported, format!("A town takes no letters of kind {}", letter.kind))),
    })
}
