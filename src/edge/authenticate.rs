//! Authentication of a request: from an `Authorization` header to a principal, or to the refusal.
//!
//! Owns the order: first the tokens that are verified with this deployment's secrets, then those of the authorization
//! server. The two never share a key: each refuses the other's algorithms.

use super::Edge;
use crate::auth::challenge::ChallengeError;
use crate::auth::principal::Scope;
use crate::auth::{Accept, Principal, TokenError, bearer, verify};
use crate::edge::denied::Denied;
use crate::edge::oauth::issuer;
use crate::edge::oauth::protected_resource::Resource;
use crate::edge::rest::envelope;
use crate::edge::route::Door;
use crate::rpc::client::Token;
use base::error::{Code, Refusal};
use base::http::Response;

/// The caller, and the token that the objects will get.
pub(super) async fn authenticate<'a>(
    edge: Edge<'_>,
    resource: Resource<'_>,
    header: Option<&'a str>,
) -> Result<(Principal, Token<'a>), Denied> {
    let token = bearer(header)?;
    match (verify(edge.runtime.keys(), token, edge.runtime.now(), Accept::External), &edge.settings.oauth) {
        (Ok(principal), _) => Ok((principal, Token::Own(token))),
        (Err(TokenError::WrongAlgorithm), Some(oauth)) => Ok((issuer::verify(edge, oauth, resource, token).await?, Token::Exchanged)),
        (Err(error), _) => Err(error.into()),
    }
}

/// The answer, with the way to the resource metadata. Its body is an envelope on REST routes and plain JSON on MCP ones.
pub(super) fn denied(edge: Edge<'_>, resource: Resource<'_>, door: &Door, denied: Denied) -> Response {
    let (refusal, challenge) = match denied {
        Denied::Token(error) => (Refusal::from(error), Some(ChallengeError::of(error))),
        Denied::NoScope => {
            let needed = if matches!(door, Door::Mcp { read_only: true, .. }) { Scope::Read } else { Scope::Write };
            let refusal = Refusal::new(Code::Forbidden, "Forbidden: this token grants no Gastown scope");
            (
                refusal.hint(format!("Connect with a token that has {}.", needed.name())),
                Some(Some(ChallengeError::InsufficientScope(needed))),
            )
        }
        Denied::NoKeys(fault) => {
            let incident = edge.runtime.log_fault(&fault);
            let refusal =
                Refusal::new(Code::Unavailable, format!("The authorization server's keys cannot be fetched (incident {incident})"));
            (refusal.hint("Nothing is wrong with the token as far as is known. Call again in a few seconds."), None)
        }
    };
    let response = envelope::refused(&refusal);
    let response = match door {
        Door::Mcp { .. } => {
            Response::json(response.status, serde_json::json!({"error": refusal.message, "hint": refusal.hint}).to_string())
        }
        _ => response,
    };
    match challenge {
        Some(error) => response.header("www-authenticate", resource.challenge(error)),
        None => response,
    }
}
