//! `sling`: who can be named, what is said of the rest, and how a convoy is reached.

use crate::support::Town;
use crate::support::client::Client;
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::{RigId, TownId};
use gastown_mcp::rpc::table as rpc;
use gastown_mcp::tools::find;
use gastown_mcp::tools::names::Names;
use gastown_mcp::tools::profile::Profile;
use gastown_mcp::tools::tool::{Parsed, Place, Plan};
use serde_json::{Value, json};

/// What the tool would ask, or the code and text of its refusal.
fn plan(arguments: Value) -> Result<(String, Value), (Code, String)> {
    let place = Place {
        town: Some(TownId::from_random([1; 16])),
        rig: Some(RigId::from_random([2; 16])),
        agent: None,
        names: Names::of_coordinators(false),
    };
    let mut all = json!({"rig": "web"});
    all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
    let refused = |refusal: base::error::Refusal| (refusal.code, format!("{} {}", refusal.message, refusal.hint.unwrap_or_default()));
    let Parsed::Planned(prepared) =
        find(Profile::Coordinator, "sling").unwrap().parse(all.as_object().unwrap().clone()).map_err(refused)?
    else {
        panic!()
    };
    match prepared.plan(&place) {
        Ok(Plan::One(call)) => Ok((call.method.name.to_owned(), serde_json::from_str::<Value>(&call.args).unwrap()[0].clone())),
        Ok(_) => panic!("one object is asked"),
        Err(Failure::Refused(refusal)) => Err(refused(refusal)),
        Err(Failure::Broke(fault)) => panic!("{}", fault.log_text()),
    }
}

// S3-13, S3-15, S3-17b.
#[test]
fn targets_without_a_like_here_are_unsupported_with_what_comes_nearest() {
    for (target, instead) in [
        ("deacon/dogs", "idle polecat"),
        ("dogs", "idle polecat"),
        ("dog", "idle polecat"),
        ("crew", "idle polecat"),
        ("crew/alex", "mayor for what a person should decide"),
        ("Deacon", "target mayor"),
        ("witness", "target mayor"),
        ("refinery", "idle polecat"),
    ] {
        let (code, text) = plan(json!({"title": "t", "target": target})).unwrap_err();
        assert_eq!(code, Code::Unsupported, "{target}");
        assert!(text.contains(instead), "{target}: {text}");
    }
}

// S3-08, S3-09.
#[test]
fn targets_that_there_are_reach_the_rig() {
    for (target, agent) in [(None, None), (Some("idle"), None), (Some("mayor"), Some("mayor")), (Some("Toast"), Some("Toast"))] {
        let (method, input) = plan(json!({"title": "t", "target": target})).unwrap();
        assert_eq!((method.as_str(), input.get("agent").and_then(Value::as_str)), ("slingBead", agent));
    }
    let id = "00000000-0000-4000-8000-000000000001";
    let (_, input) = plan(json!({"bead": id, "quality": "chrome", "args": "a", "formula": "f", "vars": {"disks": 5}})).unwrap();
    assert_eq!((&input["bead_id"], &input["quality"], &input["vars"]["disks"]), (&json!(id), &json!("chrome"), &json!(5)));
    for wrong in [json!({}), json!({"title": "t", "bead": id}), json!({"bead": "x"}), json!({"title": "t", "depends_on": ["x"]})] {
        assert_eq!(plan(wrong).unwrap_err().0, Code::InvalidArgument);
    }
    let (code, text) = plan(json!({"title": "t", "quality": "platinum"})).unwrap_err();
    assert_eq!(code, Code::InvalidArgument);
    assert!(text.contains("`basic`, `shiny`, `chrome`"), "{text}");
}

// S3-16: by way of the town, which knows its convoys.
#[test]
fn a_convoy_is_reached_by_way_of_the_town() {
    let named = json!({"title": "t", "convoy": "Payments", "quality": "shiny", "depends_on": ["00000000-0000-4000-8000-000000000001"]});
    let (method, input) = plan(named).unwrap();
    assert_eq!(method, rpc::SLING_INTO_CONVOY.name);
    assert_eq!((&input["convoy"], &input["title"], &input["quality"]), (&json!("Payments"), &json!("t"), &json!("shiny")));
    for both in [json!({"target": "mayor"}), json!({"metadata": {}})] {
        let mut arguments = json!({"title": "t", "convoy": "Payments"});
        arguments.as_object_mut().unwrap().extend(both.as_object().unwrap().clone());
        assert_eq!(plan(arguments).unwrap_err().0, Code::InvalidArgument);
    }
}

// S3-11, S3-27, S3-29.
#[test]
fn the_answer_says_who_has_it_and_how_it_is_worked_on() {
    let (town, _) = Town::with_rig();
    let client = Client::modern(&town.fleet, json!({}));
    let sling = |more: Value| {
        let mut arguments = json!({"town": town.id, "rig": "frontend"});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.call("sling", &arguments)
    };
    let given = sling(json!({"title": "Add «login»", "quality": "chrome", "args": "focus on security"}))["structuredContent"].clone();
    assert_eq!(given["summary"], "Toast has it. It is worked on as chrome (maximum rigor).");
    assert_eq!((&given["bead"]["quality"], &given["bead"]["step"]), (&json!("chrome"), &json!("«1/9 design»")));
    assert_eq!(given["bead"]["title"], "«Add \"login\"»");
    let mayor = sling(json!({"title": "Choose", "target": "mayor"}))["structuredContent"].clone();
    assert_eq!(mayor["summary"], "The Mayor has it and was told.");
    let waits = sling(json!({"title": "Then", "depends_on": [given["bead"]["id"]]}))["structuredContent"].clone();
    assert_eq!(waits["summary"], "It waits for 1 bead(s) and is given out when they are done.");
    let taken = sling(json!({"bead": mayor["bead"]["id"], "formula": "basic"}))["structuredContent"].clone();
    assert_eq!((&taken["summary"], &taken["bead"]["step"]), (&json!("Maple has it."), &json!("«1/2 implement»")));
    let busy = sling(json!({"title": "x", "target": "Toast"}));
    assert!(busy["isError"] == true && busy.to_string().contains("holds bead"), "{busy}");
}
