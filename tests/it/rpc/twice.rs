//! Every change that carries a key is made once: asked for twice at the same moment and once more later.

use crate::support::tokens::with_key;
use crate::support::town::Rig;
use crate::support::{Fleet, Town};
use gastown_mcp::contract::shapes::{Agent, EscalationEntry};
use gastown_mcp::rpc::call::{Call, Instance};
use gastown_mcp::rpc::table::{self as rpc, Method};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A town with two rigs in which something of everything is.
struct TwoRigs {
    town: Town,
    api: Rig,
    web: Rig,
    /// What the arguments name, by a word.
    named: BTreeMap<&'static str, Value>,
}

impl TwoRigs {
    fn new() -> Self {
        let town = Town::new(&Fleet::new(), 1);
        let (api, web) = (town.add_rig("api", 2), town.add_rig("web", 3));
        let mut named = BTreeMap::from([("town", json!(town.id)), ("api", json!(api.id)), ("web", json!(web.id))]);
        let slung = town.sling(&api, "hooked");
        named.insert("hooked", json!(slung.bead.bead_id));
        named.insert("worker", json!(slung.agent.unwrap().id));
        let reviewed = town.sling(&api, "reviewed");
        let done = json!({"branch": "b"});
        let agent = reviewed.agent.unwrap().id;
        town.fleet.tell(&api.at, &rpc::AGENT_DONE, (&agent, done), &town.owner()).unwrap();
        named.insert("idle", json!(agent));
        let request = town.beads(&api, json!({"type": "merge_request"})).remove(0).bead_id;
        let refinery: Agent = town.fleet.ask(&api.at, &rpc::GET_OR_CREATE_AGENT, ("refinery", Value::Null), &town.owner()).unwrap();
        town.hook(&api, &refinery.id, &request).unwrap();
        named.insert("request", json!(request));
        named.insert("refinery", json!(refinery.id));
        let held = town.create_bead(&api, json!({"type": "issue", "title": "held", "held": true})).unwrap().bead_id;
        let remote = town.create_bead(&web, json!({"type": "issue", "title": "remote", "held": true})).unwrap().bead_id;
        let staged = town.convoy(&api, Some(true), &[&[], &[0]]);
        let input = json!({"townId": town.id, "source_rig_id": api.id, "source_agent_id": slung.bead.assignee_agent_bead_id,
            "severity": "high", "category": "c", "message": "m"});
        let triage: EscalationEntry = town.fleet.ask(&town.at, &rpc::ROUTE_ESCALATION, (input,), &town.owner()).unwrap();
        let mail = json!({"from_agent_id": "mayor", "to_agent_id": agent, "subject": "s", "body": "b"});
        town.fleet.tell(&api.at, &rpc::SEND_MAIL, (mail,), &town.owner()).unwrap();
        named.extend([
            ("held", json!(held)),
            ("remote", json!(remote)),
            ("convoy", json!(staged.convoy.id)),
            ("member", json!(staged.beads[1].bead.bead_id)),
            ("triage", json!(triage.id)),
        ]);
        let world = Self { town, api, web, named };
        world.rest();
        world
    }

    /// Until nothing happens by itself any more.
    fn rest(&self) {
        self.town.fleet.settle();
        self.town.fleet.advance(400_000);
        self.town.fleet.settle();
    }

    /// Arguments with `$word` for what the world has under that word.
    fn args(&self, args: &str) -> String {
        let longest_first = self.named.iter().rev();
        longest_first.fold(args.to_owned(), |args, (word, value)| args.replace(&format!("\"${word}\""), &value.to_string()))
    }

    /// How many rows there are of everything.
    fn size(&self) -> BTreeMap<String, i64> {
        let mut size = BTreeMap::new();
        for at in [&self.town.at, &self.api.at, &self.web.at] {
            let sql = self.town.sql(at);
            for (table,) in sql.rows::<(String,)>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
                size.insert(format!("{at} {table}"), sql.value(&format!("SELECT COUNT(*) FROM {table}")));
            }
        }
        size
    }

    fn call(&self, at: &Instance, method: &'static Method, args: &str) -> [String; 3] {
        let call = Call { instance: at.clone(), method, args: self.args(args) };
        let key = with_key(self.town.owner(), "k");
        let twice = [self.town.fleet.start(&call, &key), self.town.fleet.start(&call, &key)];
        let mut replies = self.town.fleet.block_on(futures::future::join_all(twice)).into_iter().map(Result::unwrap);
        let (first, second) = (replies.next().unwrap(), replies.next().unwrap());
        self.rest();
        [first, second, self.town.fleet.reply(&call, &key).unwrap()]
    }
}

