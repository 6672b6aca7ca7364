//! Stopping to give out work, and going on.
//!
//! Owns the two tools. What a pause is, the town says.

use super::super::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use super::Administered;
use crate::contract::shapes::Parking;
use crate::rpc::call::decode;
use crate::rpc::table::{ACKNOWLEDGE_READY, GET_DRAIN_NONCE, RECORD_EVICTION, SET_PARKED};
use crate::tools::interactive::{Live, LiveTool};
use base::error::{Code, Failure, Refusal};
use futures::future::LocalBoxFuture;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use schemars::JsonSchema;
use serde::Deserialize;

/// Parks a town or one of its rigs, or ends that: work under way goes on, but nothing new is given out. Use it to hold work off
/// for as long as you say.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetParked {
    /// Rig id or name; left out: the whole town.
    rig: Option<String>,
    /// False to go on.
    parked: bool,
    /// Why, for whoever reads the feed; at most 500 characters.
    reason: Option<String>,
}

impl Tool for SetParked {
    const NAME: &'static str = "set_parked";
    const TITLE: &'static str = "Park or unpark";
    const HINTS: Hints = Hints::SET;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"rig":"api","parked":true,"reason":"release freeze"}"#;
    type Output = Administered;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Ok(Plan::One(place.call_town(&SET_PARKED, (&place.rig, self.parked, &self.reason))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<Administered, Failure> {
        let parking: Parking = answers.one(&SET_PARKED)?;
        let what = if parking.rig_id.is_some() { "rig" } else { "town" };
        let summary = match (parking.parked, parking.town_parked) {
            (true, _) => format!("The {what} is parked: nothing new is given out."),
            (false, true) => "The rig is not parked by itself, but its town is: nothing new is given out.".to_owned(),
            (false, false) => format!("The {what} gives out work."),
        };
        let mut done = Administered::new(place.town()?, place.rig.as_ref(), summary);
        done.changed = parking.changed;
        Ok(done)
    }
}

/// Begins or ends a drain of a town: nothing new is given out until what runs its agents is back, or for seven minutes. Use it
/// around a restart of the agents.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drain {
    /// begin or end.
    action: Action,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
enum Action {
    #[serde(rename = "begin")]
    Begin,
    #[serde(rename = "end")]
    End,
}

impl LiveTool for Drain {
    const NAME: &'static str = "drain";
    const TITLE: &'static str = "Drain a town";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"action":"begin"}"#;
    type Output = Administered;

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(async move {
            let town = live.place.town()?;
            if self.action == Action::Begin {
                live.client.call(&live.place.call_town(&RECORD_EVICTION, ())?, Some(town), live.idempotency_key).await?;
                let summary = "Draining: nothing new is given out until the drain is ended, or for seven minutes.".to_owned();
                return Ok(Administered::new(town, None, summary).reply(Self::NAME)?);
            }
            let nonce = live.client.call(&live.place.call_town(&GET_DRAIN_NONCE, ())?, Some(town), None).await?;
            let nonce: Option<String> = decode(&GET_DRAIN_NONCE, &nonce)?;
            let Some(nonce) = nonce else {
                let mut done = Administered::new(town, None, "There is no drain: work is given out unless it is parked.".to_owned());
                done.changed = false;
                return Ok(done.reply(Self::NAME)?);
            };
            let ready = live.place.call_town(&ACKNOWLEDGE_READY, (nonce,))?;
            let ended: bool = decode(&ACKNOWLEDGE_READY, &live.client.call(&ready, Some(town), live.idempotency_key).await?)?;
            if !ended {
                let refusal = Refusal::new(Code::Conflict, "Another drain began meanwhile");
                return Err(refusal.hint("Call again to end that one.").into());
            }
            Ok(Administered::new(town, None, "The drain is over: what waits is given out.".to_owned()).reply(Self::NAME)?)
        })
    }
}
