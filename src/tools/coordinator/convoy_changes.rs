//! Tools that change convoys: made of beads that exist, started, changed, closed by hand.

use super::convoys::{ConvoyLine, unknown};
use crate::contract::ids::BeadId;
use crate::contract::shapes::{
    BlockedUntil, ConvoyDetail, ConvoyEntry, ConvoyStatus, ConvoyUpdate, CreateConvoyInput, MergeMode, SlingConvoyResult, TrackedBead,
};
use crate::rpc::call::decode;
use crate::rpc::table::{CLOSE_CONVOY, CREATE_CONVOY, GET_CONVOY_STATUS, START_CONVOY, UPDATE_CONVOY};
use crate::tools::confirm::{Confirmation, Confirmed, DryRun, confirm};
use crate::tools::interactive::{Live, LiveTool};
use crate::tools::text::{AgentText, name};
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::Failure;
use futures::future::LocalBoxFuture;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A convoy as the change left it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConvoyChange {
    town: String,
    summary: String,
    convoy: ConvoyLine,
}

impl ConvoyChange {
    fn of(place: &Place, summary: String, entry: ConvoyEntry) -> Result<Self, Failure> {
        Ok(Self { town: place.town()?.to_string(), summary, convoy: entry.into() })
    }
}

/// Reads ids of beads; `argument` is where they stand.
fn bead_ids(argument: &str, texts: &[String]) -> Result<Vec<BeadId>, Failure> {
    let refused = |text: &String| {
        let refusal = base::error::Refusal::new(base::error::Code::InvalidArgument, format!("{argument}: {} is not a bead id", name(text)));
        Failure::from(refusal.hint("Call list_beads to see the beads."))
    };
    texts.iter().map(|text| BeadId::parse(text.trim()).map_err(|_| refused(text))).collect()
}

/// Makes a named convoy of beads that exist, in any rigs, or an empty one to sling into. For new work use `sling_batch`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateConvoy {
    /// Its title.
    name: String,
    /// Bead ids.
    beads: Option<Vec<String>>,
    /// Default: as the town is configured.
    merge_mode: Option<MergeMode>,
    /// true: its beads wait until it is started. Default false.
    staged: Option<bool>,
}

