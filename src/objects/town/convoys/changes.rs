//! Changes of a convoy by people: created from existing beads, started, changed, closed by hand.
//!
//! Owns these commands. Each is checked whole, cycles included, before it takes effect; beads that the town does not know are
//! asked of the rigs first.

use super::{candidates, graph, landing};
use crate::contract::checks::check_text;
use crate::contract::ids::{BeadId, ConvoyId, RigId};
use crate::contract::letters::TownToRig;
use crate::contract::letters::rig::TaskDetails;
use crate::contract::limits::rig::BRANCH_BYTES_MAX;
use crate::contract::shapes::{
    BlockedUntil, ConvoyEntry, ConvoyStatus, ConvoyUpdate, CreateConvoyInput, FeedKind, MergeMode, SlingConvoyResult, SlingResult,
    TrackedBead,
};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::outbox::is_owed;
use crate::objects::store::sql::execute;
use crate::objects::town::state::TownState;
use crate::objects::town::views::feed;
use crate::objects::town::{config, convoys, outbox_letters, rigs, state, topics};
use base::error::{Code, Failure, Refusal, refuse};
use candidates::Candidates;
use serde_json::{Map, Value, json as value};
use std::collections::BTreeSet;

/// Longest author, in bytes.
const AUTHOR_BYTES_MAX: usize = 200;

/// `startConvoy`: beads that wait for nothing are given out from now on.
pub(crate) fn start_convoy(cx: &Cx<'_>, caller: &Caller, (named,): (String,)) -> Result<Answer, Failure> {
    let mut convoy = convoys::require_named(cx, &named)?;
    if !convoy.staged || convoy.status == ConvoyStatus::Landed {
        return Err(refuse(Code::Conflict, format!("Convoy is not staged: {}", convoy.id)));
    }
    execute(cx.sql, "-- convoys_start\nUPDATE convoys SET staged = 0 WHERE id = ?", (&convoy.id,))?;
    convoy.staged = false;
    let town = state::require(cx)?;
    feed::write(cx, &town, FeedKind::ConvoyStarted, convoy.id.as_str(), Some(&caller.actor()), &value!({"title": convoy.title}))?;
    tell_rigs(cx, &town, &convoy.id, convoys::rigs_of(cx, &convoy.id)?)?;
    let beads = convoys::member_beads(cx, &convoy)?
        .into_iter()
        .map(|bead| SlingResult { bead, agent: None, queue_position: None, molecule: None })
        .collect();
    json(&SlingConvoyResult { convoy, beads })
}

/// Tells these rigs and the listeners that the convoy changed.
pub(in crate::objects::town) fn tell_rigs(
    cx: &Cx<'_>,
    town: &TownState,
    id: &ConvoyId,
    rigs: impl IntoIterator<Item = RigId>,
) -> Result<(), Failure> {
    topics::changed(cx, town, topics::CONVOYS)?;
    topics::convoy_changed(cx, town, id)?;
    for rig in rigs {
        outbox_letters::convoy_changed(cx, id, &rig)?;
    }
    Ok(())
}

/// `createConvoy`: a convoy of beads that exist, or an empty one to sling into. It has a feature branch when its work is to
/// land at the end and was not begun elsewhere: when that is asked for, or nothing is in it yet.
pub(crate) fn create_convoy(cx: &Cx<'_>, caller: &Caller, (mut input,): (CreateConvoyInput,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    check_text(&input.title, None)?;
    if input.created_by.as_ref().is_some_and(|author| author.is_empty() || author.len() > AUTHOR_BYTES_MAX) {
        return Err(refuse(Code::InvalidArgument, format!("created_by must have 1 to {AUTHOR_BYTES_MAX} bytes")));
    }
    let wanted = std::mem::take(&mut input.beads);
    let mode = input.merge_mode.unwrap_or_else(|| config::merge_mode_default(&town));
    let has_branch = mode == MergeMode::ReviewThenLand && (input.merge_mode.is_some() || wanted.is_empty());
    let author = input.created_by.take().unwrap_or_else(|| caller.actor());
    let make = move |cx: &Cx<'_>, found: Candidates| {
        let town = state::require(cx)?;
        let id = ConvoyId::from_random(cx.random());
        let mut convoy =
            crate::objects::town::convoys::sling_batch::new_convoy(cx, id, input.title, mode, input.staged.unwrap_or(false), author);
        if !has_branch {
            convoy.feature_branch = None;
        }
        convoys::insert(cx, &convoy)?;
        let rigs = adopt(cx, &convoy, &found)?;
        take_over_edges(cx, &convoy.id, &found, &BTreeSet::new())?;
        let detail = value!({"title": convoy.title, "staged": convoy.staged, "total_beads": found.beads.len()});
        feed::write(cx, &town, FeedKind::ConvoyCreated, convoy.id.as_str(), convoy.created_by.as_deref(), &detail)?;
        finish(cx, &town, &convoy.id, rigs)?;
        json(&convoys::find(cx, &convoy.id)?)
    };
    candidates::gather(cx, &town, wanted, Box::new(make))
}

