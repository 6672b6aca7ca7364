//! Activity: the events of the town and of its rigs, in one order that a reader can go on from.
//!
//! Owns the merge. It is by time, but never against a source's own order, even when clocks differ: so a cursor with a
//! place in each source misses nothing and repeats nothing. `feed` and the rigs own the entries.

use super::feed;
use crate::contract::ids::{BeadId, RigId, TownId};
use crate::contract::shapes::{
    Activity, ActivityCursor, ActivityEntry, ActivityInput, BeadEventFilter, BeadEventRecord, Coverage, FROM_START, FeedEntry, TOWN_SOURCE,
};
use crate::objects::handler::{Answer, Caller, Cx, Gather, Wait, json};
use crate::objects::store::sql::query;
use crate::objects::town::views::viewers;
use crate::objects::town::{rigs, state};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::LIST_EVENTS;
use base::error::{Code, Failure, Fault, Refusal};
use base::time::Timestamp;
use serde_json::{Map, Value, json as value};
use std::collections::VecDeque;

/// The most entries on a page.
pub const LIMIT_MAX: i64 = 200;
/// A page unless the caller says otherwise.
const LIMIT_DEFAULT: i64 = 50;
/// Entries in the alarm status (Gastown contract 3.10).
const RECENT_MAX: i64 = 20;
/// The key that waiting readers are woken by.
const NEWS: &str = "activity";

/// A source of entries.
struct Source {
    /// `town` or a rig's id.
    name: String,
    /// The reader's place; `None`: not begun.
    position: Option<i64>,
    /// The newest there is, as far as the town has been told.
    known: i64,
    /// Entries read, oldest first; `None`: the source was not asked or did not answer.
    read: Option<VecDeque<ActivityEntry>>,
}

/// Wakes the waiting readers.
pub(in crate::objects::town) fn woken(cx: &Cx<'_>) {
    cx.wake(NEWS.to_owned());
}

/// `getActivity(input)`: asks every rig, and merges the answers with the town's own feed. A silent rig is named and keeps its
/// place, so its events come with a later page.
pub(crate) fn get_activity(cx: &Cx<'_>, _caller: &Caller, (input,): (Option<ActivityInput>,)) -> Result<Answer, Failure> {
    let input = input.unwrap_or_default();
    let town = state::require(cx)?;
    let cursor = cursor(&town.town_id, input.cursor.as_deref())?;
    let limit = input.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    if let Some(rig) = &input.rig_id {
        rigs::require(cx, rig)?;
    }
    let mut sources = Vec::new();
    let mut calls = Vec::new();
    for (rig, known) in newest_of_rigs(cx)? {
        let position = cursor.as_ref().map(|cursor| cursor.position(rig.as_str()));
        let is_wanted = input.rig_id.as_ref().is_none_or(|only| *only == rig);
        let may_have = !input.told || position.is_none_or(|position| known > position);
        let is_asked = is_wanted && may_have;
        if is_asked {
            let filter = BeadEventFilter {
                after: position,
                limit: Some(limit),
                actor: input.actor.clone(),
                bead_id: input.bead.clone(),
                since: None,
            };
            calls.push(Call::new(Instance::Rig(rig.clone()), &LIST_EVENTS, (filter,))?);
        }
        sources.push((is_asked, Source { name: rig.to_string(), position, known, read: None }));
    }
    let then = move |cx: &Cx<'_>, answers| page(cx, &input, cursor, limit, sources, answers);
    Ok(Answer::Gather(Gather { town: town.town_id.clone(), calls, then: Box::new(then) }))
}

/// Reads a cursor; `None` without one.
fn cursor(town: &TownId, text: Option<&str>) -> Result<Option<ActivityCursor>, Refusal> {
    match text {
        None => Ok(None),
        Some(FROM_START) => Ok(Some(ActivityCursor::start(town.clone()))),
        Some(text) => match ActivityCursor::read(text).filter(|cursor| cursor.of == *town) {
            Some(cursor) => Ok(Some(cursor)),
            None => Err(Refusal::new(Code::InvalidArgument, "cursor: not a cursor of this town's activity")
                .hint(format!("Leave it out for the newest, or pass \"{FROM_START}\" for the oldest that is kept."))),
        },
    }
}

