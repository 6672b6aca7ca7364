//! What must be so once nothing goes wrong any more and time has passed.
//!
//! Owns how a world comes to rest: everything leaves memory, messages arrive again, and alarms alone do the rest.

use super::invariants;
use super::world::{Keyed, World};
use gastown_mcp::contract::shapes::{ConvoyEntry, ConvoyLanding, ConvoyStatus, WorkCounts, WorkReport};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Nothing may take longer than this: pauses after refused letters and of drains end before.
const REST_MILLIS: i64 = 90 * 60 * 1_000;
const STEP_MILLIS: i64 = 30_000;
/// A week, less what a clock may be set back.
const WEEK_MILLIS: i64 = 7 * 24 * 60 * 60 * 1_000 - 60_000;
/// A key is remembered for a day.
const REPEATED_MILLIS_MAX: i64 = 20 * 60 * 60 * 1_000;

pub fn check(world: &mut World) -> Result<(), String> {
    super::faults::mend(world, [0; 4]);
    world.fleet.restart();
    rest(world)?;
    keys(world)?;
    rest(world)?;
    let found = world.ask(&world.town.at.clone(), &rpc::CHECK_TOWN, (json!({"repair": false}),));
    let found = found.map_err(|failure| format!("town_check fails: {failure:?}"))?;
    if found["ok"] != json!(true) || found["in_flight"] != json!(0) {
        return Err(format!("town_check is not clean: {found}"));
    }
    messages(world)?;
    escalations(world)?;
    convoys(world)?;
    work(world)?;
    nothing_waits(world)
}

/// What the rigs report of their work, from events, is what became of their beads and orders. S3-36.
fn work(world: &World) -> Result<(), String> {
    for rig in &world.rigs {
        let sql = world.fleet.sql(&rig.at);
        // Events and orders of a week are kept; in what is older there are gaps.
        let is_whole =
            format!("SELECT min(sequence) = 1 AND min(created_at) > {} FROM bead_events", world.fleet.now().millis() - WEEK_MILLIS);
        if !sql.has_table("bead_events") || sql.value::<Option<i64>>(&is_whole) != Some(1) {
            continue;
        }
        let report =
            world.ask(&rig.at, &rpc::REPORT_WORK, (json!({"hours": 168}),)).map_err(|failure| format!("no report: {failure:?}"))?;
        let report: WorkReport = serde_json::from_value(report).map_err(|error| error.to_string())?;
        let taken: i64 = report.agents.iter().map(|agent| agent.counts.taken).sum();
        let holds = report.agents.iter().filter(|agent| agent.holds.is_some()).count();
        // A hook that has lost its order gets another one: there may be more of them than there were hooks, not fewer.
        let orders: Vec<(i64, i64, i64)> =
            world.rows(rig, "SELECT COUNT(*), COUNT(DISTINCT agent_id || bead_id), COUNT(*) FILTER (WHERE ended_at IS NULL) FROM orders");
        let fits = |(orders, pairs, open): &(i64, i64, i64)| (*pairs..=*orders).contains(&taken) && usize::try_from(*open) == Ok(holds);
        if !orders.iter().all(fits) {
            return Err(format!("{taken} beads are said to be taken and {holds} held, but the orders are {orders:?}"));
        }
        let sum = |of: fn(&WorkCounts) -> i64| {
            let agents = report.agents.iter().filter(|agent| !agent.is_review);
            agents.map(|agent| of(&agent.counts)).sum::<i64>() + of(&report.without_agent)
        };
        let work = "type IN ('issue', 'molecule') AND instr(labels, 'gt:triage-request') = 0";
        let deleted: i64 = sql.value("SELECT COUNT(*) FROM bead_events WHERE event_type = 'deleted'");
        for (what, said, ended) in [
            ("failed", sum(|counts| counts.failed), "status = 'failed'"),
            ("merged", sum(|counts| counts.merged), "status = 'closed' AND merge_commit IS NOT NULL"),
        ] {
            let there: i64 = sql.value(&format!("SELECT COUNT(*) FROM beads WHERE {ended} AND {work}"));
            if !(there..=there + deleted).contains(&said) {
                return Err(format!("{said} are said to be {what}, but {there} are, and {deleted} are deleted"));
            }
        }
        let closed: i64 = sql.value(&format!("SELECT COUNT(*) FROM beads WHERE status = 'closed' AND {work}"));
        if sum(|counts| counts.done) < closed {
            return Err(format!("{} are said to be done, but {closed} are closed", sum(|counts| counts.done)));
        }
    }
    Ok(())
}