/// Adds the found beads as members, if each may be one. Returns their rigs.
fn adopt(cx: &Cx<'_>, convoy: &ConvoyEntry, found: &Candidates) -> Result<BTreeSet<RigId>, Failure> {
    let size = convoys::size(cx, &convoy.id)?.saturating_add(i64::try_from(found.beads.len()).unwrap_or(i64::MAX));
    check_size(size)?;
    candidates::check(cx, &convoy.id, found)?;
    let mut rigs = BTreeSet::new();
    for (rig, bead) in &found.beads {
        // While the rigs were asked, the bead may have been added by another call, or its rig removed.
        rigs::require(cx, rig)?;
        if convoys::membership(cx, &bead.bead_id)?.is_some() {
            continue;
        }
        let new =
            convoys::NewMember { mirror: bead, rig, body: None, metadata: &Map::new(), details: &TaskDetails::default(), adopted: true };
        convoys::insert_member(cx, &convoy.id, &new)?;
        rigs.insert(rig.clone());
    }
    Ok(rigs)
}

/// A convoy has a bound, because its beads travel in one letter.
pub(in crate::objects::town) fn check_size(size: i64) -> Result<(), Refusal> {
    if size > convoys::MEMBERS_MAX {
        let refusal = Refusal::new(Code::InvalidArgument, format!("A convoy has at most {} beads", convoys::MEMBERS_MAX));
        return Err(refusal.hint("Make a second convoy for the others."));
    }
    Ok(())
}

/// Dependencies that adopted beads had on each other and on members are the convoy's from now on, but for those in `except`.
fn take_over_edges(cx: &Cx<'_>, id: &ConvoyId, found: &Candidates, except: &BTreeSet<&BeadId>) -> Result<(), Failure> {
    let members: BTreeSet<BeadId> = convoys::mirrored_beads(cx, id)?.into_iter().map(|bead| bead.bead_id).collect();
    for edge in &found.edges {
        if members.contains(&edge.bead_id) && members.contains(&edge.depends_on_bead_id) && !except.contains(&edge.bead_id) {
            convoys::insert_edge(cx, id, &edge.bead_id, &edge.depends_on_bead_id, edge.until)?;
        }
    }
    Ok(())
}

/// Refuses a graph with a cycle, which undoes the change; else tells rigs and listeners.
fn finish(cx: &Cx<'_>, town: &TownState, id: &ConvoyId, rigs: impl IntoIterator<Item = RigId>) -> Result<(), Failure> {
    let members: Vec<BeadId> = convoys::mirrored_beads(cx, id)?.into_iter().map(|bead| bead.bead_id).collect();
    let edges = convoys::edges(cx, id)?;
    graph::check_acyclic(&graph::of_beads(&members, &edges))?;
    tell_rigs(cx, town, id, rigs)?;
    for blocker in edges.iter().map(|edge| &edge.depends_on_bead_id).collect::<BTreeSet<_>>() {
        for rig in convoys::rigs_waiting_for(cx, blocker)? {
            outbox_letters::blocker_changed(cx, blocker, &rig)?;
        }
    }
    landing::settle(cx, town, id)?;
    Ok(())
}

