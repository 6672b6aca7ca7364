//! The core of `TownDO`: what spans the rigs of one town. The beads themselves live in the rigs. Synchronous, over `Sql`; knows
//! no MCP, no HTTP and no other town.
//!
//! - The town: `state` (its row), `identity` (who owns it), `config` (how it is set up), `settings` (what may be set), `schema`.
//! - Rigs: `rigs` (the list), `rig_config` (how each is set up), `pause` (parking, drains), `breaker` (too much fails), `removal` (the end of rigs and town).
//! - Convoys: `convoys` (the collection), `sling` (new ones), `convoy_changes`, `candidates` (beads that may join), `graph` (their
//!   dependencies), `mirror` (what the rigs tell of members), `landing` (their end), `check` (whether all agrees).
//! - The Mayor: `mayor` (its session), `mayor_mail` (what it is told), `mayor_reading` (what becomes of that, and replies),
//!   `mayor_prime` (what it begins with).
//! - What waits for people: `escalations`, `reviews` (the merge queue).
//! - What is seen: `status`, `pool` (polecats and queues of the rigs), `feed` (what happened here), `activity` (in the rigs too), `watch` (as it happens).
//! - Told to others: `letters` (to the rigs), `topics` (to sessions).

pub mod activity;
pub mod breaker;
mod candidates;
pub mod check;
pub mod config;
pub mod convoy_changes;
pub mod convoys;
pub mod escalations;
pub mod feed;
pub mod follow_up;
pub mod graph;
pub mod identity;
pub mod inspection;
mod landing;
mod letters;
pub mod mayor;
pub mod mayor_mail;
pub mod mayor_prime;
pub mod mayor_reading;
pub mod mirror;
pub mod pause;
pub mod pool;
pub mod removal;
pub mod reviews;
pub mod rig_config;
pub mod rigs;
mod schema;
mod settings;
pub mod sling;
mod state;
pub mod status;
pub mod topics;
pub mod watch;

use crate::auth::principal::TokenKind;
use crate::error::{Code, Failure, Refusal, refuse};
use crate::rpc::call::Instance;
use crate::rpc::receive::receive;
use crate::rpc::serve::{Answer, Caller, Core, Cx, Owes};
use crate::store::outbox::Letter;

/// What `rpc` needs to run a town.
pub const CORE: Core = Core {
    migrations: schema::MIGRATIONS,
    authorize,
    check_writer: None,
    alarm,
    owes: Some(Owes { compose: letters::compose, town: |cx, _| Ok(state::load(cx)?.map(|town| town.town_id.clone())) }),
    read_stream: None,
};

/// The caller must be allowed to use this town; a town without an owner is used by nobody but our own objects.
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

/// What time alone brings about. There is one alarm, so each part asks again for its own next time.
fn alarm(cx: &Cx<'_>) -> Result<(), Failure> {
    let Some(town) = state::load(cx)? else { return Ok(()) };
    escalations::alarm(cx)?;
    watch::alarm(cx)?;
    breaker::alarm(cx)?;
    pause::end_when_over(cx, &town)?;
    removal::go_when_told(cx, &town)
}

/// Applies what the rigs send: their summaries, and how the beads of convoys stand; and what sessions have handed to a Mayor.
pub(crate) fn deliver(cx: &Cx<'_>, caller: &Caller, (letters,): (Vec<Letter>,)) -> Result<Answer, Failure> {
    let source = caller.principal.from.as_deref().unwrap_or_default();
    let rig = match Instance::parse(source) {
        Some(Instance::Rig(rig)) => rig,
        Some(Instance::Session(_)) => return receive(cx, source, &letters, |letter| mayor_reading::taken(cx, letter)),
        _ => return Err(refuse(Code::Forbidden, "Forbidden: a town takes letters from its rigs and sessions only")),
    };
    if state::require(cx)?.closing || removal::is_leaving(cx, &rig)? {
        return Ok(Answer::Void);
    }
    rigs::require(cx, &rig)?;
    receive(cx, source, &letters, |letter| match letter.kind.as_str() {
        "summary" => rigs::apply_summary(cx, &rig, letter),
        "escalation" => escalations::apply(cx, &rig, letter),
        "message" => mayor_mail::receive(cx, letter),
        "frames" => watch::apply_frames(cx, &rig, letter),
        "bead" => mirror::apply_bead(cx, &rig, letter),
        "landing" => landing::apply_report(cx, &rig, letter),
        other => Err(refuse(Code::Unsupported, format!("A town takes no letters of kind {other}"))),
    })
}
