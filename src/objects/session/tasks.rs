//! Tasks: calls that are answered later.
//!
//! Owns `tasks`. A task ends with an event that `subscriptions` brings, at its time, or when the edge says so; nobody waits for
//! it meanwhile.

use super::{clean_up_later, streams, subscriptions};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::store::sql::{execute, query, query_one, scalar};
use base::error::{Code, Failure, Fault, Refusal};
use base::time::Timestamp;
use mcp::client::{TaskOutcome, WAITED_SECONDS};
use mcp::session_types::Task;
use serde_json::{Map, Value, json as value};

/// Tasks of one object at most.
const TASKS_MAX: i64 = 1_000;

fn stream(id: &str) -> String {
    format!("task:{id}")
}

/// `createTask`: on return the task is kept and subscribed to its topic.
pub(crate) fn create_task(cx: &Cx<'_>, _caller: &Caller, (task,): (Task,)) -> Result<Answer, Failure> {
    let tasks: i64 = scalar(cx.sql, "-- tasks_count\nSELECT COUNT(*) FROM tasks", ())?;
    if tasks >= TASKS_MAX {
        let refusal = Refusal::new(Code::Unavailable, format!("There are {TASKS_MAX} tasks already"));
        return Err(refusal.hint("Cancel some; tasks are forgotten a day after they began.").into());
    }
    let expires_at = task.created_at.plus_millis(task.ttl_ms);
    execute(
        cx.sql,
        "-- tasks_create\nINSERT INTO tasks (id, principal, version, body, due_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
        (&task.id, &task.principal, task.version, text(&task)?, due(&task), expires_at.millis()),
    )?;
    listen(cx, &task)?;
    clean_up_later(cx);
    Ok(Answer::Void)
}

/// `getTask`: of this principal, or null.
pub(crate) fn get_task(cx: &Cx<'_>, _caller: &Caller, (id, principal): (String, String)) -> Result<Answer, Failure> {
    end_due(cx)?;
    json(&find(cx, &id)?.filter(|task| task.principal == principal))
}

/// `saveTask`: true unless the task has changed since the version that is saved.
pub(crate) fn save_task(cx: &Cx<'_>, _caller: &Caller, (task,): (Task,)) -> Result<Answer, Failure> {
    let known =
        find(cx, &task.id)?.filter(|known| known.principal == task.principal && known.version == task.version && !known.has_ended());
    if known.is_some() {
        keep(cx, task)?;
        return json(&true);
    }
    json(&false)
}

fn find(cx: &Cx<'_>, id: &str) -> Result<Option<Task>, Failure> {
    let found: Option<(String, i64)> = query_one(cx.sql, "-- tasks_find\nSELECT body, version FROM tasks WHERE id = ?", (id,))?;
    let Some((body, version)) = found else { return Ok(None) };
    let mut task: Task = serde_json::from_str(&body).map_err(|error| Fault::new("read a task", error))?;
    task.version = version;
    Ok(Some(task))
}

/// Keeps the new state and tells the subscribers.
fn keep(cx: &Cx<'_>, task: Task) -> Result<(), Failure> {
    execute(
        cx.sql,
        "-- tasks_keep\nUPDATE tasks SET version = version + 1, body = ?, due_at = ? WHERE id = ?",
        (text(&task)?, due(&task), &task.id),
    )?;
    if task.has_ended() {
        streams::forget(cx, &stream(&task.id))?;
    } else {
        listen(cx, &task)?;
    }
    subscriptions::tell_of_task(cx, &task.id, &task.detailed())
}

fn listen(cx: &Cx<'_>, task: &Task) -> Result<(), Failure> {
    if let Some((at, _)) = &task.due {
        cx.wake_at(*at);
    }
    if task.routes.is_empty() {
        return Ok(());
    }
    let stream = stream(&task.id);
    streams::begin(cx, &stream, "task", None, task.created_at.plus_millis(task.ttl_ms))?;
    subscriptions::set_routes(cx, &stream, "", &task.routes)
}

fn text(task: &Task) -> Result<String, Failure> {
    Ok(serde_json::to_string(task).map_err(|error| Fault::new("write a task", error))?)
}

fn due(task: &Task) -> Option<i64> {
    task.due.as_ref().map(|(at, _)| at.millis())
}

/// Ends overdue tasks, and asks for the alarm for the next one.
pub(super) fn end_due(cx: &Cx<'_>) -> Result<(), Failure> {
    let due: Vec<(String,)> =
        query(cx.sql, "-- tasks_due_now\nSELECT id FROM tasks WHERE due_at IS NOT NULL AND due_at <= ?", (cx.now.millis(),))?;
    for (id,) in &due {
        if let Some(mut task) = find(cx, id)?
            && let Some((_, ending)) = task.due.take()
        {
            task.end(ending, cx.now);
            keep(cx, task)?;
        }
    }
    let next: Option<(Option<i64>,)> = query_one(cx.sql, "-- tasks_next_due\nSELECT MIN(due_at) FROM tasks WHERE due_at IS NOT NULL", ())?;
    if let Some(at) = next.and_then(|(at,)| at) {
        cx.wake_at(Timestamp::from_millis(at));
    }
    Ok(())
}

/// The awaited event has come; its outcome becomes the task's result.
pub(super) fn end_with(cx: &Cx<'_>, stream: &str, outcome: Option<&Map<String, Value>>) -> Result<(), Failure> {
    let Some(id) = stream.strip_prefix("task:") else { return Ok(()) };
    let Some(mut task) = find(cx, id)?.filter(|task| !task.has_ended()) else { return Ok(()) };
    let mut content = std::mem::take(&mut task.frame);
    content.insert(WAITED_SECONDS.to_owned(), Value::from(cx.now.since(task.created_at) / 1_000));
    content.extend(outcome.cloned().unwrap_or_default());
    let content = Value::Object(content);
    let result = value!({
        "content": [{"type": "text", "text": content.to_string()}],
        "structuredContent": content,
    });
    if let Value::Object(result) = result {
        task.end(TaskOutcome::Result(result), cx.now);
    }
    keep(cx, task)
}

/// Deletes expired tasks.
pub(super) fn forget_expired(cx: &Cx<'_>) -> Result<(), Failure> {
    let expired: Vec<(String,)> =
        query(cx.sql, "-- tasks_expired\nDELETE FROM tasks WHERE expires_at < ? RETURNING id", (cx.now.millis(),))?;
    expired.iter().try_for_each(|(id,)| streams::forget(cx, &stream(id)))
}
