//! An MCP endpoint: the product behind the protocol, for one authenticated caller.
//!
//! Owns the choice of tools for a connection. `mcp` owns the protocol, `session_client` the state between requests.

use super::{Additions, Authenticated, instructions, profile};
use crate::contract::ids::TownId;
use crate::edge::rest::envelope;
use crate::edge::session_client::SessionClient;
use crate::prompts::completion::complete;
use crate::resources::Offering;
use crate::resources::skills;
use crate::tools::profile::Speaker;
use crate::tools::run::{Connection, View, run};
use crate::tools::tool::ToolDef;
use crate::tools::toolset::Toolsets;
use crate::tools::topic::Source;
use crate::tools::{find, list};
use crate::{apps, prompts, resources};
use base::error::{Code, Fault, Refusal};
use base::http::body_sink::Outlet;
use base::http::{Request, Response};
use base::time::Timestamp;
use futures::future::LocalBoxFuture;
use mcp;
use mcp::client::{ClientHandle, NotificationRoute};
use mcp::server::{Features, Implementation, PromptCall, Server, ToolCall};
use mcp::session_store::SessionStore;
use mcp::types::{CallError, CallFuture, Change, Completion, Contents, HeaderParameter, ListSchema, Listing, PromptReply, ToolReply};
use serde::Deserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::rc::Rc;

static IMPLEMENTATION: Implementation = Implementation { name: "gastown-mcp", title: "Gastown", version: env!("CARGO_PKG_VERSION") };

/// Extensions that have no methods of their own.
const EXTENSIONS: &[(&str, &str)] = &[(apps::EXTENSION, apps::SETTINGS)];

/// One endpoint for one caller.
struct Endpoint<'a> {
    caller: &'a Authenticated<'a>,
    view: View,
    pinned: Option<TownId>,
    speaker: Option<Speaker>,
    /// The principal whose sessions this endpoint serves.
    session_owner: String,
    sessions: SessionClient<'a>,
}

/// Serves a request to `/mcp` or `/towns/{town}/mcp`.
pub(super) async fn serve(
    caller: &Authenticated<'_>,
    request: &Request<'_>,
    outlet: &Outlet,
    town: Option<&str>,
    read_only: bool,
) -> Response {
    let read_only = read_only || request.headers.get("x-mcp-readonly").is_some_and(|value| is_truthy(&value));
    let pinned = match town {
        None => None,
        Some(named) => match caller.enter_town(named).await {
            Ok(town) => Some(town),
            Err(failure) => return envelope::failed(caller, failure),
        },
    };
    let toolsets = match toolsets(request) {
        Ok(toolsets) => toolsets,
        Err(refusal) => return envelope::refused(&refusal),
    };
    let (profile, speaker) = match profile::find(caller, pinned.as_ref()).await {
        Ok(found) => found,
        Err(failure) => return envelope::failed(caller, failure),
    };
    let view = View { profile, read_only, scope: caller.principal().scope, pinned: pinned.is_some(), toolsets };
    let session_owner = format!("{}@{}", caller.principal().key(), pinned.as_ref().map_or("fleet", TownId::as_str));
    let sessions = SessionClient::new(caller, pinned.clone(), session_owner.clone());
    mcp::handle(request, &Endpoint { caller, view, pinned, speaker, session_owner, sessions }, outlet).await
}

/// The toolsets that the header names, else those of the query.
fn toolsets(request: &Request<'_>) -> Result<Toolsets, Refusal> {
    let header = request.headers.get("x-mcp-toolsets").filter(|names| !names.trim().is_empty());
    let in_query = || request.query.split('&').find_map(|pair| pair.strip_prefix("toolsets="));
    match header {
        Some(names) => Toolsets::read(&names),
        // Clients that build URLs write the commas as they are or encoded.
        None => Toolsets::read(&in_query().unwrap_or_default().replace("%2C", ",").replace("%2c", ",").replace("%20", "")),
    }
}

/// Header values that mean no: as GitHub's server reads them.
fn is_truthy(value: &str) -> bool {
    !matches!(value.trim().to_ascii_lowercase().as_str(), "" | "false" | "f" | "no" | "n" | "0" | "off")
}

