//! The check whether a token may call a method at all.
//!
//! Owns the check of role, scope and internal methods. Whether the caller may use this town, the object knows.

use super::table::{Access, Method};
use crate::auth::principal::{Principal, Role, TokenKind};
use base::error::{Code, Refusal};

/// Checks without touching storage: role, scope, and that internal stays internal.
///
/// # Errors
/// `Forbidden`.
pub fn check_access(method: &Method, principal: &Principal) -> Result<(), Refusal> {
    let internal = principal.kind == TokenKind::Internal;
    if method.access == Access::Internal {
        let meant = principal.method.as_deref() == Some(method.name);
        return if internal && meant {
            Ok(())
        } else {
            Err(Refusal::new(Code::Forbidden, format!("Forbidden: {} is internal", method.name)))
        };
    }
    if internal {
        return Err(Refusal::new(Code::Forbidden, format!("Forbidden: {} takes the caller's own token", method.name)));
    }
    let leads = matches!(principal.role, Role::Coordinator | Role::Mayor | Role::Container);
    let allowed = match method.access {
        Access::Read | Access::Agent => true,
        Access::Lead => leads,
        Access::Mayor => matches!(principal.role, Role::Coordinator | Role::Mayor),
        Access::Admin => principal.role == Role::Coordinator,
        Access::Internal => false,
    };
    if !allowed {
        return Err(Refusal::new(Code::Forbidden, format!("Forbidden: your role may not call {}", method.name)));
    }
    principal.check_scope(method.access.scope_of(principal.role))
}
