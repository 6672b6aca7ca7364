//! The operations: a name and four numbers each, which mean something in every world.
//!
//! Owns their list, how often each happens, and their text. A number picks one of what exists, modulo how much there is, so
//! that an operation keeps a meaning when others are left out.

use super::world::World;
use super::{agents, convoys, edge, faults, people, runners, talk, town, work};
use std::fmt::Write as _;

/// One kind of operation.
pub struct Row {
    pub name: &'static str,
    /// How often it happens, compared with others.
    weight: u32,
    pub run: fn(&mut World, Numbers),
}

/// What an operation picks with.
pub type Numbers = [usize; 4];

/// One operation.
#[derive(Clone)]
pub struct Op {
    pub row: &'static Row,
    pub numbers: Numbers,
}

/// Numbers are below this.
const NUMBERS_END: u64 = 1_000;

macro_rules! rows {
    ($($name:literal $weight:literal $run:path;)*) => {
        &[$(Row { name: $name, weight: $weight, run: $run }),*]
    };
}

/// Everything that can happen.
static ROWS: &[Row] = rows! {
    "sling" 14 work::sling;
    "create_bead" 8 work::create_bead;
    "held_bead" 1 work::held_bead;
    "start_bead" 1 work::start_bead;
    "update_bead" 5 work::update_bead;
    "status" 6 work::status;
    "delete_bead" 2 work::delete_bead;
    "delete_by_status" 1 work::delete_by_status;
    "apply_formula" 2 work::apply_formula;
    "reassign" 3 work::reassign;
    "hook" 4 agents::hook;
    "unhook" 3 agents::unhook;
    "heartbeat" 8 agents::heartbeat;
    "agent_status" 4 agents::status;
    "done" 14 agents::done;
    "completed" 5 agents::completed;
    "advance" 6 agents::advance;
    "submit" 2 agents::submit;
    "take_review" 8 agents::take_review;
    "review" 12 agents::review;
    "request_changes" 3 agents::request_changes;
    "agent" 3 agents::get_or_create;
    "register" 1 agents::register;
    "reset" 2 agents::reset;
    "delete_agent" 2 agents::delete;
    "checkpoint" 1 agents::checkpoint;
    "prime" 1 agents::prime;
    "take_orders" 8 runners::take;
    "process" 14 runners::report;
    "batch" 6 convoys::batch;
    "convoy" 3 convoys::create;
    "sling_into" 3 convoys::sling_into;
    "convoy_add" 4 convoys::add;
    "convoy_remove" 3 convoys::remove;
    "convoy_start" 3 convoys::start;
    "convoy_set" 2 convoys::set;
    "convoy_close" 1 convoys::close;
    "convoy_recount" 1 convoys::recount;
    "mail" 4 talk::mail;
    "handoff" 1 talk::handoff;
    "check_mail" 3 talk::check_mail;
    "nudge" 2 talk::nudge;
    "take_nudge" 1 talk::take_nudge;
    "mayor_message" 2 talk::mayor_message;
    "mayor_prime" 1 talk::mayor_prime;
    "mayor_mail" 2 talk::mayor_mail;
    "mayor_reply" 2 talk::mayor_reply;
    "mayor_heard" 1 talk::mayor_heard;
    "escalate" 3 talk::escalate;
    "acknowledge" 3 talk::acknowledge;
    "triage" 3 talk::triage;
    "park" 2 town::park;
    "drain" 1 town::drain;
    "ready" 2 town::ready;
    "configure" 2 town::configure;
    "configure_rig" 1 town::configure_rig;
    "add_rig" 1 town::add_rig;
    "remove_rig" 1 town::remove_rig;
    "town_check" 2 town::check;
    "repeat" 8 people::repeat;
    "edge_sling" 3 edge::sling;
    "edge_batch" 1 edge::batch;
    "edge_message" 1 edge::message;
    "edge_look" 1 edge::look;
    "trouble" 6 faults::trouble;
    "mend" 4 faults::mend;
    "crash" 10 faults::crash;
    "fail" 3 faults::fail;
    "evict" 4 faults::evict;
    "restart" 1 faults::restart;
    "ring" 3 faults::ring;
    "flush" 6 faults::flush;
    "pass" 10 faults::pass;
    "jump" 1 faults::jump;
    "slow_alarm" 1 faults::slow_alarm;
};

/// Random numbers that are the same in every run: `SplitMix64`.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// The operations of one world.
pub fn random(seed: u64, count: usize) -> Vec<Op> {
    let mut random = Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let total: u64 = ROWS.iter().map(|row| u64::from(row.weight)).sum();
    let mut op = || {
        let mut at = random.below(total);
        let row = ROWS.iter().find(|row| {
            let is_here = at < u64::from(row.weight);
            at = at.wrapping_sub(u64::from(row.weight));
            is_here
        });
        let numbers = [(); 4].map(|()| usize::try_from(random.below(NUMBERS_END)).unwrap_or_default());
        Op { row: row.unwrap_or(&ROWS[0]), numbers }
    };
    (0..count).map(|_| op()).collect()
}

/// One operation a line.
pub fn print(ops: &[Op]) -> String {
    let mut text = String::new();
    for Op { row, numbers: [a, b, c, d] } in ops {
        let _ = writeln!(text, "{} {a} {b} {c} {d}", row.name);
    }
    text
}

/// Reads what `print` has written.
///
/// # Errors
/// The line that is none.
pub fn parse(text: &str) -> Result<Vec<Op>, String> {
    let parse = |line: &str| {
        let mut words = line.split_whitespace();
        let row = words.next().and_then(|name| ROWS.iter().find(|row| row.name == name))?;
        let numbers: Vec<usize> = words.map(|word| word.parse().ok()).collect::<Option<_>>()?;
        Some(Op { row, numbers: numbers.try_into().ok()? })
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| parse(line).ok_or_else(|| format!("not an operation: {line}"))).collect()
}
