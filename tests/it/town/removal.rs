//! The end of rigs and of a town: what is refused, what follows, and that nothing is left.

use super::convoy_changes::{three, update};
use crate::support::edge::{Isolate, Reading, Sent};
use crate::support::tokens::{self, OWNER, internal, user_with, with_key};
use crate::support::town::Rig;
use crate::support::{Fleet, Town, Trouble, code, refusal};
use base::error::{Code, Failure};
use gastown_mcp::auth::principal::Scope;
use gastown_mcp::contract::ids::{ConvoyId, RigId, TownId};
use gastown_mcp::contract::shapes::{
    BeadStatus, ConvoyFlag, ConvoyStatus, FeedEntry, FeedKind, LandingStatus, RigFacts, RigRecord, TownIdentity,
};
use gastown_mcp::objects::store::tombstone::KEPT_MILLIS;
use gastown_mcp::rpc::call::{Call, Context, Instance, Wire as _};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn remove(town: &Town, rig: &Rig, force: Value) -> Result<(), Failure> {
    town.fleet.tell(&town.at, &rpc::REMOVE_RIG, (&rig.id, force), &town.owner())
}

fn destroy(town: &Town, force: Value) -> Result<(), Failure> {
    town.fleet.tell(&town.at, &rpc::DESTROY_TOWN, (force,), &town.owner())
}

fn rigs(town: &Town) -> Vec<RigRecord> {
    town.fleet.ask(&town.at, &rpc::LIST_RIGS, (), &town.owner()).unwrap()
}

fn feed(town: &Town) -> Vec<FeedEntry> {
    town.fleet.ask(&town.at, &rpc::LIST_FEED, (Value::Null, Value::Null), &town.owner()).unwrap()
}

/// Neither a table nor an alarm.
/// Nothing of it is left; of what a letter ended, nothing but a tombstone, and that not for long.
fn assert_gone(fleet: &Fleet, at: &Instance) {
    // Twice: the letter may have to be sent again.
    for _ in 0..2 {
        if fleet.sql(at).schema() == ["CREATE TABLE tombstone (generation INTEGER NOT NULL) STRICT"] {
            fleet.advance(KEPT_MILLIS);
        }
    }
    assert_eq!(fleet.sql(at).schema(), Vec::<String>::new(), "{at}");
    assert_eq!(fleet.alarm_of(at), None, "{at}");
}

#[test]
fn a_rig_tells_what_it_holds() {
    let (town, rig) = Town::with_rig();
    let context = || internal(&town.fleet, &town.at, Some(&town.id), &rpc::RIG_FACTS);
    let facts = || town.fleet.ask::<RigFacts>(&rig.at, &rpc::RIG_FACTS, (), &context()).unwrap();
    assert_eq!(facts(), RigFacts::default());
    for title in ["a", "b"] {
        town.sling(&rig, title);
    }
    let third = town.sling(&rig, "c").bead.bead_id;
    town.close(&rig, &third);
    assert_eq!(facts(), RigFacts { active_beads: 2, agents: 3, hooked: 2 });
}

#[test]
fn a_rig_with_active_beads_is_removed_by_force_only() {
    let (town, rig) = Town::with_rig();
    let bead = town.sling(&rig, "t").bead.bead_id;
    for force in [Value::Null, json!(false)] {
        let refusal = refusal(remove(&town, &rig, force));
        assert_eq!(refusal.code, Code::Conflict);
        assert_eq!(refusal.message, "A rig named \"frontend\" has 1 active bead(s)");
        assert!(refusal.hint.unwrap().contains("force"));
    }
    assert_eq!(rigs(&town).len(), 1);
    town.close(&rig, &bead);
    remove(&town, &rig, Value::Null).unwrap();
    town.fleet.settle();
    assert!(rigs(&town).is_empty());
    assert_gone(&town.fleet, &rig.at);
    assert_eq!(code(town.sling_as(&rig, json!({"rigId": rig.id, "title": "t"}), &town.owner())), Code::NotFound);
    let last = feed(&town).pop().unwrap();
    assert_eq!((last.kind, last.subject.as_str(), last.actor.as_deref()), (FeedKind::RigRemoved, rig.id.as_str(), Some(OWNER)));
    // What is not there is removed already.
    let entries = feed(&town).len();
    remove(&town, &rig, Value::Null).unwrap();
    assert_eq!(feed(&town).len(), entries);

    let again = town.add_rig("frontend", 3);
    town.sling(&again, "t");
    remove(&town, &again, json!(true)).unwrap();
    assert_gone(&town.fleet, &again.at);
    assert_eq!(town.fleet.take_faults(), Vec::<String>::new());
}