/// `updateConvoy`: settings, members and dependencies, all of it or nothing.
pub(crate) fn update_convoy(cx: &Cx<'_>, caller: &Caller, (named, update): (String, ConvoyUpdate)) -> Result<Answer, Failure> {
    let Some(convoy) = convoys::find_named(cx, &named)? else { return Ok(Answer::Json("null".to_owned())) };
    change(cx, caller, &convoy, update, |cx, id| json(&convoys::find(cx, id)?))
}

/// `convoyAddBead`: a bead of any rig becomes a member; `dependsOn` names the members that it waits for.
pub(crate) fn add_bead(
    cx: &Cx<'_>,
    caller: &Caller,
    (id, bead, depends_on): (ConvoyId, BeadId, Option<Vec<BeadId>>),
) -> Result<Answer, Failure> {
    let convoy = require(cx, &id)?;
    let update = ConvoyUpdate { add_beads: vec![bead], depends_on, ..ConvoyUpdate::default() };
    change(cx, caller, &convoy, update, total)
}

/// `convoyRemoveBead`: the bead stays in its rig, an ordinary one. Of one that is no member nothing changes.
pub(crate) fn remove_bead(cx: &Cx<'_>, caller: &Caller, (id, bead): (ConvoyId, BeadId)) -> Result<Answer, Failure> {
    let convoy = require(cx, &id)?;
    let update = ConvoyUpdate { remove_beads: vec![bead], ..ConvoyUpdate::default() };
    change(cx, caller, &convoy, update, total)
}

fn require(cx: &Cx<'_>, id: &ConvoyId) -> Result<ConvoyEntry, Failure> {
    convoys::find(cx, id)?.ok_or_else(|| {
        Refusal::new(Code::NotFound, format!("Bead {id} is not a convoy")).hint("Call list_convoys to see the convoys of the town.").into()
    })
}

fn total(cx: &Cx<'_>, id: &ConvoyId) -> Result<Answer, Failure> {
    json(&value!({"total_beads": convoys::size(cx, id)?}))
}

type Show = fn(&Cx<'_>, &ConvoyId) -> Result<Answer, Failure>;

fn change(cx: &Cx<'_>, caller: &Caller, convoy: &ConvoyEntry, update: ConvoyUpdate, show: Show) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let is_empty = update.add_beads.is_empty() && update.remove_beads.is_empty() && update.merge_mode.is_none();
    if is_empty && update.feature_branch.is_none() {
        let refusal = Refusal::new(Code::InvalidArgument, "Nothing to change: give merge_mode, feature_branch, add_beads or remove_beads");
        return Err(refusal.hint("depends_on and until say what the beads in add_beads wait for.").into());
    }
    if update.add_beads.is_empty() && (update.depends_on.is_some() || update.until.is_some()) {
        return Err(refuse(Code::InvalidArgument, "depends_on and until are for the beads in add_beads"));
    }
    for ids in [Some(&update.add_beads), Some(&update.remove_beads), update.depends_on.as_ref()].into_iter().flatten() {
        check_size(i64::try_from(ids.len()).unwrap_or(i64::MAX))?;
    }
    if let Some(both) = update.add_beads.iter().find(|bead| update.remove_beads.contains(bead)) {
        return Err(refuse(Code::InvalidArgument, format!("Bead {both} cannot be added and removed at once")));
    }
    if let Some(branch) = &update.feature_branch {
        check_branch(branch)?;
    }
    check_open(convoy, &update)?;
    let mut wanted = Vec::new();
    for bead in update.add_beads.iter().collect::<BTreeSet<_>>() {
        if convoys::membership(cx, bead)?.is_none_or(|(convoy_of, _)| convoy_of != convoy.id) {
            wanted.push(TrackedBead { bead_id: bead.clone(), rig_id: None });
        }
    }
    let (id, actor) = (convoy.id.clone(), caller.actor());
    let make = move |cx: &Cx<'_>, found: Candidates| {
        let town = state::require(cx)?;
        let convoy = require(cx, &id)?;
        check_open(&convoy, &update)?;
        apply(cx, &town, &convoy, &update, &found, &actor)?;
        show(cx, &id)
    };
    candidates::gather(cx, &town, wanted, Box::new(make))
}

