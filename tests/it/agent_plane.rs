//! `/api/towns/{town}/rigs/{rig}/…` and what agents need of the town's own routes (Gastown contract 4.2, 4.3).

use crate::support::edge::{Sent, header, text};
use crate::support::tokens;
use crate::support::{Fleet, Town};
use base::http::Response;
use gastown_mcp::contract::ids::{AgentId, BeadId};
use gastown_mcp::contract::shapes::{Agent, BeadStatus};
use gastown_mcp::rpc::call::Context;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

type World = crate::support::World<()>;

/// A caller at the routes.
struct At<'a> {
    world: &'a World,
    who: Context,
    headers: Vec<(&'static str, String)>,
}

impl World {
    fn at(&self, who: Context) -> At<'_> {
        At { world: self, who, headers: Vec::new() }
    }

    fn container(&self) -> At<'_> {
        self.at(tokens::container(&self.town.fleet, &self.town.id))
    }

    fn agent(&self, id: &AgentId) -> At<'_> {
        self.at(self.town.polecat(&self.rig, id))
    }

    fn owner(&self) -> At<'_> {
        self.at(self.town.owner())
    }

    fn send(&self, who: &Context, method: &str, path: String, body: &Value, headers: &[(&'static str, String)]) -> Response {
        let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
        self.at.send(Sent::new(method, path).bearer(&who.jwt).with_all(headers).json(body))
    }
}

impl At<'_> {
    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn response(&self, method: &str, path: &str, body: &Value) -> Response {
        let path = format!("/api/towns/{}/rigs/{}/{path}", self.world.town.id, self.world.rig.id);
        self.world.send(&self.who, method, path, body, &self.headers)
    }

    fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let response = self.response(method, path, &body);
        (response.status, serde_json::from_str(&text(&response)).unwrap())
    }

    /// The data of an answer that has this status.
    fn ok(&self, status: u16, method: &str, path: &str, body: Value) -> Value {
        let (got, answer) = self.send(method, path, body);
        assert_eq!((got, &answer["success"]), (status, &json!(true)), "{method} {path}: {answer}");
        answer["data"].clone()
    }
}

/// Every route of one agent, with a body that it takes.
fn own_routes() -> Vec<(&'static str, &'static str, Value)> {
    let some = "7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d";
    vec![
        ("POST", "hook", json!({"bead_id": some})),
        ("DELETE", "hook", Value::Null),
        ("GET", "prime", Value::Null),
        ("POST", "done", json!({"branch": "b"})),
        ("POST", "request-changes", json!({"feedback": "f"})),
        ("POST", "completed", json!({"status": "completed"})),
        ("POST", "waiting", json!({})),
        ("POST", "checkpoint", json!({"data": 1})),
        ("POST", "eviction-context", json!({})),
        ("GET", "mail", Value::Null),
        ("POST", "heartbeat", json!({})),
        ("POST", "status", json!({"message": "m"})),
        ("GET", "pending-nudges", Value::Null),
        ("POST", "nudge-delivered", json!({"nudge_id": some})),
        ("GET", "molecule/current", Value::Null),
        ("POST", "molecule/advance", json!({"summary": "s"})),
        ("GET", "db-snapshot", Value::Null),
    ]
}

