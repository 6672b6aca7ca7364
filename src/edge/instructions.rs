//! The `instructions` of a connection: one text per kind of connection.
//!
//! Owns the choice of the text; a Mayor's is made from its prompt (`prompts::mayor`). The texts name tools that their connection has, and none that it lacks.

use crate::prompts::mayor;
use crate::tools::profile::Profile;
use crate::tools::run::View;

/// The instructions for a view. Clients cut texts of 2,048 characters and more.
#[must_use]
pub fn text(view: View) -> &'static str {
    match (view.profile, view.pinned, view.only_looks()) {
        (Profile::Mayor, _, false) => mayor::instructions(),
        (Profile::Mayor, _, true) => include_str!("instructions_mayor_readonly.txt"),
        (Profile::Polecat, _, false) => include_str!("instructions_polecat.txt"),
        (Profile::Refinery, _, false) => include_str!("instructions_refinery.txt"),
        (Profile::Polecat | Profile::Refinery, _, true) => include_str!("instructions_agent_readonly.txt"),
        (Profile::Coordinator, false, false) => include_str!("instructions_fleet.txt"),
        (Profile::Coordinator, false, true) => include_str!("instructions_fleet_readonly.txt"),
        (Profile::Coordinator, true, false) => include_str!("instructions_town.txt"),
        (Profile::Coordinator, true, true) => include_str!("instructions_town_readonly.txt"),
    }
}
