//! The tool that looks at the conversation with a town's Mayor, for everyone but the Mayor.

use crate::contract::shapes::{MayorMessage, MayorMessageFilter, MayorMessagePage, MayorMessageStatus, MayorReply};
use crate::rpc::table::LIST_MAYOR_MESSAGES;
use crate::tools::paging;
use crate::tools::text::{AgentText, word};
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::Failure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Of so many messages the texts are shown at length.
const AT_LENGTH_MAX: usize = 5;

/// Shows what the town's Mayor was told, what became of each message, and its replies; takes nothing from the Mayor. Use it to
/// see the reply to `{send_mayor_message}`; keep `next_cursor` to ask later for what is new.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MayorMessages {
    /// Only messages that stand so.
    status: Option<MayorMessageStatus>,
    /// Messages, 1 to 200 (default 50); up to 5 are shown at length.
    limit: Option<usize>,
    /// `next_cursor` of an earlier answer: what was sent, read or answered since. Without it: the newest.
    cursor: Option<String>,
}

/// Part of the conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Conversation {
    town: String,
    /// What changed last comes last.
    messages: Vec<MessageLine>,
    /// Goes on behind the last one, now or later.
    next_cursor: String,
    /// There is more already.
    more: bool,
    /// Messages that no Mayor has read.
    unread: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MessageLine {
    message_id: String,
    from: String,
    sent_at: String,
    /// `queued`: nobody knows of it; `delivered`: a notification has gone out to the Mayor; then `read` and `answered`.
    status: MayorMessageStatus,
    text: AgentText,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replies: Vec<ReplyLine>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ReplyLine {
    at: String,
    text: AgentText,
}

impl Tool for MayorMessages {
    const NAME: &'static str = "mayor_messages";
    const TITLE: &'static str = "Messages to the Mayor";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"status":"answered"}"#;
    type Output = Conversation;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let filter = MayorMessageFilter {
            after: paging::position(self.cursor.as_deref())?,
            limit: i64::try_from(paging::limit(self.limit)?).ok(),
            status: self.status,
        };
        Ok(Plan::One(place.call_town(&LIST_MAYOR_MESSAGES, (filter,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<Conversation, Failure> {
        let page: MayorMessagePage = answers.one(&LIST_MAYOR_MESSAGES)?;
        let shown = if page.messages.len() <= AT_LENGTH_MAX { AgentText::block } else { AgentText::line };
        Ok(Conversation {
            town: place.town()?.to_string(),
            messages: page.messages.into_iter().map(|message| MessageLine::of(message, shown)).collect(),
            next_cursor: paging::cursor(&page.next),
            more: page.more,
            unread: page.unread,
        })
    }
}

impl MessageLine {
    fn of(message: MayorMessage, shown: fn(&str) -> AgentText) -> Self {
        let reply = |reply: MayorReply| ReplyLine { at: reply.created_at.to_string(), text: shown(&reply.text) };
        Self {
            message_id: message.id.to_string(),
            from: word(&message.sender),
            sent_at: message.created_at.to_string(),
            status: message.status,
            text: shown(&message.message),
            delivered_at: message.delivered_at.map(|at| at.to_string()),
            read_at: message.read_at.map(|at| at.to_string()),
            replies: message.replies.into_iter().map(reply).collect(),
        }
    }
}
