//! `/api/towns/{town}/…`: what observers see of a town as it happens.
//!
//! Owns the routes. What is streamed is `feed_stream`'s, who is let in on the status `status_socket`'s.

use super::{Authenticated, envelope, feed_stream, status_socket};
use crate::auth::principal::{Role, Scope};
use crate::error::{Code, Failure, Refusal};
use crate::http::outlet::Outlet;
use crate::http::{Request, Response};
use crate::ids::TownId;

/// Answers a route of a town.
pub(super) async fn answer(caller: &Authenticated<'_>, request: &Request<'_>, outlet: &Outlet, town: &str, rest: &[String]) -> Response {
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match (request.method.as_str(), rest.as_slice()) {
        ("GET", ["feed"]) => feed_stream::answer(caller, request, outlet, town).await,
        ("GET", ["status", "ws"]) => status_socket::answer(caller, request, town).await,
        (_, ["feed"] | ["status", "ws"]) => envelope::method_not_allowed("GET"),
        _ => envelope::not_found(),
    }
}

/// The town, for a caller who may watch all of it.
///
/// # Errors
/// The refusal as an answer.
pub(super) async fn watched_town(caller: &Authenticated<'_>, named: &str) -> Result<TownId, Response> {
    caller.check_scope(Scope::Read)?;
    if matches!(caller.principal().role, Role::Polecat | Role::Refinery) {
        let refusal = Refusal::new(Code::Forbidden, "Forbidden: an agent sees its own rig only");
        return Err(envelope::refused(&refusal.hint("Read /api/towns/{town}/rigs/{rig}/beads.")));
    }
    caller.enter_town(named).await.map_err(|failure: Failure| envelope::failed(caller, failure))
}
