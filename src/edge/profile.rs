//! The profile of a connection: its tools, and the agent that speaks.
//!
//! Owns the rule for each kind of token. A token may leave an agent's role out, and a container's token does not name an agent
//! at all: then the agent's own rig is asked, and its answer is believed for a while (`cache`). The objects check for
//! themselves all the same.

use super::Authenticated;
use crate::auth::principal::{Role, TokenKind};
use crate::contract::ids::{AgentId, RigId, TownId};
use crate::contract::shapes::{Agent, AgentRole};
use crate::rpc::call::{Call, Instance, decode, written};
use crate::rpc::table::GET_AGENT;
use crate::tools::profile::{Profile, Speaker};
use crate::tools::resolve::of_rigs;
use base::error::{Code, Failure, Refusal};

/// The profile of a caller at a town's connection (`town`) or at the fleet's.
///
/// # Errors
/// `Forbidden` with the connection to use instead; `NotFound` for an agent that no longer lives.
pub(super) async fn find(caller: &Authenticated<'_>, town: Option<&TownId>) -> Result<(Profile, Option<Speaker>), Failure> {
    let principal = caller.principal();
    if let (None, Some(own)) = (town, &principal.town) {
        let refusal = Refusal::new(Code::Forbidden, "Forbidden: this token is for one town, and this is the fleet's connection");
        return Err(refusal.hint(format!("Connect to /towns/{own}/mcp.")).into());
    }
    let known = match (principal.kind, principal.role) {
        (TokenKind::User, _) => return Ok((Profile::Coordinator, None)),
        (_, Role::Mayor) => return Ok((Profile::Mayor, None)),
        (_, Role::Polecat) if principal.is_role_known => Some(Profile::Polecat),
        (_, Role::Refinery) => Some(Profile::Refinery),
        _ => None,
    };
    let Some(named) = &principal.agent_id else {
        let refusal = Refusal::new(Code::Forbidden, "Forbidden: a container's token has no MCP profile by itself");
        return Err(refusal.hint("Say which agent speaks with the header X-Gastown-Agent-Id, or use the REST routes.").into());
    };
    let Ok(id) = AgentId::parse(named) else { return Err(nobody(named).into()) };
    if let (Some(profile), Some(rig)) = (known, &principal.rig) {
        return Ok((profile, Some(Speaker { id, rig: rig.clone() })));
    }
    let Some(town) = town else { return Err(nobody(named).into()) };
    let (role, rig) = look_up(caller, town, &id).await?;
    let profile = match role {
        AgentRole::Polecat => Profile::Polecat,
        AgentRole::Refinery => Profile::Refinery,
        AgentRole::Mayor => Profile::Mayor,
    };
    Ok((profile, Some(Speaker { id, rig })))
}

fn nobody(named: &str) -> Refusal {
    let shown = crate::tools::text::word(named);
    Refusal::new(Code::NotFound, format!("Agent {shown} not found")).hint("It lives in no rig of this town: its process should end.")
}

/// An agent's role and rig: in the rig of its token, else in whichever has it.
async fn look_up(caller: &Authenticated<'_>, town: &TownId, id: &AgentId) -> Result<(AgentRole, RigId), Failure> {
    let (memory, now) = (caller.edge.memory, caller.edge.runtime.now());
    let key = (town.clone(), caller.principal().rig.clone(), id.clone());
    if let Some(known) = memory.agents.get(&key, now) {
        return Ok(known);
    }
    let found = if let Some(rig) = &caller.principal().rig {
        let call = Call::new(Instance::Rig(rig.clone()), &GET_AGENT, (id,))?;
        let agent: Option<Agent> = decode(&GET_AGENT, &caller.client.call(&call, Some(town), None).await?)?;
        agent.map(|agent| (agent.role, rig.clone()))
    } else {
        let asked = of_rigs::<Agent>(&caller.client, town, &GET_AGENT, &written(&GET_AGENT, (id,))?).await?;
        let found = asked.found.into_iter().next().map(|(rig, agent)| (agent.role, rig));
        // A rig that did not answer may have it.
        match (found, asked.failed) {
            (None, Some(failure)) => return Err(failure),
            (found, _) => found,
        }
    };
    let found = found.ok_or_else(|| nobody(id.as_str()))?;
    memory.agents.put(key, found.clone(), now);
    Ok(found)
}
