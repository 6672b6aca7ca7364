//! What must be so after every step, counted from the tables and not by the code that keeps them.
//!
//! Owns the invariants of rigs, and the comparison with the ledger. What must be so only when all is quiet is `quiet`'s;
//! the town's part of the ledger is looked at in `check_town`.

use super::conversation;
use super::ledger::{Known, Ledger};
use super::world::World;
use crate::support::HostSql;
use crate::support::doom::{DIED, FAILED};
use crate::support::fleet::CLOCK_BACK_MILLIS_MAX;
use crate::support::town::Rig;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How a rig was after the step before.
#[derive(Default)]
struct RigBefore {
    version: u64,
    edges: BTreeSet<(String, String, String)>,
    hooks: BTreeSet<(String, i64)>,
    /// Which runner took which order.
    runners: BTreeMap<i64, String>,
    held: BTreeSet<String>,
    paused: bool,
    /// Which letter of the town told so.
    told: i64,
}

/// How everything was after the step before.
#[derive(Default)]
pub struct Before {
    rigs: BTreeMap<String, RigBefore>,
    town: u64,
    /// Messages to the Mayor: how far each had come, and its place.
    pub messages: BTreeMap<String, (usize, i64)>,
}

/// A bead, as its table has it.
type Bead = (String, String, i64, Option<String>, Option<String>, String, i64, Option<String>, i64);

const BEADS: &str =
    "SELECT beads.bead_id, status, beads.merge_commit IS NOT NULL, parent_bead_id, source_bead_id, type, held, assignee_agent_id,
    blockers_open FROM beads LEFT JOIN merge_requests ON merge_requests.bead_id = beads.bead_id ORDER BY beads.sequence";

pub fn check(world: &mut World) -> Result<(), String> {
    let faults = world.fleet.take_faults();
    let known = ["lost", "did not answer", "went away", DIED, FAILED];
    if let Some(fault) = faults.iter().find(|fault| !known.iter().any(|known| fault.contains(known))) {
        return Err(format!("something broke: {fault}"));
    }
    world.ledger.latest = world.ledger.latest.max(world.fleet.now().millis());
    let rigs = world.rigs.clone();
    // All of them first: what a bead of one waits for may be in another.
    for rig in &rigs {
        let sql = world.fleet.sql(&rig.at);
        if sql.has_table("beads") && !is_as_before(world, rig, &sql) {
            check_beads(&mut world.ledger, rig.id.as_str(), &sql.rows::<Bead>(BEADS))?;
        }
    }
    for rig in &rigs {
        let sql = world.fleet.sql(&rig.at);
        sql.take_log();
        if is_as_before(world, rig, &sql) {
            continue;
        }
        if sql.has_table("beads") {
            check_rig(world, rig, &sql)?;
        } else {
            gone(&mut world.ledger, rig)?;
        }
    }
    check_town(world)
}

/// Whether nothing in a rig has changed since the step before.
fn is_as_before(world: &World, rig: &Rig, sql: &HostSql) -> bool {
    world.ledger.before.rigs.get(rig.id.as_str()).is_some_and(|before| before.version == sql.version())
}

/// A rig without tables holds nothing: somebody asked for that, or it never heard of itself.
fn gone(ledger: &mut Ledger, rig: &Rig) -> Result<(), String> {
    let id = rig.id.to_string();
    if ledger.removable.contains(&id) {
        ledger.before.rigs.remove(&id);
        let here = ledger.beads.iter().filter(|(_, known)| known.rig == id && known.seen);
        for bead in here.map(|(bead, _)| bead.clone()).collect::<Vec<_>>() {
            ledger.forget(&bead);
        }
        ledger.mail.retain(|message| message.rig != id);
        return Ok(());
    }
    match ledger.beads.iter().find(|(_, known)| known.rig == id && known.seen) {
        Some((bead, _)) => Err(format!("a rig is lost: {id}, and with it {bead}")),
        None => Ok(()),
    }
}

fn check_rig(world: &mut World, rig: &Rig, sql: &Rc<HostSql>) -> Result<(), String> {
    let id = rig.id.to_string();
    let beads: Vec<Bead> = sql.rows(BEADS);
    check_holders(sql)?;
    check_counts(sql, &beads)?;
    check_reviews(sql)?;
    check_messages(world, &id, sql)?;
    let edges = sql.rows("SELECT bead_id, depends_on_bead_id, until FROM bead_dependencies WHERE dependency_type = 'blocks'");
    let now = RigBefore {
        version: sql.version(),
        edges: edges.into_iter().collect(),
        hooks: sql.rows("SELECT current_hook_bead_id, fence FROM agents WHERE current_hook_bead_id IS NOT NULL").into_iter().collect(),
        runners: sql.rows::<(i64, String)>("SELECT id, runner FROM orders WHERE runner IS NOT NULL").into_iter().collect(),
        held: beads.iter().filter(|bead| bead.6 == 1).map(|bead| bead.0.clone()).collect(),
        paused: sql.value::<i64>("SELECT parked + draining FROM rig") > 0,
        told: sql.value("SELECT coalesce(max(generation), 0) FROM inbox WHERE kind = 'rig'"),
    };
    check_given(&world.ledger, &id, &now, &beads)?;
    check_orders(sql)?;
    check_handed(world.ledger.before.rigs.get(&id), &now)?;
    world.ledger.before.rigs.insert(id, now);
    Ok(())
}