/// A convoy that is over stays as it is.
fn check_open(convoy: &ConvoyEntry, update: &ConvoyUpdate) -> Result<(), Refusal> {
    if convoy.status == ConvoyStatus::Active {
        return Ok(());
    }
    let message = match (update.add_beads.is_empty(), update.remove_beads.is_empty()) {
        (false, _) => format!("Cannot add beads to a closed convoy: {}", convoy.id),
        (true, false) => format!("Cannot remove beads from a closed convoy: {}", convoy.id),
        (true, true) => format!("Cannot change a closed convoy: {}", convoy.id),
    };
    Err(Refusal::new(Code::Conflict, message).hint("Make a new convoy for further work."))
}

fn apply(
    cx: &Cx<'_>,
    town: &TownState,
    convoy: &ConvoyEntry,
    update: &ConvoyUpdate,
    found: &Candidates,
    actor: &str,
) -> Result<(), Failure> {
    let id = &convoy.id;
    let mut rigs: BTreeSet<RigId> = convoys::rigs_of(cx, id)?.into_iter().collect();
    for bead in &update.remove_beads {
        remove(cx, id, bead)?;
    }
    for rig in adopt(cx, convoy, found)? {
        // The merge there did not contain the new bead.
        landing::withdraw(cx, id, &rig)?;
        rigs.insert(rig);
    }
    let added: BTreeSet<&BeadId> = update.add_beads.iter().collect();
    let none = BTreeSet::new();
    take_over_edges(cx, id, found, if update.depends_on.is_some() { &added } else { &none })?;
    if let Some(blockers) = &update.depends_on {
        for bead in added {
            wait_for(cx, id, bead, blockers, update.until.unwrap_or(BlockedUntil::Closed))?;
        }
    }
    set(cx, convoy, update)?;
    let detail = value!({
        "title": convoy.title, "added": update.add_beads, "removed": update.remove_beads,
        "merge_mode": update.merge_mode, "feature_branch": update.feature_branch
    });
    feed::write(cx, town, FeedKind::ConvoyChanged, id.as_str(), Some(actor), &detail)?;
    finish(cx, town, id, rigs)
}

/// A bead is no member any more, if it was one. It stays in its rig.
pub(in crate::objects::town) fn remove(cx: &Cx<'_>, convoy: &ConvoyId, bead: &BeadId) -> Result<(), Failure> {
    let Some((_, rig)) = convoys::membership(cx, bead)?.filter(|(of, _)| of == convoy) else { return Ok(()) };
    let target = crate::rpc::call::Instance::Rig(rig.clone()).to_string();
    if is_owed(cx.sql, TownToRig::Convoy, convoy.as_str(), &target)? {
        // A bead that the rig has not made yet would never be made.
        let refusal = Refusal::new(Code::Unavailable, format!("Rig {rig} has not heard of the convoy's last change yet"));
        return Err(refusal.hint("Call again in a few seconds; nothing was changed.").into());
    }
    Ok(convoys::delete_member(cx, convoy, bead)?)
}

/// A member waits for these members and no others.
fn wait_for(cx: &Cx<'_>, convoy: &ConvoyId, bead: &BeadId, blockers: &[BeadId], until: BlockedUntil) -> Result<(), Failure> {
    convoys::clear_edges_of(cx, convoy, bead)?;
    for blocker in blockers {
        if blocker == bead {
            return Err(refuse(Code::InvalidArgument, format!("depends_on: bead {bead} cannot wait for itself")));
        }
        check_member(cx, convoy, blocker)?;
        convoys::insert_edge(cx, convoy, bead, blocker, until)?;
    }
    Ok(())
}

/// Only members are waited for.
pub(in crate::objects::town) fn check_member(cx: &Cx<'_>, convoy: &ConvoyId, blocker: &BeadId) -> Result<(), Failure> {
    if convoys::membership(cx, blocker)?.is_some_and(|(of, _)| of == *convoy) {
        return Ok(());
    }
    let refusal = Refusal::new(Code::InvalidArgument, format!("depends_on: bead {blocker} is not a member of the convoy"));
    Err(refusal.hint("Call convoy_status to see its beads; add the bead first if it exists.").into())
}

