//! The rigs of a town, and what each last told about itself.
//!
//! Owns the `rigs` table. The rig's work is the rig's.

use super::{activity, feed, letters, state, topics};
use crate::error::{Code, Failure, Fault, Refusal, refuse};
use crate::ids::RigId;
use crate::rpc::model::{AddRigInput, FeedKind, RigRecord, RigSummary};
use crate::rpc::serve::{Answer, Caller, Cx, json};
use crate::store::outbox::Letter;
use crate::store::sql::{execute, json_column, query, query_one};
use serde::Deserialize;
use serde_json::json as value;

/// Most rigs of a town.
pub const RIGS_MAX: usize = 200;
/// Longest rig name, in characters (Gastown contract 4.4).
pub const NAME_CHARS_MAX: usize = 64;

/// Longest repository address, in bytes.
pub const GIT_URL_BYTES_MAX: usize = 2_000;
/// Longest branch name, in bytes.
pub const BRANCH_BYTES_MAX: usize = 255;

/// Checks a rig's or town's name.
///
/// # Errors
/// `InvalidArgument`.
pub fn check_name(name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(Refusal::new(Code::InvalidArgument, format!("name must have 1 to {NAME_CHARS_MAX} characters")));
    }
    Ok(())
}

/// Checks where a rig's code is.
///
/// # Errors
/// `InvalidArgument`.
pub fn check_repository(git_url: &str, default_branch: &str) -> Result<(), Refusal> {
    if git_url.is_empty() || git_url.len() > GIT_URL_BYTES_MAX {
        return Err(Refusal::new(Code::InvalidArgument, format!("git_url must have 1 to {GIT_URL_BYTES_MAX} bytes")));
    }
    if default_branch.is_empty() || default_branch.len() > BRANCH_BYTES_MAX {
        return Err(Refusal::new(Code::InvalidArgument, format!("default_branch must have 1 to {BRANCH_BYTES_MAX} bytes")));
    }
    Ok(())
}

/// All rigs, oldest first.
pub(super) fn list(cx: &Cx<'_>) -> Result<Vec<RigRecord>, Failure> {
    let town = state::require(cx)?;
    let mut rigs: Vec<RigRecord> = query(
        cx.sql,
        "-- rigs_list\nSELECT id, name, git_url, default_branch, config, created_at, NULL, NULL, updated_at FROM rigs ORDER BY sequence",
        (),
    )?;
    for rig in &mut rigs {
        rig.town_id = Some(town.town_id.clone());
    }
    Ok(rigs)
}

/// A rig that must be one of the town's.
pub(super) fn require(cx: &Cx<'_>, id: &RigId) -> Result<(), Failure> {
    let found: Option<(i64,)> = query_one(cx.sql, "-- rigs_require\nSELECT 1 FROM rigs WHERE id = ?", (id,))?;
    match found {
        Some(_) => Ok(()),
        None => Err(Refusal::new(Code::NotFound, format!("Rig {id} not found in this town"))
            .hint("Call list_rigs to see the rigs of the town.")
            .into()),
    }
}

/// `addRig`: upsert by id. A name belongs to one rig of the town.
pub(crate) fn add_rig(cx: &Cx<'_>, caller: &Caller, (input,): (AddRigInput,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    check_name(&input.name)?;
    check_repository(&input.git_url, &input.default_branch)?;
    let holder: Option<(RigId,)> = query_one(cx.sql, "-- rigs_by_name\nSELECT id FROM rigs WHERE name = ?", (&input.name,))?;
    if let Some((holder,)) = holder.filter(|(holder,)| *holder != input.rig_id) {
        return Err(Refusal::new(Code::Conflict, format!("A rig named \"{}\" already exists (id={holder})", input.name))
            .hint("Choose another name.")
            .into());
    }
    let known = list(cx)?;
    let is_new = known.iter().all(|rig| rig.id != input.rig_id);
    if known.len() >= RIGS_MAX && is_new {
        return Err(refuse(Code::Conflict, format!("A town has at most {RIGS_MAX} rigs")));
    }
    let sequence = cx.next_number()?;
    let rig: Option<RigRecord> = query_one(
        cx.sql,
        "-- rigs_add\nINSERT INTO rigs (id, name, git_url, default_branch, config, created_at, updated_at, sequence) VALUES (?1, ?2, ?3, ?4, '{}', ?5, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET name = ?2, git_url = ?3, default_branch = ?4, updated_at = ?5
         RETURNING id, name, git_url, default_branch, config, created_at, NULL, NULL, updated_at",
        (&input.rig_id, &input.name, &input.git_url, &input.default_branch, cx.now.millis(), sequence),
    )?;
    let mut rig = rig.ok_or_else(|| Fault::new("rigs_add", "no row"))?;
    rig.town_id = Some(town.town_id.clone());
    letters::rig_changed(cx, &input.rig_id)?;
    topics::changed(cx, &town, topics::RIGS)?;
    // The status names the rigs that have told nothing yet.
    topics::changed(cx, &town, topics::TOWN)?;
    if is_new {
        let detail = value!({"name": rig.name});
        feed::write(cx, &town, FeedKind::RigAdded, rig.id.as_str(), Some(&caller.actor()), &detail)?;
    }
    json(&rig)
}

/// `listRigs`.
pub(crate) fn list_rigs(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    json(&list(cx)?)
}

/// Keeps what a rig told about itself.
pub(super) fn apply_summary(cx: &Cx<'_>, rig: &RigId, letter: &Letter) -> Result<(), Failure> {
    let summary: RigSummary = letter.read("read a summary letter")?;
    let text = serde_json::to_string(&summary).unwrap_or_default();
    execute(cx.sql, "-- rigs_apply_summary\nUPDATE rigs SET summary = ? WHERE id = ?", (text, rig))?;
    activity::woken(cx);
    topics::changed(cx, &*state::require(cx)?, topics::TOWN)
}

/// What the rigs last told, and the rigs that have told nothing yet.
pub(super) fn summaries(cx: &Cx<'_>) -> Result<(Vec<RigSummary>, Vec<RigId>), Failure> {
    #[derive(Deserialize)]
    struct Row {
        id: RigId,
        #[serde(deserialize_with = "json_column")]
        summary: Option<RigSummary>,
    }
    let rows: Vec<Row> = query(cx.sql, "-- rigs_summaries\nSELECT id, summary FROM rigs ORDER BY sequence", ())?;
    let mut told = Vec::new();
    let mut silent = Vec::new();
    for row in rows {
        match row.summary {
            Some(summary) => told.push(summary),
            None => silent.push(row.id),
        }
    }
    Ok((told, silent))
}
