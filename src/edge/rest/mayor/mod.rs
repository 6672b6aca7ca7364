//! `/api/mayor/{town}/…` (Gastown contract 4.5, 6): what the Mayor's plugin calls.
//!
//! `table` has the rows; `sling`, `lists`, `beads`, `convoys`, `agents`, `rigs`, `town` and `unsupported` say what each asks
//! for; `prompt` is the route beside them. Owns the admission of callers, and the refusal of rigs that are not the town's. The answers
//! are the objects' own, unrendered.

mod agents;
mod beads;
mod convoys;
mod lists;
mod prompt;
mod rigs;
mod sling;
mod table;
mod town;
mod unsupported;

use super::as_it_is;
use super::docs::GroupDocs;
use super::request::RouteRequest;
use super::route::{RouteGroup, RoutePlace};
use super::router::PathParameters;
use super::wrong_rig::{NO_AGENT, NO_BEAD};
use crate::auth::principal::Role;
use crate::contract::ids::{AgentId, BeadId, RigId, TownId};
use crate::edge::Authenticated;
use base::error::{Code, Failure, Refusal, Subject};

/// What the contract says of a rig that is none of the town's, whether or not there is one.
const NO_RIG: &str = "Rig not found in this town";

/// The routes under a Mayor's tools.
pub static TOOLS: RouteGroup = RouteGroup {
    prefix: "/api/mayor/:town/tools",
    routes: table::ROUTES,
    enter,
    explain: in_words,
    docs: GroupDocs::new("The Mayor's tools", "The town's Mayor and its containers.", Role::Mayor),
};

/// The Mayor's prompt.
pub static PROMPT: RouteGroup = RouteGroup {
    prefix: "/api/mayor/:town/prompt",
    routes: table::PROMPT,
    enter,
    explain: as_it_is,
    docs: GroupDocs::new("The Mayor's prompt", "The town's Mayor and its containers.", Role::Mayor),
};

/// Mayors and containers of this town; nobody else. Each call counts where calls are limited.
fn enter(caller: &Authenticated<'_>, path: &PathParameters) -> Result<RoutePlace, Refusal> {
    let principal = caller.principal();
    if !matches!(principal.role, Role::Mayor | Role::Container) {
        return Err(Refusal::new(Code::Forbidden, "Forbidden: these routes take a Mayor's or a container's token"));
    }
    let town = TownId::parse(path.get("town")).map_err(|_| Refusal::new(Code::Forbidden, "Forbidden"))?;
    principal.check_town(&town)?;
    caller.admit()?;
    Ok(RoutePlace { town: Some(town), rig: None, owner: None })
}

/// Whether it is said of a rig that it is none of the town's.
pub(super) fn is_about_rig(refusal: &Refusal) -> bool {
    matches!(refusal.about, Some(Subject::Rig(_))) && matches!(refusal.code, Code::NotFound | Code::Forbidden)
}

/// The contract's words: a rig that does not exist and a rig of another town are one answer, 403.
fn in_words(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(refusal) if is_about_rig(&refusal) => Refusal::new(Code::Forbidden, NO_RIG).into(),
        Failure::Refused(Refusal { code: Code::NotFound, about: Some(Subject::Convoy(_)), .. }) => {
            Refusal::new(Code::NotFound, convoys::ABSENT).into()
        }
        other => other,
    }
}

/// The rig that the path names.
fn rig(request: &RouteRequest<'_>) -> Result<RigId, Refusal> {
    RigId::parse(request.parameter("rig")).map_err(|_| Refusal::new(Code::Forbidden, NO_RIG))
}

/// The bead that the path names.
fn bead(request: &RouteRequest<'_>) -> Result<BeadId, Refusal> {
    request.id("bead", NO_BEAD)
}

/// The agent that the path names.
fn agent(request: &RouteRequest<'_>) -> Result<AgentId, Refusal> {
    request.id("agent", NO_AGENT)
}