/// No bead is lost, and what has ended stays so.
fn check_beads(ledger: &mut Ledger, rig: &str, beads: &[Bead]) -> Result<(), String> {
    let mut here = BTreeSet::new();
    for (id, status, merged, parent, source, kind, ..) in beads {
        here.insert(id.as_str());
        let known = ledger.beads.entry(id.clone()).or_insert_with(|| Known { rig: rig.to_owned(), ..Known::default() });
        let is_final = ["closed", "failed"].contains(&known.status.as_str());
        if is_final && known.status != *status {
            return Err(format!("what has ended goes on: {id} was {}, is {status}", known.status));
        }
        if known.merged && *merged == 0 {
            return Err(format!("evidence is lost: {id}"));
        }
        (known.seen, known.merged) = (true, *merged == 1);
        known.status.clone_from(status);
        known.kind.clone_from(kind);
        (known.parent, known.source) = (parent.clone(), source.clone());
    }
    let lost = |(id, known): &(&String, &Known)| known.rig == rig && known.seen && !here.contains(id.as_str());
    let lost: Vec<String> = ledger.beads.iter().filter(lost).map(|(id, _)| id.clone()).collect();
    if let Some(id) = lost.iter().find(|id| !ledger.may_be_gone(id)) {
        return Err(format!("a bead is lost: {id} of rig {rig}"));
    }
    // They stay in the list of what may be gone, for what is below them.
    for id in lost {
        ledger.forget(&id);
        ledger.deletable.insert(id);
    }
    Ok(())
}

/// One hook per agent, one agent per bead, one living agent per name.
fn check_holders(sql: &HostSql) -> Result<(), String> {
    let one = |what: &str, statement: &str| match sql.rows::<(String,)>(statement).first() {
        Some((found,)) => Err(format!("{what}: {found}")),
        None => Ok(()),
    };
    one(
        "a bead has two holders",
        "SELECT current_hook_bead_id FROM agents WHERE current_hook_bead_id IS NOT NULL GROUP BY 1 HAVING COUNT(*) > 1",
    )?;
    one("a name is twice among the living", "SELECT name FROM agents WHERE status <> 'dead' GROUP BY name HAVING COUNT(*) > 1")?;
    one("an identity is twice among the living", "SELECT identity FROM agents WHERE status <> 'dead' GROUP BY 1 HAVING COUNT(*) > 1")?;
    one(
        "a hook is on nothing that can be worked on",
        "SELECT agents.id FROM agents LEFT JOIN beads ON beads.bead_id = current_hook_bead_id WHERE current_hook_bead_id IS NOT NULL
         AND (coalesce(beads.status, 'gone') IN ('closed', 'failed', 'gone') OR agents.status = 'dead' OR assignee_agent_id IS NOT agents.id)",
    )?;
    // The Mayor, who is on no roster, and refineries whose pull request is open hold beads without a hook.
    one(
        "work names a holder that has no hook on it",
        "SELECT bead_id FROM beads WHERE type = 'issue' AND status IN ('open', 'in_progress') AND assignee_agent_id IS NOT NULL
         AND assignee_agent_id IS NOT (SELECT mayor_agent_id FROM rig)
         AND NOT EXISTS (SELECT 1 FROM agents WHERE current_hook_bead_id = beads.bead_id AND agents.id = assignee_agent_id)",
    )?;
    one("work is in progress and nobody has it", "SELECT bead_id FROM beads WHERE assignee_agent_id IS NULL AND status = 'in_progress'")
}

