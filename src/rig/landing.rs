//! What a town and its rigs say to each other about the landing merge of a convoy.
//!
//! Owns the two shapes. One landing merge per rig brings the convoy's feature branch into the rig's default branch.

use crate::ids::ConvoyId;
use crate::rpc::model::LandingStatus;
use serde::{Deserialize, Serialize};

/// The body of a `landing` letter of the town: merge this convoy's branch, or stop doing so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandingOrder {
    /// The convoy.
    pub convoy_id: ConvoyId,
    /// Its title.
    pub title: String,
    /// Its feature branch.
    pub branch: String,
    /// The order is taken back.
    pub cancelled: bool,
}

/// The body of a `landing` letter of a rig: how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandingReport {
    /// The convoy.
    pub convoy_id: ConvoyId,
    /// How far.
    pub status: LandingStatus,
    /// How often it was tried.
    pub attempts: i64,
    /// The evidence.
    #[serde(default)]
    pub merge_commit: Option<String>,
    /// Nothing was merged: the branch was at its base.
    #[serde(default)]
    pub is_empty: bool,
    /// Why it failed.
    #[serde(default)]
    pub failure: Option<String>,
}
