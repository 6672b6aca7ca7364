//! The access check of routes.
//!
//! Owns the checks that follow from the row: the scope, and the agent or Mayor that a route is for. The objects check roles.

use super::envelope;
use super::route::{Route, RouteCaller};
use super::router::PathParameters;
use crate::auth::principal::{Principal, Role, TokenKind};
use crate::edge::Authenticated;
use base::error::{Code, Refusal};
use base::http::Response;

/// Checks the caller against the row.
///
/// # Errors
/// 403; for a token with too narrow a scope with the scope that would do.
pub(super) fn check(caller: &Authenticated<'_>, route: &Route, parameters: &PathParameters) -> Result<(), Response> {
    caller.check_scope(route.scope(caller.principal().role))?;
    check_caller(caller.principal(), route.caller, parameters.get("agent")).map_err(|refusal| envelope::refused(&refusal))
}

/// An agent's own routes take its token, and the container's; the Mayor's its own.
fn check_caller(principal: &Principal, caller: RouteCaller, named: &str) -> Result<(), Refusal> {
    let (is_allowed, message) = match (caller, principal.kind) {
        (RouteCaller::Any, _) => return Ok(()),
        (RouteCaller::AgentItself, TokenKind::Agent) => {
            (principal.agent_id.as_deref() == Some(named) && principal.role.is_of_rig(), "Forbidden: an agent reports for itself only")
        }
        (RouteCaller::AgentItself, TokenKind::Container) => {
            (principal.agent_id.as_deref().is_none_or(|own| own == named), "Forbidden: the header names another agent than the path")
        }
        (RouteCaller::AgentItself, _) => (false, "Forbidden: this route takes the agent's own token, or its container's"),
        (RouteCaller::Mayor, kind) => (kind == TokenKind::Container || principal.role == Role::Mayor, "Forbidden: this is the Mayor's"),
    };
    if is_allowed {
        return Ok(());
    }
    Err(Refusal::new(Code::Forbidden, message).hint("Use the token of the agent that the path names."))
}

/// The principal for the route's calls: at an agent's own route the path says which of the container's agents speaks.
pub(super) fn speaking(principal: &Principal, route: &Route, parameters: &PathParameters) -> Principal {
    let mut principal = principal.clone();
    if route.caller == RouteCaller::AgentItself && principal.kind == TokenKind::Container && principal.agent_id.is_none() {
        principal.agent_id = Some(parameters.get("agent").to_owned());
    }
    principal
}
