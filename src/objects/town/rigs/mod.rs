//! The rigs of a town, with the last summary of each.
//!
//! Owns the `rigs` table. Work belongs to the rig itself.

pub mod breaker;
pub mod deletion;
pub mod pause;
pub mod rig_config;

use super::{state, topics};
use crate::contract::checks::{check_name, check_repository};
use crate::contract::columns::{flag_column, json_column};
use crate::contract::ids::RigId;
use crate::contract::letters::Letter;
use crate::contract::limits::rig::RIGS_MAX;
use crate::contract::shapes::{AddRigInput, FeedKind, RigChanges, RigRecord, RigSummary};
use crate::contract::tool_keys::LIST_RIGS;
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::store::sql::{execute, query, query_one, scalar};
use crate::objects::town::outbox_letters;
use crate::objects::town::views::{activity, feed};
use base::error::{Code, Failure, Fault, Refusal, Subject, refuse};
use base::hint;
use serde::Deserialize;
use serde_json::{Map, Value, json as value};

/// Columns of a rig in the order of `RigRecord`'s fields; the town is the caller's to fill in.
macro_rules! rig_columns {
    () => {
        "id, name, git_url, default_branch, config, created_at, NULL AS town_id, platform_integration_id, updated_at"
    };
}

/// All rigs, oldest first.
pub(super) fn list(cx: &Cx<'_>) -> Result<Vec<RigRecord>, Failure> {
    let town = state::require(cx)?;
    let mut rigs: Vec<RigRecord> = query(cx.sql, concat!("-- rigs_list\nSELECT ", rig_columns!(), " FROM rigs ORDER BY sequence"), ())?;
    for rig in &mut rigs {
        rig.town_id = Some(town.town_id.clone());
    }
    Ok(rigs)
}

/// Those that are parked by themselves, whether or not the whole town is.
pub(super) fn parked(cx: &Cx<'_>) -> Result<Vec<RigId>, Fault> {
    let parked: Vec<(RigId,)> = query(cx.sql, "-- rigs_parked\nSELECT id FROM rigs WHERE parked = 1", ())?;
    Ok(parked.into_iter().map(|(id,)| id).collect())
}

/// A rig, if it is one of the town's.
pub(super) fn find(cx: &Cx<'_>, id: &RigId) -> Result<Option<RigRecord>, Failure> {
    let town = state::require(cx)?;
    let rig: Option<RigRecord> = query_one(cx.sql, concat!("-- rigs_find\nSELECT ", rig_columns!(), " FROM rigs WHERE id = ?"), (id,))?;
    Ok(rig.map(|rig| RigRecord { town_id: Some(town.town_id.clone()), ..rig }))
}

/// A rig that must be one of the town's.
pub(super) fn require(cx: &Cx<'_>, id: &RigId) -> Result<(), Failure> {
    if is_known(cx, id)? { Ok(()) } else { Err(unknown(id).into()) }
}

/// Whether a rig is one of the town's.
pub(super) fn is_known(cx: &Cx<'_>, id: &RigId) -> Result<bool, Fault> {
    let found: Option<(i64,)> = query_one(cx.sql, "-- rigs_is_known\nSELECT 1 FROM rigs WHERE id = ?", (id,))?;
    Ok(found.is_some())
}

/// The refusal for a rig of another town, or of none.
pub(super) fn unknown(id: &RigId) -> Refusal {
    Refusal::not_found(Subject::Rig(id.to_string()), format!("Rig {id} not found in this town")).hint(hint![
        "Call ",
        LIST_RIGS,
        " to see the rigs of the town."
    ])
}

/// `addRig`: upsert by id. A name belongs to one rig of the town.
pub(crate) fn add_rig(cx: &Cx<'_>, caller: &Caller, (input,): (AddRigInput,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    if deletion::is_leaving(cx, &input.rig_id)? {
        let refusal = Refusal::new(Code::Conflict, format!("Rig {} is being deleted", input.rig_id));
        return Err(refusal.hint("Make a rig with an id of its own.").into());
    }
    let mut rig = RigRecord {
        id: input.rig_id,
        name: input.name,
        git_url: input.git_url,
        default_branch: input.default_branch,
        config: Map::new(),
        created_at: cx.now,
        town_id: Some(town.town_id.clone()),
        platform_integration_id: None,
        updated_at: Some(cx.now),
    };
    if let Some(known) = find(cx, &rig.id)? {
        rig = RigRecord { name: rig.name, git_url: rig.git_url, default_branch: rig.default_branch, ..known };
        write(cx, &rig)?;
        return json(&rig);
    }
    check(cx, &rig)?;
    let count: i64 = scalar(cx.sql, "-- rigs_count\nSELECT COUNT(*) FROM rigs", ())?;
    if usize::try_from(count).is_ok_and(|count| count >= RIGS_MAX) {
        return Err(refuse(Code::Conflict, format!("A town has at most {RIGS_MAX} rigs")));
    }
    execute(
        cx.sql,
        "-- rigs_add\nINSERT INTO rigs (id, name, git_url, default_branch, config, created_at, updated_at, sequence) VALUES (?1, ?2, ?3, ?4, '{}', ?5, ?5, ?6)",
        (&rig.id, &rig.name, &rig.git_url, &rig.default_branch, cx.now.millis(), cx.next_number()?),
    )?;
    changed(cx, &rig)?;
    feed::write(cx, &town, FeedKind::RigAdded, rig.id.as_str(), Some(&caller.actor()), &value!({"name": rig.name}))?;
    json(&rig)
}

