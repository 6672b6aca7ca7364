//! The tools that texts name, each by one key.
//!
//! Owns the keys, which are the names that coordinators have for the tools. What a tool is, and what others call it, is in the
//! tools' tables; a test holds every key to them.

use base::error::ToolKey;

macro_rules! keys {
    ($($key:ident = $name:literal;)*) => {
        $(#[doc = concat!("`", $name, "`.")] pub const $key: ToolKey = ToolKey($name);)*

        /// Every key.
        pub const KEYS: &[ToolKey] = &[$($key),*];
    };
}

keys! {
    ACKNOWLEDGE_ESCALATION = "acknowledge_escalation";
    CLOSE_CONVOY = "close_convoy";
    CONVOY_PARTIAL = "convoy_partial";
    CONVOY_STATUS = "convoy_status";
    CONVOY_UNSTICK = "convoy_unstick";
    CREATE_RIG = "create_rig";
    DRAIN = "drain";
    ESCALATIONS = "escalations";
    GET_BEAD = "get_bead";
    GET_CONFIG = "get_config";
    GET_TOWN_STATUS = "get_town_status";
    LIST_AGENTS = "list_agents";
    LIST_BEADS = "list_beads";
    LIST_CONVOYS = "list_convoys";
    LIST_RIGS = "list_rigs";
    LIST_TOWNS = "list_towns";
    MAYOR_MESSAGES = "mayor_messages";
    MERGE_QUEUE = "merge_queue";
    POOL_STATUS = "pool_status";
    RESET_AGENT = "reset_agent";
    RESOLVE_TRIAGE = "resolve_triage";
    SEND_MAYOR_MESSAGE = "send_mayor_message";
    SEND_MESSAGE = "send_message";
    SET_PARKED = "set_parked";
    SLING = "sling";
    SLING_BATCH = "sling_batch";
    START_BEAD = "start_bead";
    START_CONVOY = "start_convoy";
    TOWN_CHECK = "town_check";
    TOWN_FEED = "town_feed";
    UPDATE_BEAD = "update_bead";
    UPDATE_CONFIG = "update_config";
    UPDATE_CONVOY = "update_convoy";
    UPDATE_RIG = "update_rig";
    WAIT_FOR = "wait_for";
}
