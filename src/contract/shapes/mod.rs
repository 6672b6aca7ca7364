//! The contract's shapes (Gastown contract, section 3): what methods take and answer.
//!
//! Owns names and types of fields, nothing that happens to them. The same structs decode SQL rows (fields in column
//! order) and wire objects. Fields that Kilo's objects do not have are marked "embedded" and have a default.
#![expect(missing_docs, reason = "the field names are the contract's; section 3 of the contract describes each")]

mod activity;
mod admin;
mod agents;
mod beads;
mod check;
mod convoy_inputs;
mod convoys;
mod escalations;
mod inspection;
mod ledger;
mod mayor;
mod messages;
mod molecules;
mod orders;
mod pool;
mod registry;
mod reviews;
mod sling;
mod statuses;
mod town;
mod town_status;
mod work;

pub use activity::*;
pub use admin::*;
pub use agents::*;
pub use beads::*;
pub use check::*;
pub use convoy_inputs::*;
pub use convoys::*;
pub use escalations::*;
pub use inspection::*;
pub use ledger::*;
pub use mayor::*;
pub use messages::*;
pub use molecules::*;
pub use orders::*;
pub use pool::*;
pub use registry::*;
pub use reviews::*;
pub use sling::*;
pub use statuses::*;
pub use town::*;
pub use town_status::*;
pub use work::*;
