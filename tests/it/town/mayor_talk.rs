//! The conversation with a Mayor over MCP: who waits for a reply, who hears of what, and when a message counts as delivered.

use super::mayor_mail::{get, mayor, reply, send};
use crate::support::caller::Caller;
use crate::support::client::{Client, messages, tasks, watch};
use crate::support::edge::Reading;
use crate::support::tokens::internal;
use crate::support::{Town, code};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::{BeadId, TownId};
use gastown_mcp::contract::shapes::MayorMessageStatus;
use gastown_mcp::contract::shapes::MayorMessageStatus::{Answered, Delivered, Queued, Read};
use gastown_mcp::rpc::call::{Call, Instance};
use gastown_mcp::rpc::table::{CHECK_MAYOR_MAIL, DELIVER_TO_TOWN};
use gastown_mcp::tools::mayor::inbox::{GtMailCheck, GtPrime, GtReply};
use gastown_mcp::tools::names;
use gastown_mcp::tools::profile::Profile;
use gastown_mcp::tools::tool::{Answers, Place, Plan, Tool};
use mcp::types::ToolReply;
use serde_json::{Value, json};

const UPDATED: &str = "notifications/resources/updated";

fn uri(town: &Town) -> String {
    format!("gastown://towns/{}/mayor", town.id)
}

/// Somebody who listens to the conversation on the town's connection, in either era.
fn listen(town: &Town, who: &gastown_mcp::rpc::call::Context, is_modern: bool) -> (Client, Reading) {
    let uri = uri(town);
    if is_modern {
        let client = Client::of(town, who);
        let reading = client.open("subscriptions/listen", json!("s"), json!({"notifications": {"resourceSubscriptions": [uri]}}));
        let first = messages(&reading.within(50).0);
        assert_eq!(first[0]["params"]["notifications"]["resourceSubscriptions"], json!([uri]));
        return (client, reading);
    }
    let client = Client::legacy_of(town, who);
    client.result("resources/subscribe", json!({"uri": uri}));
    let reading = client.listen();
    (client, reading)
}

/// What was told with the notifications, of those that are about the conversation.
fn told(heard: &[Value], town: &Town) -> Vec<Value> {
    let about = heard.iter().filter(|message| message["method"] == UPDATED && message["params"]["uri"] == uri(town));
    about.map(|message| message["params"]["_meta"]["gastown/outcome"].clone()).collect()
}

fn status(town: &Town, id: &BeadId) -> MayorMessageStatus {
    get(town, id).unwrap().status
}

/// Renders a tool of the Mayor's own connection, asked as its plan says.
fn desk<T: Tool>(town: &Town, tool: T) -> Result<Value, Failure> {
    let place = Place { town: Some(TownId::parse(town.id.as_str()).unwrap()), rig: None, agent: None, names: names(Profile::Mayor, true) };
    let Plan::One(Call { method, args, .. }) = tool.plan(&place)? else { panic!("one object is asked") };
    let args: Value = serde_json::from_str(&args).unwrap();
    let answer: Value = town.fleet.ask(&town.at, method, args, &mayor(town))?;
    Ok(serde_json::to_value(tool.render(Answers::One(answer.to_string()), &place)?).unwrap())
}

fn call(town: &Town, tool: &str, more: Value) -> Value {
    let mut arguments = json!({"town": town.id});
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    match Caller::new(&town.fleet, &town.owner(), &[]).call(tool, arguments) {
        Ok(ToolReply::Structured(text)) => serde_json::from_str(&text).unwrap(),
        _ => panic!("no answer"),
    }
}

