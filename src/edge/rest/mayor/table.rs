//! The Mayor's routes.
//!
//! Owns the rows. A new route is one row and one function: one that plans a call (`Call`), or, where several calls belong
//! together, one that makes them (`Run`).

use super::{agents, beads, convoys, lists, prompt, rigs, sling, town, unsupported};
use crate::contract::shapes::{
    Agent, AlarmStatus, Bead, BeadDetail, BeadEventRecord, BeadUpdate, ConvoyDetail, ConvoyEntry, EscalationEntry, MergeQueueData, Nudge,
    RegistryRig, RigRecord, SlingConvoyResult, SlingResult, UpdatedBead,
};
use crate::edge::rest::docs::says;
use crate::edge::rest::response::ResponseShape::{Deleted, Field, Flag, Found};
use crate::edge::rest::route::Action::{Call, Run};
use crate::edge::rest::route::Route;
use crate::edge::rest::wrong_rig::NO_BEAD;
use crate::rpc::table::{
    ACKNOWLEDGE_ESCALATION, BROADCAST_UI_ACTION, CLOSE_CONVOY, CONVOY_ADD_BEAD, CONVOY_REMOVE_BEAD, CREATE_RIG, DEBUG_GET_BEAD,
    DELETE_BEAD, DELETE_BEADS, DELETE_BEADS_BY_STATUS, GET_ALARM_STATUS, GET_CONVOY_STATUS, GET_MERGE_QUEUE, GET_PENDING_NUDGES,
    GET_TOWN_CONFIG, GET_WASTELAND_CONNECTION, LIST_AGENTS, LIST_BEAD_EVENTS, LIST_BEADS, LIST_CONVOYS, LIST_ESCALATIONS, LIST_RIGS,
    REASSIGN_BEAD, REMOVE_RIG, RESET_AGENT, SEND_MAIL, SLING_BEAD, SLING_CONVOY, SLING_EXISTING_PR, START_CONVOY, UPDATE_BEAD,
    UPDATE_CONVOY,
};

/// Query parameters of lists of beads.
const BEADS: &[&str] = &["status?", "type?", "assignee_agent_bead_id?", "parent_bead_id?", "limit?", "offset?"];
/// Query parameters of lists of agents.
const AGENTS: &[&str] = &["role?", "status?"];
/// Query parameters of lists of events.
const EVENTS: &[&str] = &["since?", "limit?"];

