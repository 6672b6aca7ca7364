//! Polecat names: the pool, the choice of a free name, and the identity and branch that follow from a name.
//!
//! Owns the order of the pool and the fallback. Pure; the caller knows which names are taken.

use crate::contract::ids::BeadId;

/// The pool, in the order in which names are given out (Gastown contract, section 8).
pub const POOL: [&str; 20] = [
    "Toast", "Maple", "Birch", "Shadow", "Clover", "Ember", "Sage", "Dusk", "Flint", "Coral", "Slate", "Reed", "Thorn", "Pike", "Moss",
    "Wren", "Blaze", "Gale", "Drift", "Lark",
];

/// The first name that no living polecat of the rig has; beyond the pool `Polecat-21`, `Polecat-22`, …
#[must_use]
pub fn allocate(taken: &[&str]) -> String {
    if let Some(free) = POOL.iter().find(|name| !taken.contains(*name)) {
        return (*free).to_owned();
    }
    // One of so many names is free: fewer than that many are taken.
    let beyond = POOL.len() + 1..=POOL.len() + 1 + taken.len();
    beyond.map(|number| format!("Polecat-{number}")).find(|name| !taken.contains(&name.as_str())).unwrap_or_default()
}

/// The branch that an agent works on: `polecat/<name>/<bead prefix>`. Names are recycled, bead ids are not, so no two
/// pieces of work share a branch.
#[must_use]
pub fn branch(name: &str, bead: &BeadId) -> String {
    format!("polecat/{}/{}", name.to_ascii_lowercase(), bead.prefix())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_come_in_pool_order_then_fall_back_and_are_recycled() {
        let mut taken: Vec<String> = Vec::new();
        let next = |taken: &[String]| allocate(&taken.iter().map(String::as_str).collect::<Vec<_>>());
        for expected in POOL {
            taken.push(next(&taken));
            assert_eq!(taken.last().unwrap(), expected);
        }
        for number in 21..=25 {
            taken.push(next(&taken));
            assert_eq!(*taken.last().unwrap(), format!("Polecat-{number}"));
        }
        taken.retain(|name| name != "Birch");
        assert_eq!(next(&taken), "Birch");
    }

    proptest! {
        #[test]
        fn a_name_is_never_given_twice(taken in proptest::collection::btree_set("(Toast|Maple|Birch|Lark|Polecat-2[0-9])", 0..12)) {
            let taken: Vec<&str> = taken.iter().map(String::as_str).collect();
            prop_assert!(!taken.contains(&allocate(&taken).as_str()));
        }
    }

    #[test]
    fn branches_are_lower_case_and_carry_the_bead() {
        let bead = BeadId::from_random([0xab; 16]);
        assert_eq!(branch("Polecat-21", &bead), "polecat/polecat-21/abababab");
    }
}
