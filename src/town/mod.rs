//! The core of `TownDO`: what spans the rigs of one town.
//!
//! `state` is the town's row, `identity` who owns it, `config` how it is set up, `rigs` its rigs, `sling`, `convoys` and `convoy_changes`
//! batches of work, `graph` their dependencies, `mirror` what the rigs tell of them, `landing` their end, `check` whether all agrees, `status` what is read from the rigs or their mirror, `mayor` messages to
//! the Mayor, `letters` what goes to the rigs, `feed` what happened, `topics` what sessions listen to. The beads themselves live in the rigs. Synchronous, over `Sql`; knows no
//! MCP, no HTTP and no other town.

mod candidates;
pub mod check;
pub mod config;
pub mod convoy_changes;
pub mod convoys;
pub mod feed;
pub mod graph;
pub mod identity;
mod landing;
mod letters;
pub mod mayor;
pub mod mirror;
pub mod rigs;
mod schema;
pub mod sling;
mod state;
pub mod status;
pub mod topics;

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
    alarm: |_| Ok(()),
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
    Ok(())
}

/// Applies what the rigs send: their summaries, and how the beads of convoys stand.
pub(crate) fn deliver(cx: &Cx<'_>, caller: &Caller, (letters,): (Vec<Letter>,)) -> Result<Answer, Failure> {
    let source = caller.principal.from.as_deref().unwrap_or_default();
    let Some(Instance::Rig(rig)) = Instance::parse(source) else {
        return Err(refuse(Code::Forbidden, "Forbidden: a town takes letters from its rigs only"));
    };
    rigs::require(cx, &rig)?;
    receive(cx, source, &letters, |letter| match letter.kind.as_str() {
        "summary" => rigs::apply_summary(cx, &rig, letter),
        "bead" => mirror::apply_bead(cx, &rig, letter),
        "landing" => landing::apply_report(cx, &rig, letter),
        other => Err(refuse(Code::Unsupported, format!("A town takes no letters of kind {other}"))),
    })
}
