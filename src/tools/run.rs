//! Carries a tool call out: resolves where it goes, asks as planned, hands over what came back.
//!
//! Owns the only awaits of a tool call. What is asked and what is answered is the tool's.

use super::profile::{Audience, Profile, Speaker};
use super::tool::{Answers, Parsed, Part, Place, Plan, Prepared, Respondent, ToolDef};
use super::toolset::Toolsets;
use crate::auth::principal::Scope;
use crate::cache::Memory;
use crate::contract::ids::TownId;
use crate::rpc::call::{Call, Instance};
use crate::rpc::client::Client;
use crate::rpc::table::Method;
use crate::tools::interactive::Live;
use crate::tools::resolve::{registries, resolve, rigs_of};
use crate::tools::tool_names;
use crate::tools::tool_names::Words;
use base::error::{Code, Failure, Fault, Refusal};
use mcp::client::{ClientHandle, Interruption};
use mcp::types::ToolReply;
use serde_json::{Map, Value};

/// What a connection may see: narrowed by token, path and headers, never widened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct View {
    /// The profile of the connection.
    pub profile: Profile,
    /// The path or a header wants only tools that change nothing.
    pub read_only: bool,
    /// What the token allows.
    pub scope: Scope,
    /// The connection names the town.
    pub pinned: bool,
    /// What it asked for.
    pub toolsets: Toolsets,
}

impl View {
    /// Whether the tool exists for this connection, whatever the token allows. Agents have no toolsets to choose from.
    #[must_use]
    pub const fn has(self, tool: &ToolDef) -> bool {
        let is_chosen = self.profile.is_agent() || self.toolsets.has(tool.toolset, tool.by_default);
        tool.audience.has(self.profile) && is_chosen && (tool.hints.read_only || !self.read_only)
    }

    /// Whether nothing can be changed.
    #[must_use]
    pub fn only_looks(self) -> bool {
        self.read_only || self.scope == Scope::Read
    }

    /// Whether the tool is listed: one that exists, but takes a wider scope, can still be called, and the answer says which.
    #[must_use]
    pub fn shows(self, tool: &ToolDef) -> bool {
        self.has(tool) && self.scope >= tool.scope()
    }
}

/// The tools of a view.
pub fn visible(view: View) -> impl Iterator<Item = &'static ToolDef> {
    super::all().filter(move |tool| view.shows(tool))
}

/// A call that has been answered but not rendered.
pub struct Unrendered {
    /// The tool's arguments.
    pub prepared: Box<dyn Prepared>,
    /// What came back.
    pub answers: Answers,
    /// Where it went.
    pub place: Place,
}

/// What a connection brings to its calls.
#[derive(Clone, Copy)]
pub struct Connection<'a> {
    /// Calls in the caller's name.
    pub client: &'a Client<'a>,
    /// The memory of the isolate.
    pub memory: &'a Memory,
    /// The town that the connection is for, if it is for one.
    pub pinned: Option<&'a TownId>,
    /// The agent that calls, if one does.
    pub speaker: Option<&'a Speaker>,
}

/// A call whose arguments have been parsed and whose names have become ids.
struct Addressed {
    parsed: Parsed,
    place: Place,
    key: Option<String>,
}

/// Runs a tool for a client.
///
/// # Errors
/// See `Interruption`.
pub async fn run(
    connection: Connection<'_>,
    sessions: &Instance,
    tool: &ToolDef,
    arguments: Map<String, Value>,
    mcp_client: &dyn ClientHandle,
) -> Result<ToolReply, Interruption> {
    let words = Words { is_mayors: tool.audience == Audience::Mayors, is_pinned: connection.pinned.is_some() };
    match carry(connection, sessions, tool, arguments, mcp_client).await {
        Ok(reply) => Ok(words.reply(reply)),
        Err(stop) if words.is_mayors => Err(tool_names::stop(tool, stop)),
        Err(stop) => Err(stop),
    }
}

