//! How playbooks look at convoys: one question to the town, and the beads as their rigs have them.
//!
//! Owns how town and rigs are put together. What is made of it is each playbook's.

use crate::contract::shapes::{ConvoyBead, ConvoyEntry, ConvoyInspection, InspectInput, TownInspection};
use crate::rpc::call::decode;
use crate::rpc::table::INSPECT_CONVOYS;
use crate::tools::coordinator::convoys::unknown;
use crate::tools::interactive::Live;
use crate::tools::tool::Coverage;
use base::error::Failure;

/// What is said of a rig that did not answer.
const SILENT: &str = "did not answer: of its beads nothing is known now, and no step is taken for them";

/// One convoy, by id or title.
///
/// # Errors
/// `NotFound`; whatever the town answers.
pub async fn one(live: &Live<'_>, named: &str) -> Result<(TownInspection, ConvoyInspection), Failure> {
    let input = InspectInput { convoy: Some(named.trim().to_owned()), ..InspectInput::default() };
    let call = live.place.call_town(&INSPECT_CONVOYS, (input,))?;
    let mut seen: TownInspection = decode(&INSPECT_CONVOYS, &live.client.call(&call, Some(live.place.town()?), None).await?)?;
    let convoy = seen.convoys.pop().ok_or_else(|| unknown(named))?;
    Ok((seen, convoy))
}

/// The members as their rigs have them now; where a rig does not say, as it last told.
#[must_use]
pub fn beads(seen: &TownInspection, convoy: &ConvoyInspection) -> Vec<ConvoyBead> {
    let now = |known: &ConvoyBead| {
        let mut members = seen.rigs.iter().flat_map(|rig| &rig.members);
        members.find(|member| member.bead.bead_id == known.bead_id).map(|member| member.bead.clone())
    };
    convoy.members.iter().map(|known| now(known).unwrap_or_else(|| known.clone())).collect()
}

/// The convoy's entry with the counts of these beads.
#[must_use]
pub fn recounted(convoy: &ConvoyInspection, beads: &[ConvoyBead]) -> ConvoyEntry {
    let mut entry = convoy.claimed.clone();
    entry.recount(beads);
    entry
}

/// How much of it is known.
#[must_use]
pub fn coverage(seen: &TownInspection) -> Coverage {
    Coverage::of_rigs(&seen.coverage, SILENT)
}