/// Name and repository must be good, and the name no other rig's.
fn check(cx: &Cx<'_>, rig: &RigRecord) -> Result<(), Failure> {
    check_name(&rig.name)?;
    check_repository(&rig.git_url, &rig.default_branch)?;
    let holder: Option<(RigId,)> = query_one(cx.sql, "-- rigs_by_name\nSELECT id FROM rigs WHERE name = ?", (&rig.name,))?;
    match holder {
        Some((holder,)) if holder != rig.id => {
            Err(Refusal::new(Code::Conflict, format!("A rig named \"{}\" already exists (id={holder})", rig.name))
                .hint("Choose another name.")
                .into())
        }
        _ => Ok(()),
    }
}

/// Name and repository of a rig that is there.
pub(super) fn write(cx: &Cx<'_>, rig: &RigRecord) -> Result<(), Failure> {
    check(cx, rig)?;
    execute(
        cx.sql,
        "-- rigs_write\nUPDATE rigs SET name = ?, git_url = ?, default_branch = ?, updated_at = ? WHERE id = ?",
        (&rig.name, &rig.git_url, &rig.default_branch, cx.now.millis(), &rig.id),
    )?;
    changed(cx, rig)
}

fn changed(cx: &Cx<'_>, rig: &RigRecord) -> Result<(), Failure> {
    let town = state::require(cx)?;
    outbox_letters::rig_changed(cx, &rig.id)?;
    topics::changed(cx, &town, topics::RIGS)?;
    // The status names the rigs that have told nothing yet.
    topics::changed(cx, &town, topics::TOWN)
}

/// `getRigAsync`.
pub(crate) fn get_rig(cx: &Cx<'_>, _caller: &Caller, (id,): (RigId,)) -> Result<Answer, Failure> {
    json(&find(cx, &id)?)
}

/// `updateRig(rigId, {name?, git_url?, default_branch?})`: null for an unknown rig.
pub(crate) fn update_rig(cx: &Cx<'_>, _caller: &Caller, (id, changes): (RigId, RigChanges)) -> Result<Answer, Failure> {
    let Some(known) = find(cx, &id)? else { return Ok(Answer::Json("null".to_owned())) };
    let rig = RigRecord {
        name: changes.name.unwrap_or(known.name),
        git_url: changes.git_url.unwrap_or(known.git_url),
        default_branch: changes.default_branch.unwrap_or(known.default_branch),
        updated_at: Some(cx.now),
        ..known
    };
    write(cx, &rig)?;
    json(&rig)
}

/// `listRigs`.
pub(crate) fn list_rigs(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    json(&list(cx)?)
}

/// Keeps a rig's summary.
pub(super) fn apply_summary(cx: &Cx<'_>, rig: &RigId, letter: &Letter) -> Result<(), Failure> {
    let summary: RigSummary = letter.read("read a summary letter")?;
    let text = serde_json::to_string(&summary).unwrap_or_default();
    execute(cx.sql, "-- rigs_apply_summary\nUPDATE rigs SET summary = ? WHERE id = ?", (text, rig))?;
    let town = state::require(cx)?;
    if !summary.failed_at.is_empty() || town.breaker_opened_at.is_some() {
        breaker::look(cx, &town)?;
    }
    activity::woken(cx);
    topics::changed(cx, &town, topics::TOWN)
}

/// The last summaries of the rigs, and the rigs without one.
pub(super) fn summaries(cx: &Cx<'_>) -> Result<(Vec<RigSummary>, Vec<RigId>), Failure> {
    #[derive(Deserialize)]
    struct Row {
        id: RigId,
        #[serde(deserialize_with = "json_column")]
        summary: Option<RigSummary>,
        #[serde(deserialize_with = "flag_column")]
        parked: bool,
        name: String,
        #[serde(deserialize_with = "json_column")]
        config: Map<String, Value>,
    }
    let town = state::require(cx)?;
    let rows: Vec<Row> = query(cx.sql, "-- rigs_summaries\nSELECT id, summary, parked, name, config FROM rigs ORDER BY sequence", ())?;
    let mut told = Vec::new();
    let mut silent = Vec::new();
    for row in rows {
        match row.summary {
            // Of the rig's record, the town's copy is the truth.
            Some(summary) => told.push(RigSummary {
                parked: town.parked || row.parked,
                capacity: rig_config::capacity(&town, &row.config),
                name: row.name,
                ..summary
            }),
            None => silent.push(row.id),
        }
    }
    Ok((told, silent))
}