/// Gastown contract 4.2, beads.
#[test]
fn beads_are_made_read_moved_and_deleted() {
    let world = World::new();
    let container = world.container();
    let made = container.ok(201, "POST", "beads", json!({"type": "issue", "title": "held", "labels": ["gt:held"], "priority": "high"}));
    let id = made["bead_id"].as_str().unwrap().to_owned();
    assert_eq!((&made["priority"], &made["status"]), (&json!("high"), &json!("open")));
    assert_eq!(container.ok(200, "GET", &format!("beads/{id}"), Value::Null)["title"], "held");
    assert_eq!(container.ok(200, "GET", "beads?status=open&type=issue&limit=5", Value::Null).as_array().unwrap().len(), 1);
    let slung = container.ok(201, "POST", "sling", json!({"title": "go", "body": "b", "metadata": {"x": 1}}));
    let agent = slung["agent"]["id"].as_str().unwrap().to_owned();
    for name in ["assignee_agent_bead_id", "assignee_agent_id"] {
        let own = container.ok(200, "GET", &format!("beads?{name}={agent}"), Value::Null);
        assert_eq!((own.as_array().unwrap().len(), &own[0]["title"]), (1, &json!("go")), "{name}");
    }
    let bead = slung["bead"]["bead_id"].as_str().unwrap();
    let moved = container.ok(200, "PATCH", &format!("beads/{bead}/status"), json!({"status": "in_progress", "agent_id": agent}));
    assert_eq!(moved["status"], "in_progress");
    assert_eq!(container.ok(200, "POST", &format!("beads/{bead}/close"), json!({"agent_id": agent}))["status"], "closed");
    let events = container.ok(200, "GET", &format!("events?bead_id={bead}&limit=2"), Value::Null);
    assert_eq!(events.as_array().unwrap().len(), 2);
    assert_eq!(container.ok(200, "DELETE", &format!("beads/{id}"), Value::Null), json!({"deleted": true}));
    let unknown = format!("beads/{}", BeadId::from_random([9; 16]));
    for (method, path, body) in [
        ("GET", format!("beads/{id}"), Value::Null),
        ("DELETE", format!("beads/{id}"), Value::Null),
        ("GET", "beads/x".to_owned(), Value::Null),
        ("DELETE", unknown.clone(), Value::Null),
        ("PATCH", format!("{unknown}/status"), json!({"status": "closed", "agent_id": agent})),
        ("POST", format!("{unknown}/close"), json!({"agent_id": agent})),
    ] {
        let (status, answer) = container.send(method, &path, body);
        assert_eq!((status, &answer["success"]), (404, &json!(false)), "{method} {path}: {answer}");
    }
    let (status, answer) = container.send("GET", "beads?status=bogus", Value::Null);
    assert_eq!((status, answer["error"].as_str()), (400, Some("Invalid filter")));
    // An agent speaks for itself; what leads a rig takes who leads it.
    let polecat = world.agent(&AgentId::parse(&agent).unwrap());
    assert_eq!(polecat.send("PATCH", &format!("beads/{bead}/status"), json!({"status": "closed", "agent_id": "another"})).0, 403);
    assert_eq!(polecat.send("POST", "sling", json!({"title": "t"})).0, 403);
    assert_eq!(polecat.send("DELETE", &format!("beads/{bead}"), Value::Null).0, 403);
    polecat.ok(201, "POST", "beads", json!({"type": "issue", "title": "found on the way", "labels": ["gt:held"]}));
}

/// Gastown contract 4.2, agents. S3-06, S3-07.
#[test]
fn agents_are_registered_listed_read_and_deleted() {
    let world = World::new();
    let container = world.container();
    let juniper = container.ok(201, "POST", "agents", json!({"role": "polecat", "name": "Juniper", "identity": "juniper@here"}));
    let id = juniper["id"].as_str().unwrap().to_owned();
    let refinery = container.ok(200, "POST", "agents/get-or-create", json!({"role": "refinery"}));
    assert_eq!(container.ok(200, "POST", "agents/get-or-create", json!({"role": "refinery"}))["id"], refinery["id"]);
    assert_eq!(container.ok(200, "GET", "agents?role=polecat", Value::Null).as_array().unwrap().len(), 1);
    assert_eq!(container.ok(200, "GET", &format!("agents/{id}"), Value::Null)["name"], "Juniper");
    for number in 1..=3 {
        let data = json!({"text": format!("step {number}")});
        let written = container.ok(201, "POST", "agent-events", json!({"agent_id": id, "event_type": "assistant", "data": data}));
        assert_eq!(written, json!({"id": number}));
    }
    let events = container.ok(200, "GET", &format!("agents/{id}/events?after_id=1&limit=1"), Value::Null);
    assert_eq!((events.as_array().unwrap().len(), &events[0]["id"]), (1, &json!(2)));
    let said = container.ok(200, "GET", &format!("agents/{id}/conversation"), Value::Null);
    assert_eq!(said["conversation"], "assistant: step 1\n\nassistant: step 2\n\nassistant: step 3");
    assert_eq!(container.ok(200, "DELETE", &format!("agents/{id}"), Value::Null), json!({"deleted": true}));
    for (method, path) in [("GET", format!("agents/{id}")), ("DELETE", format!("agents/{id}")), ("GET", "agents/x".to_owned())] {
        assert_eq!(container.send(method, &path, Value::Null).0, 404, "{method} {path}");
    }
    assert_eq!(container.send("POST", "agents", json!({"role": "mayor", "name": "M", "identity": "m"})).0, 400);
    assert_eq!(container.send("POST", "agents", json!({"role": "refinery", "name": "R", "identity": "r"})).0, 409);
    // Deleted once, also when the answer was lost.
    let other = container.ok(200, "POST", "agents/get-or-create", json!({"role": "polecat"}))["id"].as_str().unwrap().to_owned();
    let keyed = world.container().with("idempotency-key", "k");
    for _ in 0..2 {
        assert_eq!(keyed.ok(200, "DELETE", &format!("agents/{other}"), Value::Null), json!({"deleted": true}));
    }
}

