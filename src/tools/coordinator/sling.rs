//! The tool that gives out one task: new or existing, to a polecat, the Mayor or a convoy, with as much rigor as wanted.
//!
//! Owns which targets there are, and what is said of those that are not. What follows from a sling is the rig's.

use crate::contract::ids::BeadId;
use crate::contract::labels::MAYOR_LABEL;
use crate::contract::names::MAYOR;
use crate::contract::shapes::{Bead, Priority, Quality, SlingConvoyResult, SlingInput, SlingResult};
use crate::rpc::table::{SLING_BEAD, SLING_INTO_CONVOY};
use crate::tools::bead_view::{WorkStatus, bead_status};
use crate::tools::text::AgentText;
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Fault, Refusal, refuse};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Gives one task to a polecat of a rig and returns at once with who has it, or its place in the queue when all are busy.
/// For two or more related tasks use `sling_batch`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sling {
    /// Rig id or name.
    rig: String,
    /// What to do, in the imperative; for a new bead.
    title: Option<String>,
    /// Instead of title: id of an open bead of the rig.
    bead: Option<String>,
    /// Everything the polecat must know: it cannot ask back.
    body: Option<String>,
    /// Default medium.
    priority: Option<Priority>,
    /// Labels; `gt:held` keeps the bead from being given out.
    labels: Option<Vec<String>>,
    /// Free data kept with the bead.
    metadata: Option<Map<String, Value>>,
    /// A polecat's id or name, `mayor`, or `idle` (default).
    target: Option<String>,
    /// basic: trivial fixes; shiny: standard workflow; chrome: maximum rigor.
    quality: Option<Quality>,
    /// Instructions for the worker, as in "focus on security".
    args: Option<String>,
    /// A formula by name instead of the quality's.
    formula: Option<String>,
    /// Its variables.
    vars: Option<Map<String, Value>>,
    /// Convoy id or name: adds the new bead to it.
    convoy: Option<String>,
    /// Ids of beads that must be done first.
    depends_on: Option<Vec<String>>,
}

/// What was slung.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Slung {
    town: String,
    rig: String,
    summary: String,
    bead: SlungBead,
    /// Who has it; left out while the bead waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<SlungAgent>,
    /// Place in the queue, the first being 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_position: Option<i64>,
    /// Convoy id.
    #[serde(skip_serializing_if = "Option::is_none")]
    convoy: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SlungBead {
    id: String,
    title: AgentText,
    status: WorkStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<Quality>,
    /// The next step of its formula.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<AgentText>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SlungAgent {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
}

impl Tool for Sling {
    const NAME: &'static str = "sling";
    const TITLE: &'static str = "Sling a task";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"rig":"web","title":"Add a health check endpoint","quality":"shiny","idempotency_key":"health-1"}"#;
    type Output = Slung;

