//! Responses that go on: dispatch orders and a town's feed as server-sent events, its status over a WebSocket.
//!
//! Owns who may watch a town. The rows of these routes are in `rest`'s tables.

pub(super) mod dispatch;
pub(super) mod event_stream;
pub(super) mod feed;
pub(super) mod status_socket;

use crate::contract::ids::TownId;
use crate::edge::Authenticated;
use base::error::{Code, Failure, Refusal};

/// The town, for a caller who may watch all of it.
///
/// # Errors
/// `Forbidden` for an agent of a rig, and what `enter_town` refuses.
async fn watched_town(caller: &Authenticated<'_>, named: &str) -> Result<TownId, Failure> {
    if caller.principal().role.is_of_rig() {
        let refusal = Refusal::new(Code::Forbidden, "Forbidden: an agent sees its own rig only");
        return Err(refusal.hint("Read /api/towns/{town}/rigs/{rig}/beads.").into());
    }
    caller.enter_town(named).await
}
