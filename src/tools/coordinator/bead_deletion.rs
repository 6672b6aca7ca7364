//! The tool that deletes beads.
//!
//! Owns its arguments and the sentence that says what would be lost. Asking is `confirm`'s business, what goes with a bead
//! the rig's.

use super::bead::bead_ids;
use crate::contract::ids::BeadId;
use crate::contract::limits::deletion::IDS_MAX;
use crate::contract::shapes::{Bead, BeadFilter, BeadStatus, BeadType};
use crate::rpc::call::{Call, decode};
use crate::rpc::table::{DELETE_BEADS, DELETE_BEADS_BY_STATUS, GET_BEAD, LIST_BEADS};
use crate::tools::confirm::{Confirmation, Confirmed, DryRun, confirm};
use crate::tools::interactive::{Live, LiveTool};
use crate::tools::text::{AgentText, name};
use crate::tools::tool::{Hints, Reach};
use base::error::{Code, Failure, Fault, Refusal};
use futures::future::LocalBoxFuture;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Of these so many are looked at before they are deleted.
const LOOKED_AT_MAX: usize = 100;
/// Beads whose titles are shown before they are deleted.
const TITLES_SHOWN_MAX: usize = 10;
/// Beads of a status that are counted.
const COUNTED_MAX: i64 = 500;

/// Deletes beads of a rig for good, each with what is below it: those named, or all of a status. It asks before it does.
/// Use it to clear away mistakes; to end work, close it with `update_bead`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteBeads {
    /// Rig id or name.
    rig: String,
    /// Bead ids, 1 to 5000. Give these or `status`.
    beads: Option<Vec<String>>,
    /// All beads with this status.
    status: Option<BeadStatus>,
    /// With `status`: only beads of this type.
    #[serde(rename = "type")]
    kind: Option<BeadType>,
    /// True to have done what a dry run showed. Clients that can ask their user need neither this nor a token.
    #[serde(default)]
    confirm: bool,
    /// The token of that dry run.
    confirm_token: Option<String>,
}

/// What was deleted, or in a dry run would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BeadDeletion {
    town: String,
    rig: String,
    summary: String,
    /// How many are gone, those below the ones that were meant included.
    deleted: i64,
    #[serde(flatten)]
    dry_run: Option<DryRun>,
}

/// What is meant.
enum Meant {
    Named(Vec<BeadId>),
    Status(BeadStatus, Option<BeadType>),
}

impl LiveTool for DeleteBeads {
    const NAME: &'static str = "delete_beads";
    const TITLE: &'static str = "Delete beads";
    const HINTS: Hints = Hints::DESTROY;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"rig":"web","beads":["7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d"]}"#;
    type Output = BeadDeletion;

    fn rig(&self) -> Option<&str> {
        Some(&self.rig)
    }

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(self.delete(live))
    }
}

impl DeleteBeads {
    async fn delete(&self, live: &Live<'_>) -> Result<ToolReply, Interruption> {
        let (town, rig) = (live.place.town()?, live.place.rig()?);
        let meant = self.meant()?;
        let (what, arguments, call) = match &meant {
            Meant::Named(ids) => (
                self.named(live, ids).await?,
                json!({"town": town, "rig": rig, "beads": ids}),
                live.place.call_rig(&DELETE_BEADS, (ids, rig))?,
            ),
            Meant::Status(status, kind) => (
                self.of_status(live, *status, *kind).await?,
                json!({"town": town, "rig": rig, "status": status, "type": kind}),
                live.place.call_rig(&DELETE_BEADS_BY_STATUS, (status, kind, rig))?,
            ),
        };
        let given = Confirmation { confirm: self.confirm, token: self.confirm_token.clone() };
        let (deleted, dry_run) = match confirm(live, Self::NAME, &arguments, &what, &given).await? {
            Confirmed::DryRun(dry_run) => (0, Some(dry_run)),
            Confirmed::Yes => (decode(call.method, &live.client.call(&call, Some(town), live.idempotency_key).await?)?, None),
        };
        let summary = if dry_run.is_some() { "Nothing was deleted yet.".to_owned() } else { format!("{deleted} bead(s) are gone.") };
        let deletion = BeadDeletion { town: town.to_string(), rig: rig.to_string(), summary, deleted, dry_run };
        Ok(ToolReply::structured(Self::NAME, &deletion)?)
    }

    fn meant(&self) -> Result<Meant, Refusal> {
        match (&self.beads, self.status) {
            (Some(beads), None) if self.kind.is_none() && (1..=IDS_MAX).contains(&beads.len()) => {
                Ok(Meant::Named(bead_ids("beads", beads)?))
            }
            (Some(_), None) if self.kind.is_none() => Err(Refusal::new(Code::InvalidArgument, format!("beads: 1 to {IDS_MAX} ids"))),
            (None, Some(status)) => Ok(Meant::Status(status, self.kind)),
            _ => Err(Refusal::new(Code::InvalidArgument, "delete_beads: give either beads, or status and perhaps type")),
        }
    }

    /// What is about to be lost, after "would". A bead that is not there is refused: somebody means another one.
    async fn named(&self, live: &Live<'_>, ids: &[BeadId]) -> Result<String, Failure> {
        let looked_at = ids.iter().take(LOOKED_AT_MAX);
        let calls = looked_at.map(|id| live.place.call_rig(&GET_BEAD, (id,))).collect::<Result<Vec<Call>, Fault>>()?;
        let mut shown = Vec::new();
        for (id, answer) in ids.iter().zip(live.client.call_each(&calls, live.place.town.as_ref()).await) {
            let Some(bead) = decode::<Option<Bead>>(&GET_BEAD, &answer?)? else {
                let refusal = Refusal::new(Code::NotFound, format!("beads: rig {} has no bead {id}", name(&self.rig)));
                return Err(refusal.hint("Call list_beads to see its beads. Those deleted already are gone for good.").into());
            };
            shown.push(format!("{id} {} ({})", AgentText::line(&bead.title).as_str(), bead.status.as_str()));
        }
        shown.truncate(TITLES_SHOWN_MAX);
        let more = ids.len().saturating_sub(shown.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Ok(format!(
            "delete {} bead(s) of rig {} for good, with all that is below them: {}{more}.",
            ids.len(),
            name(&self.rig),
            shown.join(", ")
        ))
    }

    async fn of_status(&self, live: &Live<'_>, status: BeadStatus, kind: Option<BeadType>) -> Result<String, Failure> {
        let filter = BeadFilter { status: Some(status), kind, limit: Some(COUNTED_MAX), ..BeadFilter::default() };
        let call = live.place.call_rig(&LIST_BEADS, (filter,))?;
        let beads: Vec<Bead> = decode(&LIST_BEADS, &live.client.call(&call, live.place.town.as_ref(), None).await?)?;
        let most = usize::try_from(COUNTED_MAX).unwrap_or_default();
        let count = if beads.len() < most { beads.len().to_string() } else { format!("{most} or more") };
        let kind = kind.map(|kind| format!(" of type {}", kind.as_str())).unwrap_or_default();
        Ok(format!("delete all {} beads{kind} of rig {} for good, with all that is below them: {count}.", status.as_str(), name(&self.rig)))
    }
}
