//! The part of a convoy that lives in this rig: its beads, as the town ordered them.
//!
//! Owns how a convoy letter becomes beads, memberships and edges, and the answers to the town about them. The town owns the
//! convoy itself and the dependencies in it.

pub mod inspection;
pub mod unstick;

use super::beads::{self, Move, NewBead, held_by_label};
use super::state;
use crate::contract::ids::{BeadId, ConvoyId};
use crate::contract::letters::rig::{BlockerTold, ConvoyOrder, OrderedBead, RigState};
use crate::contract::letters::{Letter, RigToTown};
use crate::contract::shapes::{Bead, BeadEventType, BeadStatus, BeadType, ConvoyBead, ConvoyMembers, DependencyEdge, Priority};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::rig::beads::events::Happened;
use crate::objects::rig::beads::{dependencies, events, molecules};
use crate::objects::rig::outbox_letters;
use crate::objects::store::meta;
use crate::objects::store::sql::{execute, json_list, query, query_one};
use base::error::{Failure, Fault};
use serde_json::Value;
use std::collections::BTreeSet;

/// Selects beads as `ConvoyBead`s, in the order of its fields; the condition follows.
macro_rules! select_members {
    () => {
        "SELECT bead_id, title, beads.status, beads.rig_id, agents.name AS assignee_agent_name, blockers_open, merge_commit, failure_reason, quality
         FROM beads LEFT JOIN agents ON agents.id = beads.assignee_agent_id WHERE "
    };
}
pub(super) use select_members;

/// Brings the members of this rig to what the town says. Repeating the letter changes nothing.
pub(super) fn apply(cx: &Cx<'_>, letter: &Letter) -> Result<(), Failure> {
    let order: ConvoyOrder = letter.read("read a convoy letter")?;
    let rig = state::require(cx)?;
    let before: Vec<(BeadId,)> = query(cx.sql, "-- convoys_before\nSELECT bead_id FROM beads WHERE convoy_id = ?", (&order.convoy_id,))?;
    let ordered: BTreeSet<&BeadId> = order.beads.iter().map(|bead| &bead.bead_id).collect();
    // Edges among these are the town's to say.
    let among: BTreeSet<&BeadId> = ordered.iter().copied().chain(before.iter().map(|(bead,)| bead)).collect();
    let among = json_list(&among)?;
    for (bead,) in before.iter().filter(|(bead,)| !ordered.contains(bead)) {
        leave(cx, &rig, &order.convoy_id, bead, &among)?;
    }
    let newest: Option<(i64,)> =
        query_one(cx.sql, "-- convoys_known\nSELECT newest FROM convoys_known WHERE convoy_id = ?", (&order.convoy_id,))?;
    let newest = newest.map_or(0, |(newest,)| newest);
    for bead in &order.beads {
        take_in(cx, &rig, &order, bead, newest, &among)?;
    }
    if let Some(joined) = order.beads.iter().map(|bead| bead.joined).max().filter(|joined| *joined > newest) {
        execute(
            cx.sql,
            "-- convoys_know\nINSERT INTO convoys_known (convoy_id, newest) VALUES (?1, ?2) ON CONFLICT (convoy_id) DO UPDATE SET newest = ?2",
            (&order.convoy_id, joined),
        )?;
    }
    execute(
        cx.sql,
        concat!("-- convoys_hold\nUPDATE beads SET staged = ?1, held = (?1 = 1 OR ", held_by_label!(), ") WHERE convoy_id = ?2"),
        (i64::from(order.staged), &order.convoy_id),
    )?;
    if order.closed {
        close_all(cx, &rig, &order.convoy_id)?;
    }
    outbox_letters::summary_changed(cx, &rig)
}