/// S4-09, S4-10, S4-12: from the hook to the merge.
#[test]
fn work_goes_from_hook_to_merge_through_the_routes() {
    let world = World::new();
    let container = world.container();
    let slung = container.ok(201, "POST", "sling", json!({"title": "add a health check"}));
    let (bead, branch) = (slung["bead"]["bead_id"].as_str().unwrap(), slung["agent"]["branch"].as_str().unwrap());
    let id = AgentId::parse(slung["agent"]["id"].as_str().unwrap()).unwrap();
    let own = |rest: &str| format!("agents/{id}/{rest}");
    let polecat = world.agent(&id);
    let told = polecat.ok(200, "GET", &own("prime"), Value::Null);
    assert_eq!((&told["hooked_bead"]["bead_id"], &told["quality_gates"], &told["base_branch"]), (&json!(bead), &json!([]), &json!("main")));
    let heard = polecat.ok(200, "POST", &own("heartbeat"), json!({"worktree": "/w/toast", "lastEventAt": "2026-11-21T06:25:49.000Z"}));
    assert_eq!(heard["drainNonce"], Value::Null);
    assert_eq!(world.town.bead(&world.rig, &BeadId::parse(bead).unwrap()).status, BeadStatus::InProgress);
    assert_eq!(polecat.send("POST", &own("heartbeat"), Value::Null).0, 200);
    assert_eq!(polecat.ok(200, "POST", &own("status"), json!({"message": "writing"})), json!({"updated": true}));
    assert_eq!(polecat.ok(200, "POST", &own("checkpoint"), json!({"data": {"at": 2}})), json!({"written": true}));
    let nudge = container.ok(200, "POST", "nudge", json!({"target_agent_id": id, "message": "blocked?", "mode": "immediate"}));
    let pending = polecat.ok(200, "GET", &own("pending-nudges"), Value::Null);
    assert_eq!(pending[0]["nudge_id"], nudge["nudge_id"]);
    assert_eq!(polecat.ok(200, "POST", &own("nudge-delivered"), json!({"nudge_id": nudge["nudge_id"]})), json!({"delivered": true}));
    assert_eq!(polecat.ok(200, "GET", &own("pending-nudges"), Value::Null), json!([]));
    let mail = json!({"from_agent_id": "mayor", "to_agent_id": id, "subject": "s", "body": "b"});
    assert_eq!(container.ok(201, "POST", "mail", mail), json!({"sent": true}));
    assert_eq!(polecat.ok(200, "GET", &own("mail"), Value::Null).as_array().unwrap().len(), 1);
    assert_eq!(polecat.ok(200, "GET", &own("mail"), Value::Null), json!([]));
    assert_eq!(polecat.send("GET", &own("molecule/current"), Value::Null).0, 404);
    assert_eq!(polecat.send("POST", &own("molecule/advance"), json!({"summary": "s"})).0, 404);
    assert_eq!(polecat.ok(200, "POST", &own("waiting"), json!({"firedAt": "2026-11-21T06:25:49.000Z"})), json!({"acknowledged": true}));
    let keyed = world.agent(&id).with("idempotency-key", "done-1");
    for _ in 0..2 {
        assert_eq!(keyed.ok(200, "POST", &own("done"), json!({"branch": branch, "summary": "added"})), json!({"done": true}));
    }
    assert_eq!(polecat.ok(200, "POST", &own("completed"), json!({"status": "completed"})), json!({"completed": true}));
    let refinery = container.ok(200, "POST", "agents/get-or-create", json!({"role": "refinery"}))["id"].as_str().unwrap().to_owned();
    let requests = container.ok(200, "GET", "beads?type=merge_request", Value::Null);
    assert_eq!(requests.as_array().unwrap().len(), 1);
    let request = requests[0]["bead_id"].as_str().unwrap();
    // A token that does not say its role, as Kilo's do not.
    let judge = world.agent(&AgentId::parse(&refinery).unwrap());
    judge.ok(200, "POST", &format!("agents/{refinery}/hook"), json!({"bead_id": request}));
    let asked = judge.ok(201, "POST", &format!("agents/{refinery}/request-changes"), json!({"feedback": "rename", "files": ["a.rs"]}));
    let rework = container.ok(200, "GET", &format!("beads/{}", asked["rework_bead_id"].as_str().unwrap()), Value::Null);
    let worker = rework["assignee_agent_bead_id"].as_str().unwrap().to_owned();
    world.agent(&AgentId::parse(&worker).unwrap()).ok(200, "POST", &format!("agents/{worker}/done"), json!({"branch": branch}));
    let result = json!({"status": "merged", "message": "clean", "commit_sha": "c0ffee1", "base_commit": "beef"});
    let complete = format!("review-queue/{request}/complete");
    assert_eq!(polecat.send("POST", &complete, result.clone()).0, 403);
    assert_eq!(judge.ok(200, "POST", &complete, result), json!({"completed": true}));
    let merged = container.ok(200, "GET", &format!("beads/{bead}"), Value::Null);
    assert_eq!((&merged["status"], &merged["merge_commit"]), (&json!("closed"), &json!("c0ffee1")));
    assert_eq!(judge.send("POST", "review-queue/x/complete", json!({"status": "merged"})).0, 404);
    assert_eq!(world.town.fleet.take_faults(), Vec::<String>::new());
}