/// Time passes until nobody owes anything.
fn rest(world: &mut World) -> Result<(), String> {
    let mut passed = 0;
    loop {
        world.fleet.advance(STEP_MILLIS);
        world.hear();
        if let Some(broken) = world.broken() {
            return Err(broken);
        }
        invariants::check(world)?;
        passed += STEP_MILLIS;
        if passed >= 10 * STEP_MILLIS && world.fleet.owed() == 0 {
            return Ok(());
        }
        if passed >= REST_MILLIS {
            let mut owed: Vec<(String, String, String)> = world.town_rows("SELECT kind, subject, target FROM outbox");
            for rig in &world.rigs {
                owed.extend(world.rows(rig, "SELECT kind, subject, target FROM outbox"));
            }
            return Err(format!("letters are never taken: {owed:?}"));
        }
    }
}

/// Every key gives its answer once more.
fn keys(world: &mut World) -> Result<(), String> {
    let now = world.fleet.now().millis();
    let answered = |keyed: &Keyed| keyed.answer.is_some() && now - keyed.at < REPEATED_MILLIS_MAX;
    let again: Vec<usize> = (0..world.keyed.len()).filter(|index| answered(&world.keyed[*index])).collect();
    for index in again {
        let Keyed { call, caller, note, .. } = world.keyed[index].clone();
        world.send(&call, &caller, note, Some(index), true);
        world.hear();
    }
    world.broken().map_or(Ok(()), Err)
}

/// What the Mayor was sent is with the town.
fn messages(world: &World) -> Result<(), String> {
    let all: Vec<(String,)> = world.town_rows("SELECT message FROM mayor_messages");
    let arrived = |text: &str| all.iter().any(|(message,)| message.contains(text));
    let removed = |rig: &Option<String>| rig.as_ref().is_some_and(|rig| world.ledger.removable.contains(rig));
    match world.ledger.mayor.iter().find(|(rig, text)| !arrived(text) && !removed(rig)) {
        Some((_, text)) => Err(format!("a message never reaches the Mayor: {text}")),
        None => Ok(()),
    }
}

