//! The core of `GastownUserDO` and `GastownOrgDO`: which towns and rigs an owner has.
//!
//! Owns the registry tables. A row here makes nothing run: towns and rigs are objects of their own.

pub mod rigs;
mod schema;
pub mod towns;

use crate::auth::principal::TokenKind;
use crate::error::{Code, Failure, refuse};
use crate::rpc::call::Instance;
use crate::rpc::serve::{Caller, Core, Cx};

/// What `rpc` needs to run a registry.
pub const CORE: Core = Core { migrations: schema::MIGRATIONS, authorize, alarm: |_| Ok(()), owes: None, read_stream: None };

/// A user's registry is the user's; an organization's is its members'. Town tokens see their own town only, which the
/// methods check.
fn authorize(cx: &Cx<'_>, caller: &Caller) -> Result<(), Failure> {
    let principal = &caller.principal;
    let allowed = match (principal.kind, cx.instance) {
        (TokenKind::Internal, _) => true,
        (TokenKind::User, Instance::Org(org)) => principal.orgs.iter().any(|membership| membership.org_id == *org),
        (_, Instance::User(user)) => principal.user_id == *user,
        _ => false,
    };
    if allowed { Ok(()) } else { Err(refuse(Code::Forbidden, "Forbidden: this registry belongs to somebody else")) }
}
