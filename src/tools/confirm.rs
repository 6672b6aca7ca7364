//! Asking before something is destroyed: the user where the client can ask, else the model with a dry run.
//!
//! Owns the question, the token of a dry run and the rule that either is good once. What is destroyed, and doing it, is
//! the tool's.

use crate::rpc::call::{Call, decode};
use crate::rpc::table::SPEND_ONCE;
use crate::tools::interactive::Live;
use base::error::{Code, Fault, Refusal};
use base::signed_text::{Purpose, digest, open, seal};
use base64ct::{Base64UrlUnpadded, Encoding};
use mcp::client::{ClientCapability, InputRequest, Interruption};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How long the token of a dry run is good.
pub const TOKEN_LIFE_MILLIS: i64 = 10 * 60 * 1_000;
/// Longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 1_024;

/// What a destructive tool takes besides its arguments proper.
#[derive(Debug, Clone, Default)]
pub struct Confirmation {
    /// `confirm`: the call is meant.
    pub confirm: bool,
    /// `confirm_token`: of the dry run that was shown before.
    pub token: Option<String>,
}

/// Whether the tool may go on.
#[derive(Debug)]
pub enum Confirmed {
    /// It was confirmed; the confirmation is used up.
    Yes,
    /// It was not asked for in earnest yet; this is the answer.
    DryRun(DryRun),
}

/// What a call would do, and how to have it done.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "clients look for dry_run")]
pub struct DryRun {
    /// Nothing was changed.
    dry_run: bool,
    /// What the call would do.
    would: String,
    /// Good once, for ten minutes, for this call only.
    confirm_token: String,
    /// What to do to have it done.
    next: String,
}

/// What a token says.
#[derive(Serialize, Deserialize)]
struct Token {
    id: String,
    tool: String,
    /// Digest of who asked where: the principal and the object that remembers what was used.
    caller: String,
    /// Digest of the arguments and of what they would destroy.
    call: String,
    expires_at: i64,
}

/// Has a call confirmed. `arguments` are those that say what is destroyed, names resolved to ids; `what` says the same
/// to people, as the object of "would", with text of agents fenced.
///
/// # Errors
/// A refusal when it is not confirmed, or when the token is not one for this very call. Nothing has been changed then.
pub async fn confirm(live: &Live<'_>, tool: &str, arguments: &Value, what: &str, given: &Confirmation) -> Result<Confirmed, Interruption> {
    if live.mcp_client.can(ClientCapability::Elicitation) {
        return ask(live, tool, what).await;
    }
    let key = live.client.runtime.keys().seal_key();
    let now = live.client.runtime.now();
    let caller = digest(&format!("{}\n{}", live.client.principal.key(), live.sessions));
    let call = digest(&format!("{arguments}\n{what}"));
    let Some(token) = &given.token else {
        let id = Base64UrlUnpadded::encode_string(&live.client.runtime.random());
        let token = Token { id, tool: tool.to_owned(), caller, call, expires_at: now.plus_millis(TOKEN_LIFE_MILLIS).millis() };
        let confirm_token = seal(key, Purpose::Confirmation, &token).map_err(|error| Fault::new("seal a confirmation", error))?;
        let next = "Nothing was changed. Ask the user; then call again with the same arguments, confirm: true and this \
                    confirm_token within 10 minutes.";
        return Ok(Confirmed::DryRun(DryRun { dry_run: true, would: what.to_owned(), confirm_token, next: next.to_owned() }));
    };
    if !given.confirm {
        return Err(refused(Code::InvalidArgument, "confirm_token was given, but confirm is not true").into());
    }
    let known = (token.len() <= TOKEN_BYTES_MAX).then(|| open::<Token>(key, Purpose::Confirmation, token)).flatten();
    let Some(known) = known.filter(|known| known.caller == caller && known.tool == tool) else {
        return Err(refused(Code::InvalidArgument, "confirm_token is not one that you got for this call").into());
    };
    if known.expires_at <= now.millis() {
        return Err(refused(Code::Conflict, "confirm_token has expired").into());
    }
    if known.call != call {
        return Err(refused(Code::Conflict, "confirm_token is for other arguments, or what they would do has changed since").into());
    }
    if !spend(live, &known).await? {
        return Err(refused(Code::Conflict, "confirm_token was used before").into());
    }
    Ok(Confirmed::Yes)
}

async fn ask(live: &Live<'_>, tool: &str, what: &str) -> Result<Confirmed, Interruption> {
    let confirm = json!({"type": "boolean", "title": "Yes, do it", "default": false});
    let schema = json!({"type": "object", "properties": {"confirm": confirm}, "required": ["confirm"]});
    let message = format!("{tool} would {what} Shall it?");
    let answers = live.mcp_client.ask(vec![("confirm", InputRequest::form(&message, &schema))]).await?;
    let accepted = answers.first().is_some_and(|answer| {
        answer.get("action").and_then(Value::as_str) == Some("accept") && answer.pointer("/content/confirm") == Some(&Value::Bool(true))
    });
    if !accepted {
        let refusal = Refusal::new(Code::Forbidden, "Not confirmed, nothing was changed");
        return Err(refusal.hint("The user was asked and did not agree. Ask what they want before you call again.").into());
    }
    live.mcp_client.spend().await?;
    Ok(Confirmed::Yes)
}

/// Whether this is the first time.
async fn spend(live: &Live<'_>, token: &Token) -> Result<bool, Interruption> {
    let call = Call::new(live.sessions.clone(), &SPEND_ONCE, (format!("confirmation:{}", token.id), token.expires_at))?;
    let reply = live.client.call_internal(&call, live.place.town.as_ref()).await?;
    Ok(decode(&SPEND_ONCE, &reply)?)
}

fn refused(code: Code, why: &str) -> Refusal {
    Refusal::new(code, format!("{why}: nothing was changed"))
        .hint("Call without confirm and confirm_token to see what would happen and get a new token.")
}