impl Endpoint<'_> {
    const fn additions(&self) -> &Additions {
        self.caller.edge.additions
    }

    /// The tool that this connection knows by a name.
    fn find(&self, name: &str) -> Option<&'static ToolDef> {
        find(self.view.profile, name).or_else(|| self.additions().tools.find(self.view.profile, name))
    }

    async fn call(&self, call: ToolCall<'_>) -> Result<ToolReply, CallError> {
        let tool = self.find(call.name).filter(|tool| self.view.has(tool)).ok_or_else(|| self.absent(call.name))?;
        if !self.view.shows(tool) {
            return Err(CallError::InsufficientScope(self.caller.resource.insufficient_scope(tool.scope())));
        }
        self.caller.admit()?;
        let arguments = read_arguments(call.arguments.get())?;
        Ok(run(self.connection(), self.sessions.at(), tool, arguments, call.client).await?)
    }

    /// The error for a missing tool: a tool of another toolset is named with its toolset, so that a model can say what to change.
    fn absent(&self, name: &str) -> CallError {
        let elsewhere = View { toolsets: Toolsets::ALL, ..self.view };
        match self.find(name).filter(|tool| elsewhere.has(tool)) {
            None => CallError::Unknown,
            Some(tool) => {
                let toolset = tool.toolset.as_str();
                let refusal =
                    Refusal::new(Code::Unsupported, format!("{name} is in the toolset {toolset}, which this connection has not asked for"));
                let hint = format!("Connect with ?toolsets={toolset} (or the header X-MCP-Toolsets); several are separated by commas.");
                CallError::Interrupted(refusal.hint(hint).into())
            }
        }
    }

    const fn offering<'a>(&'a self, mcp_client: Option<&'a dyn ClientHandle>) -> Offering<'a> {
        Offering {
            client: &self.caller.client,
            memory: self.caller.edge.memory,
            pinned: self.pinned.as_ref(),
            profile: self.view.profile,
            mcp_client,
            additions: self.additions().resources,
        }
    }

    const fn connection(&self) -> Connection<'_> {
        Connection {
            client: &self.caller.client,
            memory: self.caller.edge.memory,
            pinned: self.pinned.as_ref(),
            speaker: self.speaker.as_ref(),
        }
    }

    /// An agent has its tools only: resources and prompts show a whole town.
    const fn offers_more(&self) -> bool {
        !self.view.profile.is_agent()
    }
}

/// The arguments as a map. A repeated name is refused as ambiguous.
fn read_arguments(text: &str) -> Result<Map<String, Value>, Refusal> {
    struct Arguments;

    impl<'de> Visitor<'de> for Arguments {
        type Value = Map<String, Value>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut arguments = Map::new();
            while let Some((name, value)) = entries.next_entry::<String, Value>()? {
                if arguments.contains_key(&name) {
                    return Err(A::Error::custom(format!("`{name}` comes twice")));
                }
                arguments.insert(name, value);
            }
            Ok(arguments)
        }
    }

    serde_json::Deserializer::from_str(text)
        .deserialize_map(Arguments)
        .map_err(|error| Refusal::new(Code::InvalidArgument, format!("arguments: {error}")))
}

/// The source of a change of a list that a build's additions may change: the session object, which the additions tell.
fn list_routes(change: Change<'_>) -> Vec<NotificationRoute> {
    let (topic, method) = match change {
        Change::Tools => ("tools", "notifications/tools/list_changed"),
        Change::Prompts => ("prompts", "notifications/prompts/list_changed"),
        Change::Resources | Change::Resource(_) => return Vec::new(),
    };
    vec![Source { source: "self".to_owned(), topic: topic.to_owned(), town: None, receipt: false }.route(method, Map::new())]
}