/// Tallies and unmet blockers, one by one.
fn check_counts(sql: &HostSql, beads: &[Bead]) -> Result<(), String> {
    let tally = |statement: &str| -> BTreeMap<String, i64> {
        sql.rows::<(String, i64)>(statement).into_iter().filter(|(_, count)| *count != 0).collect()
    };
    let mut by_status: BTreeMap<String, i64> = BTreeMap::new();
    for bead in beads {
        *by_status.entry(bead.1.clone()).or_default() += 1;
    }
    let kept = tally("SELECT status, beads FROM status_tally");
    if kept != by_status {
        return Err(format!("the tally of statuses is wrong: {kept:?}, but {by_status:?}"));
    }
    let status: BTreeMap<&str, (&str, bool)> = beads.iter().map(|bead| (bead.0.as_str(), (bead.1.as_str(), bead.2 == 1))).collect();
    let remote: BTreeMap<String, (String, bool)> = sql
        .rows::<(String, String, i64)>("SELECT bead_id, status, merged FROM remote_blockers")
        .into_iter()
        .map(|(id, status, merged)| (id, (status, merged == 1)))
        .collect();
    let reviewed = open_sources(beads);
    let mut unmet: BTreeMap<String, i64> = BTreeMap::new();
    let edges = sql.rows::<(String, String, String)>(
        "SELECT bead_id, depends_on_bead_id, until FROM bead_dependencies WHERE dependency_type = 'blocks'",
    );
    for (waiter, blocker, until) in edges {
        let stands =
            status.get(blocker.as_str()).copied().or_else(|| remote.get(&blocker).map(|(status, merged)| (status.as_str(), *merged)));
        let is_met = stands.is_some_and(|(status, merged)| status == "closed" && (until == "closed" || merged));
        if !is_met || reviewed.contains(blocker.as_str()) {
            *unmet.entry(waiter).or_default() += 1;
        }
    }
    let wrong = beads.iter().find(|bead| bead.8 != unmet.get(&bead.0).copied().unwrap_or_default());
    match wrong {
        Some(bead) => Err(format!("unmet blockers are miscounted: {} says {}, has {:?}", bead.0, bead.8, unmet.get(&bead.0))),
        None => Ok(()),
    }
}

/// Beads with a merge request that has not ended.
fn open_sources(beads: &[Bead]) -> BTreeSet<&str> {
    let is_open = |bead: &&Bead| !["closed", "failed"].contains(&bead.1.as_str());
    beads.iter().filter(is_open).filter_map(|bead| bead.4.as_deref()).collect()
}

/// A bead has one merge request at most that has not ended, and is in review then.
fn check_reviews(sql: &HostSql) -> Result<(), String> {
    let open = sql.rows::<(String, i64, Option<String>)>(
        "SELECT source_bead_id, COUNT(*), max((SELECT status FROM beads AS source WHERE source.bead_id = source_bead_id)) FROM merge_requests
         JOIN beads AS request ON request.bead_id = merge_requests.bead_id
         WHERE source_bead_id IS NOT NULL AND request.status NOT IN ('closed', 'failed') GROUP BY source_bead_id",
    );
    match open.iter().find(|(_, count, status)| *count > 1 || status.as_deref() != Some("in_review")) {
        Some(found) => Err(format!("a bead and its merge requests do not agree: {found:?}")),
        None => Ok(()),
    }
}

/// Every message that was accepted is here, taken or not, as long as it lives.
fn check_messages(world: &World, rig: &str, sql: &HostSql) -> Result<(), String> {
    // What had expired does not come back with a clock that is set back,
    // and what was accepted after it was set back ends as much earlier.
    let now = world.ledger.latest + CLOCK_BACK_MILLIS_MAX;
    let here: BTreeSet<String> = sql.rows::<(String,)>("SELECT body FROM messages").into_iter().map(|(body,)| body).collect();
    let lost = world.ledger.mail.iter().find(|message| message.rig == rig && message.until > now && !here.contains(&message.text));
    lost.map_or(Ok(()), |message| Err(format!("a message is lost: {} of rig {rig}", message.text)))
}

/// What was given out in this step was neither held back nor waiting, and its rig was not paused.
fn check_given(ledger: &Ledger, rig: &str, now: &RigBefore, beads: &[Bead]) -> Result<(), String> {
    let Some(before) = ledger.before.rigs.get(rig) else { return Ok(()) };
    let reviewed = open_sources(beads);
    for (bead, _) in now.hooks.difference(&before.hooks) {
        let is_work = beads.iter().any(|known| known.0 == *bead && known.5 == "issue");
        if before.held.contains(bead) && now.held.contains(bead) {
            return Err(format!("what is held back was given out: {bead}"));
        }
        if is_work && now.paused && before.told == now.told {
            return Err(format!("work was given out in a pause: {bead}"));
        }
        for (_, blocker, until) in now.edges.intersection(&before.edges).filter(|edge| edge.0 == *bead) {
            let (is_done, is_merged) = ledger.standing(blocker);
            let is_met = is_done && (until == "closed" || is_merged);
            if !is_met || reviewed.contains(blocker.as_str()) {
                return Err(format!("given out too early: {bead} waits until {blocker} is {until}"));
            }
        }
    }
    Ok(())
}

