//! The core of `GastownUserDO` and `GastownOrgDO`: which towns and rigs an owner has.
//!
//! Owns the registry tables. A row here makes nothing run: towns and rigs are objects of their own.

pub mod rigs;
mod schema;
pub mod towns;

use crate::auth::principal::TokenKind;
use crate::contract::letters::session::News;
use crate::objects::handler::{Answer, Caller, Core, Cx, Owes, json};
use crate::objects::topics;
use crate::rpc::call::Instance;
use base::error::{Code, Failure, refuse};
use base::time::Timestamp;

/// The topic that changes when a town or a rig is registered or removed.
const TOWNS: &str = "towns";

/// The core of a registry, for `objects::handlers`.
pub const CORE: Core = Core {
    migrations: schema::MIGRATIONS,
    authorize,
    check_writer: None,
    alarm: |_| Ok(()),
    owes: Some(Owes { compose: |cx, owed| topics::compose(cx, owed, |_| Ok(News::default())), town: |_, _| Ok(None) }),
    read_stream: None,
};

/// A user's registry is the user's; an organization's is its members'. Town tokens see their own town only, which the
/// methods check.
fn authorize(cx: &Cx<'_>, caller: &Caller) -> Result<(), Failure> {
    let principal = &caller.principal;
    let allowed = match (principal.kind, cx.instance) {
        (TokenKind::Internal, _) => true,
        (TokenKind::User, Instance::Org(org)) => principal.orgs.iter().any(|membership| membership.org_id == *org),
        (_, Instance::User(user)) => principal.user_id == *user,
        // A town's tokens name no organization.
        (TokenKind::Agent | TokenKind::Container, Instance::Org(_)) => principal.town.is_some(),
        _ => false,
    };
    if allowed { Ok(()) } else { Err(refuse(Code::Forbidden, "Forbidden: this registry belongs to somebody else")) }
}

/// A town or a rig was registered or removed.
fn changed(cx: &Cx<'_>) -> Result<(), Failure> {
    topics::notify(cx, TOWNS)
}

/// `ping`.
pub(crate) fn ping(_cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    json(&"pong")
}

/// `listen`. An owner without towns hears of the first one.
pub(crate) fn listen(cx: &Cx<'_>, caller: &Caller, (topics, expires_at): (Vec<String>, Timestamp)) -> Result<Answer, Failure> {
    topics::listen(cx, caller, &topics, expires_at)?;
    Ok(Answer::Void)
}
