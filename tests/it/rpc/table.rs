//! The table of methods, row by row.

use crate::support::tokens::{OWNER, internal, user};
use crate::support::{Fleet, Town};
use gastown_mcp::contract::ids::{AgentId, RigId};
use gastown_mcp::rpc::call::{Instance, read_reply};
use gastown_mcp::rpc::table::{Access, END_SESSION, METHODS, Method, OPEN_STREAM, Object};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn every_method_is_unique_within_its_object() {
    let mut seen = BTreeSet::new();
    for method in METHODS {
        assert!(seen.insert((format!("{:?}", method.object), method.name)), "{}", method.name);
    }
}

#[test]
fn every_parameter_has_a_name_of_its_own() {
    for method in METHODS {
        let names: BTreeSet<_> = method.params.iter().collect();
        assert_eq!(names.len(), method.params.len(), "{}", method.name);
        assert!(method.params.iter().all(|name| name.starts_with(|first: char| first.is_ascii_lowercase())), "{}", method.name);
    }
}

/// What a caller passes who leaves out everything that may be left out; `null` is the padding.
fn required_args(method: &Method, town: &Town, rig: &RigId, agent: &AgentId) -> Value {
    let bead = json!(AgentId::from_random([9; 16]));
    if let Some(args) = administration_args(method, town, rig) {
        return args;
    }
    if let Some(args) = agents_args(method, rig, agent, &bead) {
        return args;
    }
    match (method.object, method.name) {
        (_, "listen") => json!([["rig"], town.fleet.now()]),
        (Object::Registry, "createTown") => json!([{"name": "t"}]),
        (Object::Registry, "createRig") => json!([{"town_id": town.id, "name": "r", "git_url": "u", "default_branch": "main"}]),
        (Object::Registry, "getRigAsync" | "deleteRig") => json!([rig]),
        (Object::Registry, "listTowns")
        | (
            Object::Town,
            "getTownIdentityState" | "getTownConfig" | "listRigs" | "listConvoys" | "listConvoysDetailed" | "getMayorStatus",
        ) => json!([]),
        (Object::Registry, _) | (Object::Town, "setTownId") => json!([town.id]),
        (Object::Town, "initializePrivateTownIdentity") => {
            json!([{"ownerType": "user", "ownerUserId": OWNER, "createdByUserId": OWNER, "runtimeMode": "legacy"}])
        }
        (Object::Town, "updateTownConfig" | "checkTown" | "inspectConvoys") | (Object::Rig, "listEvents") => json!([{}]),
        (Object::Town, "addRig") => json!([{"rigId": rig, "name": "frontend", "gitUrl": "u", "defaultBranch": "main"}]),
        (Object::Town, "createConvoy") => json!([{"title": "c"}]),
        (Object::Town, "slingIntoConvoy") => json!([{"convoy": "c", "rig_id": rig, "title": "t"}]),
        (Object::Town, "updateConvoy") => json!([bead, {"merge_mode": "review-and-merge"}]),
        (Object::Town, "convoyAddBead") => json!([bead, bead, null]),
        (Object::Town, "convoyRemoveBead") => json!([bead, bead]),
        (Object::Town, "onBeadClosed") => json!([{"convoyId": bead, "beadId": bead}]),
        (Object::Rig, "convoyCandidates" | "checkRig" | "repairRig") => json!([[bead]]),
        (Object::Town, "createFollowUp") => json!([{"convoy": "c"}]),
        (Object::Rig, "inspectMembers") => json!([[bead], [bead]]),
        (Object::Rig, "unstickBead") => {
            json!([{"convoy_id": bead, "bead_id": bead, "step": "escalate", "category": "blocked_bead", "message": "m"}])
        }
        (Object::Town, "slingConvoy") => json!([{"rigId": rig, "convoyTitle": "c", "tasks": [{"title": "t"}]}]),
        (Object::Town, "sendMayorMessage") => json!(["hello", null, null, null]),
        (Object::Town, "getAlarmStatus" | "getActivity" | "getMergeQueueData" | "getPool")
        | (Object::Rig, "listAgents" | "listBeads" | "listBeadEvents" | "reportWork") => json!([null]),
        (_, "deliver") => json!([[]]),
        (Object::Town, "awaitActivity") => json!(["start", town.fleet.now()]),
        (Object::Town, "openStatus") => json!([town.fleet.now(), 0]),
        (Object::Town, "broadcastUiAction") => json!([{"type": "navigate", "page": "beads"}]),
        (Object::Town, "listFeed") => json!([null, null]),
        (Object::Rig, "slingBead") => json!([{"rigId": rig, "title": "t"}]),
        (Object::Rig, "createBead") => json!([{"type": "issue", "title": "t"}]),
        (Object::Rig, "updateBeadStatus") => json!([bead, "open", "me", null]),
        (Object::Rig, "closeBead") => json!([bead, "me"]),
        (Object::Rig, "getOrCreateAgent") => json!(["polecat", null]),
        (Object::Rig, "hookBead") => json!([agent, bead]),
        (Object::Rig, "deleteAgent" | "unhookBead" | "checkMail" | "getMoleculeCurrentStep") => json!([agent]),
        (Object::Rig, "sendMail") => json!([{"from_agent_id": "mayor", "to_agent_id": agent, "subject": "s", "body": ""}]),
        (Object::Rig, "updateBead") => json!([bead, {}, null]),
        (Object::Rig, "createHeldBead") => json!([{"title": "t"}]),
        (Object::Rig, "startHeldBead" | "deleteBead") => json!([bead, null]),
        (Object::Rig, "reassignBead") => json!([bead, agent]),
        (Object::Rig, "deleteBeads") => json!([[bead], null]),
        (Object::Rig, "deleteBeadsByStatus") => json!(["open", null, null]),
        (Object::Rig, "submitToReviewQueue") => json!([{"agent_id": agent, "bead_id": bead, "rig_id": rig, "branch": "b"}]),
        (Object::Rig, "completeReviewWithResult") => json!([{"entry_id": bead, "status": "merged"}]),
        (Object::Rig, "requestChanges") => json!([agent, {"feedback": "f"}]),
        (Object::Rig, "agentDone") => json!([agent, {"branch": "b"}]),
        (Object::Rig, "agentCompleted") => json!([agent, {"status": "completed"}]),
        (Object::Rig, "mergeQueue") => json!([10, null]),
        (Object::Rig, "createMolecule") => json!([bead, {"name": "shiny"}]),
        (Object::Rig, "applyFormula") => json!([bead, {"quality": "shiny"}]),
        (Object::Rig, "advanceMoleculeStep") => json!([agent, "s"]),
        (Object::Session, "endSession" | "spendOnce") => json!(["s", "2030-01-01T00:00:00.000Z"]),
        (Object::Session, _) => session_args(method, town),
        _ => json!([bead]),
    }
}

