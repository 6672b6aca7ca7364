//! What a tool is: one type that is its arguments, its schema, its plan and its rendering.
//!
//! Owns the trait and its type-erased form. Names no tool, sends nothing, knows no SQL.

pub use super::answers::{Answers, Coverage, Gathered, Missing, Part, Respondent};
use super::names::Names;
use super::profile::Audience;
use super::toolset::Toolset;
use crate::auth::principal::Scope;
use crate::contract::ids::{AgentId, RigId, TownId};
use crate::rpc::call::{Call, Instance, written};
use crate::rpc::table::Method;
use crate::tools::alias::{Alias, Argument};
use crate::tools::interactive::{LiveTool, PreparedLive};
use base::argument::{self, ArgumentError};
use base::error::{Code, Failure, Fault, Refusal};
use mcp::types::HeaderParameter;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The four annotation hints of the specification; each tool states all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the specification has these four")]
pub struct Hints {
    /// Changes nothing.
    pub read_only: bool,
    /// May destroy something.
    pub destructive: bool,
    /// Doing it twice is doing it once.
    pub idempotent: bool,
    /// Reaches beyond Gastown.
    pub open_world: bool,
}

impl Hints {
    /// A tool that only looks.
    pub const READ: Self = Self { read_only: true, destructive: false, idempotent: true, open_world: false };
    /// A tool that destroys something, once that is confirmed (`confirm`).
    pub const DESTROY: Self = Self { read_only: false, destructive: true, idempotent: false, open_world: false };
    /// A tool that changes something into what the arguments say, so that doing it twice is doing it once.
    pub const SET: Self = Self { read_only: false, destructive: false, idempotent: true, open_world: false };
    /// A tool that adds something; a retry is safe with an idempotency key only.
    pub const ADD: Self = Self { read_only: false, destructive: false, idempotent: false, open_world: false };
}

/// What a tool looks at, and so whether it takes `town`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All towns of the caller.
    Fleet,
    /// One town.
    Town,
}

/// Where a call goes once names have become ids, and how its caller calls tools.
#[derive(Debug, Clone)]
pub struct Place {
    /// The town; `None` when the tool looks at the whole fleet.
    pub town: Option<TownId>,
    /// The rig, when the arguments name one; for an agent its own.
    pub rig: Option<RigId>,
    /// The agent that calls, when one does.
    pub agent: Option<AgentId>,
    /// What the caller reads for tools.
    pub names: Names,
}

impl Place {
    /// The town of a tool that reaches one.
    ///
    /// # Errors
    /// A fault: the executor resolves the town before it plans.
    pub fn town(&self) -> Result<&TownId, Fault> {
        self.town.as_ref().ok_or_else(|| Fault::new("plan a tool", "no town was resolved"))
    }

    /// The rig of a tool that names one.
    ///
    /// # Errors
    /// A fault: the executor resolves the rig before it plans.
    pub fn rig(&self) -> Result<&RigId, Fault> {
        self.rig.as_ref().ok_or_else(|| Fault::new("plan a tool", "no rig was resolved"))
    }

    /// The agent that calls a tool of agents.
    ///
    /// # Errors
    /// A fault: the executor knows the agent before it plans.
    pub fn agent(&self) -> Result<&AgentId, Fault> {
        self.agent.as_ref().ok_or_else(|| Fault::new("plan a tool", "no agent calls"))
    }

    /// A call to the town itself.
    pub fn call_town(&self, method: &'static Method, args: impl Serialize) -> Result<Call, Fault> {
        Call::new(Instance::Town(self.town()?.clone()), method, args)
    }

    /// A call to the rig.
    pub fn call_rig(&self, method: &'static Method, args: impl Serialize) -> Result<Call, Fault> {
        Call::new(Instance::Rig(self.rig()?.clone()), method, args)
    }

    /// The same question to the rig that the arguments name, or else to each; `Answers::gather` takes what comes back.
    ///
    /// # Errors
    /// A fault: the arguments are no JSON.
    pub fn ask_rigs(&self, method: &'static Method, args: impl Serialize) -> Result<Plan, Fault> {
        Ok(match self.rig {
            Some(_) => Plan::One(self.call_rig(method, args)?),
            None => Plan::EachRig { method, args: written(method, args)? },
        })
    }
}