async fn carry(
    connection: Connection<'_>,
    sessions: &Instance,
    tool: &ToolDef,
    arguments: Map<String, Value>,
    mcp_client: &dyn ClientHandle,
) -> Result<ToolReply, Interruption> {
    let Addressed { parsed, place, key } = address(connection, tool, arguments).await?;
    match parsed {
        Parsed::Planned(prepared) => {
            let plan = prepared.plan(&place)?;
            if !matches!(plan, Plan::One(_)) {
                mcp_client.cancellable();
            }
            let answers = carry_out(connection.client, plan, &place, key.as_deref()).await?;
            Ok(ToolReply::Structured(prepared.render(answers, &place)?))
        }
        Parsed::Live(live) => {
            let Connection { client, memory, .. } = connection;
            live.run(&Live { client, memory, place: &place, mcp_client, idempotency_key: key.as_deref(), sessions }).await
        }
    }
}

/// Runs a planned tool up to the answers of the objects, which are the contract's own shapes.
///
/// # Errors
/// The refusal or fault.
pub async fn ask(connection: Connection<'_>, tool: &ToolDef, arguments: Map<String, Value>) -> Result<Unrendered, Failure> {
    let Addressed { parsed, place, key } = address(connection, tool, arguments).await?;
    let Parsed::Planned(prepared) = parsed else {
        return Err(Fault::new(tool.name, "a live tool has no plan").into());
    };
    let plan = prepared.plan(&place)?;
    let answers = carry_out(connection.client, plan, &place, key.as_deref()).await?;
    Ok(Unrendered { prepared, answers, place })
}

async fn address(connection: Connection<'_>, tool: &ToolDef, mut arguments: Map<String, Value>) -> Result<Addressed, Failure> {
    let town = take_text(tool, &mut arguments, "town")?;
    let key = if tool.hints.read_only { None } else { take_text(tool, &mut arguments, "idempotency_key")? };
    let parsed = tool.parse(arguments)?;
    let mut place = resolve(connection.client, connection.memory, tool, connection.pinned, town.as_deref(), parsed.rig()).await?;
    if let Some(speaker) = connection.speaker.filter(|_| matches!(tool.audience, Audience::Agents | Audience::Refineries)) {
        (place.rig, place.agent) = (Some(speaker.rig.clone()), Some(speaker.id.clone()));
    }
    Ok(Addressed { parsed, place, key })
}

async fn carry_out(client: &Client<'_>, plan: Plan, place: &Place, key: Option<&str>) -> Result<Answers, Failure> {
    match plan {
        Plan::One(call) => {
            let town = matches!(call.instance, Instance::Town(_) | Instance::Rig(_)).then_some(place.town.as_ref()).flatten();
            Ok(Answers::One(client.call(&call, town, key).await?))
        }
        Plan::EachRig { method, args } => {
            let town = place.town()?;
            let rigs = rigs_of(client, town).await?.into_iter();
            let asked = rigs.map(|rig| (Respondent { id: rig.id.to_string(), name: rig.name }, Instance::Rig(rig.id))).collect();
            each(client, asked, method, &args, Some(town)).await
        }
        Plan::EachRegistry { method, args } => {
            let registries = registries(client).into_iter();
            let asked = registries.map(|at| (Respondent { id: at.to_string(), name: at.name().to_owned() }, at)).collect();
            each(client, asked, method, &args, None).await
        }
    }
}

async fn each(
    client: &Client<'_>,
    asked: Vec<(Respondent, Instance)>,
    method: &'static Method,
    args: &str,
    town: Option<&TownId>,
) -> Result<Answers, Failure> {
    let (asked, instances): (Vec<Respondent>, Vec<Instance>) = asked.into_iter().unzip();
    let calls: Vec<Call> = instances.into_iter().map(|instance| Call { instance, method, args: args.to_owned() }).collect();
    let outcomes = client.call_each(&calls, town).await;
    let parts =
        asked.into_iter().zip(outcomes).map(|(from, outcome)| Part { from, outcome: outcome.map_err(|failure| reason(client, failure)) });
    Ok(Answers::Many(parts.collect()))
}

/// Why a part is missing, safe to show.
fn reason(client: &Client<'_>, failure: Failure) -> Refusal {
    match failure {
        Failure::Refused(refusal) => refusal,
        Failure::Broke(fault) => {
            let incident = client.runtime.log_fault(&fault);
            Refusal::new(Code::Unavailable, format!("Internal error (incident {incident})"))
        }
    }
}

fn take_text(tool: &ToolDef, arguments: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match arguments.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::new(Code::InvalidArgument, format!("{}: {name}: expected a string", tool.name))),
    }
}
