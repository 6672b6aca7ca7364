//! How much of something there may be, where edge and objects, or several objects, must agree.
//!
//! Owns the numbers, grouped by what they limit. Each name ends with its unit. What only one object limits stays with it.

/// What people write into a bead.
pub mod bead {
    /// Longest title, in characters.
    pub const TITLE_CHARS_MAX: usize = 500;
    /// Longest body, in bytes.
    pub const BODY_BYTES_MAX: usize = 64 * 1024;
    /// Most labels on a bead.
    pub const LABELS_MAX: usize = 50;
    /// Longest label, in characters.
    pub const LABEL_CHARS_MAX: usize = 100;
    /// Longest author or reason of failure, in bytes.
    pub const NOTE_BYTES_MAX: usize = 2_000;
    /// Largest metadata object, in bytes of JSON.
    pub const METADATA_BYTES_MAX: usize = 16 * 1024;
    /// Deepest metadata, in levels: what wraps it in letters and answers must still be readable (`serde_json` reads 128).
    pub const METADATA_LEVELS_MAX: usize = 32;
    /// Longest args, in bytes.
    pub const ARGS_BYTES_MAX: usize = 4_000;
}

/// Beads deleted together.
pub mod deletion {
    /// Most ids in one call (Gastown contract, section 10).
    pub const IDS_MAX: usize = 5_000;
}

/// A convoy.
pub mod convoy {
    /// Most tasks of one convoy (Gastown contract 4.5).
    pub const TASKS_MAX: usize = 50;
}

/// A town's own formulas, and those that are filled in.
pub mod formula {
    /// Most formulas that a town may define.
    pub const FORMULAS_MAX: usize = 20;
    /// Most steps of a formula.
    pub const STEPS_MAX: usize = 20;
    /// Longest text of a step, title or instructions, in characters.
    pub const STEP_CHARS_MAX: usize = 2_000;
    /// Longest name of a formula or variable, in characters.
    pub const NAME_CHARS_MAX: usize = 64;
    /// Longest value of a variable, in bytes.
    pub const VALUE_BYTES_MAX: usize = 1_000;
    /// Longest formula once its variables are filled in, in bytes.
    pub const FORMULA_BYTES_MAX: usize = 64 * 1024;
}

/// A retry that is made safe.
pub mod idempotency {
    /// Longest key.
    pub const KEY_CHARS_MAX: usize = 128;
}

/// The merge queue.
pub mod merge_queue {
    /// Longest list, of each sort.
    pub const LIST_LIMIT_MAX: i64 = 200;
}

/// The rigs of a town, their repositories and their polecats.
pub mod rig {
    /// Most rigs of a town.
    pub const RIGS_MAX: usize = 200;
    /// Longest rig name, in characters (Gastown contract 4.4).
    pub const NAME_CHARS_MAX: usize = 64;
    /// Longest repository address, in bytes.
    pub const GIT_URL_BYTES_MAX: usize = 2_000;
    /// Longest branch name, in bytes.
    pub const BRANCH_BYTES_MAX: usize = 255;
    /// Polecats that a rig may have at once unless the town says otherwise.
    pub const POLECATS_PER_RIG_DEFAULT: i64 = 5;
    /// Most polecats that a rig may be allowed.
    pub const POLECATS_PER_RIG_MAX: i64 = 50;
}
