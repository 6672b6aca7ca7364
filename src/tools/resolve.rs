//! Where a call goes: names into ids.
//!
//! Owns the rule that an id needs no look-up and that a name must mean exactly one thing. What was resolved is believed for
//! a while (`isolate`); the objects check access themselves.

use super::tool::{Place, Reach, ToolDef};
use crate::auth::principal::TokenKind;
use crate::cache::Memory;
use crate::contract::ids::{AgentId, BeadId, RigId, TownId};
use crate::contract::shapes::{Agent, AgentStatus, Bead, RigRecord, TownRecord};
use crate::rpc::call::{Call, Instance, decode, written};
use crate::rpc::client::Client;
use crate::rpc::table::{GET_BEAD, LIST_AGENTS, LIST_RIGS, LIST_TOWNS, Method};
use base::error::{Code, Failure, Refusal};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Names shown in a refusal at most.
const NAMES_SHOWN_MAX: usize = 20;

/// Resolves what the connection and the arguments name.
///
/// # Errors
/// A refusal that says which names there are.
pub async fn resolve(
    client: &Client<'_>,
    memory: &Memory,
    tool: &ToolDef,
    pinned: Option<&TownId>,
    town: Option<&str>,
    rig: Option<&str>,
) -> Result<Place, Failure> {
    let town = match (pinned, town) {
        (Some(pinned), Some(named)) if TownId::parse(named).as_ref() != Ok(pinned) => {
            let refusal = Refusal::new(Code::Forbidden, "This connection is for one town only, and that is another");
            return Err(refusal.hint("Leave out town, or connect to the fleet or to that town.").into());
        }
        (Some(pinned), _) => Some(pinned.clone()),
        (None, Some(named)) => Some(town_id(client, memory, named).await?),
        (None, None) if tool.reach == Reach::Town => {
            let refusal = Refusal::new(Code::InvalidArgument, format!("{}: missing field `town`", tool.name));
            return Err(refusal.hint("Name the town by id or name; list_towns shows them.").into());
        }
        (None, None) => None,
    };
    let rig = match (&town, rig) {
        (Some(town), Some(rig)) => Some(rig_id(client, memory, town, rig).await?),
        _ => None,
    };
    Ok(Place { town, rig, agent: None })
}

/// A town by id or by unique name.
///
/// # Errors
/// `NotFound` or `InvalidArgument`, with the names there are.
pub async fn town_id(client: &Client<'_>, memory: &Memory, named: &str) -> Result<TownId, Failure> {
    if let Ok(id) = TownId::parse(named) {
        return Ok(id);
    }
    let now = client.runtime.now();
    let key = (client.principal.key(), named.to_owned());
    if let Some(id) = memory.towns.get(&key, now) {
        return Ok(id);
    }
    let towns = towns_of(client).await?;
    let matching: Vec<&TownRecord> = towns.iter().filter(|town| town.name == named).collect();
    match matching.as_slice() {
        [found] => {
            memory.towns.put(key, found.id.clone(), now);
            Ok(found.id.clone())
        }
        [] => {
            let known: Vec<&str> = towns.iter().map(|town| town.name.as_str()).take(NAMES_SHOWN_MAX).collect();
            Err(Refusal::new(Code::NotFound, "town: no town of yours has that id or name")
                .hint(format!("Towns: {}.", known.join(", ")))
                .into())
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|town| town.id.as_str()).collect();
            Err(Refusal::new(Code::InvalidArgument, "town: several towns have that name")
                .hint(format!("Use one of the ids {}.", ids.join(", ")))
                .into())
        }
    }
}

/// Every town that the caller may use.
///
/// # Errors
/// Whatever a registry answers: without one of them nobody knows them all.
pub async fn towns_of(client: &Client<'_>) -> Result<Vec<TownRecord>, Failure> {
    let asked = registries(client);
    let calls = asked.iter().map(|instance| Call::new(instance.clone(), &LIST_TOWNS, ())).collect::<Result<Vec<_>, _>>()?;
    let mut towns: Vec<TownRecord> = Vec::new();
    for answer in client.call_each(&calls, None).await {
        towns.extend(decode::<Vec<TownRecord>>(&LIST_TOWNS, &answer?)?);
    }
    Ok(towns)
}

/// A rig by id or by name, which is unique within a town.
async fn rig_id(client: &Client<'_>, memory: &Memory, town: &TownId, named: &str) -> Result<RigId, Failure> {
    if let Ok(id) = RigId::parse(named) {
        return Ok(id);
    }
    let now = client.runtime.now();
    let key = (client.principal.key(), town.clone(), named.to_owned());
    if let Some(id) = memory.rigs.get(&key, now) {
        return Ok(id);
    }
    let found = rig(client, town, named).await?;
    memory.rigs.put(key, found.id.clone(), now);
    Ok(found.id)
}

/// A rig as its town knows it, by id or by name.
///
/// # Errors
/// `NotFound` with the names there are.
pub async fn rig(client: &Client<'_>, town: &TownId, named: &str) -> Result<RigRecord, Failure> {
    let mut rigs = rigs_of(client, town).await?;
    let id = RigId::parse(named).ok();
    if let Some(index) = rigs.iter().position(|rig| id.as_ref().map_or(rig.name == named, |id| rig.id == *id)) {
        return Ok(rigs.swap_remove(index));
    }
    let known: Vec<&str> = rigs.iter().map(|rig| rig.name.as_str()).take(NAMES_SHOWN_MAX).collect();
    Err(Refusal::new(Code::NotFound, "rig: no rig of this town has that id or name").hint(format!("Rigs: {}.", known.join(", "))).into())
}