/// Makes a member that does not exist yet, or lets one in that does.
fn take_in(cx: &Cx<'_>, rig: &RigState, order: &ConvoyOrder, bead: &OrderedBead, newest: i64, among: &str) -> Result<(), Failure> {
    let id = &bead.bead_id;
    let known: Option<(Option<ConvoyId>, i64)> =
        query_one(cx.sql, "-- convoys_membership\nSELECT convoy_id, convoy_joined FROM beads WHERE bead_id = ?", (id,))?;
    match known {
        // Another convoy has it since.
        Some((_, joined)) if joined > bead.joined => Ok(()),
        Some((convoy, joined)) => {
            let is_news = convoy.as_ref() != Some(&order.convoy_id) || joined != bead.joined;
            let reserved = serde_json::to_string(&order.reserved).map_err(|error| Fault::new("write metadata", error))?;
            execute(
                cx.sql,
                "-- convoys_join\nUPDATE beads SET convoy_id = ?1, convoy_joined = ?2, metadata = json_patch(metadata, ?3) WHERE bead_id = ?4",
                (&order.convoy_id, bead.joined, reserved, id),
            )?;
            let keep: Vec<&BeadId> = bead.depends_on.iter().map(|edge| &edge.bead_id).collect();
            let keep = json_list(&keep)?;
            dependencies::keep_only(cx, &order.convoy_id, id, &keep, among)?;
            if let Some(before) = convoy.filter(|before| *before != order.convoy_id) {
                // The edges of the former convoy no longer count; its own letter may come later.
                dependencies::keep_only(cx, &before, id, &keep, "[]")?;
            }
            write_edges(cx, &order.convoy_id, bead)?;
            dependencies::recount(cx, rig, id)?;
            if is_news {
                tell_membership(cx, rig, id, Some(&order.convoy_id))?;
                outbox_letters::tell(cx, rig, RigToTown::Bead, id.as_str())?;
            }
            Ok(())
        }
        // The bead was deleted here, and its deleter has been answered.
        None if bead.adopted || bead.joined <= newest => outbox_letters::tell(cx, rig, RigToTown::Bead, id.as_str()),
        None => make(cx, rig, order, bead),
    }
}

fn make(cx: &Cx<'_>, rig: &RigState, order: &ConvoyOrder, bead: &OrderedBead) -> Result<(), Failure> {
    write_edges(cx, &order.convoy_id, bead)?;
    let blockers_open = dependencies::unmet(cx, &bead.bead_id)?;
    let new = NewBead {
        bead_id: bead.bead_id.clone(),
        kind: BeadType::Issue,
        title: bead.title.clone(),
        body: bead.body.clone(),
        parent_bead_id: None,
        priority: bead.details.priority.unwrap_or(Priority::Medium),
        labels: bead.details.labels.clone(),
        metadata: bead.metadata.clone(),
        created_by: order.created_by.clone(),
        created_at: order.created_at,
        blockers_open,
        held: order.staged,
        convoy_id: Some(order.convoy_id.clone()),
        quality: bead.details.quality,
    };
    let made = beads::insert(cx, rig, new)?;
    follow_formula(cx, &made)?;
    execute(cx.sql, "-- convoys_joined\nUPDATE beads SET convoy_joined = ? WHERE bead_id = ?", (bead.joined, &bead.bead_id))?;
    if blockers_open == bead.blockers_open { Ok(()) } else { outbox_letters::tell(cx, rig, RigToTown::Bead, bead.bead_id.as_str()) }
}

/// A task that asked for a formula or a quality follows it from now on. The town has checked that there is such a formula; if
/// the town has none of that name any more, the work is done without, and its metadata still names the formula.
fn follow_formula(cx: &Cx<'_>, bead: &Bead) -> Result<(), Failure> {
    let note = |key: &str| bead.metadata.get(key).and_then(Value::as_str);
    let vars = bead.metadata.get("vars").and_then(Value::as_object);
    let followed = cx.attempt(|| {
        let (formula, quality) = molecules::asked(cx, note("formula"), note("quality"), vars)?;
        formula.map_or(Ok(()), |formula| molecules::apply(cx, bead, formula, quality).map(drop))
    });
    match followed {
        Err(Failure::Broke(fault)) => Err(fault.into()),
        _ => Ok(()),
    }
}

fn write_edges(cx: &Cx<'_>, convoy: &ConvoyId, bead: &OrderedBead) -> Result<(), Fault> {
    for edge in &bead.depends_on {
        dependencies::insert_for(cx, convoy, &bead.bead_id, &edge.bead_id, edge.until)?;
        if edge.remote {
            dependencies::expect_remote(cx, &edge.bead_id)?;
        }
    }
    Ok(())
}