/// An escalation is dealt with in the town when it is in its rig, and the other way round; every one of a rig is in the inbox.
fn escalations(world: &World) -> Result<(), String> {
    let inbox: BTreeMap<String, i64> = world.town_rows::<(String, i64)>("SELECT id, acknowledged FROM escalations").into_iter().collect();
    let known: Vec<(String,)> = world.town_rows("SELECT id FROM rigs");
    for rig in world.rigs.iter().filter(|rig| known.iter().any(|(id,)| id == rig.id.as_str())) {
        let beads: Vec<(String, String, String)> = world.rows(
            rig,
            "SELECT bead_id, type, status FROM beads WHERE type = 'escalation' OR json_extract(metadata, '$.escalation_id') = bead_id",
        );
        for (bead, kind, status) in beads {
            let has_ended = status == "closed" || status == "failed";
            match inbox.get(&bead) {
                None if kind == "escalation" => return Err(format!("an escalation is in no inbox: {bead} of rig {}", rig.id)),
                Some(acknowledged) if (*acknowledged == 1) != has_ended => {
                    return Err(format!("an escalation and its bead do not agree: {bead} is {status}, acknowledged {acknowledged}"));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Convoys count what their rigs have, and have landed when they should.
fn convoys(world: &World) -> Result<(), String> {
    let entries = world.ask(&world.town.at, &rpc::LIST_CONVOYS, ()).map_err(|failure| format!("convoys are not listed: {failure:?}"))?;
    for entry in entries.as_array().into_iter().flatten() {
        let id = entry["id"].as_str().unwrap_or_default();
        let mut counts = [0_i64; 4];
        for (bead, kept) in
            world.town_rows::<(String, String)>(&format!("SELECT bead_id, status FROM convoy_beads WHERE convoy_id = '{id}'"))
        {
            let status = match world.ledger.beads.get(&bead) {
                Some(known) if known.seen => known.status.as_str(),
                // Gone: what was closed stays so, and the rest counts as failed.
                _ if kept == "closed" => "closed",
                _ => "failed",
            };
            let merged = world.ledger.beads.get(&bead).is_some_and(|known| known.merged);
            counts[0] += 1;
            counts[1] += i64::from(status == "closed");
            counts[2] += i64::from(status == "failed");
            counts[3] += i64::from(merged);
        }
        let told = ["total_beads", "closed_beads", "failed_beads"].map(|key| entry[key].as_i64().unwrap_or(-1));
        if told != counts[..3] {
            return Err(format!("a convoy is miscounted: {id} says {told:?}, has {counts:?}"));
        }
        let entry: ConvoyEntry = serde_json::from_value(entry.clone()).map_err(|error| error.to_string())?;
        check_end(&entry)?;
    }
    Ok(())
}

/// Whatever is due to land has landed, and nothing else.
fn check_end(entry: &ConvoyEntry) -> Result<(), String> {
    if entry.forced_at.is_some() {
        let is_over = entry.closed_beads + entry.failed_beads == entry.total_beads;
        return if is_over { Ok(()) } else { Err(format!("closed by hand, and a bead is open: {}", entry.id)) };
    }
    let evidence = if entry.needs_landing() {
        !entry.landings.is_empty() && entry.landings.iter().all(ConvoyLanding::is_evidence)
    } else {
        entry.merged_beads == entry.total_beads
    };
    let has_landed = entry.status == ConvoyStatus::Landed;
    if has_landed == (entry.is_complete() && evidence) {
        return Ok(());
    }
    Err(format!("a convoy's end is not as its beads stand: {entry:?}"))
}

/// No work is left that somebody could do.
fn nothing_waits(world: &World) -> Result<(), String> {
    for rig in &world.rigs {
        // What is resting after a failed attempt is given out when it has rested.
        let now = world.fleet.now().millis();
        let ready = format!(
            "SELECT bead_id FROM beads WHERE type = 'issue' AND status = 'open' AND assignee_agent_id IS NULL AND blockers_open = 0
             AND held = 0 AND coalesce(not_before, 0) <= {now}"
        );
        let waiting: Vec<(String,)> = world.rows(rig, &ready);
        let pause: Vec<(i64, i64, i64)> = world.rows(rig, "SELECT parked, draining, capacity FROM rig");
        let Some(((parked, draining, capacity), (bead,))) = pause.first().copied().zip(waiting.first()) else { continue };
        if draining == 1 {
            return Err(format!("a drain never ends: rig {}", rig.id));
        }
        let living: Vec<(String, Value)> =
            world.rows(rig, "SELECT status, current_hook_bead_id FROM agents WHERE role = 'polecat' AND status <> 'dead'");
        let hooked = i64::try_from(living.iter().filter(|(_, hook)| !hook.is_null()).count()).unwrap_or_default();
        let idle = living.iter().any(|(status, hook)| status == "idle" && hook.is_null());
        let has_room = hooked < capacity && (idle || i64::try_from(living.len()).is_ok_and(|living| living < capacity));
        if parked == 0 && has_room {
            return Err(format!("work waits while somebody is free: {bead} of rig {}", rig.id));
        }
    }
    Ok(())
}
