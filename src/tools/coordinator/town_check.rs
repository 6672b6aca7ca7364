//! The tool that checks whether a town and its rigs say the same.

use crate::contract::shapes::{CheckInput, Finding, TownCheck as Checked};
use crate::rpc::call::decode;
use crate::rpc::table::CHECK_TOWN;
use crate::tools::interactive::{Live, LiveTool};
use crate::tools::tool::{Coverage, Hints, Reach};
use futures::future::LocalBoxFuture;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Compares what a town and its rigs keep: mirrors, members of convoys, hooks, blockers, tallies, landings, letters. Changes
/// nothing unless `repair` is true.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TownCheck {
    /// true: mend what is found.
    #[serde(default)]
    repair: bool,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TownReport {
    town: String,
    summary: String,
    ok: bool,
    findings: Vec<Finding>,
    /// Findings that are not shown.
    more: i64,
    beads: i64,
    agents: i64,
    convoys: i64,
    /// Differences that letters under way will mend.
    in_flight: i64,
    /// Rigs asked.
    coverage: Coverage,
}

// A live tool because the admin's scope is asked of the town itself.
impl LiveTool for TownCheck {
    const NAME: &'static str = "town_check";
    const TITLE: &'static str = "Check a town";
    const HINTS: Hints = Hints::SET;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = "{}";
    type Output = TownReport;

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(self.check(live))
    }
}

impl TownCheck {
    async fn check(&self, live: &Live<'_>) -> Result<ToolReply, Interruption> {
        let town = live.place.town()?;
        let call = live.place.call_town(&CHECK_TOWN, (CheckInput { repair: self.repair },))?;
        let found: Checked = decode(&CHECK_TOWN, &live.client.call(&call, Some(town), live.idempotency_key).await?)?;
        let total = found.more.saturating_add(i64::try_from(found.findings.len()).unwrap_or(i64::MAX));
        let summary = match (found.ok, self.repair) {
            (true, _) => format!("Clean: {} beads, {} agents and {} open convoys agree.", found.beads, found.agents, found.convoys),
            (false, true) => format!("{total} findings; those marked repaired were mended, or are being mended now. Check again."),
            (false, false) => format!("{total} findings; nothing was changed. Call with repair: true to mend them."),
        };
        let report = TownReport {
            town: town.to_string(),
            summary,
            ok: found.ok,
            findings: found.findings,
            more: found.more,
            beads: found.beads,
            agents: found.agents,
            convoys: found.convoys,
            in_flight: found.in_flight,
            coverage: Coverage::of_rigs(&found.coverage, "did not answer: it was not checked"),
        };
        Ok(ToolReply::structured(Self::NAME, &report)?)
    }
}
