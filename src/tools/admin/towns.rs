//! Making a town, and deleting one.
//!
//! Owns the two tools. The order of the steps is `provision`'s.

use super::super::confirm::{Confirmation, Confirmed, confirm};
use super::super::text::name;
use super::super::tool::{Hints, Reach};
use super::{Administered, registered};
use crate::contract::shapes::{AlarmStatus, RigRecord};
use crate::provision;
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::{DESTROY_TOWN, GET_ALARM_STATUS, LIST_RIGS};
use crate::tools::interactive::{Live, LiveTool};
use base::error::{Code, Failure, Refusal};
use futures::future::LocalBoxFuture;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// Makes an empty town of yours, or of an organization of yours. Use it once per product or team; then `create_rig` for each
/// of its repositories.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTown {
    /// 1 to 64 characters.
    name: String,
    /// Id of the organization that is to own it; left out: you.
    organization: Option<String>,
}

impl LiveTool for CreateTown {
    const NAME: &'static str = "create_town";
    const TITLE: &'static str = "Create a town";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Fleet;
    const EXAMPLE: &'static str = r#"{"name":"backend","idempotency_key":"town-backend"}"#;
    type Output = Administered;

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(async move {
            let owner = match &self.organization {
                Some(org) => Instance::Org(org.clone()),
                None => Instance::User(live.client.principal.user_id.clone()),
            };
            let town = provision::town(live.client, &owner, self.name.clone(), live.idempotency_key).await?;
            let done = Administered::new(&town.id, None, "The town is there. Add its repositories with create_rig.".to_owned());
            Ok(done.named(&town.name).reply(Self::NAME)?)
        })
    }
}

/// Deletes a town for good, with all its rigs, beads, convoys and messages. It asks before it does, and refuses while there is
/// unfinished work unless forced.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteTown {
    /// True to lose unfinished work too.
    #[serde(default)]
    force: bool,
    /// True to have done what a dry run showed. Clients that can ask their user need neither this nor a token.
    #[serde(default)]
    confirm: bool,
    /// The token of that dry run.
    confirm_token: Option<String>,
}

impl LiveTool for DeleteTown {
    const NAME: &'static str = "delete_town";
    const TITLE: &'static str = "Delete a town";
    const HINTS: Hints = Hints::DESTROY;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"force":true}"#;
    type Output = Administered;

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(self.delete(live))
    }
}

impl DeleteTown {
    async fn delete(&self, live: &Live<'_>) -> Result<ToolReply, Interruption> {
        let town = live.place.town()?;
        let record = registered(live, town).await?;
        let owner = provision::registry_of(&record, &live.client.principal.user_id);
        provision::check_may_delete(live.client, &owner, &DESTROY_TOWN, "towns")?;
        let what = format!("delete town {} ({town}) for good{}", name(&record.name), self.loss(live).await?);
        let arguments = json!({"town": town, "force": self.force});
        let given = Confirmation { confirm: self.confirm, token: self.confirm_token.clone() };
        let confirmed = confirm(live, Self::NAME, &arguments, &what, &given).await?;
        let mut done = Administered::new(town, None, "The town is still there.".to_owned()).named(&record.name);
        match confirmed {
            Confirmed::DryRun(dry_run) => (done.changed, done.dry_run) = (false, Some(dry_run)),
            Confirmed::Yes => {
                provision::delete_town(live.client, &owner, town, self.force, live.idempotency_key).await?;
                "The town was deleted.".clone_into(&mut done.summary);
            }
        }
        Ok(done.reply(Self::NAME)?)
    }

    /// What goes with the town, as it last told. A town that is gone already has only its registry's row to lose.
    async fn loss(&self, live: &Live<'_>) -> Result<String, Failure> {
        let town = live.place.town()?;
        let ask = async |method, args: Value| {
            let call = Call { instance: Instance::Town(town.clone()), method, args: args.to_string() };
            live.client.call(&call, Some(town), None).await
        };
        let rigs: Vec<RigRecord> = match ask(&LIST_RIGS, json!([])).await {
            Err(Failure::Refused(refusal)) if provision::is_gone(&refusal) => {
                return Ok(": nothing but its entry in the registry is left.".to_owned());
            }
            other => decode(&LIST_RIGS, &other?)?,
        };
        let status: AlarmStatus = decode(&GET_ALARM_STATUS, &ask(&GET_ALARM_STATUS, json!([null])).await?)?;
        let active = status.beads.open + status.beads.in_progress + status.beads.in_review;
        if active > 0 && !self.force {
            let refusal = Refusal::new(Code::Conflict, format!("The town has {active} active bead(s) in {} rig(s)", rigs.len()));
            return Err(refusal.hint("Finish them first, or call again with force: true to lose them.").into());
        }
        let silent = status.coverage.map_or(0, |coverage| coverage.missing.len());
        let unknown = if silent > 0 { format!(" (and those of {silent} rig(s) that have not reported)") } else { String::new() };
        Ok(format!(", with {} rig(s), {active} active bead(s){unknown}, and everything else in them.", rigs.len()))
    }
}
