//! The tool that looks at messages without taking them.

use crate::contract::ids::AgentId;
use crate::contract::names::MAYOR;
use crate::contract::shapes::{Channel, Message, MessageFilter, MessagePosition};
use crate::rpc::table::LIST_MESSAGES;
use crate::tools::paging;
use crate::tools::text::{AgentText, name, word};
use crate::tools::tool::{Answers, Coverage, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Of so many messages the text is shown at length.
const AT_LENGTH_MAX: usize = 5;

/// Lists messages of a town's agents, oldest first, and takes none of them from who they are for. Use it to see what was said
/// and what nobody has read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListMessages {
    /// Only messages to this agent id, or to `mayor`.
    agent: Option<String>,
    /// Rig id or name; all rigs when left out.
    rig: Option<String>,
    /// Only this channel; `hook` is what an agent was given and needs `agent`.
    channel: Option<Channel>,
    /// True: only what was not read.
    unread: Option<bool>,
    /// Messages per page, 1 to 200 (default 50); up to 5 are shown at length.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of messages.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MessageList {
    town: String,
    messages: Vec<MessageLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// Rigs asked.
    coverage: Coverage,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MessageLine {
    id: String,
    from: String,
    to: String,
    channel: Channel,
    timestamp: String,
    /// It waits until it is read; others are gone after a day.
    durable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<AgentText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<AgentText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bead: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<String>,
    /// Of durable messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

impl Tool for ListMessages {
    const NAME: &'static str = "list_messages";
    const TITLE: &'static str = "List messages";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"unread":true}"#;
    type Output = MessageList;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let refuse = |message: &str| {
            let refusal = Refusal::new(Code::InvalidArgument, message);
            Err(refusal.hint("Call list_agents to see the ids.").into())
        };
        match &self.agent {
            Some(agent) if agent != MAYOR && AgentId::parse(agent).is_err() => return refuse("agent: expected an agent id, or mayor"),
            None if self.channel == Some(Channel::Hook) => return refuse("agent: needed for channel hook"),
            _ => {}
        }
        let filter = MessageFilter {
            agent_id: self.agent.clone(),
            channel: self.channel,
            unread: self.unread,
            after: paging::position(self.cursor.as_deref())?,
            // One more than shown tells whether there is a next page.
            limit: Some(i64::try_from(paging::limit(self.limit)?).unwrap_or_default() + 1),
        };
        Ok(place.ask_rigs(&LIST_MESSAGES, (filter,))?)
    }

    fn render(self, answers: Answers, place: &Place) -> Result<MessageList, Failure> {
        let gathered = answers.gather::<Vec<Message>>(&LIST_MESSAGES, place)?;
        let messages: Vec<Message> = gathered.answered.into_iter().flat_map(|(_, messages)| messages).collect();
        let mut messages = paging::order(messages, false, |message| (message.timestamp, message.id.clone()));
        let position = |message: &Message| MessagePosition { timestamp: message.timestamp, id: message.id.clone() };
        let next_cursor = paging::cut(&mut messages, paging::limit(self.limit)?, position);
        let shown = if messages.len() <= AT_LENGTH_MAX { AgentText::block } else { AgentText::line };
        let messages = messages.iter().map(|message| line(message, shown)).collect();
        Ok(MessageList { town: place.town()?.to_string(), messages, next_cursor, coverage: gathered.coverage })
    }
}

fn line(message: &Message, shown: fn(&str) -> AgentText) -> MessageLine {
    let said = |key: &str| message.payload.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    MessageLine {
        id: message.id.clone(),
        from: word(&message.from),
        to: word(&message.to),
        channel: message.channel,
        timestamp: message.timestamp.to_string(),
        durable: message.durable,
        subject: said("subject").map(AgentText::line),
        text: said("body").or_else(|| said("message")).map(shown),
        bead: said("bead_id").map(name),
        read_at: message.delivered_at.map(|at| at.to_string()),
        address: message.address.as_deref().map(name),
    }
}
