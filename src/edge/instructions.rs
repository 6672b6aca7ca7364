//! What a connection tells its client's model in the beginning: one text per kind of connection.
//!
//! Owns which text that is. The texts name tools that their connection has, and none that it lacks.

use crate::tools::run::View;

/// The instructions for a view. Clients cut texts of 2,048 characters and more.
#[must_use]
pub fn text(view: View) -> &'static str {
    match (view.pinned, view.only_looks()) {
        (false, false) => include_str!("instructions_fleet.txt"),
        (false, true) => include_str!("instructions_fleet_readonly.txt"),
        (true, false) => include_str!("instructions_town.txt"),
        (true, true) => include_str!("instructions_town_readonly.txt"),
    }
}