/// Whom a tool asks.
pub enum Plan {
    /// One object.
    One(Call),
    /// Every rig of the town the same question, at once and with a deadline.
    EachRig {
        /// The question.
        method: &'static Method,
        /// JSON text of its positional arguments.
        args: String,
    },
    /// Every registry of the caller, or the one town of a connection that is pinned.
    EachRegistry {
        /// The question to a registry.
        method: &'static Method,
        /// JSON text of its positional arguments.
        args: String,
    },
}

/// A tool. The type is its arguments: its fields' docs describe them, its own doc is the description that models read
/// (what it does, then when to use it), and unknown arguments are refused (`deny_unknown_fields`). `town` and, for tools
/// that change something, `idempotency_key` are added to every schema and taken out of the arguments by the executor.
pub trait Tool: DeserializeOwned + JsonSchema + 'static {
    /// Public and permanent.
    const NAME: &'static str;
    /// For people.
    const TITLE: &'static str;
    /// See `Hints`.
    const HINTS: Hints;
    /// What it looks at.
    const REACH: Reach;
    /// Arguments that parse and plan, without `town`; for documents and tests.
    const EXAMPLE: &'static str;
    /// JSON text of its `_meta`, if it has any.
    const META: Option<&'static str> = None;
    /// What it answers.
    type Output: Serialize + JsonSchema;

    /// The rig that the arguments name, by id or name.
    fn rig(&self) -> Option<&str> {
        None
    }

    /// Whom to ask. Pure.
    ///
    /// # Errors
    /// A refusal of arguments that only make sense together.
    fn plan(&self, place: &Place) -> Result<Plan, Failure>;

    /// What to answer. Pure.
    ///
    /// # Errors
    /// The refusal that came back, or a fault when an answer has another shape.
    fn render(self, answers: Answers, place: &Place) -> Result<Self::Output, Failure>;
}

/// Arguments that were parsed, with their tool's type forgotten.
pub trait Prepared {
    /// See `Tool::rig`.
    fn rig(&self) -> Option<&str>;
    /// See `Tool::plan`.
    fn plan(&self, place: &Place) -> Result<Plan, Failure>;
    /// See `Tool::render`; the output as JSON text.
    fn render(self: Box<Self>, answers: Answers, place: &Place) -> Result<String, Failure>;
}

impl<T: Tool> Prepared for T {
    fn rig(&self) -> Option<&str> {
        Tool::rig(self)
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Tool::plan(self, place)
    }

    fn render(self: Box<Self>, answers: Answers, place: &Place) -> Result<String, Failure> {
        let output = Tool::render(*self, answers, place)?;
        Ok(serde_json::to_string(&output).map_err(|error| Fault::new(T::NAME, error))?)
    }
}

/// Parsed arguments.
pub enum Parsed {
    /// Of a tool that asks as planned.
    Planned(Box<dyn Prepared>),
    /// Of a tool that runs.
    Live(Box<dyn PreparedLive>),
}

impl Parsed {
    /// The rig that the arguments name, by id or name.
    #[must_use]
    pub fn rig(&self) -> Option<&str> {
        match self {
            Self::Planned(prepared) => prepared.rig(),
            Self::Live(live) => live.rig(),
        }
    }
}

/// A row of the tool table.
pub struct ToolDef {
    /// See `Tool`.
    pub name: &'static str,
    /// See `Tool`.
    pub title: &'static str,
    /// See `Tool`.
    pub hints: Hints,
    /// See `Tool`.
    pub reach: Reach,
    /// See `Tool`.
    pub example: &'static str,
    /// JSON text of its `_meta`, if it has any.
    pub meta: Option<&'static str>,
    /// Arguments that clients mirror into headers.
    pub header_parameters: &'static [HeaderParameter],
    /// The tool behind it, when this is another name for one.
    pub alias: Option<Alias>,
    /// For whom it is.
    pub audience: Audience,
    /// Which group it is in.
    pub toolset: Toolset,
    /// Whether connections see it that chose no toolset.
    pub by_default: bool,
    /// Whether it changes what only administrators may.
    pub is_for_admins: bool,
    /// The tool as clients see it, made from its types. The Worker has the same as a text (`list`).
    #[cfg(not(target_arch = "wasm32"))]
    pub describe: fn(&Self, Names) -> Value,
    /// Parses arguments as the tool's type has them; see `parse`.
    pub prepare: fn(Map<String, Value>) -> Result<Parsed, ArgumentError>,
}

