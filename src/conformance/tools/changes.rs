//! Tools that make it known that a list has changed.
//!
//! The lists stay as they are: what is tested is who hears of it.

use super::{Nothing, text};
use crate::rpc::call::Call;
use crate::rpc::table::PUBLISH;
use crate::tools::interactive::Live;
use mcp::client::Interruption;
use mcp::types::ToolReply;

pub(super) async fn of_tools(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    publish(live, "tools").await
}

pub(super) async fn of_prompts(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    publish(live, "prompts").await
}

async fn publish(live: &Live<'_>, topic: &str) -> Result<ToolReply, Interruption> {
    let call = Call::new(live.sessions.clone(), &PUBLISH, (topic,))?;
    live.client.call_internal(&call, live.place.town.as_ref()).await?;
    Ok(text(format!("Listeners to {topic} have been told")))
}