#[test]
fn beads_of_a_removed_rig_have_failed_in_their_convoys() {
    let (town, rig) = Town::with_rig();
    let other = town.add_rig("backend", 3);
    let convoy = town.convoy(&rig, Some(false), &[&[], &[0], &[]]);
    let elsewhere = town.convoy(&other, Some(false), &[&[]]);
    town.close(&rig, &convoy.beads[2].bead.bead_id);
    town.fleet.settle();
    remove(&town, &rig, json!(true)).unwrap();
    town.fleet.settle();
    let status = town.convoy_status(&convoy.convoy.id);
    let statuses: Vec<BeadStatus> = status.beads.iter().map(|bead| bead.status).collect();
    assert_eq!(statuses, [BeadStatus::Failed, BeadStatus::Failed, BeadStatus::Closed]);
    assert_eq!(status.beads[0].failure_reason.as_deref(), Some("its rig was deleted"));
    assert_eq!((status.entry.closed_beads, status.entry.failed_beads), (1, 2));
    let kinds: Vec<FeedKind> = feed(&town).iter().map(|entry| entry.kind).collect();
    assert!(
        kinds.ends_with(&[FeedKind::ConvoyBeadFailed, FeedKind::ConvoyBeadFailed, FeedKind::ConvoyEnded, FeedKind::RigRemoved]),
        "{kinds:?}"
    );
    let untouched = town.convoy_status(&elsewhere.convoy.id);
    assert_eq!(untouched.entry.failed_beads, 0);
}

/// Nobody counts as zero what did not answer.
#[test]
fn an_unreachable_rig_is_removed_by_force_and_empties_itself_later() {
    let (town, rig) = Town::with_rig();
    town.sling(&rig, "t");
    town.fleet.settle();
    for trouble in [Trouble::Hang, Trouble::DropBefore] {
        town.fleet.trouble(&rig.at, Some(trouble));
        assert_eq!(code(remove(&town, &rig, Value::Null)), Code::Unavailable);
    }
    remove(&town, &rig, json!(true)).unwrap();
    assert!(rigs(&town).is_empty());
    assert!(!town.fleet.sql(&rig.at).schema().is_empty());
    let same = refusal(town.try_add_rig("frontend", &rig.id));
    assert_eq!((same.code, same.message), (Code::Conflict, format!("Rig {} is being deleted", rig.id)));
    // What it still says is neither believed nor held against it.
    town.fleet.restart();
    town.fleet.trouble(&rig.at, None);
    town.fleet.settle();
    assert_gone(&town.fleet, &rig.at);
    town.fleet.take_faults();
    town.try_add_rig("frontend", &rig.id).unwrap();
    assert!(town.beads(&rig, json!({})).is_empty());
}

#[test]
fn a_letter_that_arrives_twice_brings_no_table_back() {
    let (town, rig) = Town::with_rig();
    town.sling(&rig, "t");
    town.fleet.settle();
    for trouble in [Trouble::Duplicate, Trouble::DropAfter] {
        let rig = town.add_rig(&format!("{trouble:?}"), 40 + u8::from(trouble == Trouble::DropAfter));
        town.fleet.trouble(&rig.at, Some(trouble));
        remove(&town, &rig, json!(true)).unwrap();
        assert!(town.fleet.sql(&rig.at).schema().len() <= 1, "no more than a tombstone");
        town.fleet.trouble(&rig.at, None);
        town.fleet.settle();
        assert_gone(&town.fleet, &rig.at);
        assert_eq!(town.fleet.owed(), 0);
    }
}

