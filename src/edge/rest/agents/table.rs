//! The routes of a rig.
//!
//! Owns the rows. A new route is one row and one function that plans its call.

use super::{agent_self, beads, registration, submissions};
use crate::contract::shapes::{
    Agent, AgentCompletedInput, AgentDoneInput, Bead, BeadEventRecord, CreateBeadInput, CurrentStep, Mail, MailInput, Molecule, Nudge,
    PrimeContext, RegisterAgentInput, RequestChangesInput, RequestedChanges, SlingInput, SlingResult, SubmitReviewInput, TriageInput,
};
use crate::edge::rest::docs::says;
use crate::edge::rest::response::ResponseShape::{Deleted, Field, Flag, Found};
use crate::edge::rest::route::Action::{Call, Run, Stream, Unsupported};
use crate::edge::rest::route::Route;
use crate::edge::streams::dispatch;
use crate::rpc::table::{
    ADVANCE_MOLECULE, AGENT_COMPLETED, AGENT_DONE, APPEND_AGENT_EVENT, CHECK_MAIL, CLOSE_BEAD, COMPLETE_REVIEW, CREATE_BEAD,
    CREATE_MOLECULE, DELETE_AGENT, DELETE_BEAD, GET_AGENT, GET_AGENT_EVENTS, GET_BEAD, GET_MOLECULE_STEP, GET_OR_CREATE_AGENT,
    GET_PENDING_NUDGES, HOOK_BEAD, LIST_AGENTS, LIST_BEAD_EVENTS, LIST_BEADS, MARK_NUDGE_DELIVERED, MAYOR_WAITING, PRIME, QUEUE_NUDGE,
    RECONSTRUCT_CONVERSATION, REGISTER_AGENT, REQUEST_CHANGES, RESOLVE_TRIAGE, SEND_MAIL, SLING_BEAD, SUBMIT_REVIEW, TAKE_ORDERS,
    TOUCH_AGENT_HEARTBEAT, TOUCH_MAYOR_HEARTBEAT, UNHOOK_BEAD, UPDATE_AGENT_STATUS, UPDATE_AGENT_STATUS_MESSAGE, UPDATE_BEAD_STATUS,
    WRITE_CHECKPOINT,
};

const NO_SNAPSHOT: Route = Route::get("agents/:agent/db-snapshot", Unsupported("no database of an agent is kept", CHECKPOINT));
const CHECKPOINT: &str = "POST …/checkpoint keeps what an agent needs to go on.";