impl Tool for CreateConvoy {
    const NAME: &'static str = "create_convoy";
    const TITLE: &'static str = "Create a convoy";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"name":"Release 2"}"#;
    type Output = ConvoyChange;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let beads = bead_ids("beads", self.beads.as_deref().unwrap_or_default())?;
        let input = CreateConvoyInput {
            title: self.name.clone(),
            beads: beads.into_iter().map(|bead_id| TrackedBead { bead_id, rig_id: None }).collect(),
            created_by: None,
            staged: self.staged,
            merge_mode: self.merge_mode,
        };
        Ok(Plan::One(place.call_town(&CREATE_CONVOY, (input,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<ConvoyChange, Failure> {
        let entry: ConvoyEntry = answers.one(&CREATE_CONVOY)?;
        let summary = match entry.total_beads {
            0 => "Made; it has no beads yet.".to_owned(),
            beads => format!("Made of {beads} beads."),
        };
        ConvoyChange::of(place, summary, entry)
    }
}

/// Starts a staged convoy: its beads that wait for nothing are given out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartConvoy {
    /// Convoy id or title.
    convoy: String,
}

impl Tool for StartConvoy {
    const NAME: &'static str = "start_convoy";
    const TITLE: &'static str = "Start a convoy";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"convoy":"Payments API"}"#;
    type Output = ConvoyChange;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Ok(Plan::One(place.call_town(&START_CONVOY, (self.convoy.trim(),))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<ConvoyChange, Failure> {
        let started: SlingConvoyResult = answers.one(&START_CONVOY)?;
        let ready = started.beads.iter().filter(|entry| entry.bead.blockers_open == 0 && !entry.bead.status.is_terminal()).count();
        ConvoyChange::of(place, format!("Started: {ready} of {} beads wait for nothing.", started.beads.len()), started.convoy)
    }
}

/// Changes a convoy that has not landed: merge mode, branch, members and what added ones wait for. All of it or nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateConvoy {
    /// Convoy id or title.
    convoy: String,
    /// New merge mode.
    merge_mode: Option<MergeMode>,
    /// New feature branch.
    feature_branch: Option<String>,
    /// Bead ids, of any rig.
    add_beads: Option<Vec<String>>,
    /// Bead ids; they stay in their rigs.
    remove_beads: Option<Vec<String>>,
    /// Members that the added beads wait for; replaces what they waited for.
    depends_on: Option<Vec<String>>,
    /// merged: wait until those are merged, not just closed.
    until: Option<BlockedUntil>,
}

impl Tool for UpdateConvoy {
    const NAME: &'static str = "update_convoy";
    const TITLE: &'static str = "Change a convoy";
    const HINTS: Hints = Hints::SET;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"convoy":"Payments API","merge_mode":"review-and-merge"}"#;
    type Output = ConvoyChange;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let update = ConvoyUpdate {
            merge_mode: self.merge_mode,
            feature_branch: self.feature_branch.clone(),
            add_beads: bead_ids("add_beads", self.add_beads.as_deref().unwrap_or_default())?,
            remove_beads: bead_ids("remove_beads", self.remove_beads.as_deref().unwrap_or_default())?,
            depends_on: self.depends_on.as_deref().map(|texts| bead_ids("depends_on", texts)).transpose()?,
            until: self.until,
        };
        Ok(Plan::One(place.call_town(&UPDATE_CONVOY, (self.convoy.trim(), update))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<ConvoyChange, Failure> {
        let entry: Option<ConvoyEntry> = answers.one(&UPDATE_CONVOY)?;
        let entry = entry.ok_or_else(|| unknown(&self.convoy))?;
        ConvoyChange::of(place, format!("Changed; it has {} beads.", entry.total_beads), entry)
    }
}

/// Ends a convoy by hand: its beads that have not ended are closed, wherever they are. It asks before it does. Use it for
/// work that is not wanted any more.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseConvoy {
    /// Convoy id or title.
    convoy: String,
    /// True to have done what a dry run showed. Clients that can ask their user need neither this nor a token.
    #[serde(default)]
    confirm: bool,
    /// The token of that dry run.
    confirm_token: Option<String>,
}

/// What became of the convoy: closed, or in a dry run as it was.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConvoyClosing {
    town: String,
    summary: String,
    convoy: ConvoyLine,
    /// Whether it is over.
    closed: bool,
    #[serde(flatten)]
    dry_run: Option<DryRun>,
}

impl LiveTool for CloseConvoy {
    const NAME: &'static str = "close_convoy";
    const TITLE: &'static str = "Close a convoy";
    const HINTS: Hints = Hints::DESTROY;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"convoy":"Payments API"}"#;
    type Output = ConvoyClosing;

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(self.close(live))
    }
}

impl CloseConvoy {
    async fn close(&self, live: &Live<'_>) -> Result<ToolReply, Interruption> {
        let town = live.place.town()?;
        let status = live.place.call_town(&GET_CONVOY_STATUS, (self.convoy.trim(),))?;
        let found: Option<ConvoyDetail> = decode(&GET_CONVOY_STATUS, &live.client.call(&status, Some(town), None).await?)?;
        let detail = found.ok_or_else(|| Failure::from(unknown(&self.convoy)))?;
        let id = detail.entry.id.clone();
        let (entry, dry_run) = if detail.entry.status == ConvoyStatus::Landed {
            (detail.entry, None)
        } else {
            let given = Confirmation { confirm: self.confirm, token: self.confirm_token.clone() };
            match confirm(live, Self::NAME, &json!({"town": town, "convoy": id}), &what(&detail), &given).await? {
                Confirmed::DryRun(dry_run) => (detail.entry, Some(dry_run)),
                Confirmed::Yes => {
                    let close = live.place.call_town(&CLOSE_CONVOY, (&id,))?;
                    let closed: Option<ConvoyEntry> =
                        decode(&CLOSE_CONVOY, &live.client.call(&close, Some(town), live.idempotency_key).await?)?;
                    (closed.ok_or_else(|| Failure::from(unknown(&self.convoy)))?, None)
                }
            }
        };
        let summary = match &dry_run {
            Some(_) => "The convoy is as it was.".to_owned(),
            None if entry.forced_at.is_some() => format!("Closed by hand; {} beads failed and stay so.", entry.failed_beads),
            None => "It has landed already.".to_owned(),
        };
        let closing = ConvoyClosing { town: town.to_string(), summary, closed: dry_run.is_none(), convoy: entry.into(), dry_run };
        Ok(ToolReply::structured(Self::NAME, &closing)?)
    }
}

/// What is about to be lost, after "would".
fn what(detail: &ConvoyDetail) -> String {
    let unfinished = detail.beads.iter().filter(|bead| !bead.status.is_terminal()).count();
    let held = detail.beads.iter().filter(|bead| !bead.status.is_terminal() && bead.assignee_agent_name.is_some()).count();
    let entry = &detail.entry;
    let title = AgentText::line(&entry.title);
    format!(
        "close convoy {} ({}) without landing it: {unfinished} of its {} beads have not ended and are closed, {held} of them taken from agents that hold them.",
        title.as_str(),
        entry.id,
        detail.beads.len()
    )
}
