//! The resources: the table, and one function per row.
//!
//! Owns which resources there are. A row shows a thing as the tools show it, fenced and with its coverage, and names the
//! objects that tell when it changes. A new resource is one row and one function.

use super::feed;
use super::{Body, Found, Read, ResourceDef, registry_sources};
use crate::apps;
use crate::auth::principal::Role;
use crate::contract::ids::{ConvoyId, TownId};
use crate::contract::shapes::{FeedEntry, TownRecord};
use crate::resources::lookup::Offering;
use crate::resources::skills::{CONVOYS, COORDINATOR, MAYOR, MIME_TYPE, Skill};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::{LIST_FEED, LIST_TOWNS};
use crate::tools::bead_view::BeadLine;
use crate::tools::coordinator::agents::{AgentLine, ListAgents};
use crate::tools::coordinator::beads::ListBeads;
use crate::tools::coordinator::convoys::ConvoyStatus;
use crate::tools::coordinator::mayor_messages::MayorMessages;
use crate::tools::coordinator::rigs::RigLine;
use crate::tools::coordinator::towns::{GetTownStatus, ListTowns};
use crate::tools::paging::LIMIT_MAX;
use crate::tools::resolve::rig;
use crate::tools::text::AgentText;
use crate::tools::tool::{Answers, Tool};
use crate::tools::topic::Source;
use base::error::Fault;
use futures::future::{ready, try_join};
use mcp::types::{Caching, CallError};
use serde::Serialize;
use serde_json::{Value, json};
use std::borrow::Cow;

/// Towns of a fleet that are watched at most, newest first.
pub const WATCHED_TOWNS_MAX: usize = 50;

/// Entries of a feed, the newest there are.
const ENTRIES_SHOWN: i64 = 100;

/// Messages to the Mayor, the newest there are.
const MESSAGES_SHOWN: usize = 50;

const JSON: &str = "application/json";
const MINUTE_MILLIS: u32 = 60_000;

const fn live(ttl_ms: u32) -> Caching {
    Caching { ttl_ms, scope: "private" }
}

/// Part of the Worker, and the same for everybody.
const FOREVER: Caching = Caching { ttl_ms: 60 * MINUTE_MILLIS, scope: "public" };

/// All towns of the caller.
pub const FLEET: ResourceDef = ResourceDef {
    uri: "gastown://fleet",
    name: "fleet",
    title: "Fleet",
    description: "The towns you may use, newest first, as list_towns shows them.",
    mime_type: JSON,
    caching: live(5_000),
    read: |at, _| Box::pin(fleet(at)),
};

/// A town: its status and configuration.
pub const TOWN: ResourceDef = ResourceDef {
    uri: "gastown://towns/{town}",
    name: "town",
    title: "Town",
    description: "How a town is doing, rig by rig, as get_town_status shows it. Town: id or unique name.",
    mime_type: JSON,
    caching: live(3_000),
    read: |at, values| Box::pin(town(at, values)),
};

/// A rig: its record and numbers.
pub const RIG: ResourceDef = ResourceDef {
    uri: "gastown://towns/{town}/rigs/{rig}",
    name: "rig",
    title: "Rig",
    description: "A rig: its repository, its agents and its newest beads. Rig: id or name.",
    mime_type: JSON,
    caching: live(3_000),
    read: |at, values| Box::pin(rig_of_town(at, values)),
};

const BEAD: ResourceDef = ResourceDef {
    uri: "gastown://towns/{town}/beads/{bead}",
    name: "bead",
    title: "Bead",
    description: "One bead with its whole body, whichever rig of the town has it. Bead: id.",
    mime_type: JSON,
    caching: live(2_000),
    read: |at, values| Box::pin(bead(at, values)),
};

const CONVOY: ResourceDef = ResourceDef {
    uri: "gastown://towns/{town}/convoys/{convoy}",
    name: "convoy",
    title: "Convoy",
    description: "One convoy as its rigs know it now, as convoy_status shows it. Convoy: id.",
    mime_type: JSON,
    caching: live(2_000),
    read: |at, values| Box::pin(convoy(at, values)),
};

const AGENT: ResourceDef = ResourceDef {
    uri: "gastown://towns/{town}/agents/{agent}",
    name: "agent",
    title: "Agent",
    description: "One agent with the bead it holds, whichever rig of the town has it. Agent: id or unique name.",
    mime_type: JSON,
    caching: live(2_000),
    read: |at, values| Box::pin(agent(at, values)),
};