/// Every route of a rig. Of two that fit a path the first counts.
pub(super) static ROUTES: &[Route] = &[
    // Beads.
    Route::post("beads", Call(&CREATE_BEAD, beads::create))
        .creates()
        .docs(says("Creates a bead.").body::<CreateBeadInput>().answer::<Bead>()),
    Route::get("beads", Call(&LIST_BEADS, beads::list)).docs(
        says("Lists beads, newest first.")
            .query(&["status?", "type?", "assignee_agent_bead_id?", "parent_bead_id?", "limit?", "offset?"])
            .list::<Bead>(),
    ),
    Route::get("beads/:bead", Call(&GET_BEAD, beads::get)).shown(Found(beads::ABSENT)).docs(says("Reads one bead.").answer::<Bead>()),
    Route::delete("beads/:bead", Call(&DELETE_BEAD, beads::delete))
        .shown(Deleted(beads::ABSENT))
        .docs(says("Deletes a bead with everything below it.")),
    Route::patch("beads/:bead/status", Call(&UPDATE_BEAD_STATUS, beads::set_status))
        .docs(says("Changes the status of a bead.").fields(&["status", "agent_id", "failure_reason?"]).answer::<Bead>()),
    Route::post("beads/:bead/close", Call(&CLOSE_BEAD, beads::close)).docs(says("Closes a bead.").fields(&["agent_id"]).answer::<Bead>()),
    Route::post("sling", Call(&SLING_BEAD, beads::sling))
        .creates()
        .docs(says("Creates a bead and gives it to a polecat.").body::<SlingInput>().answer::<SlingResult>()),
    Route::post("escalations", Call(&CREATE_BEAD, beads::escalate))
        .creates()
        .docs(says("Creates an escalation; the town hears of it.").body::<CreateBeadInput>().answer::<Bead>()),
    Route::post("molecules", Call(&CREATE_MOLECULE, beads::create_molecule))
        .creates()
        .docs(says("Gives a bead the steps of a formula.").fields(&["bead_id", "formula"]).answer::<Molecule>()),
    Route::get("events", Call(&LIST_BEAD_EVENTS, beads::events))
        .docs(says("Lists events of beads, newest first.").query(&["bead_id?", "since?", "limit?"]).list::<BeadEventRecord>()),
    // Agents.
    Route::post("agents", Call(&REGISTER_AGENT, registration::register))
        .creates()
        .docs(says("Registers an agent.").body::<RegisterAgentInput>().answer::<Agent>()),
    Route::get("agents", Call(&LIST_AGENTS, registration::list))
        .docs(says("Lists the agents of the rig.").query(&["role?", "status?"]).list::<Agent>()),
    Route::post("agents/get-or-create", Call(&GET_OR_CREATE_AGENT, registration::get_or_create))
        .docs(says("Finds an idle agent of a role, or makes one.").fields(&["role"]).answer::<Agent>()),
    Route::get("agents/:agent", Call(&GET_AGENT, registration::get))
        .shown(Found(registration::ABSENT))
        .docs(says("Reads one agent.").answer::<Agent>()),
    Route::delete("agents/:agent", Run(&DELETE_AGENT, registration::delete))
        .shown(Deleted(registration::ABSENT))
        .docs(says("Deletes an agent.")),
    Route::get("agents/:agent/events", Call(&GET_AGENT_EVENTS, registration::events))
        .docs(says("Lists what an agent said and did, oldest first.").query(&["after_id?", "limit?"])),
    Route::get("agents/:agent/conversation", Call(&RECONSTRUCT_CONVERSATION, registration::conversation))
        .shown(Field("conversation"))
        .docs(says("Reads the newest texts of an agent as one conversation.")),
    // An agent's own.
    Route::post("agents/:agent/hook", Call(&HOOK_BEAD, agent_self::hook))
        .for_agent_itself()
        .shown(Flag("hooked"))
        .docs(says("Takes a bead onto the agent's hook.").fields(&["bead_id"])),
    Route::delete("agents/:agent/hook", Call(&UNHOOK_BEAD, agent_self::of_agent))
        .for_agent_itself()
        .shown(Flag("unhooked"))
        .docs(says("Puts the bead on the hook back into the queue.")),
    Route::get("agents/:agent/prime", Call(&PRIME, agent_self::of_agent))
        .for_agent_itself()
        .docs(says("Reads the agent's whole context; takes its mail.").answer::<PrimeContext>()),
    Route::post("agents/:agent/done", Call(&AGENT_DONE, agent_self::done))
        .for_agent_itself()
        .shown(Flag("done"))
        .docs(says("Reports that the work is finished and pushed.").body::<AgentDoneInput>()),
    Route::post("agents/:agent/request-changes", Call(&REQUEST_CHANGES, agent_self::request_changes))
        .creates()
        .for_agent_itself()
        .docs(says("Sends the merge request on the hook back for rework.").body::<RequestChangesInput>().answer::<RequestedChanges>()),
    Route::post("agents/:agent/completed", Call(&AGENT_COMPLETED, agent_self::completed))
        .for_agent_itself()
        .shown(Flag("completed"))
        .docs(says("Reports that the agent's process has ended.").body::<AgentCompletedInput>()),
    Route::post("agents/:agent/waiting", Call(&UPDATE_AGENT_STATUS, agent_self::waiting))
        .for_agent_itself()
        .shown(Flag("acknowledged"))
        .docs(says("Reports that the process waits for input.").fields(&["firedAt?"])),
    Route::post("agents/:agent/checkpoint", Call(&WRITE_CHECKPOINT, agent_self::checkpoint))
        .for_agent_itself()
        .shown(Flag("written"))
        .docs(says("Keeps notes for whoever continues the work.").fields(&["data"])),
    Route::post("agents/:agent/eviction-context", Unsupported("there is no container to be evicted", CHECKPOINT))
        .for_agent_itself()
        .docs(says("Keeps the context of an evicted container.")),
    Route::get("agents/:agent/mail", Call(&CHECK_MAIL, agent_self::of_agent))
        .for_agent_itself()
        .docs(says("Takes the agent's mail.").list::<Mail>()),
    Route::post("agents/:agent/heartbeat", Call(&TOUCH_AGENT_HEARTBEAT, agent_self::heartbeat))
        .for_agent_itself()
        .docs(says("Reports that the process lives.").fields(&["worktree?", "lastEventAt?"]).answer_fields(&["drainNonce", "order"])),
    Route::post("agents/:agent/status", Call(&UPDATE_AGENT_STATUS_MESSAGE, agent_self::status))
        .for_agent_itself()
        .shown(Flag("updated"))
        .docs(says("Shows people one line about the work.").fields(&["message"])),
    Route::get("agents/:agent/pending-nudges", Call(&GET_PENDING_NUDGES, agent_self::of_agent))
        .for_agent_itself()
        .docs(says("Lists the nudges that wait for the agent.").list::<Nudge>()),
    Route::post("agents/:agent/nudge-delivered", Call(&MARK_NUDGE_DELIVERED, agent_self::nudge_delivered))
        .for_agent_itself()
        .shown(Flag("delivered"))
        .docs(says("Marks a nudge as delivered.").fields(&["nudge_id"])),
    Route::get("agents/:agent/molecule/current", Call(&GET_MOLECULE_STEP, agent_self::of_agent))
        .for_agent_itself()
        .shown(Found(agent_self::NO_MOLECULE))
        .docs(says("Reads the current step of the work's formula.").answer::<CurrentStep>()),
    Route::post("agents/:agent/molecule/advance", Call(&ADVANCE_MOLECULE, agent_self::molecule_advance))
        .for_agent_itself()
        .shown(Found(agent_self::NO_MOLECULE))
        .docs(says("Reports the current step as done and goes to the next.").fields(&["summary"]).answer::<Molecule>()),
    NO_SNAPSHOT.for_agent_itself().docs(says("Reads the agent's database.")),
    Route { method: "POST", ..NO_SNAPSHOT }.for_agent_itself().docs(says("Keeps the agent's database.")),
    Route { method: "DELETE", ..NO_SNAPSHOT }.for_agent_itself().docs(says("Deletes the agent's database.")),
    // Submissions of agents.
    Route::post("nudge", Call(&QUEUE_NUDGE, submissions::nudge)).shown(Field("nudge_id")).docs(says("Reminds an agent.").fields(&[
        "target_agent_id",
        "message",
        "mode?",
        "priority?",
        "ttl_seconds?",
    ])),
    Route::post(
        "refresh-git-token",
        Unsupported("they hold no token of a git host", "Whoever runs the agents gives them access to the repository."),
    )
    .docs(says("Makes a new token of the git host.")),
    Route::post("agent-events", Call(&APPEND_AGENT_EVENT, submissions::append_event))
        .creates()
        .shown(Field("id"))
        .docs(says("Appends an event to an agent's log.").fields(&["agent_id", "event_type", "data?"])),
    Route::post("mail", Call(&SEND_MAIL, submissions::send_mail))
        .creates()
        .shown(Flag("sent"))
        .docs(says("Leaves mail for an agent.").body::<MailInput>()),
    Route::post("review-queue", Call(&SUBMIT_REVIEW, submissions::submit_review))
        .creates()
        .shown(Flag("submitted"))
        .docs(says("Puts finished work into review.").body::<SubmitReviewInput>()),
    Route::post("review-queue/:entry/complete", Call(&COMPLETE_REVIEW, submissions::complete_review))
        .shown(Flag("completed"))
        .docs(says("Reports how a review ended.").fields(&["status", "message?", "commit_sha?", "base_commit?"])),
    Route::post("triage/resolve", Call(&RESOLVE_TRIAGE, submissions::resolve_triage))
        .docs(says("Decides a triage request.").body::<TriageInput>().answer::<Bead>()),
    // Runners.
    Route::get("dispatch", Stream(&TAKE_ORDERS, dispatch::answer)).docs(
        says("Takes the rig's dispatch orders for one runner, as server-sent events or as one page.")
            .query(&["runner", "max?", "role?", "last_event_id?"])
            .answer_fields(&["orders", "last_event_id"]),
    ),
];

/// The routes of a town's Mayor as an agent.
pub(super) static MAYOR: &[Route] = &[
    Route::post("agents/:agent/heartbeat", Call(&TOUCH_MAYOR_HEARTBEAT, agent_self::mayor_heartbeat))
        .for_mayor()
        .docs(says("Reports that the Mayor's process lives.").fields(&["worktree?", "lastEventAt?"]).answer_fields(&["drainNonce"])),
    Route::post("agents/:agent/waiting", Call(&MAYOR_WAITING, agent_self::mayor_waiting))
        .for_mayor()
        .shown(Flag("acknowledged"))
        .docs(says("Reports that the Mayor waits for input.").fields(&["firedAt?"])),
];