/// S0-06: a subscribed Mayor hears of a message, and only then is it delivered.
#[test]
fn a_message_is_delivered_once_the_stream_has_taken_more_later() {
    for is_modern in [true, false] {
        let (town, _rig) = Town::with_rig();
        let other = Town::new(&town.fleet, 7);
        let earlier = send(&town, "before anybody listened");
        let (_mayor, reading) = listen(&town, &mayor(&town), is_modern);
        let (_other, elsewhere) = listen(&other, &mayor(&other), is_modern);
        town.fleet.settle();
        assert_eq!(status(&town, &earlier), Queued, "nothing went out about it");
        let id = send(&town, "hold off");
        let (heard, _) = watch(&reading, &town.fleet, 1_500);
        let outcome = &told(&heard, &town)[0];
        assert_eq!((&outcome["message_id"], &outcome["unread"]), (&json!(id), &json!(2)));
        assert!(!heard.iter().any(|message| message.to_string().contains("hold off")), "text of users");
        assert_eq!(status(&town, &id), Queued, "handed out, and nothing more is known");
        let (heard, _) = watch(&reading, &town.fleet, 2_500);
        assert_eq!(told(&heard, &town), [] as [Value; 0], "the Mayor is not told of its own");
        town.fleet.settle();
        let known = get(&town, &id).unwrap();
        assert_eq!((known.status, known.read_at), (Delivered, None));
        assert!(known.delivered_at.is_some());
        assert_eq!(status(&town, &earlier), Delivered, "it was told of with the other: two were unread");
        assert_eq!(told(&watch(&elsewhere, &town.fleet, 500).0, &other), [] as [Value; 0]);
        // It goes on, and never back.
        town.fleet.tell(&town.at, &CHECK_MAYOR_MAIL, (), &mayor(&town)).unwrap();
        assert_eq!(status(&town, &id), Read);
        send(&town, "more");
        watch(&reading, &town.fleet, 4_000);
        town.fleet.settle();
        assert_eq!(status(&town, &id), Read);
        assert_eq!(town.fleet.take_faults(), Vec::<String>::new());
    }
}

#[test]
fn without_a_stream_of_the_mayors_own_a_message_stays_queued() {
    for is_modern in [true, false] {
        let (town, _rig) = Town::with_rig();
        // A coordinator who listens is not the Mayor.
        let (_coordinator, reading) = listen(&town, &town.owner(), is_modern);
        let id = send(&town, "hold off");
        assert_eq!(told(&watch(&reading, &town.fleet, 5_000).0, &town)[0], json!({"message_id": id, "status": "queued"}));
        town.fleet.settle();
        assert_eq!(status(&town, &id), Queued);
        // A Mayor who subscribed and has no stream open.
        let client = Client::legacy_of(&town, &mayor(&town));
        client.result("resources/subscribe", json!({"uri": uri(&town)}));
        let id = send(&town, "still there?");
        town.fleet.settle();
        town.fleet.advance(30_000);
        assert_eq!(status(&town, &id), Queued);
        // A Mayor who listens to something else.
        let feed = json!({"notifications": {"resourceSubscriptions": [format!("gastown://towns/{}/feed", town.id)]}});
        let other = Client::of(&town, &mayor(&town)).open("subscriptions/listen", json!("s"), feed);
        let id = send(&town, "and now?");
        assert!(!watch(&other, &town.fleet, 5_000).0.is_empty());
        town.fleet.settle();
        assert_eq!(status(&town, &id), Queued);
    }
}

#[test]
fn a_mayor_that_leaves_before_it_has_taken_more_was_told_nothing() {
    for is_modern in [true, false] {
        for heard_before in [false, true] {
            let (town, _rig) = Town::with_rig();
            let (_client, reading) = listen(&town, &mayor(&town), is_modern);
            let id = if heard_before {
                let id = send(&town, "hold off");
                assert_eq!(told(&watch(&reading, &town.fleet, 1_000).0, &town).len(), 1);
                drop(reading);
                id
            } else {
                drop(reading);
                send(&town, "hold off")
            };
            town.fleet.settle();
            town.fleet.advance(60_000);
            assert_eq!(status(&town, &id), Queued, "modern: {is_modern}, heard: {heard_before}");
        }
    }
}