/// The rest of 4.2: submissions, molecules, escalations, triage, hooks by hand.
#[test]
fn what_comes_to_the_rigs_desk_is_taken() {
    let world = World::new();
    let container = world.container();
    let slung = container.ok(201, "POST", "sling", json!({"title": "t"}));
    let (bead, agent) = (slung["bead"]["bead_id"].as_str().unwrap(), slung["agent"]["id"].as_str().unwrap());
    let steps =
        json!({"bead_id": bead, "formula": {"steps": [{"title": "look", "instructions": "i"}, {"title": "do", "instructions": "j"}]}});
    assert_eq!(container.ok(201, "POST", "molecules", steps)["current_step"], 0);
    assert_eq!(container.ok(200, "GET", &format!("agents/{agent}/molecule/current"), Value::Null)["step"]["title"], "look");
    assert_eq!(container.ok(200, "POST", &format!("agents/{agent}/molecule/advance"), json!({"summary": "seen"}))["current_step"], 1);
    assert_eq!(container.ok(200, "DELETE", &format!("agents/{agent}/hook"), Value::Null), json!({"unhooked": true}));
    assert_eq!(container.ok(200, "POST", &format!("agents/{agent}/hook"), json!({"bead_id": bead})), json!({"hooked": true}));
    let submission = json!({"agent_id": agent, "bead_id": bead, "branch": "b", "pr_url": "https://git.example/1"});
    assert_eq!(container.ok(201, "POST", "review-queue", submission.clone()), json!({"submitted": true}));
    assert_eq!(container.send("POST", "review-queue", submission).0, 409);
    let raised = container.ok(201, "POST", "escalations", json!({"title": "It hangs", "priority": "high", "metadata": {"a": 1}}));
    assert_eq!((&raised["type"], &raised["status"]), (&json!("escalation"), &json!("open")));
    let routed: Value = world
        .town
        .fleet
        .ask(
            &world.town.at,
            &rpc::ROUTE_ESCALATION,
            (json!({"source_rig_id": world.rig.id, "severity": "high", "message": "m"}),),
            &world.town.owner(),
        )
        .unwrap();
    world.town.fleet.settle();
    let decision = json!({"triage_request_bead_id": routed["id"], "action": "DISCARD", "resolution_notes": "n"});
    assert_eq!(container.ok(200, "POST", "triage/resolve", decision)["status"], "closed");
    for (method, path) in [
        ("POST", "refresh-git-token".to_owned()),
        ("POST", format!("agents/{agent}/eviction-context")),
        ("GET", format!("agents/{agent}/db-snapshot")),
        ("POST", format!("agents/{agent}/db-snapshot")),
        ("DELETE", format!("agents/{agent}/db-snapshot")),
    ] {
        let (status, answer) = container.send(method, &path, json!({}));
        assert_eq!((status, answer["hint"].is_string()), (501, true), "{method} {path}: {answer}");
    }
}