/// The town's rigs, each with the number of the newest event it has told of.
fn newest_of_rigs(cx: &Cx<'_>) -> Result<Vec<(RigId, i64)>, Fault> {
    query(
        cx.sql,
        "-- activity_rigs\nSELECT id, max(frames_seen, coalesce(json_extract(summary, '$.last_event'), 0)) FROM rigs ORDER BY sequence",
        (),
    )
}

/// The page, from the rigs' answers.
fn page(
    cx: &Cx<'_>,
    input: &ActivityInput,
    cursor: Option<ActivityCursor>,
    limit: i64,
    sources: Vec<(bool, Source)>,
    answers: Vec<Result<String, Failure>>,
) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let mut coverage = Coverage { asked: 0, answered: 0, missing: Vec::new(), as_of: cx.now };
    let mut answers = answers.into_iter();
    let mut read = vec![own(cx, input, cursor.as_ref(), limit)?];
    for (is_asked, mut source) in sources {
        if is_asked {
            coverage.asked += 1;
            let events = answers.next().and_then(|answer| answer.and_then(|text| decode::<Vec<BeadEventRecord>>(&LIST_EVENTS, &text)).ok());
            match (events, RigId::parse(&source.name)) {
                (Some(events), _) => {
                    coverage.answered += 1;
                    source.read = Some(events.into_iter().map(|event| of_rig(&source.name, event)).collect());
                }
                (None, Ok(rig)) => coverage.missing.push(rig),
                (None, Err(_)) => {}
            }
        }
        read.push(source);
    }
    let is_filtered = input.actor.is_some() || input.bead.is_some();
    let gaps = if is_filtered { Vec::new() } else { gaps(&read) };
    let (entries, cursor, more) = merge(&town.town_id, read, usize::try_from(limit).unwrap_or_default(), cursor.is_some(), is_filtered);
    json(&Activity { entries, cursor: cursor.write(), more, coverage, gaps })
}

/// The town's own entries.
fn own(cx: &Cx<'_>, input: &ActivityInput, cursor: Option<&ActivityCursor>, limit: i64) -> Result<Source, Fault> {
    let position = cursor.map(|cursor| cursor.position(TOWN_SOURCE));
    let known = feed::newest(cx)?.map_or(0, |entry| entry.number);
    let read = if input.rig_id.is_none() {
        let entries = feed::page(cx, position, limit, input.actor.as_deref(), input.bead.as_ref().map(BeadId::as_str))?;
        Some(entries.into_iter().map(of_town).collect())
    } else {
        None
    };
    Ok(Source { name: TOWN_SOURCE.to_owned(), position, known, read })
}

fn of_town(entry: FeedEntry) -> ActivityEntry {
    ActivityEntry {
        source: TOWN_SOURCE.to_owned(),
        number: entry.number,
        at: entry.at,
        kind: entry.kind.as_str().to_owned(),
        subject: entry.subject,
        actor: entry.actor,
        detail: entry.detail,
    }
}

fn of_rig(rig: &str, event: BeadEventRecord) -> ActivityEntry {
    let mut detail = Map::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            detail.insert(name.to_owned(), Value::from(value));
        }
    };
    put("agent_id", event.agent_id.filter(|agent| *agent != event.bead_id));
    put("old_value", event.old_value);
    put("new_value", event.new_value);
    if !event.metadata.is_empty() {
        detail.insert("metadata".to_owned(), Value::Object(event.metadata));
    }
    ActivityEntry {
        source: rig.to_owned(),
        number: event.sequence,
        at: event.created_at,
        kind: event.event_type.as_str().to_owned(),
        subject: event.bead_id,
        actor: event.actor,
        detail,
    }
}

/// Sources that no longer keep all that is behind the reader's place: their numbers grow by one, so a jump shows it.
fn gaps(sources: &[Source]) -> Vec<String> {
    let has_gap = |source: &&Source| {
        let (Some(position @ 1..), Some(read)) = (source.position, &source.read) else { return false };
        read.front().map_or(source.known > position, |first| first.number > position.saturating_add(1))
    };
    sources.iter().filter(has_gap).map(|source| source.name.clone()).collect()
}