/// Found by simulation: the letter that says who a rig is, sent before the rig was removed, comes after it.
#[test]
fn a_letter_from_before_its_end_does_not_bring_a_rig_back() {
    let (town, rig) = Town::with_rig();
    town.fleet.settle();
    town.fleet.trouble(&rig.at, Some(Trouble::Delay(20_000)));
    let config = json!({"max_concurrent_polecats": 2});
    town.fleet.ask::<Value>(&town.at, &rpc::UPDATE_RIG_CONFIG, (&rig.id, config), &town.owner()).unwrap();
    town.fleet.trouble(&rig.at, None);
    remove(&town, &rig, json!(true)).unwrap();
    town.fleet.advance(60_000);
    assert_eq!(code(town.sling_as(&rig, json!({"rigId": rig.id, "title": "lost"}), &town.owner())), Code::NotFound);
    // A rig that is added again under the same id lives at once.
    town.try_add_rig("again", &rig.id).unwrap();
    town.sling(&rig, "kept");
    town.fleet.advance(2 * KEPT_MILLIS);
    assert_eq!(town.beads(&rig, json!({})).len(), 1);
    remove(&town, &rig, json!(true)).unwrap();
    assert_gone(&town.fleet, &rig.at);
}

/// While a rig's storage is being deleted nobody finds half of it.
#[test]
fn a_call_that_comes_while_a_rig_ends_finds_no_rig() {
    let (town, rig) = Town::with_rig();
    let letter = json!([{"kind": "removed", "subject": rig.at.to_string(), "generation": 1_000, "body": true}]);
    let end = Call::new(rig.at.clone(), &rpc::DELIVER_TO_RIG, (letter,)).unwrap();
    let ended = town.fleet.start(&end, &internal(&town.fleet, &town.at, Some(&town.id), &rpc::DELIVER_TO_RIG));
    let look = Call::new(rig.at.clone(), &rpc::LIST_BEADS, (json!({}),)).unwrap();
    // One that comes in the same moment, and one that comes in the next.
    let looks: Vec<_> = (0..4_u32)
        .map(|millis| {
            let (fleet, look, owner) = (town.fleet.clone(), look.clone(), town.owner());
            Box::pin(async move {
                for _ in 0..millis {
                    mcp_fixture::tasks::turn().await;
                }
                fleet.send(&look, &owner).await
            })
        })
        .collect();
    let looked = town.fleet.block_on(async move { futures::future::join(ended, futures::future::join_all(looks)).await.1 });
    assert_eq!(town.fleet.take_faults(), Vec::<String>::new(), "{looked:?}");
    assert_gone(&town.fleet, &rig.at);
}

/// A convoy that changes later owes a removed rig nothing.
#[test]
fn what_was_owed_to_a_removed_rig_does_not_bring_it_back() {
    let (town, rig) = Town::with_rig();
    let convoy = town.convoy(&rig, Some(true), &[&[]]);
    remove(&town, &rig, json!(true)).unwrap();
    town.start(&convoy.convoy.id).unwrap();
    town.fleet.settle();
    assert_gone(&town.fleet, &rig.at);
    assert_eq!(town.fleet.take_faults(), Vec::<String>::new());
}

#[test]
fn a_town_with_active_beads_is_destroyed_by_force_only() {
    let (town, rig) = Town::with_rig();
    town.add_rig("backend", 3);
    for title in ["a", "b"] {
        town.sling(&rig, title);
    }
    let refused = refusal(destroy(&town, Value::Null));
    assert_eq!((refused.code, refused.message.as_str()), (Code::Conflict, "The town has 2 active bead(s) in 2 rig(s)"));
    town.fleet.trouble(&rig.at, Some(Trouble::DropBefore));
    assert_eq!(code(destroy(&town, json!(false))), Code::Unavailable);
    assert_eq!(rigs(&town).len(), 2);
}