/// A bead that was a member is an ordinary one again.
fn leave(cx: &Cx<'_>, rig: &RigState, convoy: &ConvoyId, bead: &BeadId, among: &str) -> Result<(), Failure> {
    dependencies::keep_only(cx, convoy, bead, "[]", among)?;
    execute(
        cx.sql,
        concat!(
            "-- convoys_leave\nUPDATE beads SET convoy_id = NULL, updated_at = ?, staged = 0, held = ",
            held_by_label!(),
            ", metadata = json_remove(metadata, '$.convoy_id', '$.feature_branch', '$.merge_mode') WHERE bead_id = ? AND convoy_id = ?"
        ),
        (cx.now.millis(), bead, convoy),
    )?;
    dependencies::recount(cx, rig, bead)?;
    tell_membership(cx, rig, bead, None)
}

fn tell_membership(cx: &Cx<'_>, rig: &RigState, bead: &BeadId, convoy: Option<&ConvoyId>) -> Result<(), Failure> {
    events::write(cx, &Happened::to(BeadEventType::FieldsUpdated, bead).about(serde_json::json!({"convoy_id": convoy})))?;
    super::topics::bead_changed(cx, rig, bead)
}

fn close_all(cx: &Cx<'_>, rig: &RigState, convoy: &ConvoyId) -> Result<(), Failure> {
    let unfinished: Vec<(BeadId,)> = query(
        cx.sql,
        "-- convoys_unfinished\nSELECT bead_id FROM beads WHERE convoy_id = ? AND status NOT IN ('closed', 'failed') ORDER BY sequence",
        (convoy,),
    )?;
    for (id,) in unfinished {
        let bead = beads::require(cx, &id)?;
        beads::move_to(cx, rig, &bead, BeadStatus::Closed, &Move::default())?;
    }
    Ok(())
}

/// Takes over how a bead of another rig stands.
pub(super) fn apply_blocker(cx: &Cx<'_>, letter: &Letter) -> Result<(), Failure> {
    let told: BlockerTold = letter.read("read a blocker letter")?;
    let rig = state::require(cx)?;
    dependencies::remote_changed(cx, &rig, &told.bead_id, told.status, told.merged)
}

/// `convoyBeads`: the convoy's beads in this rig as they are now. The town asks when it is asked.
pub(crate) fn convoy_beads(cx: &Cx<'_>, _caller: &Caller, (id,): (ConvoyId,)) -> Result<Answer, Failure> {
    let beads: Vec<ConvoyBead> = query(cx.sql, concat!("-- convoys_beads\n", select_members!(), "convoy_id = ? ORDER BY sequence"), (id,))?;
    json(&ConvoyMembers { as_of: meta::get(cx.sql, "change")?, beads })
}

/// `convoyCandidates`: those of these beads that this rig has and that are work, with the dependencies from and to them.
pub(crate) fn convoy_candidates(cx: &Cx<'_>, _caller: &Caller, (ids,): (Vec<BeadId>,)) -> Result<Answer, Failure> {
    let ids = json_list(&ids)?;
    let beads: Vec<ConvoyBead> = query(
        cx.sql,
        concat!(
            "-- convoys_candidates\n",
            select_members!(),
            "type = 'issue' AND bead_id IN (SELECT value FROM json_each(?)) ORDER BY sequence"
        ),
        (&ids,),
    )?;
    let edges: Vec<DependencyEdge> = query(
        cx.sql,
        "-- convoys_candidate_edges\nSELECT bead_id, depends_on_bead_id, until FROM bead_dependencies
         WHERE dependency_type = 'blocks' AND bead_id IN (SELECT value FROM json_each(?1))
         UNION SELECT bead_id, depends_on_bead_id, until FROM bead_dependencies
         WHERE dependency_type = 'blocks' AND depends_on_bead_id IN (SELECT value FROM json_each(?1))",
        (&ids,),
    )?;
    json(&(beads, edges))
}

/// One bead as its convoy shows it.
pub(super) fn member(cx: &Cx<'_>, bead: &str) -> Result<Option<ConvoyBead>, Fault> {
    query_one(cx.sql, concat!("-- convoys_member\n", select_members!(), "bead_id = ?"), (bead,))
}