/// Those of agents' own lives, messages, escalations and the Mayor.
fn agents_args(method: &Method, rig: &RigId, agent: &AgentId, bead: &Value) -> Option<Value> {
    Some(match (method.object, method.name) {
        (Object::Town, "getMayorAgentId" | "getDashboardContext" | "primeMayor" | "checkMayorMail")
        | (Object::Rig, "expireStaleNudges" | "poolState") => json!([]),
        (Object::Town, "ensureMayor" | "listEscalations" | "listMayorMessages") | (Object::Rig, "listMessages") => json!([null]),
        (Object::Town, "mayorWaiting") => json!([null, null]),
        (Object::Town, "replyAsMayor") => json!([bead, "r"]),
        (Object::Town, "touchAgentHeartbeat") => json!(["", null]),
        (Object::Town, "setDashboardContext") => json!(["<x/>"]),
        (Object::Town, "updateMayorModel") => json!(["a/model", null]),
        (Object::Town, "routeEscalation") => json!([{"severity": "low", "message": "m"}]),
        (Object::Rig, "registerAgent") => json!([{"role": "polecat", "name": "Nail", "identity": "nail@town"}]),
        (
            Object::Rig,
            "getAgentAsync" | "getHookedBead" | "resetAgent" | "prime" | "readCheckpoint" | "reconstructConversation" | "getPendingNudges",
        ) => json!([agent]),
        (Object::Rig, "getAgentByIdentity" | "getMessage" | "markNudgeDelivered") => json!(["x"]),
        (Object::Rig, "updateAgentStatus") => json!([agent, "idle"]),
        (Object::Rig, "resetAgentDispatchAttempts") => json!([agent, rig]),
        (Object::Rig, "touchAgentHeartbeat" | "writeCheckpoint") => json!([agent, null]),
        (Object::Rig, "takeOrders") => json!([{"runner": "r"}]),
        (Object::Rig, "awaitOrders") => json!([{"runner": "r"}, "2026-11-21T00:00:00.000Z"]),
        (Object::Rig, "updateAgentStatusMessage") => json!([agent, "at it"]),
        (Object::Rig, "appendAgentEvent") => json!([agent, "note", null]),
        (Object::Rig, "getAgentEvents") => json!([agent, null, null]),
        (Object::Rig, "queueNudge") => json!([agent, "m", null]),
        (Object::Rig, "sendHandoff") => json!([{"from": "mayor", "to": agent, "subject": "s", "body": ""}]),
        (Object::Rig, "resolveTriage") => {
            json!([{"agent_id": "mayor", "triage_request_bead_id": bead, "action": "DISCARD", "resolution_notes": ""}])
        }
        _ => return None,
    })
}