impl ToolDef {
    /// The scope that calling it takes.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        match (self.hints.read_only, self.is_for_admins) {
            (true, _) => Scope::Read,
            (false, true) => Scope::Admin,
            (false, false) => Scope::Write,
        }
    }

    /// Parses arguments under the names that this row offers them by.
    ///
    /// # Errors
    /// The refusal says what is wrong with them.
    pub fn parse(&self, arguments: Map<String, Value>) -> Result<Parsed, Refusal> {
        self.read(arguments).map_err(|wrong| {
            let refusal = Refusal::new(Code::InvalidArgument, format!("{}: {}{wrong}", self.name, wrong.lead()));
            refusal.hint("Correct the argument and call again.")
        })
    }

    /// The same, with what is wrong as data.
    ///
    /// # Errors
    /// What is wrong, and with which argument.
    pub fn read(&self, arguments: Map<String, Value>) -> Result<Parsed, ArgumentError> {
        match &self.alias {
            Some(alias) => (self.prepare)(alias.arguments_behind(arguments)?).map_err(|wrong| wrong.renamed(|name| alias.name_here(name))),
            None => (self.prepare)(arguments),
        }
    }

    /// A tool of agents, each for itself.
    #[must_use]
    pub const fn for_agents(mut self) -> Self {
        self.audience = Audience::Agents;
        self
    }

    /// A tool of the Mayor alone.
    #[must_use]
    pub const fn for_mayors(mut self) -> Self {
        self.audience = Audience::Mayors;
        self
    }

    /// The same tool under the Mayor's name, with these arguments.
    #[must_use]
    pub const fn named(mut self, name: &'static str, arguments: &'static [Argument], example: &'static str) -> Self {
        self.alias = Some(Alias { behind: self.name, description: "", arguments, fixed: &[] });
        self.name = name;
        self.example = example;
        self.for_mayors()
    }

    /// With a title of its own.
    #[must_use]
    pub const fn titled(mut self, title: &'static str) -> Self {
        self.title = title;
        self
    }

    /// With a description of its own.
    #[must_use]
    pub const fn described(mut self, description: &'static str) -> Self {
        if let Some(alias) = &mut self.alias {
            alias.description = description;
        }
        self
    }

    /// With arguments of the tool behind it that are always so, as JSON text.
    #[must_use]
    pub const fn fixing(mut self, fixed: &'static [(&'static str, &'static str)]) -> Self {
        if let Some(alias) = &mut self.alias {
            alias.fixed = fixed;
        }
        self
    }

    /// A tool of agents that judge work.
    #[must_use]
    pub const fn for_refineries(mut self) -> Self {
        self.audience = Audience::Refineries;
        self
    }

    /// Only for connections that chose its toolset: rarely needed tools cost every model tokens.
    #[must_use]
    pub const fn on_request(mut self) -> Self {
        self.by_default = false;
        self
    }

    /// As `on_request`, and only for tokens with the admin scope.
    #[must_use]
    pub const fn for_admins(mut self) -> Self {
        self.is_for_admins = true;
        self.on_request()
    }

    /// The row of a tool type.
    #[must_use]
    pub const fn of<T: Tool>(toolset: Toolset) -> Self {
        Self {
            name: T::NAME,
            title: T::TITLE,
            hints: T::HINTS,
            reach: T::REACH,
            example: T::EXAMPLE,
            meta: T::META,
            header_parameters: &[],
            alias: None,
            audience: Audience::Coordinators,
            toolset,
            by_default: true,
            is_for_admins: false,
            #[cfg(not(target_arch = "wasm32"))]
            describe: super::schema::describe::<T, T::Output>,
            prepare: |arguments| argument::read::<T>(Value::Object(arguments)).map(|tool| Parsed::Planned(Box::new(tool))),
        }
    }

    /// The row of a live tool's type.
    #[must_use]
    pub const fn live<T: LiveTool>(toolset: Toolset) -> Self {
        Self {
            name: T::NAME,
            title: T::TITLE,
            hints: T::HINTS,
            reach: T::REACH,
            example: T::EXAMPLE,
            meta: None,
            header_parameters: &[],
            alias: None,
            audience: Audience::Coordinators,
            toolset,
            by_default: true,
            is_for_admins: false,
            #[cfg(not(target_arch = "wasm32"))]
            describe: super::schema::describe::<T, T::Output>,
            prepare: |arguments| argument::read::<T>(Value::Object(arguments)).map(|tool| Parsed::Live(Box::new(tool))),
        }
    }
}