/// Every route under a Mayor's tools. Of two that fit a path the first counts.
pub(super) static ROUTES: &[Route] = &[
    // Work.
    Route::post("sling", Run(&SLING_BEAD, sling::sling)).creates().docs(
        says("Gives one task to a polecat of a rig.").fields(&["rig_id", "title", "body?", "metadata?", "labels?"]).answer::<SlingResult>(),
    ),
    Route::post("sling-batch", Run(&SLING_CONVOY, sling::sling_batch)).creates().docs(
        says("Gives tasks as a convoy.")
            .fields(&["rig_id", "convoy_title", "tasks", "merge_mode?", "parallel?", "staged?", "metadata?"])
            .answer::<SlingConvoyResult>(),
    ),
    // Lists over all rigs.
    Route::get("beads", Run(&LIST_BEADS, lists::beads)).docs(says("Lists the beads of all rigs.").query(BEADS).list::<Bead>()),
    Route::get("agents", Run(&LIST_AGENTS, lists::agents)).docs(says("Lists the agents of all rigs.").query(AGENTS).list::<Agent>()),
    // Rigs.
    Route::get("rigs", Call(&LIST_RIGS, rigs::list)).docs(says("Lists the rigs of the town.").list::<RigRecord>()),
    Route::post("rigs", Run(&CREATE_RIG, rigs::create))
        .creates()
        .docs(says("Creates a rig.").fields(&["name", "git_url", "default_branch?", "platform_integration_id?"]).answer::<RegistryRig>()),
    Route::delete("rigs/:rig", Run(&REMOVE_RIG, rigs::delete))
        .docs(says("Deletes a rig; with `force` its unfinished work too.").query(&["force?"]).answer_fields(&["deleted"])),
    // Beads of a rig.
    Route::get("rigs/:rig/beads", Call(&LIST_BEADS, lists::beads_of_rig))
        .docs(says("Lists the beads of a rig.").query(BEADS).list::<Bead>()),
    Route::post("rigs/:rig/beads/bulk-delete", Call(&DELETE_BEADS, beads::delete_many))
        .shown(Field("deleted"))
        .docs(says("Deletes beads of a rig; answers how many.").fields(&["bead_ids"])),
    Route::post("rigs/:rig/beads/delete-by-status", Call(&DELETE_BEADS_BY_STATUS, beads::delete_by_status))
        .shown(Field("deleted"))
        .docs(says("Deletes the beads of a status; answers how many.").fields(&["status", "type?"])),
    Route::get("rigs/:rig/beads/:bead", Run(&DEBUG_GET_BEAD, beads::get))
        .docs(says("Reads one bead whole: dependencies, review and last events.").answer::<BeadDetail>()),
    Route::patch("rigs/:rig/beads/:bead", Call(&UPDATE_BEAD, beads::update))
        .docs(says("Changes fields of a bead.").body::<BeadUpdate>().answer::<UpdatedBead>()),
    Route::delete("rigs/:rig/beads/:bead", Call(&DELETE_BEAD, beads::delete))
        .shown(Deleted(NO_BEAD))
        .docs(says("Deletes a bead with everything below it.")),
    Route::post("rigs/:rig/beads/:bead/reassign", Call(&REASSIGN_BEAD, beads::reassign))
        .docs(says("Gives a bead to another agent of its rig.").fields(&["agent_id"]).answer::<Bead>()),
    Route::get("rigs/:rig/beads/:bead/events", Run(&LIST_BEAD_EVENTS, beads::events))
        .docs(says("Lists the events of one bead, newest first.").query(EVENTS).list::<BeadEventRecord>()),
    Route::get("rigs/:rig/events", Call(&LIST_BEAD_EVENTS, beads::events_of_rig))
        .docs(says("Lists events of a rig's beads, newest first.").query(&["bead_id?", "since?", "limit?"]).list::<BeadEventRecord>()),
    // Agents of a rig.
    Route::get("rigs/:rig/agents", Call(&LIST_AGENTS, lists::agents_of_rig))
        .docs(says("Lists the agents of a rig.").query(AGENTS).list::<Agent>()),
    Route::post("rigs/:rig/agents/:agent/reset", Call(&RESET_AGENT, agents::reset))
        .shown(Flag("reset"))
        .docs(says("Puts an agent back to idle; its bead is open again.")),
    Route::get("rigs/:rig/agents/:agent/pending-nudges", Call(&GET_PENDING_NUDGES, agents::pending_nudges))
        .docs(says("Lists the nudges that wait for an agent.").list::<Nudge>()),
    Route::post("mail", Call(&SEND_MAIL, agents::mail)).shown(Flag("sent")).docs(says("Leaves mail for an agent.").fields(&[
        "rig_id",
        "to_agent_id",
        "subject",
        "body",
        "from_agent_id",
    ])),
    // Convoys.
    Route::get("convoys", Call(&LIST_CONVOYS, convoys::list))
        .docs(says("Lists the convoys that have not landed, newest first.").list::<ConvoyEntry>()),
    Route::get("convoys/:convoy", Call(&GET_CONVOY_STATUS, convoys::of_convoy))
        .shown(Found(convoys::ABSENT))
        .docs(says("Reads a convoy as its rigs know it.").answer::<ConvoyDetail>()),
    Route::patch("convoys/:convoy", Call(&UPDATE_CONVOY, convoys::update))
        .shown(Found(convoys::ABSENT))
        .docs(says("Changes how a convoy is merged.").fields(&["merge_mode?", "feature_branch?"]).answer::<ConvoyEntry>()),
    Route::post("convoys/:convoy/start", Run(&START_CONVOY, convoys::start))
        .docs(says("Starts a staged convoy.").answer::<SlingConvoyResult>()),
    Route::post("convoys/:convoy/close", Call(&CLOSE_CONVOY, convoys::of_convoy))
        .shown(Found(convoys::ABSENT))
        .docs(says("Ends a convoy by hand; its unfinished beads are closed.").answer::<ConvoyEntry>()),
    Route::post("convoys/:convoy/add-bead", Call(&CONVOY_ADD_BEAD, convoys::add_bead))
        .docs(says("Makes a bead a member.").fields(&["bead_id", "depends_on?"]).answer_fields(&["total_beads"])),
    Route::post("convoys/:convoy/remove-bead", Call(&CONVOY_REMOVE_BEAD, convoys::remove_bead))
        .docs(says("Takes a bead out of a convoy; it stays in its rig.").fields(&["bead_id"]).answer_fields(&["total_beads"])),
    // The town.
    Route::get("escalations", Call(&LIST_ESCALATIONS, town::escalations))
        .docs(says("Lists escalations.").query(&["acknowledged?"]).list::<EscalationEntry>()),
    Route::post("escalations/:escalation/acknowledge", Call(&ACKNOWLEDGE_ESCALATION, town::acknowledge))
        .shown(Found(town::NO_ESCALATION))
        .docs(says("Marks an escalation as dealt with.").answer::<EscalationEntry>()),
    Route::get("merge-queue", Call(&GET_MERGE_QUEUE, town::merge_queue))
        .docs(says("Reads what waits for review or merge.").query(&["rig_id?", "limit?", "since?"]).answer::<MergeQueueData>()),
    Route::get("status", Call(&GET_ALARM_STATUS, town::status)).docs(says("Reads the status of the town.").answer::<AlarmStatus>()),
    Route::get("config", Run(&GET_TOWN_CONFIG, town::config)).docs(says("Reads the configuration, its secrets masked.")),
    Route::post("ui-action", Run(&BROADCAST_UI_ACTION, town::ui_action))
        .shown(Flag("broadcast"))
        .docs(says("Sends an action to the pages that watch the town.").fields(&["action"])),
    // Unsupported by embedded towns.
    Route::get("wasteland/browse", Run(&GET_WASTELAND_CONNECTION, unsupported::browse))
        .shown(Found(unsupported::NOT_CONNECTED))
        .unsupported(404)
        .docs(says("Lists items of a wasteland.").query(&["limit?"])),
    Route::post("wasteland/claim", Run(&GET_WASTELAND_CONNECTION, unsupported::claim))
        .shown(Found(unsupported::NOT_CONNECTED))
        .unsupported(404)
        .docs(says("Claims an item of a wasteland.").fields(&["item_id"])),
    Route::post("wasteland/post", Run(&GET_WASTELAND_CONNECTION, unsupported::post))
        .creates()
        .shown(Found(unsupported::NOT_CONNECTED))
        .unsupported(404)
        .docs(says("Puts an item into a wasteland.").fields(&["title", "description"])),
    Route::post("wasteland/done", Run(&GET_WASTELAND_CONNECTION, unsupported::done))
        .shown(Found(unsupported::NOT_CONNECTED))
        .unsupported(404)
        .docs(says("Reports an item of a wasteland as done.").fields(&["item_id", "evidence"])),
    Route::post("babysit-pr", Call(&SLING_EXISTING_PR, unsupported::babysit))
        .creates()
        .unsupported(501)
        .docs(says("Watches over a pull request made elsewhere.").fields(&["rig_id", "pr_url", "force_push_allowed?", "title?", "body?"])),
];

/// The route beside the tools.
pub(super) static PROMPT: &[Route] = &[Route::get("", Run(&LIST_RIGS, prompt::get))
    .docs(says("Reads the Mayor's system prompt, with the rigs and tools as they are.").answer_fields(&["prompt"]))];