#[test]
fn a_destroyed_town_answers_nobody_and_leaves_no_table_and_no_alarm() {
    let (town, rig) = Town::with_rig();
    let backend = town.add_rig("backend", 3);
    town.sling(&rig, "t");
    let session = Instance::Session(format!("town:{}", town.id));
    let end = internal(&town.fleet, &town.at, Some(&town.id), &rpc::END_SESSION);
    town.fleet.tell(&session, &rpc::END_SESSION, ("s", town.fleet.now().plus_millis(60_000)), &end).unwrap();
    let other = Town::new(&town.fleet, 9);
    town.fleet.trouble(&backend.at, Some(Trouble::DropBefore));
    destroy(&town, json!(true)).unwrap();
    assert_gone(&town.fleet, &rig.at);
    assert_gone(&town.fleet, &session);
    let refused = refusal(town.fleet.ask::<Value>(&town.at, &rpc::LIST_RIGS, (), &town.owner()));
    assert_eq!((refused.code, refused.message), (Code::Conflict, format!("Town {} is being deleted", town.id)));
    assert_eq!(code(destroy(&town, json!(true))), Code::Conflict);
    // It stays until the last of its rigs has heard, over restarts too.
    town.fleet.advance(60_000);
    town.fleet.restart();
    assert!(!town.fleet.sql(&town.at).schema().is_empty());
    town.fleet.trouble(&backend.at, None);
    town.fleet.advance(120_000);
    for at in [&town.at, &rig.at, &backend.at, &session] {
        assert_gone(&town.fleet, at);
    }
    assert_eq!(code(town.fleet.ask::<Value>(&town.at, &rpc::LIST_RIGS, (), &town.owner())), Code::NotFound);
    other.fleet.ask::<Value>(&other.at, &rpc::LIST_RIGS, (), &other.owner()).unwrap();
}

/// Whoever reads a stream of a town that goes reads its end, and nothing breaks.
#[test]
fn streams_and_waits_of_what_is_gone_end_quietly() {
    let (town, _rig) = Town::with_rig();
    let session = Instance::Session(format!("town:{}", town.id));
    let stream = json!({"stream": "a", "routes": [], "closes_at": town.fleet.now().plus_millis(600_000)});
    let call = Call::new(session.clone(), &rpc::OPEN_STREAM, (stream,)).unwrap();
    let opened = town.fleet.open(&call, &internal(&town.fleet, &town.at, Some(&town.id), &rpc::OPEN_STREAM));
    let reading = Reading::relayed(&town.fleet, &town.fleet.block_on(opened).unwrap().unwrap_or_else(|reply| panic!("{reply}")));
    reading.within(10);
    destroy(&town, json!(true)).unwrap();
    assert!(reading.within(1_000).1, "the stream ended");
    town.fleet.advance(60_000);
    assert_gone(&town.fleet, &session);
    assert_gone(&town.fleet, &town.at);
    assert_eq!(town.fleet.take_faults(), Vec::<String>::new());
}