/// The newest events of a town.
pub const FEED: ResourceDef = ResourceDef {
    uri: "gastown://towns/{town}/feed",
    name: "feed",
    title: "Feed",
    description: "What happened in a town lately, oldest first: rigs added, convoys created, started, failed and landed, messages to the Mayor.",
    mime_type: JSON,
    caching: live(2_000),
    read: |at, values| Box::pin(feed_of_town(at, values)),
};

/// Messages to the Mayor of a town, and its replies.
pub const MAYOR_TALK: ResourceDef = ResourceDef {
    uri: "gastown://towns/{town}/mayor",
    name: "mayor",
    title: "The Mayor's conversation",
    description: "The newest messages to a town's Mayor, what became of each, and its replies, as mayor_messages shows them.",
    mime_type: JSON,
    caching: live(2_000),
    read: |at, values| Box::pin(mayor_talk(at, values)),
};

const TOWN_OVERVIEW: ResourceDef = ResourceDef {
    uri: apps::TOWN_OVERVIEW_URI,
    name: "town-overview",
    title: "Town overview",
    description: "The view that hosts show for get_town_status.",
    mime_type: apps::MIME_TYPE,
    caching: FOREVER,
    read: |_, _| {
        let view = Found { meta: Some(apps::TOWN_OVERVIEW_META), ..Found::fixed(apps::TOWN_OVERVIEW) };
        Box::pin(ready(Ok(view)))
    },
};

const COORDINATOR_GUIDE: ResourceDef = guide(&COORDINATOR, |_, _| Box::pin(ready(Ok(Found::fixed(COORDINATOR.text)))));
const MAYOR_GUIDE: ResourceDef = guide(&MAYOR, |_, _| Box::pin(ready(Ok(Found::fixed(MAYOR.text)))));
const CONVOYS_GUIDE: ResourceDef = ResourceDef {
    uri: CONVOYS.uri,
    name: CONVOYS.name,
    title: CONVOYS.title,
    description: CONVOYS.description,
    mime_type: MIME_TYPE,
    caching: FOREVER,
    read: |_, _| Box::pin(ready(Ok(Found::fixed(CONVOYS.text)))),
};

/// Every resource of the product.
pub const RESOURCES: &[ResourceDef] =
    &[FLEET, TOWN, RIG, BEAD, CONVOY, AGENT, FEED, MAYOR_TALK, TOWN_OVERVIEW, COORDINATOR_GUIDE, MAYOR_GUIDE, CONVOYS_GUIDE];

impl Found {
    /// JSON that changes.
    fn live(text: String, sources: Vec<Source>) -> Self {
        Self { body: Body::Text(text.into()), meta: None, sources }
    }

    /// Text that never changes.
    #[must_use]
    pub const fn fixed(text: &'static str) -> Self {
        Self { body: Body::Text(Cow::Borrowed(text)), meta: None, sources: Vec::new() }
    }
}

/// The variables of a row, as many as its URI has.
fn variables<const COUNT: usize>(values: Vec<String>) -> Result<[String; COUNT], Fault> {
    values.try_into().map_err(|_| Fault::new("read a resource", "its row and its function disagree about variables"))
}

fn json_text(content: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(content).map_err(|error| Fault::new("show a resource", error))
}

async fn fleet(at: &Offering<'_>) -> Result<Found, CallError> {
    let answered = at.ask(ListTowns::NAME, json!({"limit": LIMIT_MAX})).await?;
    let towns = match (at.pinned, &answered.answers) {
        (Some(town), _) => vec![town.clone()],
        (None, Answers::One(_)) => Vec::new(),
        (None, Answers::Many(parts)) => parts
            .iter()
            .filter_map(|part| decode::<Vec<TownRecord>>(&LIST_TOWNS, part.outcome.as_ref().ok()?).ok())
            .flatten()
            .map(|town| town.id)
            .take(WATCHED_TOWNS_MAX)
            .collect(),
    };
    let mut sources = if at.pinned.is_some() { Vec::new() } else { registry_sources(at) };
    sources.extend(towns.iter().map(|town| Source::town(town, "town")));
    Ok(Found::live(answered.prepared.render(answered.answers, &answered.place)?, sources))
}

