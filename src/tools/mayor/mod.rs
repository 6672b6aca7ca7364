//! The tools of a town's Mayor, under the names that Gastown's own Mayor knows (Gastown contract 6).
//!
//! Owns the table. Most rows are tools of coordinators under another name (`alias`), a few are the Mayor's alone (`inbox`). `names`
//! reads it to call other tools as the Mayor does.

pub mod inbox;
pub mod ui;

use super::tool::ToolDef;
use super::toolset::Toolset::{Admin, Agents, Convoys, Playbooks, Work};
use super::{admin, playbooks};
use crate::tools::alias::{Argument, named, same};
use crate::tools::coordinator::{
    agents, bead, bead_changes, bead_deletion, bead_events, beads, convoy_changes, convoys, escalations, feed, mailbox, merge_queue,
    messages, polecats, rigs, roster, sling, sling_batch, towns, triage, wait,
};

const RIG: Argument = named("rig_id", "rig");
const BEAD: Argument = named("bead_id", "bead");
const CONVOY: Argument = named("convoy_id", "convoy");
const AGENT: Argument = named("agent_id", "agent");
const CONFIRM: Argument = same("confirm");
const TOKEN: Argument = same("confirm_token");

/// Every tool of Mayors, in the order in which clients see them.
pub const TOOLS: &[ToolDef] = &[
    ToolDef::of::<inbox::GtPrime>(Work).for_mayors(),
    ToolDef::of::<inbox::GtMailCheck>(Agents).for_mayors(),
    ToolDef::of::<inbox::GtReply>(Agents).for_mayors(),
    ToolDef::of::<sling::Sling>(Work)
        .named(
            "gt_sling",
            &[RIG, same("title").required(), same("body"), same("metadata"), same("labels"), same("quality"), same("args")],
            r#"{"rig_id":"web","title":"Add a health check endpoint","labels":["api"]}"#,
        )
        .described("Gives one task to a polecat of a rig, and says at once who has it or its place in the queue."),
    ToolDef::of::<sling_batch::SlingBatch>(Convoys)
        .named(
            "gt_sling_batch",
            &[RIG, same("convoy_title"), same("tasks"), same("merge_mode"), same("parallel"), same("staged"), same("metadata")],
            r#"{"rig_id":"web","convoy_title":"Health","tasks":[{"title":"Add the endpoint"},{"title":"Test it","depends_on":[0]}]}"#,
        )
        .described("Gives tasks as a convoy, staged or not. Two or more without any `depends_on` are refused unless `parallel`."),
    ToolDef::of::<rigs::ListRigs>(Work).named("gt_list_rigs", &[], "{}"),
    ToolDef::of::<beads::ListBeads>(Work).named(
        "gt_list_beads",
        &[RIG, same("status"), same("type"), same("limit"), same("cursor")],
        r#"{"rig_id":"web","status":"open"}"#,
    ),
    ToolDef::of::<bead::GetBead>(Work).named("gt_bead_status", &[RIG, BEAD], r#"{"bead_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d"}"#),
    ToolDef::live::<bead_changes::UpdateBead>(Work).named(
        "gt_bead_update",
        &[RIG, BEAD, same("title"), same("body"), same("status"), same("priority"), same("labels"), same("add_labels"), same("depends_on")],
        r#"{"rig_id":"web","bead_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d","priority":"high"}"#,
    ),
    ToolDef::live::<bead_changes::ReassignBead>(Work).named(
        "gt_bead_reassign",
        &[RIG, BEAD, AGENT],
        r#"{"rig_id":"web","bead_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d","agent_id":"Maple"}"#,
    ),
    ToolDef::of::<agents::ListAgents>(Agents).named(
        "gt_list_agents",
        &[RIG, same("status"), same("limit"), same("cursor")],
        r#"{"rig_id":"web","status":"stalled"}"#,
    ),
    ToolDef::of::<convoys::ListConvoys>(Convoys).named("gt_list_convoys", &[same("limit"), same("cursor")], "{}"),
    ToolDef::of::<convoys::ConvoyStatus>(Convoys).named(
        "gt_convoy_status",
        &[same("convoy_id")],
        r#"{"convoy_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d"}"#,
    ),
    ToolDef::of::<convoy_changes::StartConvoy>(Convoys).named(
        "gt_convoy_start",
        &[CONVOY],
        r#"{"convoy_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d"}"#,
    ),
    ToolDef::live::<convoy_changes::CloseConvoy>(Convoys).named(
        "gt_convoy_close",
        &[CONVOY, CONFIRM, TOKEN],
        r#"{"convoy_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d"}"#,
    ),
    ToolDef::of::<convoy_changes::UpdateConvoy>(Convoys)
        .named(
            "gt_convoy_update",
            &[CONVOY, same("merge_mode"), same("feature_branch")],
            r#"{"convoy_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d","merge_mode":"review-and-merge"}"#,
        )
        .described("Changes how a convoy is merged, or its feature branch."),
    ToolDef::live::<messages::SendMessage>(Agents)
        .named(
            "gt_mail_send",
            &[RIG, named("to_agent_id", "to"), same("subject"), same("body")],
            r#"{"rig_id":"web","to_agent_id":"Toast","subject":"Naming","body":"Call it healthz."}"#,
        )
        .titled("Send mail")
        .described("Leaves mail for an agent; it waits until it is read. One that seems stuck takes `gt_nudge`.")
        .fixing(&[("channel", "\"mail\"")]),
    ToolDef::live::<messages::SendMessage>(Agents)
        .named(
            "gt_nudge",
            &[RIG, named("target_agent_id", "to"), named("message", "body"), same("mode")],
            r#"{"rig_id":"web","target_agent_id":"Toast","message":"Progress check: are you blocked?"}"#,
        )
        .titled("Nudge an agent")
        .described("Reminds an agent; dropped after a day. Use it first for one that is silent.")
        .fixing(&[("channel", "\"nudge\"")]),
    ToolDef::live::<triage::ResetAgent>(Agents).named("gt_agent_reset", &[RIG, AGENT], r#"{"rig_id":"web","agent_id":"Toast"}"#),
    ToolDef::of::<playbooks::escalations::Escalations>(Agents).named("gt_escalations", &[same("acknowledged"), same("limit")], "{}"),
    ToolDef::of::<escalations::AcknowledgeEscalation>(Agents).named(
        "gt_escalation_acknowledge",
        &[named("escalation_id", "escalation")],
        r#"{"escalation_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d"}"#,
    ),
    ToolDef::of::<merge_queue::MergeQueue>(Work).named("gt_merge_queue", &[RIG, same("limit")], "{}"),
    ToolDef::live::<playbooks::unstick::ConvoyUnstick>(Playbooks)
        .named("gt_convoy_unstick", &[CONVOY, same("dry_run")], r#"{"convoy_id":"Payments API"}"#)
        .described("Finds out why a convoy does not move; with `dry_run` false does the next safe step. Call it again until it moves."),
    ToolDef::live::<playbooks::partial::ConvoyPartial>(Playbooks)
        .named("gt_convoy_partial", &[CONVOY, same("dry_run")], r#"{"convoy_id":"Payments API"}"#)
        .described("Shows what of a convoy is merged, done and failed; with `dry_run` false makes a follow-up for what failed."),
    ToolDef::of::<playbooks::pool::PoolStatus>(Playbooks).named("gt_pool_status", &[RIG, same("raise_by")], "{}"),
    // On request.
    ToolDef::of::<playbooks::audit::ConvoyAudit>(Playbooks)
        .named("gt_convoy_audit", &[CONVOY, same("staged_hours"), same("quiet_minutes"), same("limit"), same("cursor")], "{}")
        .on_request(),
    ToolDef::of::<playbooks::report::AgentReport>(Playbooks).named("gt_agent_report", &[RIG, AGENT, same("hours")], "{}").on_request(),
    ToolDef::of::<playbooks::distribution::WorkDistribution>(Playbooks)
        .named("gt_work_distribution", &[RIG, same("hours")], "{}")
        .on_request(),
    ToolDef::of::<towns::GetTownStatus>(Work).named("gt_town_status", &[], "{}").on_request(),
    ToolDef::of::<feed::TownFeed>(Work).named("gt_town_feed", &[same("cursor"), same("limit"), same("actor"), RIG], "{}").on_request(),
    ToolDef::live::<wait::WaitFor>(Work)
        .named("gt_wait_for", &[CONVOY, BEAD, same("timeout_seconds")], r#"{"convoy_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d"}"#)
        .on_request(),
    ToolDef::of::<bead_changes::CreateBead>(Work)
        .named(
            "gt_bead_create",
            &[
                RIG,
                same("title"),
                same("body"),
                same("priority"),
                same("labels"),
                same("metadata"),
                same("depends_on"),
                same("until"),
                same("held"),
            ],
            r#"{"rig_id":"web","title":"Add a health check endpoint","held":true}"#,
        )
        .on_request(),
    ToolDef::live::<bead_changes::StartBead>(Work)
        .named("gt_bead_start", &[RIG, BEAD], r#"{"bead_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d"}"#)
        .on_request(),
    ToolDef::live::<bead_deletion::DeleteBeads>(Work)
        .named(
            "gt_bead_delete",
            &[RIG, named("bead_id", "beads").listed(), CONFIRM, TOKEN],
            r#"{"rig_id":"web","bead_id":["7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d"]}"#,
        )
        .described("Deletes a bead of a rig for good, or several, each with what is below it. It asks before it does.")
        .on_request(),
    ToolDef::of::<bead_events::ListBeadEvents>(Work).named("gt_bead_events", &[RIG, BEAD, same("since"), same("limit")], "{}").on_request(),
    ToolDef::of::<convoy_changes::CreateConvoy>(Convoys)
        .named("gt_convoy_create", &[same("name"), named("bead_ids", "beads"), same("merge_mode"), same("staged")], r#"{"name":"Health"}"#)
        .on_request(),
    ToolDef::of::<convoy_changes::UpdateConvoy>(Convoys)
        .named(
            "gt_convoy_add_bead",
            &[CONVOY, named("bead_id", "add_beads").listed(), same("depends_on"), same("until")],
            r#"{"convoy_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d","bead_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4e"}"#,
        )
        .titled("Add a bead to a convoy")
        .described("Adds a bead that exists to a convoy, or several.")
        .on_request(),
    ToolDef::of::<convoy_changes::UpdateConvoy>(Convoys)
        .named(
            "gt_convoy_remove_bead",
            &[CONVOY, named("bead_id", "remove_beads").listed()],
            r#"{"convoy_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d","bead_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4e"}"#,
        )
        .titled("Take a bead out of a convoy")
        .described("Takes a bead out of a convoy, or several; they stay in their rigs.")
        .on_request(),
    ToolDef::of::<mailbox::ListMessages>(Agents)
        .named("gt_list_messages", &[AGENT, RIG, same("channel"), same("unread"), same("limit"), same("cursor")], r#"{"unread":true}"#)
        .on_request(),
    ToolDef::of::<mailbox::ListMessages>(Agents)
        .named("gt_pending_nudges", &[AGENT, RIG, same("limit"), same("cursor")], r#"{"agent_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d"}"#)
        .titled("List pending nudges")
        .described("Lists the nudges that an agent has not seen yet, and takes none.")
        .fixing(&[("channel", "\"nudge\""), ("unread", "true")])
        .on_request(),
    ToolDef::of::<escalations::Escalate>(Agents)
        .named(
            "gt_escalate",
            &[same("severity"), same("message"), same("category"), RIG, AGENT],
            r#"{"severity":"high","message":"Two rigs need the same design decision."}"#,
        )
        .on_request(),
    ToolDef::of::<triage::ResolveTriage>(Agents)
        .named(
            "gt_triage_resolve",
            &[RIG, named("triage_request_bead_id", "request"), same("action"), named("resolution_notes", "notes")],
            r#"{"rig_id":"web","triage_request_bead_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d","action":"restart"}"#,
        )
        .on_request(),
    ToolDef::of::<roster::AddPolecat>(Agents)
        .named("gt_polecat_add", &[RIG, same("name")], r#"{"rig_id":"web","name":"Juniper"}"#)
        .on_request(),
    ToolDef::live::<polecats::RemovePolecat>(Agents)
        .named("gt_polecat_remove", &[RIG, AGENT, CONFIRM, TOKEN], r#"{"rig_id":"web","agent_id":"Toast"}"#)
        .on_request(),
    ToolDef::of::<ui::UiAction>(Agents).for_mayors().on_request(),
    ToolDef::of::<admin::GetConfig>(Admin).named("gt_town_config", &[RIG], "{}").on_request(),
    ToolDef::live::<admin::CreateRig>(Admin)
        .named(
            "gt_rig_create",
            &[same("name"), same("git_url"), same("default_branch")],
            r#"{"name":"billing","git_url":"https://git.example/billing.git"}"#,
        )
        .on_request(),
    ToolDef::live::<admin::DeleteRig>(Admin)
        .named("gt_rig_delete", &[RIG, same("force"), CONFIRM, TOKEN], r#"{"rig_id":"web","force":true}"#)
        .on_request(),
    ToolDef::of::<admin::SetParked>(Admin)
        .named("gt_set_parked", &[RIG, same("parked"), same("reason")], r#"{"rig_id":"web","parked":true}"#)
        .on_request(),
    ToolDef::live::<admin::Drain>(Admin).named("gt_drain", &[same("action")], r#"{"action":"begin"}"#).on_request(),
];