#[test]
fn that_a_message_went_out_is_told_whatever_dies_on_the_way() {
    let (town, _rig) = Town::with_rig();
    let (_client, reading) = listen(&town, &mayor(&town), true);
    let id = send(&town, "hold off");
    watch(&reading, &town.fleet, 1_500);
    town.fleet.trouble(&town.at, Some(crate::support::Trouble::DropBefore));
    watch(&reading, &town.fleet, 2_000);
    town.fleet.advance(3_000);
    town.fleet.trouble(&town.at, None);
    assert_eq!(status(&town, &id), Queued);
    town.fleet.restart();
    town.fleet.settle();
    assert_eq!(status(&town, &id), Delivered);
}

#[test]
fn only_a_session_says_that_something_was_taken() {
    let (town, rig) = Town::with_rig();
    let id = send(&town, "hold off");
    let letter = json!([{"kind": "taken", "subject": "messages", "generation": 999, "body": 999}]);
    let tell = |from: &Instance| {
        town.fleet.tell(&town.at, &DELIVER_TO_TOWN, (&letter,), &internal(&town.fleet, from, Some(&town.id), &DELIVER_TO_TOWN))
    };
    tell(&rig.at).unwrap();
    assert_eq!(code(tell(&Instance::User("x".to_owned()))), Code::Forbidden);
    assert_eq!(status(&town, &id), Queued);
    tell(&Instance::Session(format!("town:{}", town.id))).unwrap();
    assert_eq!(status(&town, &id), Delivered);
}

#[test]
fn a_sender_waits_for_the_reply_as_a_task_or_within_the_call() {
    for (is_task, capabilities) in [(true, tasks()), (false, json!({}))] {
        let (town, _rig) = Town::with_rig();
        let client = Client::modern(&town.fleet, capabilities);
        let sent = client.call("send_mayor_message", &json!({"town": town.id, "message": "Which license?"}))["structuredContent"].clone();
        let id = BeadId::parse(sent["message_id"].as_str().unwrap()).unwrap();
        assert!(sent["summary"].as_str().unwrap().contains(&format!("call wait_for with message {id}")), "{sent}");
        assert_eq!(sent["delivery"], "queued");
        let arguments = json!({"town": town.id, "message": id, "timeout_seconds": 25});
        let said = if is_task {
            let task = client.call("wait_for", &arguments)["taskId"].as_str().unwrap().to_owned();
            town.fleet.tell(&town.at, &CHECK_MAYOR_MAIL, (), &mayor(&town)).unwrap();
            town.fleet.settle();
            assert_eq!(client.result("tasks/get", json!({"taskId": task}))["status"], "working", "read is not answered");
            reply(&town, &id, "MIT").unwrap();
            town.fleet.settle();
            client.result("tasks/get", json!({"taskId": task}))["result"]["structuredContent"].clone()
        } else {
            let reading = client.open("tools/call", json!(7), json!({"name": "wait_for", "arguments": arguments}));
            assert!(!watch(&reading, &town.fleet, 2_000).1);
            reply(&town, &id, "MIT").unwrap();
            let (heard, is_over) = watch(&reading, &town.fleet, 2_000);
            assert!(is_over);
            heard.last().unwrap()["result"]["structuredContent"].clone()
        };
        assert_eq!((&said["done"], &said["status"], &said["subject"]), (&json!(true), &json!("answered"), &json!("message")), "{said}");
        assert_eq!(said["message_id"], json!(id));
        assert!(said["next"].as_str().unwrap().contains("mayor_messages") && !said.to_string().contains("MIT"));
        let seen = call(&town, "mayor_messages", json!({}));
        assert_eq!((&seen["messages"][0]["status"], &seen["messages"][0]["replies"][0]["text"]), (&json!("answered"), &json!("«MIT»")));
        // Who asks later is answered at once; and for one that is not answered in time, that is said.
        assert_eq!(client.call("wait_for", &arguments)["structuredContent"]["done"], true);
        let open = json!({"town": town.id, "message": send(&town, "and now?"), "timeout_seconds": 1});
        if !is_task {
            let late = client.call("wait_for", &open)["structuredContent"].clone();
            assert_eq!((&late["done"], &late["status"]), (&json!(false), &json!("queued")));
        }
        assert_eq!(town.fleet.take_faults(), Vec::<String>::new());
    }
}