#[test]
fn only_administrators_and_owners_of_organizations_remove_anything() {
    let fleet = Fleet::new();
    let id = TownId::from_random([7; 16]);
    let at = Instance::Town(id.clone());
    let tell = |method, args: Value| fleet.tell(&at, method, args, &internal(&fleet, &at, Some(&id), method)).unwrap();
    tell(&rpc::SET_TOWN_ID, json!([id]));
    let identity =
        json!({"ownerType": "org", "ownerUserId": OWNER, "organizationId": "org", "createdByUserId": OWNER, "runtimeMode": "legacy"});
    tell(&rpc::INITIALIZE_IDENTITY, json!([identity]));
    let stored: TownIdentity = fleet.ask(&at, &rpc::GET_IDENTITY, (), &member(&fleet, "member")).unwrap();
    assert_eq!(stored.organization_id.as_deref(), Some("org"));
    let refused = refusal(fleet.tell(&at, &rpc::DESTROY_TOWN, (Value::Null,), &member(&fleet, "member")));
    assert_eq!((refused.code, refused.message.as_str()), (Code::Forbidden, "Only org owners can delete towns"));
    let rig = RigId::from_random([8; 16]);
    let refused = refusal(fleet.tell(&at, &rpc::REMOVE_RIG, (&rig, Value::Null), &member(&fleet, "member")));
    assert_eq!(refused.message, "Only org owners can delete rigs");
    for method in [&rpc::DESTROY_TOWN, &rpc::REMOVE_RIG] {
        let args = if method.params.len() == 1 { json!([null]) } else { json!([rig, null]) };
        for who in [user_with(&fleet, OWNER, Some(Scope::Write), &[("org", "owner")]), tokens::mayor(&fleet, &id)] {
            assert_eq!(code(fleet.tell(&at, method, args.clone(), &who)), Code::Forbidden, "{}", method.name);
        }
    }
    fleet.tell(&at, &rpc::DESTROY_TOWN, (Value::Null,), &member(&fleet, "owner")).unwrap();
    fleet.advance(10_000);
    assert_gone(&fleet, &at);
}

fn member(fleet: &Fleet, role: &str) -> Context {
    user_with(fleet, "somebody", None, &[("org", role)])
}

fn send(at: &Isolate, method: &str, path: &str, body: &Value) -> (u16, Value) {
    at.ask(Sent::new(method, path).bearer(&tokens::user(&at.fleet, OWNER).jwt).json(body))
}

#[test]
fn the_registry_loses_what_was_deleted_and_finishes_what_was_begun() {
    let at = Isolate::new(&Fleet::new());
    let base = format!("/api/users/{OWNER}");
    let make = |path: &str, body: Value| send(&at, "POST", &format!("{base}/{path}"), &body).1["data"]["id"].as_str().unwrap().to_owned();
    let town = make("towns", json!({"name": "backend"}));
    let [api, web] =
        ["api", "web"].map(|name| make("rigs", json!({"town_id": town, "name": name, "git_url": "https://git.example/x.git"})));
    let [api_at, web_at] = [&api, &web].map(|id| Instance::Rig(RigId::parse(id).unwrap()));
    let town_at = Instance::Town(TownId::parse(&town).unwrap());
    let owner = || tokens::user(&at.fleet, OWNER);
    at.fleet.ask::<Value>(&api_at, &rpc::SLING_BEAD, (json!({"rigId": api, "title": "t"}),), &owner()).unwrap();

    let delete = |path: &str| send(&at, "DELETE", &format!("{base}/{path}"), &Value::Null);
    let (status, answer) = delete(&format!("rigs/{api}"));
    assert_eq!((status, answer["error"].as_str()), (409, Some("A rig named \"api\" has 1 active bead(s)")));
    assert_eq!(delete(&format!("rigs/{api}?force=true")), (200, json!({"success": true, "data": {"deleted": true}})));
    assert_eq!(delete(&format!("rigs/{api}?force=true")).0, 404);
    assert_eq!(send(&at, "GET", &format!("{base}/towns/{town}/rigs"), &Value::Null).1["data"].as_array().unwrap().len(), 1);
    assert_gone(&at.fleet, &api_at);

    // The registry fails after the town has begun to go: asking again finishes it.
    at.fleet.trouble(&Instance::User(OWNER.to_owned()), Some(Trouble::DropAfter));
    assert_eq!(delete(&format!("towns/{town}")).0, 500);
    at.fleet.trouble(&Instance::User(OWNER.to_owned()), None);
    assert_eq!(delete(&format!("towns/{town}")).0, 200);
    assert_eq!(send(&at, "GET", &format!("{base}/towns/{town}"), &Value::Null).0, 404);
    assert_eq!(send(&at, "GET", &format!("{base}/rigs/{web}"), &Value::Null).0, 404);
    at.fleet.advance(10_000);
    assert_gone(&at.fleet, &town_at);
    assert_gone(&at.fleet, &web_at);
    assert_eq!(send(&at, "PUT", &format!("{base}/towns/{town}"), &json!({})).0, 405);
}