const OF_RIG: &[(&Method, &str)] = &[
    (&rpc::CREATE_BEAD, r#"[{"type":"issue","title":"t"}]"#),
    (&rpc::CREATE_HELD_BEAD, r#"[{"title":"t"}]"#),
    (&rpc::START_HELD_BEAD, r#"["$held",null]"#),
    (&rpc::UPDATE_BEAD, r#"["$held",{"title":"other"},null]"#),
    (&rpc::REASSIGN_BEAD, r#"["$hooked","$idle"]"#),
    (&rpc::DELETE_BEAD, r#"["$request",null]"#),
    (&rpc::DELETE_BEADS, r#"[["$held","$hooked"],null]"#),
    (&rpc::DELETE_BEADS_BY_STATUS, r#"["open",null,null]"#),
    (&rpc::SLING_BEAD, r#"[{"rigId":"$api","title":"t","quality":"shiny"}]"#),
    (&rpc::UPDATE_BEAD_STATUS, r#"["$hooked","failed","x",{"message":"m"}]"#),
    (&rpc::GET_OR_CREATE_AGENT, r#"["polecat",null]"#),
    (&rpc::REGISTER_AGENT, r#"[{"role":"polecat","name":"Zed","identity":"zed"}]"#),
    (&rpc::DELETE_AGENT, r#"["$worker"]"#),
    (&rpc::UNHOOK_BEAD, r#"["$worker"]"#),
    (&rpc::CHECK_MAIL, r#"["$idle"]"#),
    (&rpc::SEND_MAIL, r#"[{"from_agent_id":"x","to_agent_id":"mayor","subject":"s","body":"b"}]"#),
    (&rpc::SEND_HANDOFF, r#"[{"from":"x","to":"$idle","subject":"s","body":"b","bead_id":"$held"}]"#),
    (&rpc::QUEUE_NUDGE, r#"["$idle","n",null]"#),
    (&rpc::RESOLVE_TRIAGE, r#"[{"agent_id":"x","triage_request_bead_id":"$triage","action":"ESCALATE","resolution_notes":"n"}]"#),
    (&rpc::RESET_AGENT, r#"["$worker"]"#),
    (&rpc::UPDATE_AGENT_STATUS, r#"["$worker","dead"]"#),
    (&rpc::APPEND_AGENT_EVENT, r#"["$worker","text",{"a":1}]"#),
    (&rpc::PRIME, r#"["$idle"]"#),
    (&rpc::AGENT_DONE, r#"["$worker",{"branch":"c"}]"#),
    (&rpc::AGENT_COMPLETED, r#"["$worker",{"status":"failed","reason":"r"}]"#),
    (&rpc::COMPLETE_REVIEW, r#"[{"entry_id":"$request","status":"conflict","message":"m"}]"#),
    (&rpc::REQUEST_CHANGES, r#"["$refinery",{"feedback":"f"}]"#),
    (&rpc::APPLY_FORMULA, r#"["$held",{"formula":"shiny"}]"#),
];

const OF_TOWN: &[(&Method, &str)] = &[
    (
        &rpc::SLING_CONVOY,
        r#"[{"rigId":"$api","convoyTitle":"c","tasks":[{"title":"a"},{"title":"b","rig_id":"web","depends_on":[0]}],"staged":false}]"#,
    ),
    (&rpc::CREATE_CONVOY, r#"[{"title":"c","beads":[{"bead_id":"$held","rig_id":"$api"},{"bead_id":"$remote","rig_id":"$web"}]}]"#),
    (&rpc::SLING_INTO_CONVOY, r#"[{"convoy":"$convoy","rig_id":"$web","title":"t","depends_on":["$member"]}]"#),
    (&rpc::UPDATE_CONVOY, r#"["$convoy",{"add_beads":["$remote"],"remove_beads":["$member"]}]"#),
    (&rpc::CONVOY_ADD_BEAD, r#"["$convoy","$held",["$member"]]"#),
    (&rpc::CONVOY_REMOVE_BEAD, r#"["$convoy","$member"]"#),
    (&rpc::START_CONVOY, r#"["$convoy"]"#),
    (&rpc::CLOSE_CONVOY, r#"["$convoy"]"#),
    (&rpc::CHECK_TOWN, r#"[{"repair":true}]"#),
    (&rpc::ROUTE_ESCALATION, r#"[{"townId":"$town","source_rig_id":"$api","severity":"low","category":"c","message":"m"}]"#),
    (&rpc::ACKNOWLEDGE_ESCALATION, r#"["$triage"]"#),
    (&rpc::SEND_MAYOR_MESSAGE, r#"["m",null,null,null]"#),
    (&rpc::UPDATE_TOWN_CONFIG, r#"[{"max_polecats_per_rig":2}]"#),
    (&rpc::SET_PARKED, r#"["$api",true,"r"]"#),
    (&rpc::REMOVE_RIG, r#"["$web",true]"#),
];

#[test]
fn whatever_is_asked_for_three_times_with_one_key_is_done_once() {
    let cases = OF_RIG.iter().map(|case| (true, case)).chain(OF_TOWN.iter().map(|case| (false, case)));
    for (in_rig, (method, args)) in cases {
        let once = TwoRigs::new();
        let at = |world: &TwoRigs| if in_rig { world.api.at.clone() } else { world.town.at.clone() };
        let call = Call { instance: at(&once), method, args: once.args(args) };
        let reply = once.town.fleet.reply(&call, &with_key(once.town.owner(), "k")).unwrap();
        gastown_mcp::rpc::call::read_reply(&reply).unwrap_or_else(|failure| panic!("{}: {failure:?}", method.name));
        once.rest();
        let thrice = TwoRigs::new();
        let replies = thrice.call(&at(&thrice), method, args);
        assert!(replies.iter().all(|reply| *reply == replies[0]), "{}: {replies:?}", method.name);
        thrice.rest();
        assert_eq!(thrice.size(), once.size(), "{}", method.name);
        for world in [once, thrice] {
            world.town.fleet.close();
        }
    }
}
