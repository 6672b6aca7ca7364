//! `/api/users/{user}/…` and `/api/orgs/{org}/…`: the registries of owners, with their towns and rigs (Gastown contract 4.4).
//!
//! `table` has the rows, the same for both kinds of owner; `towns` and `rigs` say what each asks for. Owns the admission of callers.

mod rigs;
mod table;
mod towns;

use super::as_it_is;
use super::docs::GroupDocs;
use super::route::{RouteGroup, RoutePlace};
use super::router::PathParameters;
use crate::auth::principal::{Role, TokenKind};
use crate::edge::Authenticated;
use crate::rpc::call::Instance;
use base::error::{Code, Refusal};

/// A user's registry.
pub static USERS: RouteGroup = RouteGroup {
    prefix: "/api/users/:user",
    routes: table::ROUTES,
    enter: enter_user,
    explain: as_it_is,
    docs: GroupDocs::new("A user's registry", "The user.", Role::Coordinator),
};

/// An organization's registry.
pub static ORGANIZATIONS: RouteGroup = RouteGroup {
    prefix: "/api/orgs/:org",
    routes: table::ROUTES,
    enter: enter_org,
    explain: as_it_is,
    docs: GroupDocs::new("An organization's registry", "Users who are members or owners of the organization.", Role::Coordinator),
};

fn enter_user(caller: &Authenticated<'_>, path: &PathParameters) -> Result<RoutePlace, Refusal> {
    let user = path.get("user");
    enter(caller, caller.principal().user_id == user, Instance::User(user.to_owned()))
}

fn enter_org(caller: &Authenticated<'_>, path: &PathParameters) -> Result<RoutePlace, Refusal> {
    let org = path.get("org");
    let is_member = caller.principal().orgs.iter().any(|membership| membership.org_id == org);
    enter(caller, is_member, Instance::Org(org.to_owned()))
}

/// Takes user tokens only, and only for the user's own registry or one of the user's organizations.
fn enter(caller: &Authenticated<'_>, is_own: bool, owner: Instance) -> Result<RoutePlace, Refusal> {
    if caller.principal().kind == TokenKind::User && is_own {
        return Ok(RoutePlace { town: None, rig: None, owner: Some(owner) });
    }
    Err(Refusal::new(Code::Forbidden, "Forbidden"))
}