async fn town(at: &Offering<'_>, values: Vec<String>) -> Result<Found, CallError> {
    let [town] = variables(values)?;
    let town = at.town(&town).await?;
    let text = at.view(GetTownStatus::NAME, json!({"town": town})).await?;
    // The feed too: a subscriber of a town hears of its events, not only of new numbers.
    Ok(Found::live(text, vec![Source::town(&town, "town"), Source::town(&town, "feed")]))
}

async fn rig_of_town(at: &Offering<'_>, values: Vec<String>) -> Result<Found, CallError> {
    let [town, named] = variables(values)?;
    let town = at.town(&town).await?;
    let record = rig(at.client, &town, &named).await?;
    let source = Source::of_town(&town, &Instance::Rig(record.id.clone()), "rig");
    let (agents, beads) = try_join(
        at.view(ListAgents::NAME, json!({"town": town, "rig": record.id, "limit": LIMIT_MAX})),
        at.view(ListBeads::NAME, json!({"town": town, "rig": record.id})),
    )
    .await?;
    let record = json_text(&RigLine::from(record))?;
    Ok(Found::live(format!(r#"{{"rig":{record},"agents":{agents},"beads":{beads}}}"#), vec![source]))
}

async fn bead(at: &Offering<'_>, values: Vec<String>) -> Result<Found, CallError> {
    #[derive(Serialize)]
    struct Content {
        town: TownId,
        bead: BeadLine,
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<AgentText>,
    }

    let [town, id] = variables(values)?;
    let town = at.town(&town).await?;
    let (rig, bead) = at.bead(&town, &id).await?;
    let source = Source::bead(&town, &rig, &bead.bead_id);
    let content = Content { town, body: bead.body.as_deref().map(AgentText::block), bead: bead.into() };
    Ok(Found::live(json_text(&content)?, vec![source]))
}

async fn convoy(at: &Offering<'_>, values: Vec<String>) -> Result<Found, CallError> {
    let [town, id] = variables(values)?;
    let town = at.town(&town).await?;
    let id = ConvoyId::parse(&id).map_err(|_| CallError::Unknown)?;
    let text = at.view(ConvoyStatus::NAME, json!({"town": town, "convoy_id": id})).await?;
    Ok(Found::live(text, vec![Source::convoy(&town, &id)]))
}

async fn agent(at: &Offering<'_>, values: Vec<String>) -> Result<Found, CallError> {
    #[derive(Serialize)]
    struct Content {
        town: TownId,
        agent: AgentLine,
    }

    let [town, named] = variables(values)?;
    let town = at.town(&town).await?;
    let (rig, agent) = at.agent(&town, &named).await?;
    let source = Source::agent(&town, &rig, &agent.id);
    Ok(Found::live(json_text(&Content { town, agent: agent.into() })?, vec![source]))
}

async fn feed_of_town(at: &Offering<'_>, values: Vec<String>) -> Result<Found, CallError> {
    let [town] = variables(values)?;
    let town = at.town(&town).await?;
    let source = Source::town(&town, "feed");
    let call = Call::new(Instance::Town(town.clone()), &LIST_FEED, (Value::Null, -ENTRIES_SHOWN))?;
    let entries: Vec<FeedEntry> = decode(&LIST_FEED, &at.client.call(&call, Some(&town), None).await?)?;
    Ok(Found::live(feed::render(&town, entries)?, vec![source]))
}

async fn mayor_talk(at: &Offering<'_>, values: Vec<String>) -> Result<Found, CallError> {
    let [town] = variables(values)?;
    let town = at.town(&town).await?;
    let text = at.view(MayorMessages::NAME, json!({"town": town, "limit": MESSAGES_SHOWN})).await?;
    // The Mayor hears of unread messages; their later changes are its own acts.
    let is_mayor = at.client.principal.role == Role::Mayor;
    let source = if is_mayor { Source::messages(&town) } else { Source::mayor(&town) };
    Ok(Found::live(text, vec![source]))
}

const fn guide(skill: &Skill, read: Read) -> ResourceDef {
    ResourceDef {
        uri: skill.uri,
        name: skill.name,
        title: skill.title,
        description: skill.description,
        mime_type: MIME_TYPE,
        caching: FOREVER,
        read,
    }
}
