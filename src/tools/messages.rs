//! Tools that talk to a town's Mayor.

use super::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use crate::error::Failure;
use crate::rpc::model::MayorMessageResult;
use crate::rpc::table::SEND_MAYOR_MESSAGE;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Leaves a message for the town's Mayor, who runs the town's own work. Use it to delegate, to hold something off, or to ask;
/// it does not wait for an answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMayorMessage {
    /// What the Mayor should know or do.
    message: String,
}

/// What became of the message.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MessageSent {
    town: String,
    summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    /// `queued` until a Mayor has read it.
    delivery: String,
    mayor_agent_id: String,
    mayor_status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    queued_messages: Option<i64>,
}

impl Tool for SendMayorMessage {
    const NAME: &'static str = "send_mayor_message";
    const TITLE: &'static str = "Message the Mayor";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"message":"Hold off on the auth integration until Friday."}"#;
    type Output = MessageSent;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Ok(Plan::One(place.call_town(&SEND_MAYOR_MESSAGE, (&self.message, Value::Null, Value::Null, Value::Null))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<MessageSent, Failure> {
        let sent: MayorMessageResult = answers.one(&SEND_MAYOR_MESSAGE)?;
        let delivery = sent.delivery.unwrap_or_else(|| "unknown".to_owned());
        let summary = match sent.queued_messages {
            Some(waiting) => format!("{delivery}: {waiting} message(s) wait until the Mayor reads them."),
            None => format!("{delivery}."),
        };
        Ok(MessageSent {
            town: place.town()?.to_string(),
            summary,
            message_id: sent.message_id.map(|id| id.to_string()),
            delivery,
            mayor_agent_id: sent.agent_id.to_string(),
            mayor_status: sent.session_status,
            queued_messages: sent.queued_messages,
        })
    }
}