/// Of methods that administer, and of those that are not supported: these look at nothing but the number of arguments.
fn administration_args(method: &Method, town: &Town, rig: &RigId) -> Option<Value> {
    Some(match (method.object, method.name) {
        (Object::Registry, "updateRig") | (Object::Town, "updateRig" | "updateRigConfig") => json!([rig, {}]),
        (Object::Registry, "ping")
        | (Object::Rig, "rigFacts")
        | (
            Object::Town,
            "getPrivateTownIdentity"
            | "requiresRuntimeAuthorization"
            | "getBillingStatus"
            | "healthCheck"
            | "recordContainerEviction"
            | "isDraining"
            | "getDrainNonce"
            | "getDrainStartedAt",
        ) => json!([]),
        (Object::Town, "getRigAsync" | "getRigConfig") => json!([rig]),
        (Object::Town, "configureRig") => {
            json!([{"townId": town.id, "rigId": rig, "gitUrl": "u", "defaultBranch": "main", "userId": OWNER}])
        }
        (Object::Town, "removeRig") => json!([AgentId::from_random([9; 16]), null]),
        (Object::Town, "setParked") => json!([null, false, null]),
        (Object::Town, "acknowledgeContainerReady") => json!(["n"]),
        // There is a convoy's bead by now, so it is refused.
        (Object::Town, "destroy") => json!([null]),
        _ if method.is_unsupported => Value::from(vec![Value::Null; method.params.len()]),
        _ => return None,
    })
}

fn session_args(method: &Method, town: &Town) -> Value {
    let now = town.fleet.now();
    let task = json!({"id": "t", "principal": "p", "tool": "x", "arguments": "{}", "status": "working", "created_at": now, "updated_at": now,
        "ttl_ms": 1_000, "answers": {}, "questions": {}, "version": 1});
    match method.name {
        "setLogLevel" => json!(["s", "info", now]),
        "appendEvents" => json!(["s", "a", ["{}"], true]),
        "openStream" => json!([{"stream": "a", "routes": [], "closes_at": now}]),
        "addRoutes" => json!(["s", "get", "n", []]),
        "removeRoutes" => json!(["s", "get", "n"]),
        "clientAnswered" => json!(["s", "q", "{}"]),
        "cancelled" => json!(["s", "1"]),
        "hear" => json!(["s", "1", [], now]),
        "openWatch" => json!(["w", [], now]),
        "awaitWatch" => json!(["w", now]),
        "createTask" | "saveTask" => json!([task]),
        "getTask" => json!(["t", "p"]),
        _ => json!(["s"]),
    }
}

