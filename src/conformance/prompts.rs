//! Prompts of the conformance suite.

use super::RED_DOT_PNG;
use crate::prompts::prompt::{Argument, Filled, PromptDef, Values};
use crate::prompts::rows::user_says;
use crate::resources::Offering;
use crate::tools::tool::Reach;
use futures::future::ready;
use mcp::client::{Ability, InputRequest, Stop};
use mcp::types::CallError;
use serde_json::{Value, json};

/// Every one.
pub const PROMPTS: &[PromptDef] = &[
    PromptDef {
        name: "test_simple_prompt",
        title: "Simple prompt",
        description: "A prompt without arguments.",
        reach: Reach::Town,
        arguments: &[],
        get: |_, _| Box::pin(ready(Ok(user_says("This is a simple prompt for testing.")))),
    },
    PromptDef {
        name: "test_prompt_with_arguments",
        title: "Prompt with arguments",
        description: "A prompt that says its two arguments.",
        reach: Reach::Town,
        arguments: &[
            Argument {
                name: "arg1",
                description: "The first.",
                required: true,
                values: Values::Words(&["hello", "paris", "park", "party"]),
            },
            Argument { name: "arg2", description: "The second.", required: true, values: Values::Words(&["world"]) },
        ],
        get: |_, filled| Box::pin(ready(with_arguments(&filled))),
    },
    PromptDef {
        name: "test_prompt_with_embedded_resource",
        title: "Prompt with a resource",
        description: "A prompt that embeds a resource.",
        reach: Reach::Town,
        arguments: &[Argument { name: "resourceUri", description: "Its URI.", required: true, values: Values::Free }],
        get: |_, filled| Box::pin(ready(with_resource(&filled))),
    },
    PromptDef {
        name: "test_prompt_with_image",
        title: "Prompt with an image",
        description: "A prompt that shows an image.",
        reach: Reach::Town,
        arguments: &[],
        get: |_, _| {
            let image = json!({"type": "image", "data": RED_DOT_PNG, "mimeType": "image/png"});
            Box::pin(ready(Ok(two(&image, "Please analyze the image above."))))
        },
    },
    PromptDef {
        name: "test_input_required_result_prompt",
        title: "Prompt that asks back",
        description: "A prompt that asks its user for the context.",
        reach: Reach::Town,
        arguments: &[],
        get: |at, _| Box::pin(asks_back(at)),
    },
];

fn two(content: &Value, then: &str) -> String {
    json!([{"role": "user", "content": content}, {"role": "user", "content": {"type": "text", "text": then}}]).to_string()
}

fn with_arguments(filled: &Filled) -> Result<String, CallError> {
    Ok(user_says(&format!("Prompt with arguments: arg1='{}', arg2='{}'", filled.text("arg1")?, filled.text("arg2")?)))
}

fn with_resource(filled: &Filled) -> Result<String, CallError> {
    let resource = json!({"uri": filled.text("resourceUri")?, "mimeType": "text/plain", "text": "Embedded resource content for testing."});
    Ok(two(&json!({"type": "resource", "resource": resource}), "Please process the embedded resource above."))
}

async fn asks_back(at: &Offering<'_>) -> Result<String, CallError> {
    let peer = at.peer.ok_or(Stop::Lacks(Ability::Elicitation))?;
    let schema = json!({"type": "object", "properties": {"context": {"type": "string"}}, "required": ["context"]});
    let answers = peer.ask(vec![("user_context", InputRequest::form("What context should the prompt use?", &schema))]).await?;
    let context = answers.first().and_then(|answer| answer.pointer("/content/context")).and_then(Value::as_str).unwrap_or("none");
    Ok(user_says(&format!("Use this context: {context}")))
}
