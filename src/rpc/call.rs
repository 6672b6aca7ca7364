//! A call as it travels: instance, method, positional arguments, and the caller's context.
//!
//! Owns the wire forms of call and reply. Does not send anything.

use super::table::{Method, Object};
use crate::auth::{InternalClaims, Keys, mint_internal};
use crate::contract::ids::{RigId, TownId};
use base::error::{Code, Failure, Fault, Refusal};
use base::http::Relayed;
use base::time::Timestamp;
use futures::future::LocalBoxFuture;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt;

/// A reply text that begins with this character carries a refusal; no JSON text does.
const REFUSED: char = '!';
/// A reply text that begins with this character carries the incident id of a fault that was logged where it happened.
const BROKE: char = '?';

/// Which object is meant: class and instance-name rule in one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Instance {
    /// `RigDO`, named by rig id.
    Rig(RigId),
    /// `TownDO`, named by town id.
    Town(TownId),
    /// `GastownUserDO`, named by user id.
    User(String),
    /// `GastownOrgDO`, named by organization id.
    Org(String),
    /// `SessionDO`, named `town:<id>` or `principal:<key>`.
    Session(String),
}

impl Instance {
    /// Which core answers.
    #[must_use]
    pub const fn object(&self) -> Object {
        match self {
            Self::Rig(_) => Object::Rig,
            Self::Town(_) => Object::Town,
            Self::User(_) | Self::Org(_) => Object::Registry,
            Self::Session(_) => Object::Session,
        }
    }

    /// The name given to `idFromName`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Rig(id) => id.as_str(),
            Self::Town(id) => id.as_str(),
            Self::User(name) | Self::Org(name) | Self::Session(name) => name,
        }
    }

    /// Reads what `Display` wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (class, name) = text.split_once(':')?;
        match class {
            "rig" => RigId::parse(name).ok().map(Self::Rig),
            "town" => TownId::parse(name).ok().map(Self::Town),
            "user" => Some(Self::User(name.to_owned())),
            "org" => Some(Self::Org(name.to_owned())),
            "session" => Some(Self::Session(name.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = match self {
            Self::Rig(_) => "rig",
            Self::Town(_) => "town",
            Self::User(_) => "user",
            Self::Org(_) => "org",
            Self::Session(_) => "session",
        };
        write!(f, "{class}:{}", self.name())
    }
}

/// One call of a method of one object.
#[derive(Clone)]
pub struct Call {
    /// The object to call.
    pub instance: Instance,
    /// The method to call.
    pub method: &'static Method,
    /// JSON text of the array of positional arguments, all of them.
    pub args: String,
}

impl Call {
    /// A call with `args`, a tuple as long as the method's parameter list.
    ///
    /// # Errors
    /// `Fault` when the arguments cannot be written as JSON.
    pub fn new(instance: Instance, method: &'static Method, args: impl Serialize) -> Result<Self, Fault> {
        Ok(Self { instance, method, args: written(method, args)? })
    }
}

/// The JSON text of `args`, a tuple as long as the method's parameter list.
///
/// # Errors
/// `Fault` when the arguments cannot be written as JSON.
pub fn written(method: &Method, args: impl Serialize) -> Result<String, Fault> {
    let args = serde_json::to_string(&args).map_err(|error| Fault::new(method.name, error))?;
    // serde writes the empty tuple as null.
    Ok(if args == "null" { "[]".to_owned() } else { args })
}

/// The caller's context: the last argument of every method of an embedded object.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    /// The caller's token; the object verifies it itself.
    pub jwt: String,
    /// Ties log lines of one request together.
    #[serde(default)]
    pub request_id: String,
    /// Same key, same arguments: same answer, done once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// The town the caller believes it addresses; an object of another town refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub town_id: Option<TownId>,
    /// With a container token: the agent that speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The process that says it is the agent (`X-Gastown-Process-Id`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_id: Option<String>,
}

/// The message layer between objects. The Worker has one over stubs, the tests one in memory.
pub trait Wire {
    /// Delivers the call and returns the reply text. After an error it is unknown whether the call was carried out.
    fn send(&self, call: &Call, context: &Context) -> LocalBoxFuture<'static, Result<String, Fault>>;

    /// Opens a stream of the object, or returns the reply text of the refusal.
    fn open(&self, call: &Call, context: &Context) -> LocalBoxFuture<'static, Result<Result<Relayed, String>, Fault>>;

    /// Opens a WebSocket on the object, or returns the reply text of the refusal.
    fn upgrade(&self, call: &Call, context: &Context) -> LocalBoxFuture<'static, Result<Result<Relayed, String>, Fault>>;

    /// Resolves after `millis` milliseconds.
    fn sleep(&self, millis: u32) -> LocalBoxFuture<'static, ()>;
}

/// The reply text of a refusal.
#[must_use]
pub fn refusal_text(refusal: &Refusal) -> String {
    let json = serde_json::to_string(refusal).unwrap_or_default();
    format!("{REFUSED}{json}")
}

/// The reply text of a fault that was logged under `incident`.
#[must_use]
pub fn incident_text(incident: &str) -> String {
    format!("{BROKE}{incident}")
}

/// Splits a reply text into the answer's JSON text or the refusal. A void answer is the empty text.
///
/// # Errors
/// The refusal, or a fault when the text is neither.
pub fn read_reply(text: &str) -> Result<&str, Failure> {
    if let Some(incident) = text.strip_prefix(BROKE) {
        return Err(Fault::logged(incident).into());
    }
    let Some(refusal) = text.strip_prefix(REFUSED) else {
        return Ok(text);
    };
    match serde_json::from_str::<Refusal>(refusal) {
        Ok(refusal) => Err(refusal.into()),
        Err(error) => Err(Fault::new("read a refusal", error).into()),
    }
}

/// Reads a reply text into the contract's type.
///
/// # Errors
/// The refusal, or a fault when the answer has another shape.
pub fn decode<T: DeserializeOwned>(method: &Method, text: &str) -> Result<T, Failure> {
    let json = read_reply(text)?;
    serde_json::from_str(json).map_err(|error| Fault::new(method.name, error).into())
}

/// The refusal of a call that timed out.
#[must_use]
pub fn unavailable(instance: &Instance, millis: u32) -> Refusal {
    Refusal::new(Code::Unavailable, format!("{instance} did not answer within {millis} ms")).hint("Call again; nothing else is affected.")
}

/// The context that an object, or the edge, signs for a call on its own account. `from` names it.
///
/// # Errors
/// `Fault` when the token cannot be made.
pub fn own_context(
    keys: &Keys,
    from: &str,
    town: Option<&TownId>,
    method: &Method,
    request_id: &str,
    now: Timestamp,
) -> Result<Context, Fault> {
    let claims = InternalClaims { town: town.cloned(), from: from.to_owned(), method: method.name.to_owned() };
    Ok(Context {
        jwt: mint_internal(keys, &claims, now)?,
        request_id: request_id.to_owned(),
        idempotency_key: None,
        town_id: town.cloned(),
        agent_id: None,
        process_id: None,
    })
}