/// The first `limit` entries behind a cursor, or without one the newest; the cursor behind them; and whether there is more.
fn merge(
    town: &TownId,
    mut sources: Vec<Source>,
    limit: usize,
    goes_on: bool,
    is_filtered: bool,
) -> (Vec<ActivityEntry>, ActivityCursor, bool) {
    let mut cursor = ActivityCursor::start(town.clone());
    let mut is_full = false;
    for source in &sources {
        let last = source.read.as_ref().and_then(VecDeque::back).map_or(0, |entry| entry.number);
        let fills = source.read.as_ref().is_some_and(|read| read.len() >= limit);
        is_full |= fills;
        let place = match source.position {
            // All of it will be shown; older entries of the town are gone.
            Some(position) if source.read.is_some() && !is_filtered && !fills => position.max(last).max(source.known),
            Some(position) => position,
            None => last.max(source.known),
        };
        cursor.set(&source.name, place);
    }
    let mut entries = Vec::new();
    while entries.len() < limit
        && let Some(next) = next(&sources, goes_on)
        && let Some(read) = sources.get_mut(next).and_then(|source| source.read.as_mut())
    {
        let taken = if goes_on { read.pop_front() } else { read.pop_back() };
        entries.extend(taken);
    }
    if !goes_on {
        entries.reverse();
        return (entries, cursor, false);
    }
    // A place is behind the last entry that is shown, as long as there are others that are not.
    for source in &sources {
        let shown = entries.iter().rev().find(|entry| entry.source == source.name).map(|entry| entry.number);
        match source.read.as_ref().and_then(VecDeque::front) {
            Some(_rest) => cursor.set(&source.name, shown.or(source.position).unwrap_or_default()),
            None => cursor.set(&source.name, cursor.position(&source.name).max(shown.unwrap_or_default())),
        }
    }
    let has_rest = sources.iter().any(|source| source.read.as_ref().is_some_and(|read| !read.is_empty()));
    (entries, cursor, has_rest || is_full)
}

/// The source with the first (or last) entry of all.
fn next(sources: &[Source], goes_on: bool) -> Option<usize> {
    let mut best: Option<(usize, (Timestamp, bool, &str))> = None;
    for (index, source) in sources.iter().enumerate() {
        let entry = source.read.as_ref().and_then(|read| if goes_on { read.front() } else { read.back() });
        let Some(entry) = entry else { continue };
        // In the same millisecond, the town's action precedes its effect in the rigs.
        let key = (entry.at, source.name != TOWN_SOURCE, source.name.as_str());
        if best.is_none_or(|(_, known)| if goes_on { key < known } else { key > known }) {
            best = Some((index, key));
        }
    }
    best.map(|(index, _)| index)
}

/// `awaitActivity(since, until)`: true as soon as the town has been told of anything behind the cursor, false at `until`.
/// Meanwhile the rigs tell of everything at once.
pub(crate) fn await_activity(cx: &Cx<'_>, _caller: &Caller, (since, until): (String, Timestamp)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let cursor = cursor(&town.town_id, Some(&since))?.unwrap_or_else(|| ActivityCursor::start(town.town_id.clone()));
    viewers::keep(cx, &town)?;
    let is_new = feed::newest(cx)?.is_some_and(|entry| entry.number > cursor.position(TOWN_SOURCE))
        || newest_of_rigs(cx)?.iter().any(|(rig, known)| *known > cursor.position(rig.as_str()));
    if is_new || cx.now >= until {
        return json(&is_new);
    }
    Ok(Answer::Wait(Wait { key: NEWS.to_owned(), until }))
}

/// The town's newest entries as the alarm status has them (Gastown contract 3.10), newest first.
pub(in crate::objects::town) fn recent(cx: &Cx<'_>) -> Result<Vec<Value>, Fault> {
    let entries = feed::page(cx, None, RECENT_MAX, None, None)?;
    Ok(entries.into_iter().rev().map(|entry| value!({"time": entry.at, "type": entry.kind, "message": message(&entry)})).collect())
}

/// An entry in words.
fn message(entry: &FeedEntry) -> String {
    let what = entry.kind.as_str().replace('_', " ");
    let named = ["title", "name"].into_iter().find_map(|key| entry.detail.get(key).and_then(Value::as_str));
    format!("{what}: {}", named.unwrap_or(&entry.subject))
}