/// An order stays with the runner that took it.
fn check_handed(before: Option<&RigBefore>, now: &RigBefore) -> Result<(), String> {
    let Some(before) = before else { return Ok(()) };
    let moved = before.runners.iter().find(|(order, runner)| now.runners.get(order).is_some_and(|now| now != *runner));
    moved.map_or(Ok(()), |(order, runner)| Err(format!("an order was handed to two runners: {order}, first to {runner}")))
}

/// One open order per hook, whose fence is its id; and it was handed to one runner, or to nobody. A rig that makes no orders
/// has none.
fn check_orders(sql: &HostSql) -> Result<(), String> {
    if sql.value::<i64>("SELECT COUNT(*) FROM orders") == 0 {
        return Ok(());
    }
    let open: BTreeSet<(i64, String, String)> =
        sql.rows("SELECT id, agent_id, bead_id FROM orders WHERE ended_at IS NULL").into_iter().collect();
    let hooks: BTreeSet<(i64, String, String)> =
        sql.rows("SELECT fence, id, current_hook_bead_id FROM agents WHERE current_hook_bead_id IS NOT NULL").into_iter().collect();
    if open != hooks {
        return Err(format!("orders and hooks do not agree: {open:?}, but {hooks:?}"));
    }
    let half: i64 =
        sql.value("SELECT COUNT(*) FROM orders WHERE (runner IS NULL) <> (handed_at IS NULL) OR (ended_at IS NULL) <> (outcome IS NULL)");
    if half > 0 { Err("an order is half handed out or half ended: orders".to_owned()) } else { Ok(()) }
}

/// What the town has accepted, or takes over from its rigs.
fn check_town(world: &mut World) -> Result<(), String> {
    let sql = world.fleet.sql(&world.town.at);
    sql.take_log();
    if world.ledger.before.town == sql.version() {
        return Ok(());
    }
    world.ledger.before.town = sql.version();
    let messages: Vec<(String,)> = sql.rows("SELECT message FROM mayor_messages");
    let told = |text: &str| messages.iter().any(|(message,)| message.contains(text));
    for (rig, text) in &world.ledger.mayor {
        let under_way = rig.as_ref().is_some_and(|id| world.rigs.iter().any(|rig| rig.id.as_str() == id && waits(world, rig, text)));
        let was_removed = rig.as_ref().is_some_and(|rig| world.ledger.removable.contains(rig));
        if !told(text) && !under_way && !was_removed {
            return Err(format!("a message to the Mayor is lost: {text}"));
        }
    }
    conversation::check(&mut world.ledger, &sql)?;
    let escalations: BTreeSet<String> = sql.rows::<(String,)>("SELECT id FROM escalations").into_iter().map(|(id,)| id).collect();
    if let Some(lost) = world.ledger.escalations.iter().find(|id| !escalations.contains(*id)) {
        return Err(format!("an escalation is lost: {lost}"));
    }
    let landed = "SELECT convoy_beads.bead_id, convoys.id FROM convoy_beads JOIN convoys ON convoys.id = convoy_id WHERE convoys.status = 'landed' AND forced_at IS NULL";
    for (bead, convoy) in sql.rows::<(String, String)>(landed) {
        let is_open = world.ledger.beads.get(&bead).is_some_and(|known| known.seen && known.status != "closed");
        if is_open {
            return Err(format!("a convoy has landed with work open: {convoy}, {bead}"));
        }
    }
    check_unmade(world, &sql)
}

/// Whether mail to the Mayor is in its rig and owed to the town.
fn waits(world: &World, rig: &Rig, text: &str) -> bool {
    let owed = "SELECT body FROM messages JOIN outbox ON kind = 'message' AND outbox.subject = messages.id";
    world.rows::<(String,)>(rig, owed).iter().any(|(body,)| body == text)
}

/// Beads of convoys that their rigs have not made yet are owed to them.
fn check_unmade(world: &mut World, sql: &HostSql) -> Result<(), String> {
    let unseen: Vec<(String, String)> =
        world.ledger.beads.iter().filter(|(_, known)| !known.seen).map(|(id, known)| (id.clone(), known.rig.clone())).collect();
    for (id, rig) in unseen {
        let owed = format!(
            "SELECT 1 FROM convoy_beads JOIN outbox ON kind = 'convoy' AND subject = convoy_id AND target = 'rig:{rig}' WHERE bead_id = '{id}' AND rig_id = '{rig}'"
        );
        if !sql.rows::<(i64,)>(&owed).is_empty() {
            continue;
        }
        if world.ledger.removable.contains(&rig) || world.ledger.may_be_gone(&id) {
            world.ledger.beads.remove(&id);
            continue;
        }
        return Err(format!("a bead that was accepted is nowhere: {id} of rig {rig}"));
    }
    Ok(())
}
