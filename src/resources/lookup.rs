//! Look-ups of resources, prompts and completions, in the name of one caller.
//!
//! Owns the connection's own look-ups: its town, and things that any rig of a town may have. Tools own their
//! answers, `tools::resolve` names and ids.

use crate::cache::Memory;
use crate::contract::ids::{AgentId, RigId, TownId};
use crate::contract::shapes::{Agent, Bead, TownIdentityState};
use crate::resources::ResourceDef;
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::client::Client;
use crate::rpc::table::{GET_IDENTITY_STATE, LIST_AGENTS};
use crate::tools::find;
use crate::tools::profile::Profile;
use crate::tools::resolve::{OfRigs, bead, of_rigs, town_id};
use crate::tools::run::{Connection, Unrendered, ask};
use base::error::{Code, Failure, Fault, Refusal};
use mcp::client::{ClientHandle, Interruption};
use mcp::types::CallError;
use serde_json::Value;

/// A connection, as resources, prompts and completions see it.
#[derive(Clone, Copy)]
pub struct Offering<'a> {
    /// Calls in the caller's name.
    pub client: &'a Client<'a>,
    /// The memory of the isolate.
    pub memory: &'a Memory,
    /// The town that the connection is for, if it is for one.
    pub pinned: Option<&'a TownId>,
    /// The profile of the connection.
    pub profile: Profile,
    /// The client, where it can be asked back.
    pub mcp_client: Option<&'a dyn ClientHandle>,
    /// Resources that the build adds to the product's.
    pub additions: &'static [ResourceDef],
}

impl Offering<'_> {
    /// A town by id or name. On a connection to one town there is no other.
    ///
    /// # Errors
    /// `NotFound`, or `InvalidArgument` for a name of several.
    pub async fn town(&self, named: &str) -> Result<TownId, Failure> {
        let Some(pinned) = self.pinned else {
            return town_id(self.client, self.memory, named).await;
        };
        let is_own = match TownId::parse(named) {
            Ok(id) => id == *pinned,
            Err(_) => self.town_name(pinned).await? == named,
        };
        if is_own {
            return Ok(pinned.clone());
        }
        let refusal = Refusal::new(Code::NotFound, "town: this connection is for one town only, and that is another");
        Err(refusal.hint("Connect to the fleet or to that town.").into())
    }

    /// The name of a town.
    ///
    /// # Errors
    /// The refusal or fault of the town.
    pub async fn town_name(&self, town: &TownId) -> Result<String, Failure> {
        let call = Call::new(Instance::Town(town.clone()), &GET_IDENTITY_STATE, ())?;
        let state: TownIdentityState = decode(&GET_IDENTITY_STATE, &self.client.call(&call, Some(town), None).await?)?;
        Ok(state.identity().and_then(|identity| identity.town_name).unwrap_or_default())
    }

    /// Asks as the tool of that name does. `arguments`: an object.
    ///
    /// # Errors
    /// The tool's.
    pub async fn ask(&self, tool: &str, arguments: Value) -> Result<Unrendered, Failure> {
        let (Some(tool), Value::Object(arguments)) = (find(Profile::Coordinator, tool), arguments) else {
            return Err(Fault::new(tool, "no such tool, or its arguments are no object").into());
        };
        ask(Connection { client: self.client, memory: self.memory, pinned: self.pinned, speaker: None }, tool, arguments).await
    }

    /// The answer of the tool of that name, as JSON text.
    ///
    /// # Errors
    /// The tool's.
    pub async fn view(&self, tool: &str, arguments: Value) -> Result<String, Failure> {
        let Unrendered { prepared, answers, place } = self.ask(tool, arguments).await?;
        prepared.render(answers, &place)
    }

    /// A bead, whichever rig has it.
    ///
    /// # Errors
    /// `NotFound` once every rig has said so.
    pub async fn bead(&self, town: &TownId, id: &str) -> Result<(RigId, Bead), Failure> {
        bead(self.client, town, id).await
    }

    /// Every agent of a town.
    ///
    /// # Errors
    /// When the rigs of the town are not known.
    pub async fn agents(&self, town: &TownId) -> Result<OfRigs<Agent>, Failure> {
        let OfRigs { found, failed } = of_rigs::<Vec<Agent>>(self.client, town, &LIST_AGENTS, "[null]").await?;
        let each = |(rig, agents): (RigId, Vec<Agent>)| agents.into_iter().map(move |agent| (rig.clone(), agent));
        Ok(OfRigs { found: found.into_iter().flat_map(each).collect(), failed })
    }

    /// An agent by id, or by a name that only one of the town has.
    ///
    /// # Errors
    /// `NotFound` once every rig has said so; `InvalidArgument` for a name of several.
    pub async fn agent(&self, town: &TownId, named: &str) -> Result<(RigId, Agent), Failure> {
        let id = AgentId::parse(named).ok();
        let OfRigs { mut found, failed } = self.agents(town).await?;
        found.retain(|(_, agent)| id.as_ref().map_or(agent.name == named, |id| agent.id == *id));
        // Whether a name is unique is known when everybody has answered; an id is unique anyway.
        if let Some(failure) = failed.filter(|_| id.is_none() || found.is_empty()) {
            return Err(failure);
        }
        if found.len() > 1 {
            let ids: Vec<&str> = found.iter().map(|(_, agent)| agent.id.as_str()).collect();
            let refusal = Refusal::new(Code::InvalidArgument, "agent: several agents have that name");
            return Err(refusal.hint(format!("Use one of the ids {}.", ids.join(", "))).into());
        }
        found.pop().ok_or_else(|| {
            Refusal::new(Code::NotFound, "agent: no agent of this town has that id or name").hint("Call list_agents to see them.").into()
        })
    }
}

/// The refusal as a text, with what to do next.
#[must_use]
pub fn explain(refusal: Refusal) -> String {
    match refusal.hint {
        Some(hint) => format!("{}. {hint}", refusal.message),
        None => refusal.message,
    }
}

/// A refusal for a named thing, as a resource error: a missing or foreign thing is unknown; an ambiguous name is invalid.
#[must_use]
pub fn unknown_thing(error: CallError) -> CallError {
    match error {
        CallError::Interrupted(Interruption::Failed(Failure::Refused(refusal))) => match refusal.code {
            Code::NotFound | Code::Forbidden => CallError::Unknown,
            Code::InvalidArgument => CallError::Invalid(explain(refusal)),
            _ => CallError::Interrupted(refusal.into()),
        },
        other => other,
    }
}