    fn rig(&self) -> Option<&str> {
        Some(&self.rig)
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        if self.title.is_some() == self.bead.is_some() {
            let refusal = Refusal::new(Code::InvalidArgument, "sling: missing field `title`, or both title and bead: give one of them");
            return Err(refusal.hint("title makes a new bead; bead slings one there is (list_beads shows their ids).").into());
        }
        let agent = target(self.target.as_deref())?;
        let depends_on = self.depends_on.as_deref().map(|ids| ids.iter().map(|id| bead_id("depends_on", id)).collect()).transpose()?;
        if let Some(convoy) = &self.convoy {
            return self.plan_convoy(place, convoy, depends_on);
        }
        let input = SlingInput {
            rig_id: place.rig()?.clone(),
            title: self.title.clone().unwrap_or_default(),
            body: self.body.clone(),
            priority: self.priority.map(|priority| priority.as_str().to_owned()),
            metadata: self.metadata.clone(),
            labels: self.labels.clone(),
            bead_id: self.bead.as_deref().map(|id| bead_id("bead", id)).transpose()?,
            quality: self.quality.map(|quality| quality.as_str().to_owned()),
            args: self.args.clone(),
            formula: self.formula.clone(),
            vars: self.vars.clone(),
            agent,
            depends_on,
            until: None,
            hold: None,
        };
        Ok(Plan::One(place.call_rig(&SLING_BEAD, (input,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<Slung, Failure> {
        let (town, rig) = (place.town()?.to_string(), place.rig()?.to_string());
        if self.convoy.is_some() {
            let SlingConvoyResult { convoy, mut beads } = answers.one(&SLING_INTO_CONVOY)?;
            // The newest member is the last.
            let slung = beads.pop().ok_or_else(|| Fault::new(Self::NAME, "a convoy without the bead"))?;
            let start = if convoy.staged { "it is staged and waits to be started" } else { "it is running" };
            return Ok(Slung {
                town,
                rig,
                summary: format!("Added to the convoy, which has {} beads now: {start}.", convoy.total_beads),
                bead: shown(&slung.bead, slung.molecule),
                agent: None,
                queue_position: None,
                convoy: Some(convoy.id.to_string()),
            });
        }
        let slung: SlingResult = answers.one(&SLING_BEAD)?;
        let mut summary = match (&slung.agent, slung.queue_position) {
            (Some(agent), _) => format!("{} has it.", agent.name),
            (None, Some(position)) => format!("All polecats of the rig are busy: queued at position {position}."),
            (None, None) if slung.bead.labels.iter().any(|label| label == MAYOR_LABEL) => "The Mayor has it and was told.".to_owned(),
            (None, None) if slung.bead.blockers_open > 0 => {
                format!("It waits for {} bead(s) and is given out when they are done.", slung.bead.blockers_open)
            }
            (None, None) => "Held: it is not given out until it is released.".to_owned(),
        };
        if let Some(quality) = slung.bead.quality.filter(|_| self.formula.is_none()) {
            summary = format!("{summary} It is worked on as {} ({}).", quality.as_str(), quality.purpose());
        }
        Ok(Slung {
            town,
            rig,
            summary,
            bead: shown(&slung.bead, slung.molecule),
            agent: slung.agent.map(|agent| SlungAgent { id: agent.id.to_string(), name: agent.name, branch: agent.branch }),
            queue_position: slung.queue_position,
            convoy: None,
        })
    }
}

impl Sling {
    /// A new member of a convoy, by way of the town.
    fn plan_convoy(&self, place: &Place, convoy: &str, depends_on: Option<Vec<BeadId>>) -> Result<Plan, Failure> {
        if self.bead.is_some() || self.target.is_some() || self.metadata.is_some() {
            let refusal = Refusal::new(Code::InvalidArgument, "sling: convoy takes a new bead, without bead, target or metadata");
            return Err(refusal.hint("A convoy's beads go to whoever is idle; add a bead that exists with update_convoy.").into());
        }
        let input = json!({
            "convoy": convoy,
            "rig_id": place.rig()?,
            "title": self.title,
            "body": self.body,
            "priority": self.priority,
            "labels": self.labels,
            "quality": self.quality,
            "args": self.args,
            "formula": self.formula,
            "vars": self.vars,
            "depends_on": depends_on,
        });
        Ok(Plan::One(place.call_town(&SLING_INTO_CONVOY, (input,))?))
    }
}

fn bead_id(field: &str, id: &str) -> Result<BeadId, Failure> {
    BeadId::parse(id).map_err(|_| refuse(Code::InvalidArgument, format!("sling: {field}: not the id of a bead (list_beads shows them)")))
}

/// The rig's word for a target.
///
/// # Errors
/// `Unsupported` for what embedded towns do not have, with what comes nearest.
fn target(named: Option<&str>) -> Result<Option<String>, Refusal> {
    let Some(named) = named else { return Ok(None) };
    let kind = named.split('/').next().unwrap_or_default().to_ascii_lowercase();
    let (what, instead) = match kind.as_str() {
        "idle" | "polecat" | "polecats" if !named.contains('/') => return Ok(None),
        MAYOR => return Ok(Some(MAYOR.to_owned())),
        "crew" => ("crew: the workspaces of people", "Leave target out for an idle polecat, or use mayor for what a person should decide."),
        "dog" | "dogs" => ("dogs", "target idle gives it to an idle polecat."),
        "deacon" if named.eq_ignore_ascii_case("deacon/dogs") => ("dogs", "target idle gives it to an idle polecat."),
        "deacon" | "boot" | "witness" => ("a deacon or witness that takes work", "Use target mayor for decisions, idle for work."),
        "refinery" => ("a refinery that takes tasks: it takes merge requests by itself", "target idle gives it to an idle polecat."),
        _ => return Ok(Some(named.to_owned())),
    };
    Err(Refusal::new(Code::Unsupported, format!("sling: target: this town has no {what}")).hint(instead))
}

fn shown(bead: &Bead, step: Option<String>) -> SlungBead {
    SlungBead {
        id: bead.bead_id.to_string(),
        title: AgentText::line(&bead.title),
        status: bead_status(bead),
        quality: bead.quality,
        step: step.as_deref().map(AgentText::line),
    }
}