/// The rigs of a town.
///
/// # Errors
/// The refusal or fault of the town.
pub async fn rigs_of(client: &Client<'_>, town: &TownId) -> Result<Vec<RigRecord>, Failure> {
    let call = Call::new(Instance::Town(town.clone()), &LIST_RIGS, ())?;
    decode(&LIST_RIGS, &client.call(&call, Some(town), None).await?)
}

/// What the rigs of a town have.
pub struct OfRigs<T> {
    /// Of those that answered, each with its rig.
    pub found: Vec<(RigId, T)>,
    /// Why the first of the others did not: then nobody knows what it has.
    pub failed: Option<Failure>,
}

/// Asks every rig of a town the same; `args` is the JSON text of the positional arguments. A rig that has no such thing has
/// answered.
///
/// # Errors
/// When the rigs of the town are not known.
pub async fn of_rigs<T: DeserializeOwned>(
    client: &Client<'_>,
    town: &TownId,
    method: &'static Method,
    args: &str,
) -> Result<OfRigs<T>, Failure> {
    let rigs: Vec<RigId> = rigs_of(client, town).await?.into_iter().map(|rig| rig.id).collect();
    let calls: Vec<Call> = rigs.iter().map(|rig| Call { instance: Instance::Rig(rig.clone()), method, args: args.to_owned() }).collect();
    let answers = client.call_each(&calls, Some(town)).await;
    let mut gathered = OfRigs { found: Vec::new(), failed: None };
    for (rig, answer) in rigs.into_iter().zip(answers) {
        match answer.and_then(|text| decode::<Option<T>>(method, &text)) {
            Ok(Some(thing)) => gathered.found.push((rig, thing)),
            Ok(None) => {}
            Err(Failure::Refused(refusal)) if refusal.code == Code::NotFound => {}
            Err(failure) => gathered.failed = gathered.failed.or(Some(failure)),
        }
    }
    Ok(gathered)
}

/// A bead, whichever rig has it.
///
/// # Errors
/// `NotFound` once every rig has said so.
pub async fn bead(client: &Client<'_>, town: &TownId, id: &str) -> Result<(RigId, Bead), Failure> {
    let missing = || Refusal::new(Code::NotFound, "bead: no rig of this town has it").hint("Call list_beads to see the beads.");
    let id = BeadId::parse(id).map_err(|_| missing())?;
    let OfRigs { found, failed } = of_rigs::<Bead>(client, town, &GET_BEAD, &written(&GET_BEAD, (id,))?).await?;
    found.into_iter().next().ok_or_else(|| failed.unwrap_or_else(|| missing().into()))
}

/// An agent by id or, among the living, by name; and the rig that it lives in. `rig` narrows where to look.
///
/// # Errors
/// `NotFound` once every rig has said so; `InvalidArgument` when several rigs have an agent of that name.
pub async fn agent(client: &Client<'_>, town: &TownId, rig: Option<&RigId>, named: &str) -> Result<(RigId, Agent), Failure> {
    let args = written(&LIST_AGENTS, (Value::Null,))?;
    let OfRigs { found, failed } = match rig {
        None => of_rigs::<Vec<Agent>>(client, town, &LIST_AGENTS, &args).await?,
        Some(rig) => {
            let call = Call { instance: Instance::Rig(rig.clone()), method: &LIST_AGENTS, args };
            let agents = decode(&LIST_AGENTS, &client.call(&call, Some(town), None).await?)?;
            OfRigs { found: vec![(rig.clone(), agents)], failed: None }
        }
    };
    let id = AgentId::parse(named).ok();
    let is_meant = |agent: &Agent| id.as_ref().map_or(agent.name == named && agent.status != AgentStatus::Dead, |id| agent.id == *id);
    let all = found.into_iter().flat_map(|(rig, agents)| agents.into_iter().map(move |agent| (rig.clone(), agent)));
    let mut matching: Vec<(RigId, Agent)> = all.filter(|(_, agent)| is_meant(agent)).collect();
    if matching.len() > 1 {
        let refusal = Refusal::new(Code::InvalidArgument, "agent: several rigs have an agent of that name");
        return Err(refusal.hint("Give the rig too, or the agent's id from list_agents.").into());
    }
    let missing = || Refusal::new(Code::NotFound, "agent: no agent has that id or name").hint("Call list_agents to see who lives where.");
    matching.pop().ok_or_else(|| failed.unwrap_or_else(|| missing().into()))
}

/// The registries that a caller's towns are in: the user's, and those of the user's organizations.
#[must_use]
pub fn registries(client: &Client<'_>) -> Vec<Instance> {
    let principal = client.principal;
    let mut registries = vec![Instance::User(principal.user_id.clone())];
    if principal.kind == TokenKind::User {
        registries.extend(principal.orgs.iter().map(|membership| Instance::Org(membership.org_id.clone())));
    }
    registries
}