/// S4-12: whoever is not the agent of the path is refused, whoever it is.
#[test]
fn an_agents_own_routes_are_its_own() {
    let world = World::new();
    let me = world.town.sling(&world.rig, "mine").agent.unwrap().id;
    let other = world.town.sling(&world.rig, "theirs").agent.unwrap().id;
    let backend = world.town.add_rig("backend", 3);
    let stranger = Town::new(&world.town.fleet, 7);
    let away = stranger.add_rig("web", 8);
    for (method, rest, body) in own_routes() {
        let path = format!("agents/{me}/{rest}");
        let callers = [
            ("another agent", world.agent(&other)),
            ("the owner", world.owner()),
            ("the Mayor", world.at(tokens::mayor(&world.town.fleet, &world.town.id))),
            ("its name in another rig", world.at(world.town.polecat(&backend, &me))),
            ("its name in another town", world.at(tokens::polecat(&world.town.fleet, &stranger.id, &away.id, &me))),
            ("another town's container", world.at(tokens::container(&world.town.fleet, &stranger.id))),
            ("a container that says it is another", world.container().with("x-gastown-agent-id", other.as_str())),
        ];
        for (who, caller) in callers {
            let (status, answer) = caller.send(method, &path, body.clone());
            let says = rest == "eviction-context" || rest == "db-snapshot";
            // What is answered without asking the rig is no secret of the rig's.
            let expected = if says && who == "its name in another rig" { 501 } else { 403 };
            assert_eq!(status, expected, "{who}: {method} {path}: {answer}");
        }
        let (status, answer) = world.container().with("x-gastown-agent-id", me.as_str()).send(method, &path, body);
        // Nobody but a refinery judges, whoever asks for it.
        assert_eq!(status == 403, rest == "request-changes", "{method} {path}: {answer}");
    }
    // Nothing of all that has changed anything of the other's.
    let kept: Vec<Agent> = world.town.agents(&world.rig);
    assert!(kept.iter().find(|agent| agent.id == other).unwrap().current_hook_bead_id.is_some());
    let observer = tokens::observer(&world.town.fleet, tokens::OWNER);
    assert_eq!(world.at(observer).send("POST", "beads", json!({"type": "issue", "title": "t"})).0, 403);
}

#[test]
fn what_is_wrong_with_a_request_is_said() {
    let world = World::new();
    let agent = world.town.sling(&world.rig, "t").agent.unwrap().id;
    let polecat = world.agent(&agent);
    for (method, path, body, words) in [
        ("POST", "beads".to_owned(), json!({"type": "bogus", "title": "t"}), "unknown variant"),
        ("POST", "beads".to_owned(), json!([]), "invalid type"),
        ("POST", "beads".to_owned(), Value::Null, "EOF"),
        ("POST", format!("agents/{agent}/hook"), json!({}), "missing field `bead_id`"),
        ("POST", format!("agents/{agent}/hook"), json!({"bead_id": "x"}), ""),
        ("POST", format!("agents/{agent}/completed"), json!({"status": "maybe"}), "`completed`"),
        ("POST", format!("agents/{agent}/waiting"), json!({"firedAt": "yesterday"}), ""),
        ("POST", format!("agents/{agent}/heartbeat"), json!([1]), "invalid type"),
        ("POST", format!("agents/{agent}/checkpoint"), json!({}), "missing field `data`"),
        ("POST", "agent-events".to_owned(), json!({"agent_id": agent}), "missing field `event_type`"),
        ("POST", "nudge".to_owned(), json!({"target_agent_id": agent, "message": "m", "mode": "loud"}), "unknown variant"),
    ] {
        let (status, answer) = polecat.send(method, &path, body);
        assert_eq!((status, answer["error"].as_str()), (400, Some("Invalid request body")), "{method} {path}: {answer}");
        assert!(answer["hint"].as_str().unwrap().contains(words), "{method} {path}: {answer}");
    }
    let (status, answer) = polecat.send("POST", &format!("agents/{agent}/status"), json!({"message": "x".repeat(281)}));
    assert_eq!((status, answer["error"].as_str()), (400, Some("message must have 1 to 280 characters")));
    for (method, path, allow) in [
        ("PUT", "beads", "GET, HEAD, POST, OPTIONS"),
        ("POST", "beads/x", "GET, HEAD, DELETE, OPTIONS"),
        ("PUT", "agents/x/hook", "POST, DELETE, OPTIONS"),
        ("GET", "sling", "POST, OPTIONS"),
        ("GET", "agents/get-or-create", "GET"),
    ] {
        let response = polecat.response(method, path, &Value::Null);
        if path == "agents/get-or-create" {
            // No agent is called so.
            assert_eq!(response.status, 404);
            continue;
        }
        assert_eq!((response.status, header(&response, "allow").as_deref()), (405, Some(allow)), "{method} {path}");
    }
    for path in ["nothing", "beads/x/y/z", "agents/x/nothing", ""] {
        assert_eq!(polecat.send("GET", path, Value::Null).0, 404, "{path}");
    }
    let keyed = |key: &str, title: &str| {
        let sent = world.container().with("idempotency-key", key).send(
            "POST",
            "beads",
            json!({"type": "issue", "title": title, "labels": ["gt:held"]}),
        );
        (sent.0, sent.1["data"]["bead_id"].clone())
    };
    assert_eq!(keyed("one", "a"), keyed("one", "a"));
    assert_eq!(keyed("one", "b").0, 409);
}

