//! `docs/towns.md`, the guide to towns: what of it is printed from the code.

use crate::support::expect::section;
use gastown_mcp::rig::lifecycle::diagram;

const GUIDE: &str = "docs/towns.md";

#[test]
fn the_guide_shows_the_life_of_a_bead_as_the_code_has_it() {
    section(GUIDE, "life", &format!("```mermaid\n{}```\n", diagram()));
}
