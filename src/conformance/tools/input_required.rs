//! Tools that cannot answer without their client (2026-07-28, multi round-trip requests).

use super::{Nothing, field, field_text, form_of, question, said, text};
use crate::tools::interactive::Live;
use mcp::client::{ClientCapability, InputRequest, Interruption};
use mcp::types::ToolReply;
use serde_json::Value;

pub(super) fn name_form() -> InputRequest {
    InputRequest::form("What is your name?", &form_of("name", "string"))
}

fn confirm_form() -> InputRequest {
    InputRequest::form("Please confirm", &form_of("ok", "boolean"))
}

fn roots(answer: &Value) -> String {
    let roots = answer.get("roots").and_then(Value::as_array);
    let uris: Vec<&str> = roots.into_iter().flatten().filter_map(|root| root.get("uri").and_then(Value::as_str)).collect();
    format!("Client roots: {}", uris.join(", "))
}

pub(super) async fn elicitation(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    let answers = live.mcp_client.ask(vec![("user_name", name_form())]).await?;
    Ok(text(format!("Hello, {}!", field_text(nth(&answers, 0), "name"))))
}

pub(super) async fn sampling(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    let asked = InputRequest::sample(question("What is the capital of France?", 100));
    let answers = live.mcp_client.ask(vec![("capital_question", asked)]).await?;
    Ok(text(said(nth(&answers, 0))))
}

pub(super) async fn list_roots(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    let answers = live.mcp_client.ask(vec![("client_roots", InputRequest::roots())]).await?;
    Ok(text(roots(nth(&answers, 0))))
}

/// An answer only comes back with the state that it belongs to, unchanged: the protocol sees to that.
pub(super) async fn request_state(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    let answers = live.mcp_client.ask(vec![("confirm", confirm_form())]).await?;
    Ok(text(format!("state-ok: ok={}", field(nth(&answers, 0), "ok"))))
}

pub(super) async fn tampered_state(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    request_state(&Nothing {}, live).await
}

pub(super) async fn multiple_inputs(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    let questions = vec![
        ("user_name", name_form()),
        ("greeting", InputRequest::sample(question("Generate a greeting", 50))),
        ("client_roots", InputRequest::roots()),
    ];
    let answers = live.mcp_client.ask(questions).await?;
    let (name, greeting) = (field_text(nth(&answers, 0), "name"), said(nth(&answers, 1)));
    Ok(text(format!("{greeting} {name}. {}", roots(nth(&answers, 2)))))
}

pub(super) async fn multi_round(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    let first = InputRequest::form("Step 1: What is your name?", &form_of("name", "string"));
    let first = live.mcp_client.ask(vec![("step1", first)]).await?;
    let second = InputRequest::form("Step 2: What is your favorite color?", &form_of("color", "string"));
    let second = live.mcp_client.ask(vec![("step2", second)]).await?;
    Ok(text(format!("{} likes {}", field_text(nth(&first, 0), "name"), field_text(nth(&second, 0), "color"))))
}

/// Asks what this client can answer and nothing else.
pub(super) async fn capabilities(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    let questions = [
        ("user_name", name_form()),
        ("capital_question", InputRequest::sample(question("What is the capital of France?", 100))),
        ("client_roots", InputRequest::roots()),
    ];
    let questions: Vec<_> = questions.into_iter().filter(|(_, question)| live.mcp_client.can(question.capability)).collect();
    if questions.is_empty() {
        return Err(Interruption::MissingCapability(ClientCapability::Elicitation));
    }
    let asked = questions.len();
    live.mcp_client.ask(questions).await?;
    Ok(text(format!("{asked} of 3 questions asked and answered")))
}

fn nth(answers: &[Value], index: usize) -> &Value {
    answers.get(index).unwrap_or(&Value::Null)
}