/// The same key gives the same answer; a town that is going answers that it is.
#[test]
fn a_removal_repeated_with_its_key_is_one() {
    let (town, rig) = Town::with_rig();
    let call = |key: &str| town.fleet.tell(&town.at, &rpc::REMOVE_RIG, (&rig.id, Value::Null), &with_key(town.owner(), key));
    call("k").unwrap();
    call("k").unwrap();
    assert_eq!(feed(&town).iter().filter(|entry| entry.kind == FeedKind::RigRemoved).count(), 1);
    assert_eq!(
        town.fleet.ask::<Value>(&town.at, &rpc::GET_CONVOY_STATUS, (ConvoyId::from_random([1; 16]),), &town.owner()).unwrap(),
        Value::Null
    );
}

/// A landing in a rig that is gone would be waited for for ever.
#[test]
fn a_landing_in_a_rig_that_is_removed_has_failed() {
    let (town, [api, web, _]) = three();
    let tasks = json!([{"title": "a"}, {"title": "b", "rig_id": web.id}]);
    let sling = |title: &str| {
        let input = json!({"rigId": api.id, "convoyTitle": title, "tasks": tasks, "staged": false, "merge_mode": "review-then-land"});
        let slung = town.try_convoy(input).unwrap();
        (slung.convoy.id, slung.beads.into_iter().map(|part| part.bead.bead_id).collect::<Vec<_>>())
    };
    let (landing, beads) = sling("lands when the rig goes");
    let (running, later) = sling("runs when the rig goes");
    for (rig, bead) in [(&api, &beads[0]), (&web, &beads[1]), (&web, &later[1])] {
        town.close(rig, bead);
    }
    town.fleet.settle();
    assert_eq!(town.convoy_status(&landing).entry.landings.len(), 2);
    remove(&town, &web, json!(true)).unwrap();
    town.fleet.settle();
    let of_web = |convoy: &ConvoyId| {
        let entry = town.convoy_status(convoy).entry;
        assert!(entry.flags.contains(&ConvoyFlag::LandingFailed), "{:?}", entry.flags);
        let landing = entry.landings.into_iter().find(|landing| landing.rig_id == web.id).unwrap();
        assert_eq!(entry.status, ConvoyStatus::Active);
        (landing.status, landing.failure)
    };
    let failed = (LandingStatus::Failed, Some("its rig was deleted".to_owned()));
    assert_eq!(of_web(&landing), failed);
    let mut told = feed(&town).into_iter().filter(|entry| entry.kind == FeedKind::ConvoyChanged && entry.subject == landing.as_str());
    assert_eq!(told.next_back().unwrap().detail["reason"], "its rig was deleted");
    // One that is to land only now hears so at once.
    town.close(&api, &later[0]);
    town.fleet.settle();
    assert_eq!(of_web(&running), failed);
    // Without the work of that rig the rest lands.
    update(&town, &running, json!({"remove_beads": [later[1]]})).unwrap();
    town.fleet.settle();
    let request =
        town.beads(&api, json!({"type": "merge_request"})).into_iter().find(|request| request.metadata["convoy_id"] == running.as_str());
    let result = json!({"entry_id": request.unwrap().bead_id, "status": "merged", "commit_sha": "abcdef0"});
    town.fleet.tell(&api.at, &rpc::COMPLETE_REVIEW, (result,), &town.owner()).unwrap();
    town.fleet.settle();
    assert_eq!(town.convoy_status(&running).entry.status, ConvoyStatus::Landed);
    let check: Value = town.fleet.ask(&town.at, &rpc::CHECK_TOWN, (json!({}),), &town.owner()).unwrap();
    assert_eq!(check["findings"], json!([]));
}