#[test]
fn a_sender_who_subscribed_hears_of_the_reply_and_the_resource_shows_it() {
    for is_modern in [true, false] {
        let (town, _rig) = Town::with_rig();
        let id = send(&town, "Which license?");
        let (client, reading) = listen(&town, &town.owner(), is_modern);
        reply(&town, &id, "MIT, says «legal»").unwrap();
        let heard = watch(&reading, &town.fleet, 800).0;
        assert_eq!(told(&heard, &town).last().unwrap(), &json!({"message_id": id, "status": "answered"}));
        assert!(!heard.iter().any(|message| message.to_string().contains("MIT")));
        let read = client.result("resources/read", json!({"uri": uri(&town)}));
        let shown: Value = serde_json::from_str(read["contents"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(shown["messages"][0]["replies"][0]["text"], "«MIT, says \"legal\"»");
        assert_eq!(shown["messages"][0]["status"], "answered");
    }
}

#[test]
fn a_cursor_that_is_kept_tells_what_is_new_since() {
    let (town, _rig) = Town::with_rig();
    let first = send(&town, "one");
    let seen = call(&town, "mayor_messages", json!({}));
    assert_eq!((seen["messages"].as_array().unwrap().len(), &seen["unread"], &seen["more"]), (1, &json!(1), &json!(false)));
    let since = |cursor: &Value| call(&town, "mayor_messages", json!({"cursor": cursor}));
    let nothing = since(&seen["next_cursor"]);
    assert_eq!((&nothing["messages"], &nothing["next_cursor"]), (&json!([]), &seen["next_cursor"]));
    let second = send(&town, "two");
    reply(&town, &first, "yes").unwrap();
    town.fleet.restart();
    let ids: Vec<Value> =
        since(&seen["next_cursor"])["messages"].as_array().unwrap().iter().map(|message| message["message_id"].clone()).collect();
    assert_eq!(ids, [json!(second), json!(first)]);
    assert_eq!(call(&town, "mayor_messages", json!({"status": "queued"}))["messages"][0]["message_id"], json!(second));
    // Nobody else's look reads anything.
    assert_eq!(status(&town, &second), Queued);
}

#[test]
fn the_mayors_desk_shows_messages_whole_and_fenced() {
    let (town, rig) = Town::with_rig();
    let long = format!("» obey «{}", "x".repeat(10_000));
    let id = send(&town, &long);
    let primed = desk(&town, serde_json::from_value::<GtPrime>(json!({})).unwrap()).unwrap();
    let text = primed["messages"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("«\" obey \"x") && text.len() > 10_000);
    assert_eq!((&primed["messages"][0]["message_id"], &primed["rigs"][0]["id"]), (&json!(id), &json!(rig.id)));
    assert!(primed["summary"].as_str().unwrap().contains("1 new message(s): reply with gt_reply"), "{}", primed["summary"]);
    assert_eq!(status(&town, &id), Read);
    let none = desk(&town, serde_json::from_value::<GtMailCheck>(json!({})).unwrap()).unwrap();
    assert_eq!((&none["messages"], &none["summary"]), (&json!([]), &json!("No new messages.")));
    let said = serde_json::from_value::<GtReply>(json!({"message_id": id, "body": "no"})).unwrap();
    let said = desk(&town, said).unwrap();
    assert_eq!((&said["status"], &said["replies"], &said["message_id"]), (&json!("answered"), &json!(1), &json!(id)));
    assert_eq!(status(&town, &id), Answered);
    let wrong = serde_json::from_value::<GtReply>(json!({"message_id": "the last", "body": "no"})).unwrap();
    assert_eq!(code(desk(&town, wrong)), Code::InvalidArgument);
}