fn set(cx: &Cx<'_>, convoy: &ConvoyEntry, update: &ConvoyUpdate) -> Result<(), Failure> {
    if update.merge_mode.is_none() && update.feature_branch.is_none() {
        return Ok(());
    }
    execute(
        cx.sql,
        "-- convoys_set\nUPDATE convoys SET merge_mode = coalesce(?, merge_mode), feature_branch = coalesce(?, feature_branch) WHERE id = ?",
        (update.merge_mode, &update.feature_branch, &convoy.id),
    )?;
    for landing in &convoy.landings {
        landing::withdraw(cx, &convoy.id, &landing.rig_id)?;
    }
    let reserved = convoys::find(cx, &convoy.id)?.map(|convoy| Value::Object(convoys::reserved(&convoy)).to_string());
    Ok(execute(
        cx.sql,
        "-- convoys_set_reserved\nUPDATE convoy_beads SET metadata = json_patch(metadata, ?) WHERE convoy_id = ?",
        (reserved, &convoy.id),
    )?)
}

/// Refuses a name that git would not take for a branch (`git check-ref-format`).
fn check_branch(branch: &str) -> Result<(), Refusal> {
    let bad_part =
        |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with('.') || part.to_ascii_lowercase().ends_with(".lock");
    let bad_character = |character: char| character.is_control() || character.is_whitespace() || "~^:?*[\\".contains(character);
    let is_bad = branch.is_empty()
        || branch.len() > BRANCH_BYTES_MAX
        || branch.starts_with('-')
        || branch == "@"
        || branch == "HEAD"
        || branch.contains("..")
        || branch.contains("@{")
        || branch.contains(bad_character)
        || branch.split('/').any(bad_part);
    if !is_bad {
        return Ok(());
    }
    let refusal = Refusal::new(Code::InvalidArgument, "feature_branch is not a branch name that git takes");
    Err(refusal.hint(format!("At most {BRANCH_BYTES_MAX} bytes, for example convoy/payments-api/1a2b3c4d/head.")))
}

/// `closeConvoy`: a person ends it. Beads that have not ended are closed in their rigs; those that failed stay failed.
pub(crate) fn close_convoy(cx: &Cx<'_>, caller: &Caller, (named,): (String,)) -> Result<Answer, Failure> {
    let Some(convoy) = convoys::find_named(cx, &named)? else { return Ok(Answer::Json("null".to_owned())) };
    if convoy.status == ConvoyStatus::Landed {
        return json(&convoy);
    }
    let (town, id) = (state::require(cx)?, &convoy.id);
    for landing in convoy.landings.iter().filter(|landing| !landing.is_evidence()) {
        landing::withdraw(cx, id, &landing.rig_id)?;
    }
    execute(
        cx.sql,
        "-- convoys_close\nUPDATE convoys SET status = 'landed', landed_at = ?1, forced_at = ?1, forced_by = ?2, staged = 0, ready_to_land = 0 WHERE id = ?3",
        (cx.now.millis(), caller.actor(), id),
    )?;
    tell_rigs(cx, &town, id, convoys::rigs_of(cx, id)?)?;
    let Some(closed) = convoys::find(cx, id)? else { return Ok(Answer::Json("null".to_owned())) };
    landing::tell_end(cx, &town, FeedKind::ConvoyClosed, &closed)?;
    json(&closed)
}

#[cfg(test)]
mod tests {
    use super::check_branch;

    #[test]
    fn a_branch_is_what_git_takes() {
        for good in ["main", "convoy/payments-api/1a2b3c4d/head", "feature/é", "a@b", "v1.0"] {
            assert!(check_branch(good).is_ok(), "{good}");
        }
        let long = "b".repeat(256);
        for bad in [
            "", "-x", "@", "HEAD", "a..b", "a@{b", "a b", "a~b", "a^b", "a:b", "a?b", "a*b", "a[b", "a\\b", "a\u{7}b", "/a", "a/", "a//b",
            ".a", "a/.b", "a.", "a.lock", "a.LOCK/b", &long,
        ] {
            assert!(check_branch(bad).is_err(), "{bad}");
        }
    }
}