impl Server for Endpoint<'_> {
    fn implementation(&self) -> &Implementation {
        &IMPLEMENTATION
    }

    fn instructions(&self) -> &str {
        instructions::text(self.view)
    }

    fn features(&self) -> Features {
        let lists_change = self.additions().lists_change;
        Features { tools_change: lists_change, prompts_change: lists_change, extensions: EXTENSIONS }
    }

    fn principal(&self) -> &str {
        &self.session_owner
    }

    fn authorized_until(&self) -> Option<Timestamp> {
        self.caller.principal().expires_at
    }

    fn tools(&self, schema: ListSchema) -> Rc<str> {
        list::text(self.view, schema == ListSchema::Full, self.additions().tools)
    }

    fn header_parameters(&self, tool: &str) -> &'static [HeaderParameter] {
        self.find(tool).map_or(&[], |tool| tool.header_parameters)
    }

    fn call_tool<'a>(&'a self, call: ToolCall<'a>) -> CallFuture<'a, ToolReply> {
        Box::pin(self.call(call))
    }

    fn list_resources<'a>(&'a self, schema: ListSchema, cursor: Option<&'a str>) -> CallFuture<'a, Listing> {
        Box::pin(async move {
            if !self.offers_more() {
                return Ok(Listing { json: "[]".to_owned(), next_cursor: None });
            }
            resources::list(&self.offering(None), schema, cursor).await
        })
    }

    fn resource_templates(&self, schema: ListSchema) -> Rc<str> {
        if self.offers_more() { resources::templates(self.view.pinned, schema, self.additions().resources) } else { "[]".into() }
    }

    fn read_resource<'a>(&'a self, uri: &'a str, mcp_client: &'a dyn ClientHandle) -> CallFuture<'a, Contents> {
        Box::pin(async move {
            if !self.offers_more() {
                return Err(CallError::Unknown);
            }
            resources::read(&self.offering(Some(mcp_client)), uri).await
        })
    }

    fn prompts(&self, schema: ListSchema) -> Rc<str> {
        if self.offers_more() { prompts::list(self.view.pinned, schema, self.additions().prompts) } else { "[]".into() }
    }

    fn get_prompt<'a>(&'a self, call: PromptCall<'a>) -> CallFuture<'a, PromptReply> {
        Box::pin(async move {
            if !self.offers_more() {
                return Err(CallError::Unknown);
            }
            prompts::get(&self.offering(Some(call.client)), self.additions().prompts, call.name, call.arguments).await
        })
    }

    fn complete<'a>(&'a self, completion: Completion<'a>) -> CallFuture<'a, (Vec<String>, usize)> {
        let Completion { reference, argument, value, context } = completion;
        Box::pin(async move {
            if !self.offers_more() {
                return Err(CallError::Invalid("ref: agents have no prompts or templates".to_owned()));
            }
            complete(&self.offering(None), self.additions().prompts, reference, argument, value, context).await
        })
    }

    fn skills(&self) -> &'static str {
        if self.offers_more() { skills::LIST } else { "[]" }
    }

    fn skill_folder(&self, uri: &str) -> Option<String> {
        skills::folder(uri).filter(|_| self.offers_more())
    }

    fn routes<'a>(&'a self, change: Change<'a>) -> CallFuture<'a, Vec<NotificationRoute>> {
        Box::pin(async move {
            match change {
                Change::Tools | Change::Prompts if self.additions().lists_change => Ok(list_routes(change)),
                _ if self.offers_more() => resources::routes(&self.offering(None), change).await,
                Change::Resource(_) => Err(CallError::Unknown),
                // Its lists never change.
                Change::Tools | Change::Prompts | Change::Resources => Ok(Vec::new()),
            }
        })
    }

    fn session_store(&self) -> &dyn SessionStore {
        &self.sessions
    }

    fn seal_key(&self) -> &[u8] {
        self.caller.edge.runtime.keys().seal_key()
    }

    fn now(&self) -> Timestamp {
        self.caller.edge.runtime.now()
    }

    fn random(&self) -> [u8; 16] {
        self.caller.edge.runtime.random()
    }

    fn sleep(&self, millis: u32) -> LocalBoxFuture<'static, ()> {
        self.caller.edge.runtime.sleep(millis)
    }

    fn log_fault(&self, fault: &Fault) -> String {
        self.caller.edge.runtime.log_fault(fault)
    }
}