/// Every method with its optional arguments padded: refused perhaps, but never as malformed and never broken.
#[test]
fn every_method_takes_its_declared_arguments_with_null_for_those_left_out() {
    let (town, rig) = Town::with_rig();
    let agent = town.agent(&rig).unwrap();
    let session = instance_of(Object::Session, &town, &rig.at);
    let end = internal(&town.fleet, &town.at, Some(&town.id), &END_SESSION);
    town.fleet.tell(&session, &END_SESSION, ("s", town.fleet.now()), &end).unwrap();
    for method in METHODS {
        let to = instance_of(method.object, &town, &rig.at);
        let args = required_args(method, &town, &rig.id, &agent.id);
        assert_eq!(args.as_array().unwrap().len(), method.params.len(), "{}", method.name);
        let from = if method.object == Object::Rig { &town.at } else { &rig.at };
        let context =
            if method.access == Access::Internal { internal(&town.fleet, from, Some(&town.id), method) } else { user(&town.fleet, OWNER) };
        let context = serde_json::to_string(&context).unwrap();
        let reply = town.fleet.raw(&to, method.name, &args.to_string(), &context);
        if let Err(failure) = read_reply(&reply) {
            // A stream is opened, not called.
            let is_stream = std::ptr::eq(*method, &raw const OPEN_STREAM);
            assert!(
                !format!("{failure:?}").contains("InvalidArgument") && (is_stream || !reply.starts_with('?')),
                "{}: {reply} {:?}",
                method.name,
                town.fleet.take_faults()
            );
        }
        // One argument too many, and, where there are any, one too few.
        let mut longer = args.as_array().unwrap().clone();
        longer.push(Value::Null);
        let mut wrong = vec![Value::from(longer)];
        if !method.params.is_empty() {
            wrong.push(Value::from(args.as_array().unwrap()[1..].to_vec()));
        }
        for args in wrong {
            let reply = town.fleet.raw(&to, method.name, &args.to_string(), &context);
            assert!(reply.contains("invalid_argument"), "{} {args}: {reply}", method.name);
        }
    }
}

fn instance_of(object: Object, town: &Town, rig: &Instance) -> Instance {
    match object {
        Object::Rig => rig.clone(),
        Object::Town => town.at.clone(),
        Object::Registry => Instance::User(OWNER.to_owned()),
        Object::Session => Instance::Session(format!("town:{}", town.id)),
    }
}

/// Gastown contract, section 13: the runtime's own words for a missing method.
#[test]
fn an_unknown_method_is_named() {
    let town = Town::new(&Fleet::new(), 1);
    let reply = town.fleet.raw(&town.at, "slingBead", "[]", "{}");
    assert!(reply.contains("The RPC receiver does not implement the method \\\"slingBead\\\"."), "{reply}");
}

#[test]
fn a_wrong_argument_is_refused_with_the_methods_signature() {
    let (town, rig) = Town::with_rig();
    let context = serde_json::to_string(&town.owner()).unwrap();
    let sling = |input: &str| town.fleet.raw(&rig.at, "slingBead", &format!("[{input}]"), &context);
    let reply = sling(r#"{"rigId": "frontend", "title": "x"}"#);
    assert!(reply.contains("slingBead(input): ") && reply.contains("not an id"), "{reply}");
    let reply = sling(r#"{"rigId": "00000000-0000-4000-8000-000000000000", "title": 7}"#);
    assert!(reply.contains("slingBead(input): ") && reply.contains("invalid type: integer `7`, expected a string"), "{reply}");
    let reply = town.fleet.raw(&rig.at, "slingBead", "not json", &context);
    assert!(reply.contains("invalid_argument"), "{reply}");
}
