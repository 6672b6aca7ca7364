//! The rows of the method table: object, contract name, positional parameters, who may call, what an uninitialised object
//! answers, and the function in the object's core.
//!
//! Owns the rows and nothing else. `table` makes `Method` values of them and ignores the functions; `objects::handlers` binds
//! the functions. So the edge and the tools know the methods without knowing any core, and a method is still one row.

/// Hands all rows to a macro.
macro_rules! for_each_method {
    ($take:ident) => {
        $take! {
                CREATE_TOWN: Registry "createTown" ("input") Lead Create => registry::towns::create_town;
                GET_TOWN: Registry "getTownAsync" ("townId") Read Always("null") => registry::towns::get_town;
                LIST_TOWNS: Registry "listTowns" () Read Always("[]") => registry::towns::list_towns;
                DELETE_TOWN: Registry "deleteTown" ("townId") Internal Always("false") => registry::towns::delete_town;
                CREATE_RIG: Registry "createRig" ("input") Lead Refuse => registry::rigs::create_rig;
                GET_RIG: Registry "getRigAsync" ("rigId") Read Always("null") => registry::rigs::get_rig;
                LIST_REGISTRY_RIGS: Registry "listRigs" ("townId") Read Always("[]") => registry::rigs::list_rigs;
                DELETE_RIG: Registry "deleteRig" ("rigId") Internal Always("false") => registry::rigs::delete_rig;
                // Administration.
                UPDATE_REGISTRY_RIG: Registry "updateRig" ("rigId", "changes") Internal Always("null") => registry::rigs::update_rig;
                PING: Registry "ping" () Read Always("\"pong\"") => registry::ping;
                LISTEN_TO_REGISTRY: Registry "listen" ("topics", "expiresAt") Internal Create => registry::listen;

                SET_TOWN_ID: Town "setTownId" ("townId") Internal Create => town::identity::set_town_id;
                INITIALIZE_IDENTITY: Town "initializePrivateTownIdentity" ("identity") Internal Refuse => town::identity::initialize_identity;
                GET_IDENTITY_STATE: Town "getTownIdentityState" () Read Refuse => town::identity::get_identity_state;
                GET_TOWN_CONFIG: Town "getTownConfig" () Read Refuse => town::config::get_config;
                UPDATE_TOWN_CONFIG: Town "updateTownConfig" ("update") Admin Refuse => town::config::update_config;
                ADD_RIG: Town "addRig" ("input") Lead Refuse => town::rigs::add_rig;
                LIST_RIGS: Town "listRigs" () Read Refuse => town::rigs::list_rigs;
                SLING_CONVOY: Town "slingConvoy" ("input") Lead Refuse => town::convoys::sling_batch::sling_convoy;
                START_CONVOY: Town "startConvoy" ("convoyId") Lead Refuse => town::convoys::changes::start_convoy;
                LIST_CONVOYS: Town "listConvoys" () Read Refuse => town::convoys::list_convoys;
                LIST_CONVOYS_DETAILED: Town "listConvoysDetailed" () Read Refuse => town::convoys::list_convoys_detailed;
                GET_CONVOY_STATUS: Town "getConvoyStatus" ("convoyId") Read Refuse => town::views::status::get_convoy_status;
                SEND_MAYOR_MESSAGE: Town "sendMayorMessage" ("message", "model", "uiContext", "actorUserId") Lead Refuse => town::mayor::mail::send_message;
                GET_MAYOR_STATUS: Town "getMayorStatus" () Read Refuse => town::mayor::get_status;
                GET_ALARM_STATUS: Town "getAlarmStatus" ("cached") Read Refuse => town::views::status::get_alarm_status;
                LIST_FEED: Town "listFeed" ("after", "limit") Read Refuse => town::views::feed::list_feed;
                // Reviews.
                GET_MERGE_QUEUE: Town "getMergeQueueData" ("input") Read Refuse => town::views::merge_queue::get_merge_queue_data;
                GET_POOL: Town "getPool" ("rigId") Read Refuse => town::views::capacity::get_pool;
                // The Mayor and escalations.
                ENSURE_MAYOR: Town "ensureMayor" ("actorUserId") Lead Refuse => town::mayor::ensure;
                GET_MAYOR_AGENT_ID: Town "getMayorAgentId" () Read Refuse => town::mayor::get_agent_id;
                MAYOR_WAITING: Town "mayorWaiting" ("agentId", "firedAt") Lead Refuse => town::mayor::waiting;
                TOUCH_MAYOR_HEARTBEAT: Town "touchAgentHeartbeat" ("agentId", "watermark") Lead Refuse => town::mayor::touch_heartbeat;
                SET_DASHBOARD_CONTEXT: Town "setDashboardContext" ("xml") Lead Refuse => town::mayor::set_dashboard_context;
                GET_DASHBOARD_CONTEXT: Town "getDashboardContext" () Read Refuse => town::mayor::get_dashboard_context;
                PRIME_MAYOR: Town "primeMayor" () Lead Refuse => town::mayor::prime::prime;
                CHECK_MAYOR_MAIL: Town "checkMayorMail" () Lead Refuse => town::mayor::reading::check_mail;
                REPLY_AS_MAYOR: Town "replyAsMayor" ("messageId", "text") Lead Refuse => town::mayor::reading::reply;
                LIST_MAYOR_MESSAGES: Town "listMayorMessages" ("filter") Read Refuse => town::mayor::mail::list;
                GET_MAYOR_MESSAGE: Town "getMayorMessage" ("messageId") Read Refuse => town::mayor::mail::get;
                UPDATE_MAYOR_MODEL: Town "updateMayorModel" ("model", "smallModel") Admin Refuse => town::mayor::update_model;
                ROUTE_ESCALATION: Town "routeEscalation" ("input") Agent Refuse => town::escalations::route;
                LIST_ESCALATIONS: Town "listEscalations" ("filter") Read Refuse => town::escalations::list;
                ACKNOWLEDGE_ESCALATION: Town "acknowledgeEscalation" ("escalationId") Lead Refuse => town::escalations::acknowledge;
                // Administration: identity, rigs, pauses, the end.
                GET_IDENTITY: Town "getPrivateTownIdentity" () Read Refuse => town::identity::get_identity;
                REQUIRES_RUNTIME: Town "requiresRuntimeAuthorization" () Read Refuse => town::identity::requires_runtime;
                GET_BILLING: Town "getBillingStatus" () Read Refuse => town::views::status::get_billing;
                HEALTH_CHECK: Town "healthCheck" () Read Refuse => town::views::status::health_check;
                GET_TOWN_RIG: Town "getRigAsync" ("rigId") Read Refuse => town::rigs::get_rig;
                UPDATE_RIG: Town "updateRig" ("rigId", "changes") Admin Refuse => town::rigs::update_rig;
                UPDATE_RIG_CONFIG: Town "updateRigConfig" ("rigId", "config") Admin Refuse => town::rigs::rig_config::update_rig_config;
                CONFIGURE_RIG: Town "configureRig" ("config") Admin Refuse => town::rigs::rig_config::configure_rig;
                GET_RIG_CONFIG: Town "getRigConfig" ("rigId") Read Refuse => town::rigs::rig_config::get_rig_config;
                REMOVE_RIG: Town "removeRig" ("rigId", "force") Mayor Refuse => town::rigs::deletion::remove_rig;
                SET_PARKED: Town "setParked" ("rigId", "parked", "reason") Lead Refuse => town::rigs::pause::set_parked;
                RECORD_EVICTION: Town "recordContainerEviction" () Lead Refuse => town::rigs::pause::record_eviction;
                ACKNOWLEDGE_READY: Town "acknowledgeContainerReady" ("nonce") Lead Refuse => town::rigs::pause::acknowledge_ready;
                IS_DRAINING: Town "isDraining" () Read Refuse => town::rigs::pause::is_draining;
                GET_DRAIN_NONCE: Town "getDrainNonce" () Read Refuse => town::rigs::pause::get_nonce;
                GET_DRAIN_STARTED_AT: Town "getDrainStartedAt" () Read Refuse => town::rigs::pause::get_started_at;
                DESTROY_TOWN: Town "destroy" ("force") Admin Refuse => town::rigs::deletion::destroy;
                LISTEN_TO_TOWN: Town "listen" ("topics", "expiresAt") Internal Refuse => town::topics::listen;
                // Activity, and connections that show it.
                GET_ACTIVITY: Town "getActivity" ("input") Read Refuse => town::views::activity::get_activity;
                AWAIT_ACTIVITY: Town "awaitActivity" ("since", "until") Internal Refuse => town::views::activity::await_activity;
                OPEN_STATUS: Town "openStatus" ("expiresAt", "open") Internal Refuse => town::views::viewers::open_status;
                BROADCAST_UI_ACTION: Town "broadcastUiAction" ("action") Lead Refuse => town::views::viewers::broadcast_ui_action;

                DELIVER_TO_TOWN: Town "deliver" ("letters") Internal Refuse => town::deliver;
                // Convoys.
                FIND_CONVOY: Town "findConvoy" ("nameOrId") Read Refuse => town::convoys::find_convoy;
                CREATE_CONVOY: Town "createConvoy" ("input") Lead Refuse => town::convoys::changes::create_convoy;
                SLING_INTO_CONVOY: Town "slingIntoConvoy" ("input") Lead Refuse => town::convoys::sling_batch::sling_into_convoy;
                UPDATE_CONVOY: Town "updateConvoy" ("convoyId", "update") Lead Refuse => town::convoys::changes::update_convoy;
                CLOSE_CONVOY: Town "closeConvoy" ("convoyId") Lead Refuse => town::convoys::changes::close_convoy;
                CONVOY_ADD_BEAD: Town "convoyAddBead" ("convoyId", "beadId", "dependsOn") Lead Refuse => town::convoys::changes::add_bead;
                CONVOY_REMOVE_BEAD: Town "convoyRemoveBead" ("convoyId", "beadId") Lead Refuse => town::convoys::changes::remove_bead;
                ON_BEAD_CLOSED: Town "onBeadClosed" ("input") Lead Refuse => town::convoys::mirror::on_bead_closed;
                INSPECT_CONVOYS: Town "inspectConvoys" ("input") Read Refuse => town::convoys::inspection::inspect_convoys;
                CREATE_FOLLOW_UP: Town "createFollowUp" ("input") Lead Refuse => town::convoys::follow_up::create_follow_up;
                CHECK_TOWN: Town "checkTown" ("input") Admin Refuse => town::check::check_town;

                SLING_BEAD: Rig "slingBead" ("input") Lead Refuse => rig::assignment::sling::sling_bead;
                CREATE_BEAD: Rig "createBead" ("input") Agent Refuse => rig::beads::create_bead;
                GET_BEAD: Rig "getBeadAsync" ("beadId") Read Refuse => rig::beads::lists::get_bead;
                LIST_BEADS: Rig "listBeads" ("filter") Read Refuse => rig::beads::lists::list_beads;
                UPDATE_BEAD_STATUS: Rig "updateBeadStatus" ("beadId", "status", "agentId", "failureReason") Agent Refuse => rig::beads::update_bead_status;
                CLOSE_BEAD: Rig "closeBead" ("beadId", "agentId") Agent Refuse => rig::beads::close_bead;
                GET_OR_CREATE_AGENT: Rig "getOrCreateAgent" ("role", "rigId") Lead Refuse => rig::agents::get_or_create_agent;
                LIST_AGENTS: Rig "listAgents" ("filter") Read Refuse => rig::agents::list_agents;
                DELETE_AGENT: Rig "deleteAgent" ("agentId") Lead Refuse => rig::agents::delete_agent;
                HOOK_BEAD: Rig "hookBead" ("agentId", "beadId") Agent Refuse => rig::assignment::hooks::hook_bead;
                UNHOOK_BEAD: Rig "unhookBead" ("agentId") Agent Refuse => rig::assignment::hooks::unhook_bead;
                SEND_MAIL: Rig "sendMail" ("input") Agent Refuse => rig::messages::mail::send_mail;
                CHECK_MAIL: Rig "checkMail" ("agentId") Agent Refuse => rig::messages::mail::check_mail;
                // Agents' own lives, messages and triage.
                REGISTER_AGENT: Rig "registerAgent" ("input") Lead Refuse => rig::agents::register_agent;
                GET_AGENT: Rig "getAgentAsync" ("agentId") Read Refuse => rig::agents::get_agent;
                GET_AGENT_BY_IDENTITY: Rig "getAgentByIdentity" ("identity") Read Refuse => rig::agents::get_agent_by_identity;
                UPDATE_AGENT_STATUS: Rig "updateAgentStatus" ("agentId", "status") Agent Refuse => rig::agents::status::update_agent_status;
                GET_HOOKED_BEAD: Rig "getHookedBead" ("agentId") Read Refuse => rig::assignment::hooks::get_hooked_bead;
                RESET_AGENT: Rig "resetAgent" ("agentId") Lead Refuse => rig::agents::status::reset_agent;
                RESET_AGENT_DISPATCH_ATTEMPTS: Rig "resetAgentDispatchAttempts" ("agentId", "rigId") Lead Refuse => rig::agents::status::reset_attempts;
                TAKE_ORDERS: Rig "takeOrders" ("input") Lead Refuse => rig::assignment::orders::handout::take_orders;
                AWAIT_ORDERS: Rig "awaitOrders" ("input", "until") Internal Refuse => rig::assignment::orders::handout::await_orders;
                TOUCH_AGENT_HEARTBEAT: Rig "touchAgentHeartbeat" ("agentId", "watermark") Agent Refuse => rig::agents::status::touch_heartbeat;
                UPDATE_AGENT_STATUS_MESSAGE: Rig "updateAgentStatusMessage" ("agentId", "message") Agent Refuse => rig::agents::status::update_status_message;
                PRIME: Rig "prime" ("agentId") Agent Refuse => rig::agents::prime::prime;
                WRITE_CHECKPOINT: Rig "writeCheckpoint" ("agentId", "data") Agent Refuse => rig::agents::checkpoints::write_checkpoint;
                READ_CHECKPOINT: Rig "readCheckpoint" ("agentId") Read Refuse => rig::agents::checkpoints::read_checkpoint;
                APPEND_AGENT_EVENT: Rig "appendAgentEvent" ("agentId", "eventType", "data") Agent Refuse => rig::agents::agent_events::append_event;
                GET_AGENT_EVENTS: Rig "getAgentEvents" ("agentId", "afterId", "limit") Read Refuse => rig::agents::agent_events::get_events;
                RECONSTRUCT_CONVERSATION: Rig "reconstructConversation" ("agentId") Read Refuse => rig::agents::agent_events::reconstruct_conversation;
                LIST_MESSAGES: Rig "listMessages" ("filter") Read Refuse => rig::messages::list_messages;
                GET_MESSAGE: Rig "getMessage" ("addressOrId") Read Refuse => rig::messages::get_message;
                SEND_HANDOFF: Rig "sendHandoff" ("input") Agent Refuse => rig::messages::mail::send_handoff;
                QUEUE_NUDGE: Rig "queueNudge" ("agentId", "message", "options") Agent Refuse => rig::messages::nudges::queue_nudge;
                GET_PENDING_NUDGES: Rig "getPendingNudges" ("agentId") Read Refuse => rig::messages::nudges::get_pending;
                MARK_NUDGE_DELIVERED: Rig "markNudgeDelivered" ("nudgeId") Agent Refuse => rig::messages::nudges::mark_delivered;
                EXPIRE_STALE_NUDGES: Rig "expireStaleNudges" () Lead Refuse => rig::messages::nudges::expire_stale;
                RESOLVE_TRIAGE: Rig "resolveTriage" ("input") Lead Refuse => rig::messages::triage::resolve_triage;
                CONVOY_BEADS: Rig "convoyBeads" ("convoyId") Internal Refuse => rig::convoys::convoy_beads;
                // The ledger: fields, deletion, events.
                UPDATE_BEAD: Rig "updateBead" ("beadId", "fields", "actorId") Lead Refuse => rig::beads::fields::update_bead;
                CREATE_HELD_BEAD: Rig "createHeldBead" ("input") Lead Refuse => rig::beads::fields::create_held_bead;
                START_HELD_BEAD: Rig "startHeldBead" ("beadId", "rigId") Lead Refuse => rig::beads::fields::start_held_bead;
                REASSIGN_BEAD: Rig "reassignBead" ("beadId", "agentId") Lead Refuse => rig::assignment::reassign::reassign_bead;
                DELETE_BEAD: Rig "deleteBead" ("beadId", "rigId") Lead Refuse => rig::beads::deletion::delete_bead;
                DELETE_BEADS: Rig "deleteBeads" ("beadIds", "rigId") Lead Refuse => rig::beads::deletion::delete_beads;
                DELETE_BEADS_BY_STATUS: Rig "deleteBeadsByStatus" ("status", "type", "rigId") Lead Refuse => rig::beads::deletion::delete_beads_by_status;
                DEBUG_GET_BEAD: Rig "debugGetBead" ("beadId") Read Refuse => rig::beads::lists::debug_get_bead;
                LIST_BEAD_EVENTS: Rig "listBeadEvents" ("filter") Read Refuse => rig::beads::events::list_bead_events;
                LIST_EVENTS: Rig "listEvents" ("filter") Internal Refuse => rig::beads::events::list_events;
                POOL_STATE: Rig "poolState" () Internal Refuse => rig::assignment::capacity::pool_state;
                REPORT_WORK: Rig "reportWork" ("input") Read Refuse => rig::work_report::report_work;
                // Reviews and formulas.
                SUBMIT_REVIEW: Rig "submitToReviewQueue" ("input") Agent Refuse => rig::reviews::submit_to_review_queue;
                COMPLETE_REVIEW: Rig "completeReviewWithResult" ("input") Agent Refuse => rig::reviews::results::complete_review;
                REQUEST_CHANGES: Rig "requestChanges" ("agentId", "input") Agent Refuse => rig::reviews::rework::request_changes;
                AGENT_DONE: Rig "agentDone" ("agentId", "input") Agent Refuse => rig::agents::completion::agent_done;
                AGENT_COMPLETED: Rig "agentCompleted" ("agentId", "input") Agent Refuse => rig::agents::completion::agent_completed;
                MERGE_QUEUE: Rig "mergeQueue" ("limit", "since") Internal Refuse => rig::reviews::merge_queue::merge_queue;
                CREATE_MOLECULE: Rig "createMolecule" ("beadId", "formula") Lead Refuse => rig::beads::molecules::create_molecule;
                APPLY_FORMULA: Rig "applyFormula" ("beadId", "input") Lead Refuse => rig::beads::molecules::apply_formula;
                GET_MOLECULE_STEP: Rig "getMoleculeCurrentStep" ("agentId") Read Refuse => rig::beads::molecules::get_current_step;
                ADVANCE_MOLECULE: Rig "advanceMoleculeStep" ("agentId", "summary") Agent Refuse => rig::beads::molecules::advance_step;
                // Administration.
                RIG_FACTS: Rig "rigFacts" () Internal Refuse => rig::deletion::rig_facts;
                LISTEN_TO_RIG: Rig "listen" ("topics", "expiresAt") Internal Refuse => rig::topics::listen;
                DELIVER_TO_RIG: Rig "deliver" ("letters") Internal Create => rig::deliver;
                // Convoys and checks.
                CONVOY_CANDIDATES: Rig "convoyCandidates" ("beadIds") Internal Refuse => rig::convoys::convoy_candidates;
                INSPECT_MEMBERS: Rig "inspectMembers" ("convoyIds", "beadIds") Internal Refuse => rig::convoys::inspection::inspect_members;
                FAILED_MEMBERS: Rig "failedMembers" ("convoyId") Internal Refuse => rig::convoys::inspection::failed_members;
                UNSTICK_BEAD: Rig "unstickBead" ("input") Lead Refuse => rig::convoys::unstick::unstick_bead;
                CHECK_RIG: Rig "checkRig" ("convoyIds") Internal Refuse => rig::check::check_rig;
                REPAIR_RIG: Rig "repairRig" ("convoyIds") Internal Refuse => rig::check::repair_rig;

                SESSION_STATE: Session "sessionState" ("session") Internal Always("{\"has_ended\":false}") => session::session_state;
                END_SESSION: Session "endSession" ("session", "expiresAt") Internal Create => session::end_session;
                SET_LOG_LEVEL: Session "setLogLevel" ("session", "level", "expiresAt") Internal Create => session::set_log_level;
                APPEND_EVENTS: Session "appendEvents" ("session", "stream", "messages", "ends") Internal Create => session::append_events;
                OPEN_STREAM: Session "openStream" ("stream") Internal Create => session::open_stream;
                SUBSCRIBE: Session "addRoutes" ("session", "stream", "name", "routes") Internal Create => session::subscribe;
                UNSUBSCRIBE: Session "removeRoutes" ("session", "stream", "name") Internal Always("") => session::unsubscribe;
                ANSWERED: Session "clientAnswered" ("session", "id", "answer") Internal Always("") => session::answered;
                CANCELLED: Session "cancelled" ("session", "request") Internal Create => session::cancelled;
                HEAR: Session "hear" ("session", "request", "ids", "until") Internal Create => session::hear;
                SPEND_ONCE: Session "spendOnce" ("what", "expiresAt") Internal Create => session::spend_once;
                PUBLISH: Session "publish" ("topic") Internal Always("") => session::publish;
                OPEN_WATCH: Session "openWatch" ("watch", "routes", "expiresAt") Internal Create => session::open_watch;
                AWAIT_WATCH: Session "awaitWatch" ("watch", "until") Internal Always("false") => session::await_watch;
                CREATE_TASK: Session "createTask" ("task") Internal Create => session::create_task;
                GET_TASK: Session "getTask" ("id", "principal") Internal Always("null") => session::get_task;
                SAVE_TASK: Session "saveTask" ("task") Internal Always("false") => session::save_task;
                DELIVER_TO_SESSION: Session "deliver" ("letters") Internal Create => session::deliver;

                // Methods of the contract that embedded towns do not have: the reason, and the alternative.
                @unsupported
                SYNC_CONFIG_TO_CONTAINER: Town "syncConfigToContainer" () "there is no container", "Settings apply as soon as they are made.";
                FORCE_REFRESH_CONTAINER_TOKEN: Town "forceRefreshContainerToken" () "there is no container", "Agents take a new token from whoever runs them.";
                REFRESH_RUNTIME_AUTHORIZATION_FOR_MANUAL_REFRESH: Town "refreshRuntimeAuthorizationForManualRefresh" () "no runtime is authorized", "Nothing is needed: requiresRuntimeAuthorization answers false.";
                INITIALIZE_TOWN_IDENTITY_AND_RUNTIME_AUTHORIZATION: Town "initializeTownIdentityAndRuntimeAuthorization" ("identity", "controlToken") "no runtime is authorized", "POST /api/users/{user}/towns makes a town with its owner.";
                CREATE_RUNTIME_AUTHORIZATION: Town "createRuntimeAuthorization" ("controlToken", "userId", "organizationId") "no runtime is authorized", "Nothing is needed: requiresRuntimeAuthorization answers false.";
                REAUTHORIZE_RUNTIME: Town "reauthorizeRuntime" ("controlToken", "userId", "organizationId") "no runtime is authorized", "Nothing is needed: requiresRuntimeAuthorization answers false.";
                SET_CONTAINER_RUN_POLICY: Town "setContainerRunPolicy" ("policy") "there is no container", "setParked stops and resumes giving out work.";
                CONNECT_WASTELAND: Town "connectWasteland" ("input") "they have no wasteland", "createBead takes work from anywhere.";
                DISCONNECT_WASTELAND: Town "disconnectWasteland" ("wastelandId") "they have no wasteland", "There is no connection to end.";
                GET_WASTELAND_CONNECTION: Town "getWastelandConnection" () "they have no wasteland", "There is no connection to look at.";
                STAMP_WASTELAND_REPORTED: Town "stampWastelandReported" ("input") "they have no wasteland", "updateBead keeps evidence in a bead's metadata.";
                GET_MAYOR_PREWARM_CONTEXT: Town "getMayorPrewarmContext" () "no Mayor is started in a container", "getMayorStatus tells how the Mayor is.";
                UPDATE_MAYOR_SYSTEM_PROMPT: Town "updateMayorSystemPrompt" () "no Mayor is started in a container", "updateTownConfig sets custom_instructions.mayor.";
                NOTIFY_MAYOR_OF_NEW_BEAD: Town "notifyMayorOfNewBead" ("beadId", "rigId", "title", "body") "no Mayor is prompted by it", "sendMayorMessage leaves the Mayor a message.";
                DEBUG_REPLAY_EVENTS: Town "debugReplayEvents" ("from", "to") "they have no reconciler", "listFeed tells what happened in the town.";
                DEBUG_DRY_RUN: Town "debugDryRun" () "they have no reconciler", "getAlarmStatus tells how the town is.";
                DEBUG_LIST_WASTELAND_BEADS: Town "debugListWastelandBeads" () "they have no wasteland", "listBeads of each rig.";
                DEBUG_BEAD_SUMMARY: Town "debugBeadSummary" () "beads are the rigs'", "getAlarmStatus counts them rig by rig.";
                DEBUG_PENDING_NUDGES: Town "debugPendingNudges" () "nudges are the rigs'", "getPendingNudges of the agent's rig.";
                DEBUG_AGENT_METADATA: Town "debugAgentMetadata" () "agents are the rigs'", "listAgents of each rig.";
                DEBUG_TOWN_EVENTS: Town "debugTownEvents" () "they have no reconciler", "listFeed tells what happened in the town.";
                DEBUG_INSERT_TOWN_EVENT: Town "debugInsertTownEvent" () "they have no reconciler", "What agents report takes effect at once.";
                DEBUG_RECORD_CONTAINER_STATUS: Town "debugRecordContainerStatus" () "there is no container", "updateAgentStatus says how an agent is.";
                WRITE_BEAD_EVICTION_CONTEXT: Rig "writeBeadEvictionContext" ("agentId", "context") "there is no container to be evicted", "writeCheckpoint keeps what an agent needs to go on.";
                SET_AGENT_DISPATCH_ATTEMPTS: Rig "setAgentDispatchAttempts" ("agentId", "attempts", "lastActivityAt") "attempts are counted, not set", "resetAgentDispatchAttempts sets them to zero.";
                SLING_EXISTING_PR: Rig "slingExistingPr" ("input") "they cannot look at a pull request", "slingBead takes its address in the body.";
                PREVIEW_PR: Rig "previewPr" ("input") "they cannot look at a pull request", "slingBead takes its address in the body.";
        }
    };
}

pub(crate) use for_each_method;
