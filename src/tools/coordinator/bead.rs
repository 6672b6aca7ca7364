//! The tool that shows all of one bead.
//!
//! Owns how a bead looks that was asked for by itself; a line of a list is `view`'s.

use crate::contract::ids::BeadId;
use crate::contract::shapes::{Bead, BeadDependency, BeadDetail, BeadEventRecord, BeadStatus, BlockedUntil, FormulaProgress, Quality};
use crate::contract::tool_keys::LIST_BEADS;
use crate::rpc::table::DEBUG_GET_BEAD;
use crate::tools::bead_view::BeadLine;
use crate::tools::text::{AgentText, name, word};
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Refusal};
use base::hint;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Metadata that is shown under a name of its own.
const SHOWN_APART: [&str; 4] = ["branch", "convoy_id", "args", "quality"];

/// Shows one bead whole: its text, what it waits for and what waits for it, its review and what last happened to it. Use
/// it before you decide about a bead.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetBead {
    /// Bead id.
    bead: String,
    /// Rig id or name; saves a look into every rig.
    rig: Option<String>,
}

/// A bead and what is around it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WholeBead {
    town: String,
    bead: BeadLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<AgentText>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<Quality>,
    /// Instructions besides the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<AgentText>,
    /// The formula it is worked by, and how far that has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    formula: Option<AgentText>,
    /// Further metadata, as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<AgentText>,
    /// Beads it waits for, or waited for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waits_for: Vec<Edge>,
    /// Beads that wait, or waited, for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    blocks: Vec<Edge>,
    /// Its merge request.
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<Review>,
    /// What last happened, newest first.
    events: Vec<EventLine>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Edge {
    bead: String,
    /// `deleted`: it blocks until the dependency is removed.
    status: String,
    until: BlockedUntil,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Review {
    bead: String,
    status: BeadStatus,
    branch: String,
    target_branch: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pr_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merge_commit: Option<String>,
    retries: i64,
}

/// What happened once.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::tools) struct EventLine {
    at: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<AgentText>,
}

impl Tool for GetBead {
    const NAME: &'static str = "get_bead";
    const TITLE: &'static str = "Get a bead";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"bead":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d"}"#;
    type Output = WholeBead;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let id = bead_id("bead", &self.bead)?;
        Ok(place.ask_rigs(&DEBUG_GET_BEAD, (id,))?)
    }

    fn render(self, answers: Answers, place: &Place) -> Result<WholeBead, Failure> {
        let gathered = answers.gather::<BeadDetail>(&DEBUG_GET_BEAD, place)?;
        let found = gathered.answered.into_iter().find_map(|(_, mut detail)| detail.bead.take().map(|bead| (bead, detail)));
        let Some((bead, detail)) = found else {
            let Some(missing) = gathered.coverage.missing.first() else { return Err(unknown("bead").into()) };
            let refusal = Refusal::new(Code::Unavailable, format!("Rig {} did not answer, and no other has the bead", name(&missing.name)));
            return Err(refusal.hint("Call again in a while.").into());
        };
        Ok(whole(place.town()?.to_string(), bead, detail))
    }
}

/// An argument that is a bead's id.
///
/// # Errors
/// `NotFound` that names the argument: whatever is no id is the id of no bead.
pub(in crate::tools) fn bead_id(argument: &str, text: &str) -> Result<BeadId, Refusal> {
    BeadId::parse(text.trim()).map_err(|_| unknown(argument))
}

/// Arguments that are, each once.
///
/// # Errors
/// As `bead_id`.
pub(in crate::tools) fn bead_ids(argument: &str, texts: &[String]) -> Result<Vec<BeadId>, Refusal> {
    let mut ids = Vec::with_capacity(texts.len());
    for text in texts {
        let id = bead_id(argument, text)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn unknown(argument: &str) -> Refusal {
    Refusal::of_argument(Code::NotFound, argument, "no rig of this town has such a bead").hint(hint![
        "Call ",
        LIST_BEADS,
        " to see the beads."
    ])
}

fn whole(town: String, bead: Bead, detail: BeadDetail) -> WholeBead {
    let (mut waits_for, mut blocks) = (Vec::new(), Vec::new());
    for edge in detail.dependencies {
        let is_waiter = edge.bead_id == bead.bead_id;
        let other = if is_waiter { &edge.depends_on_bead_id } else { &edge.bead_id };
        let shown = Edge {
            bead: other.to_string(),
            status: edge.status.map_or("deleted", BeadStatus::as_str).to_owned(),
            until: edge.until,
            kind: differs(&edge),
        };
        if is_waiter { waits_for.push(shown) } else { blocks.push(shown) }
    }
    let rest: Map<String, Value> = bead
        .metadata
        .iter()
        .filter(|(key, _)| !SHOWN_APART.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    WholeBead {
        town,
        body: bead.body.as_deref().map(AgentText::block),
        labels: bead.labels.iter().map(|label| word(label)).collect(),
        created_by: bead.created_by.as_deref().map(word),
        parent: bead.parent_bead_id.as_ref().map(ToString::to_string),
        quality: bead.quality,
        args: bead.metadata.get("args").and_then(Value::as_str).map(AgentText::block),
        formula: detail.formula.as_ref().map(progress),
        metadata: (!rest.is_empty()).then(|| AgentText::block(&Value::Object(rest).to_string())),
        waits_for,
        blocks,
        review: detail.review_metadata.map(|review| Review {
            bead: review.bead_id.to_string(),
            status: review.status,
            branch: word(&review.branch),
            target_branch: word(&review.target_branch),
            pr_url: review.pr_url.as_deref().map(word),
            merge_commit: review.merge_commit.as_deref().map(name),
            retries: review.retry_count,
        }),
        events: detail.events.iter().map(EventLine::from).collect(),
        bead: bead.into(),
    }
}

/// The type of an edge, unless it is the usual one.
fn differs(edge: &BeadDependency) -> Option<String> {
    (edge.dependency_type != "blocks").then(|| edge.dependency_type.clone())
}

fn progress(formula: &FormulaProgress) -> AgentText {
    let of = formula.name.as_deref().unwrap_or("formula");
    let step = match &formula.title {
        Some(title) => format!("{} of {} steps are through, now {title}", formula.current_step, formula.steps),
        None => format!("{} of {} steps are through", formula.current_step, formula.steps),
    };
    AgentText::line(&format!("{of} ({}): {step}", formula.status))
}

impl From<&BeadEventRecord> for EventLine {
    fn from(event: &BeadEventRecord) -> Self {
        Self {
            at: event.created_at.to_string(),
            kind: event.event_type.as_str().to_owned(),
            by: event.actor.as_deref().or(event.agent_id.as_deref()).map(word),
            from: event.old_value.as_deref().map(word),
            to: event.new_value.as_deref().map(word),
            detail: (!event.metadata.is_empty()).then(|| AgentText::line(&Value::Object(event.metadata.clone()).to_string())),
        }
    }
}
