//! The tool that every agent begins with: what is on its hook, and that it is to start now.
//!
//! Owns how the rig's `prime` looks to a model, under the contract's names (3.11). Text that others wrote is fenced, but whole: the
//! agent works by it. What it must copy (ids, branches, commands) is as it is.

use super::molecule::Step;
use super::talk::MailLine;
use crate::contract::shapes::{Agent, AgentRole, Bead, BeadType, NudgePriority, PrimeContext, Priority, Quality};
use crate::rpc::table::PRIME;
use crate::tools::text::{AgentText, name, word};
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::Failure;
use base::json::object;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// Tells you what is on your hook and how to do it, with your mail and nudges. Call it first, and after every restart; if
/// something is on your hook, begin at once, without asking.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prime {}

/// Everything to begin with.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Primed {
    /// What to do now.
    instructions: String,
    agent: Own,
    #[serde(skip_serializing_if = "Option::is_none")]
    hooked_bead: Option<Hooked>,
    /// Of the hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<i64>,
    /// To work on.
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    /// Where that begins and what it is merged into.
    #[serde(skip_serializing_if = "Option::is_none")]
    base_branch: Option<String>,
    /// Commands that must succeed.
    quality_gates: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rework_context: Option<Rework>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pr_fixup_context: Option<Pull>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pr_conflict_context: Option<Pull>,
    /// As you kept it.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<Map<String, Value>>,
    undelivered_mail: Vec<MailLine>,
    nudges: Vec<NudgeLine>,
    /// Work that nobody has begun.
    open_beads: Vec<OpenBead>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Own {
    id: String,
    name: String,
    role: AgentRole,
    identity: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Hooked {
    bead_id: String,
    #[serde(rename = "type")]
    kind: String,
    title: AgentText,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<AgentText>,
    priority: Priority,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    /// What else you were told.
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<AgentText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<Quality>,
    #[serde(skip_serializing_if = "Option::is_none")]
    convoy_id: Option<String>,
    /// Of a merge request: whose work it merges.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_bead_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_agent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pr_url: Option<String>,
    /// Times that it was given out before.
    attempts: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Rework {
    feedback: AgentText,
    files: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_bead_title: Option<AgentText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mr_bead_id: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Pull {
    #[serde(skip_serializing_if = "Option::is_none")]
    pr_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_feedback: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct NudgeLine {
    nudge_id: String,
    from: String,
    message: AgentText,
    priority: NudgePriority,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OpenBead {
    bead_id: String,
    title: AgentText,
    priority: Priority,
}

impl Tool for Prime {
    const NAME: &'static str = "gt_prime";
    const TITLE: &'static str = "Begin";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = "{}";
    type Output = Primed;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Ok(Plan::One(place.call_rig(&PRIME, (place.agent()?,))?))
    }

    fn render(self, answers: Answers, _: &Place) -> Result<Primed, Failure> {
        let told: PrimeContext = answers.one(&PRIME)?;
        let sent_back = rework(&told);
        Ok(Primed {
            instructions: instructions(&told, sent_back.is_some()),
            order: told.order,
            branch: told.agent.branch.as_deref().map(word),
            base_branch: told.base_branch.as_deref().map(word),
            quality_gates: told.quality_gates,
            step: told.step.as_ref().and_then(|step| Step::of(&step.molecule)),
            rework_context: sent_back,
            pr_fixup_context: pull(&told.pr_fixup_context),
            pr_conflict_context: pull(&told.pr_conflict_context),
            undelivered_mail: told.undelivered_mail.iter().map(MailLine::from).collect(),
            nudges: told
                .nudges
                .iter()
                .map(|nudge| NudgeLine {
                    nudge_id: nudge.nudge_id.clone(),
                    from: word(&nudge.source),
                    message: AgentText::whole(&nudge.message),
                    priority: nudge.priority,
                })
                .collect(),
            open_beads: told
                .open_beads
                .iter()
                .map(|bead| OpenBead { bead_id: bead.bead_id.to_string(), title: AgentText::line(&bead.title), priority: bead.priority })
                .collect(),
            hooked_bead: told.hooked_bead.map(Hooked::from),
            checkpoint: kept(told.agent.checkpoint.clone()),
            agent: told.agent.into(),
        })
    }
}

impl From<Agent> for Own {
    fn from(agent: Agent) -> Self {
        Self { id: agent.id.to_string(), name: name(&agent.name), role: agent.role, identity: word(&agent.identity) }
    }
}

impl From<Bead> for Hooked {
    fn from(bead: Bead) -> Self {
        let note = |key: &str| bead.metadata.get(key).and_then(Value::as_str);
        Self {
            args: note("args").map(AgentText::whole),
            convoy_id: note("convoy_id").map(word),
            source_bead_id: note("source_bead_id").map(word),
            source_agent_id: note("source_agent_id").map(word),
            pr_url: note("pr_url").map(word),
            bead_id: bead.bead_id.to_string(),
            kind: bead.kind.as_str().to_owned(),
            title: AgentText::line(&bead.title),
            body: bead.body.as_deref().map(AgentText::whole),
            priority: bead.priority,
            labels: bead.labels.iter().map(|label| word(label)).collect(),
            quality: bead.quality,
            attempts: bead.dispatch_attempts,
        }
    }
}

/// Whoever reports over REST may keep something else than an object.
fn kept(checkpoint: Value) -> Option<Map<String, Value>> {
    match checkpoint {
        Value::Null => None,
        Value::Object(fields) => Some(fields),
        other => Some(object([("data", other)])),
    }
}

fn text<'a>(context: &'a Value, key: &str) -> Option<&'a str> {
    context.get(key).and_then(Value::as_str)
}

/// What a review wants changed: of a bead made for it, or of work that a failed review sent back.
fn rework(told: &PrimeContext) -> Option<Rework> {
    let bead = told.hooked_bead.as_ref()?;
    let notes = Value::Object(bead.metadata.clone());
    let context = if told.rework_context.is_object() { &told.rework_context } else { &notes };
    let feedback = text(context, "feedback").filter(|_| bead.kind == BeadType::Issue)?;
    let files = context.get("files").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    Some(Rework {
        feedback: AgentText::whole(feedback),
        files: files.map(word).collect(),
        branch: text(context, "branch").map(word),
        target_branch: text(context, "target_branch").map(word),
        original_bead_title: text(context, "original_bead_title").map(AgentText::line),
        mr_bead_id: text(context, "mr_bead_id").map(word),
    })
}

fn pull(context: &Value) -> Option<Pull> {
    context.is_object().then(|| Pull {
        pr_url: text(context, "pr_url").map(word),
        branch: text(context, "branch").map(word),
        target_branch: text(context, "target_branch").map(word),
        has_feedback: context.get("has_feedback").and_then(Value::as_bool),
    })
}

/// What to do now. Nothing in it but ids and branches is anybody's text.
fn instructions(told: &PrimeContext, is_sent_back: bool) -> String {
    let Some(bead) = &told.hooked_bead else {
        return "Nothing is on your hook. Read undelivered_mail and nudges, then end your turn: work comes to your hook by itself."
            .to_owned();
    };
    let id = &bead.bead_id;
    let branch = told.agent.branch.as_deref().map(word).unwrap_or_default();
    let base = told.base_branch.as_deref().map(word).unwrap_or_default();
    let gates = if told.quality_gates.is_empty() { "" } else { " Every command of quality_gates must succeed." };
    if bead.kind == BeadType::MergeRequest {
        return format!(
            "Review merge request {id} now, without asking: branch {branch} is to be merged into {base}.{gates} \
             Merged and pushed: gt_review_complete with status merged and commit_sha. It does not merge, or gates fail: status conflict or \
             failed, and why. Its author must change something: gt_request_changes."
        );
    }
    let mut text =
        format!("Work on bead {id} now, without asking: what is on your hook is yours to begin. Use branch {branch}, from {base}.");
    if let Some(quality) = bead.quality {
        _ = write!(text, " Quality: {}.", quality.as_str());
    }
    if is_sent_back {
        text.push_str(" A review sent it back: do what rework_context says, on that branch.");
    }
    if !told.agent.checkpoint.is_null() {
        text.push_str(" It was begun before: checkpoint says how far it came.");
    }
    if let Some(step) = &told.step {
        let (number, of) = (step.molecule.current_step + 1, step.molecule.formula.steps.len());
        _ = write!(text, " Follow its formula, step {number} of {of}: see step, then gt_mol_advance after each.");
    }
    text.push_str(gates);
    text.push_str(" Commit, push, then call gt_done.");
    text
}
