//! `tools/list` and `tools/call`.
//!
//! Owns the two results. Which tools there are and what they do is the `Server`'s.

use super::Call;
use crate::mcp::message::{present, read_string};
use crate::mcp::reply::{Problem, echo, internal};
use crate::mcp::result::{Answer, Caching, ResultWriter};
use crate::mcp::server::{ToolCall, ToolCallError, ToolReply};
use futures::future::{FutureExt as _, LocalBoxFuture, ready};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The list depends on what the caller may do, so nobody may share it; it changes with a deployment or a token.
const LIST_CACHING: Caching = Caching { ttl_ms: 5 * 60 * 1000, scope: "private" };

#[derive(Deserialize)]
struct ListParams<'a> {
    #[serde(borrow, default)]
    cursor: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct CallParams<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    name: Option<&'a RawValue>,
    /// Absent and `null` are the same as `{}`: clients leave it out for a tool without parameters.
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

/// `TextContent`.
#[derive(Serialize)]
struct TextContent<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
}

/// `tools/list` (2026-07-28, tools, listing). There is one page, so no cursor was ever given out.
pub(super) fn list<'a>(call: &'a Call<'a>) -> LocalBoxFuture<'a, Result<Answer, Problem>> {
    let result = call.read_params::<ListParams<'_>>().and_then(|params| {
        if params.cursor.is_some() {
            return Err(Problem::InvalidParams("unknown cursor".into()));
        }
        let tools = call.server.tools(call.revision.tool_shape());
        ResultWriter::open(call, tools.len()).json_field("tools", &tools).caching(LIST_CACHING).close()
    });
    ready(result).boxed_local()
}

/// `tools/call` (2026-07-28, tools, calling).
pub(super) fn call<'a>(call: &'a Call<'a>) -> LocalBoxFuture<'a, Result<Answer, Problem>> {
    run(call).boxed_local()
}

async fn run(call: &Call<'_>) -> Result<Answer, Problem> {
    let params: CallParams<'_> = call.read_params()?;
    let name = params.name.and_then(read_string).ok_or(Problem::InvalidParams("name must be a string".into()))?;
    let arguments = match params.arguments {
        Some(arguments) if arguments.get().starts_with('{') => arguments,
        Some(_) => return Err(Problem::InvalidParams("arguments must be an object".into())),
        None => serde_json::from_str("{}").map_err(|_| Problem::InvalidParams("arguments must be an object".into()))?,
    };
    let tool = ToolCall { name: &name, arguments, client_capabilities: call.client_capabilities };
    match call.server.call_tool(tool).await {
        Ok(reply) => write_reply(call, &reply),
        Err(ToolCallError::Unknown) => Err(Problem::InvalidParams(format!("unknown tool: {}", echo(&name)).into())),
        // −32021 is an error of the modern schema only.
        Err(ToolCallError::MissingCapability(needed)) if call.revision.is_modern() => Err(Problem::MissingCapability(needed)),
        Err(ToolCallError::MissingCapability(needed)) => {
            Err(Problem::InvalidParams(format!("this tool needs a client with the capability {needed}").into()))
        }
        Err(ToolCallError::InsufficientScope(challenge)) => Err(Problem::InsufficientScope(challenge)),
        Err(ToolCallError::Broke(fault)) => Err(internal(call.server, &fault)),
    }
}

fn write_reply(call: &Call<'_>, reply: &ToolReply) -> Result<Answer, Problem> {
    match reply {
        ToolReply::Structured(json) => {
            let result = ResultWriter::open(call, 3 * json.len()).field("content", &[text(json)]);
            if call.revision.has_structured_content() { result.json_field("structuredContent", json) } else { result }.close()
        }
        // No structured content beside a refusal: strict clients hold it against the tool's output schema.
        ToolReply::Refused(refusal) => {
            let json = serde_json::to_string(refusal).unwrap_or_else(|_| refusal.message.clone());
            ResultWriter::open(call, 2 * json.len()).field("content", &[text(&json)]).field("isError", &true).close()
        }
    }
}

const fn text(text: &str) -> TextContent<'_> {
    TextContent { kind: "text", text }
}