/// Gastown contract 4.3: the bits of the town's own routes that agents and their containers need.
#[test]
fn a_container_gets_a_new_token_for_an_old_one() {
    let world = World::new();
    let fleet: &Fleet = &world.town.fleet;
    let path = |town: &str| format!("/api/towns/{town}/refresh-container-token");
    let refresh = |who: &Context, town: &str| {
        let response = world.send(who, "POST", path(town), &json!({}), &[]);
        (response.status, serde_json::from_str::<Value>(&text(&response)).unwrap())
    };
    let own = world.town.id.as_str();
    let old = tokens::container(fleet, &world.town.id);
    fleet.advance(9 * 60 * 60 * 1_000);
    assert_eq!(world.at(old.clone()).send("GET", "beads", Value::Null).0, 401);
    let (status, answer) = refresh(&old, own);
    assert_eq!(status, 200, "{answer}");
    let new = tokens::context(answer["data"]["token"].as_str().unwrap().to_owned());
    assert_eq!(world.at(new.clone()).send("GET", "beads", Value::Null).0, 200);
    let elsewhere = Town::new(fleet, 7);
    assert_eq!(refresh(&old, elsewhere.id.as_str()).0, 403);
    assert_eq!(refresh(&old, "no-uuid").0, 404);
    let unknown = gastown_mcp::contract::ids::TownId::from_random([9; 16]);
    assert_eq!(refresh(&tokens::container(fleet, &unknown), unknown.as_str()).0, 404);
    for other in [world.town.owner(), tokens::mayor(fleet, &world.town.id), tokens::context("x.y.z".to_owned())] {
        assert_eq!(refresh(&other, own).0, 401);
    }
    assert_eq!(world.send(&new, "GET", path(own), &Value::Null, &[]).status, 405);
    fleet.advance(16 * 60 * 60 * 1_000);
    assert_eq!(refresh(&old, own).0, 401);
}

#[test]
fn the_mayors_heartbeat_goes_to_the_town() {
    let world = World::new();
    let mayor = tokens::mayor(&world.town.fleet, &world.town.id);
    let send = |who: &Context, method: &str, path: String, body: Value| {
        let response = world.send(who, method, path, &body, &[]);
        (response.status, serde_json::from_str::<Value>(&text(&response)).unwrap())
    };
    let town = format!("/api/towns/{}", world.town.id);
    let (status, answer) = send(&mayor, "GET", format!("{town}/mayor-id"), Value::Null);
    let id = answer["data"]["agentId"].as_str().unwrap().to_owned();
    assert_eq!(status, 200);
    let own = format!("{town}/rigs/mayor-{}/agents/{id}", world.town.id);
    assert_eq!(send(&mayor, "POST", format!("{own}/heartbeat"), json!({})), (200, json!({"success": true, "data": {"drainNonce": null}})));
    assert_eq!(send(&mayor, "POST", format!("{own}/waiting"), json!({})).0, 200);
    assert_eq!(send(&mayor, "GET", format!("{town}/mayor/status"), Value::Null).1["data"]["session"]["status"], "active");
    let polecat = world.town.polecat(&world.rig, &world.town.sling(&world.rig, "t").agent.unwrap().id);
    assert_eq!(send(&polecat, "POST", format!("{own}/heartbeat"), json!({})).0, 403);
    assert_eq!(send(&mayor, "GET", format!("{own}/prime"), Value::Null).0, 404);
    let another = "00000000-0000-4000-8000-000000000000";
    assert_eq!(send(&mayor, "POST", format!("{town}/rigs/mayor-{another}/agents/{id}/heartbeat"), json!({})).0, 404);
}
