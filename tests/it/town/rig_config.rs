//! What a rig is called, where its code is, and what it has otherwise than its town.

use crate::support::town::Rig;
use crate::support::{Town, code, refusal};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::{RigId, TownId};
use gastown_mcp::contract::masking::masked;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn ask(town: &Town, method: &'static rpc::Method, args: impl serde::Serialize) -> Result<Value, Failure> {
    town.fleet.ask(&town.at, method, args, &town.owner())
}

fn hooked(town: &Town, rig: &Rig) -> usize {
    town.agents(rig).iter().filter(|agent| agent.current_hook_bead_id.is_some()).count()
}

#[test]
fn a_rig_is_found_by_id_and_changed_field_by_field() {
    let (town, rig) = Town::with_rig();
    town.add_rig("backend", 3);
    let unknown = RigId::from_random([9; 16]);
    assert_eq!(ask(&town, &rpc::GET_TOWN_RIG, (&unknown,)).unwrap(), Value::Null);
    assert_eq!(ask(&town, &rpc::UPDATE_RIG, (&unknown, json!({"name": "n"}))).unwrap(), Value::Null);
    let before = ask(&town, &rpc::GET_TOWN_RIG, (&rig.id,)).unwrap();
    assert_eq!((&before["name"], &before["config"]), (&json!("frontend"), &json!({})));
    let after = ask(&town, &rpc::UPDATE_RIG, (&rig.id, json!({"name": "web", "default_branch": "trunk"}))).unwrap();
    assert_eq!((&after["name"], &after["default_branch"], &after["git_url"]), (&json!("web"), &json!("trunk"), &before["git_url"]));
    assert_eq!(ask(&town, &rpc::GET_TOWN_RIG, (&rig.id,)).unwrap(), after);
    // The rig knows its new name by its letter.
    assert_eq!(town.sql(&rig.at).value::<String>("SELECT name FROM rig"), "web");
    for (bad, wanted) in [
        (json!({"name": "backend"}), Code::Conflict),
        (json!({"name": ""}), Code::InvalidArgument),
        (json!({"git_url": ""}), Code::InvalidArgument),
        (json!({"default_branch": "b".repeat(256)}), Code::InvalidArgument),
    ] {
        assert_eq!(code(ask(&town, &rpc::UPDATE_RIG, (&rig.id, bad))), wanted);
    }
    town.fleet.settle();
    assert_eq!(town.alarm_status().rigs.len(), 0);
    town.sling(&rig, "t");
    town.fleet.settle();
    ask(&town, &rpc::UPDATE_RIG, (&rig.id, json!({"name": "www"}))).unwrap();
    assert_eq!(town.alarm_status().rigs[0].name, "www", "what the town has said, it knows best");
}

/// S2-24: the pool of one rig.
#[test]
fn a_rigs_own_capacity_goes_before_its_towns() {
    let (town, rig) = Town::with_rig();
    let backend = town.add_rig("backend", 3);
    let set = |config: Value| ask(&town, &rpc::UPDATE_RIG_CONFIG, (&rig.id, config)).unwrap();
    set(json!({"max_concurrent_polecats": 1, "merge_strategy": "direct"}));
    for number in 0..3 {
        town.sling(&rig, &format!("{number}"));
        town.sling(&backend, &format!("{number}"));
    }
    assert_eq!((hooked(&town, &rig), hooked(&town, &backend)), (1, 3));
    town.configure(json!({"max_polecats_per_rig": 2})).unwrap();
    assert_eq!(hooked(&town, &rig), 1);
    town.fleet.settle();
    assert_eq!(town.alarm_status().rigs[0].capacity, 1);
    // A full replacement: the capacity is the town's again.
    let rig_record = set(json!({"code_review": true}));
    assert_eq!(rig_record["config"], json!({"code_review": true}));
    assert_eq!(hooked(&town, &rig), 2);
    assert_eq!(town.alarm_status().rigs[0].capacity, 2);
    assert_eq!(ask(&town, &rpc::UPDATE_RIG_CONFIG, (RigId::from_random([9; 16]), json!({}))).unwrap(), Value::Null);
}

#[test]
fn every_setting_of_a_rig_has_its_limits() {
    let (town, rig) = Town::with_rig();
    let whole = json!({
        "default_model": "m", "role_models": {"polecat": "p", "refinery": "r"}, "review_mode": "comments", "code_review": false,
        "auto_resolve_pr_feedback": true, "auto_resolve_merge_conflicts": true, "auto_merge_delay_minutes": null, "merge_strategy": "pr",
        "convoy_merge_mode": "review-and-merge", "custom_instructions": {"polecat": "be kind", "refinery": "be strict"},
        "git_push_flags": "--no-verify", "max_concurrent_polecats": 50, "max_dispatch_attempts": 5
    });
    let set = |config: Value| ask(&town, &rpc::UPDATE_RIG_CONFIG, (&rig.id, config));
    assert_eq!(set(whole.clone()).unwrap()["config"], whole);
    for (bad, reason) in [
        (json!({"default_model": 7}), "default_model must be a text"),
        (json!({"role_models": {"mayor": "m"}}), "role_models.mayor is not a setting of a rig"),
        (json!({"review_mode": "strict"}), "rework or comments"),
        (json!({"code_review": "yes"}), "true or false"),
        (json!({"auto_merge_delay_minutes": -1}), "or null for never"),
        (json!({"merge_strategy": "squash"}), "direct or pr"),
        (json!({"convoy_merge_mode": "zzz"}), "review-then-land or review-and-merge"),
        (json!({"custom_instructions": {"polecat": "m".repeat(2_001)}}), "2000 characters"),
        (json!({"custom_instructions": {"mayor": "m"}}), "custom_instructions.mayor is not a setting"),
        (json!({"git_push_flags": ["-f"]}), "git_push_flags must be a text"),
        (json!({"max_concurrent_polecats": 0}), "from 1 to 50"),
        (json!({"max_concurrent_polecats": 51}), "from 1 to 50"),
        (json!({"max_dispatch_attempts": 0}), "from 1 to 100"),
        (json!({"env_vars": {}}), "env_vars is not a setting of a rig"),
    ] {
        let refusal = refusal(set(bad));
        assert_eq!(refusal.code, Code::InvalidArgument);
        assert!(refusal.message.contains(reason), "{}", refusal.message);
    }
    assert_eq!(ask(&town, &rpc::GET_TOWN_RIG, (&rig.id,)).unwrap()["config"], whole);
}

#[test]
fn configuring_a_rig_takes_no_token_and_shows_none() {
    let (town, rig) = Town::with_rig();
    let config = json!({
        "townId": town.id, "rigId": rig.id, "gitUrl": "https://example.test/y.git", "defaultBranch": "trunk", "userId": "u",
        "platformIntegrationId": "p1", "merge_strategy": "direct"
    });
    let configure = |config: &Value| town.fleet.tell(&town.at, &rpc::CONFIGURE_RIG, (config,), &town.owner());
    let with = |field: &str, value: Value| {
        let mut config = config.clone();
        config[field] = value;
        config
    };
    let refused = refusal(configure(&with("kilocodeToken", json!("secret"))));
    assert_eq!(refused.code, Code::Unsupported);
    assert!(refused.message.contains("no container needs it") && !refused.message.contains("secret"));
    assert_eq!(code(configure(&with("townId", json!(TownId::from_random([9; 16]))))), Code::InvalidArgument);
    assert_eq!(code(configure(&with("rigId", json!(RigId::from_random([9; 16]))))), Code::NotFound);
    assert_eq!(code(configure(&with("merge_strategy", json!("squash")))), Code::InvalidArgument);
    assert_eq!(code(configure(&with("platformIntegrationId", json!("p".repeat(201))))), Code::InvalidArgument);
    let read = || ask(&town, &rpc::GET_RIG_CONFIG, (&rig.id,)).unwrap();
    assert_eq!(read()["gitUrl"], "https://example.test/x.git", "what is refused changes nothing");
    configure(&config).unwrap();
    let mut wanted = config.clone();
    wanted["userId"] = json!(crate::support::tokens::OWNER);
    assert_eq!(read(), wanted);
    let rig_record = ask(&town, &rpc::GET_TOWN_RIG, (&rig.id,)).unwrap();
    assert_eq!((&rig_record["platform_integration_id"], &rig_record["config"]), (&json!("p1"), &json!({"merge_strategy": "direct"})));
    assert_eq!(ask(&town, &rpc::GET_RIG_CONFIG, (RigId::from_random([9; 16]),)).unwrap(), Value::Null);
}

#[test]
fn a_mask_shows_the_end_of_long_secrets_and_nothing_of_short_ones() {
    let (town, _rig) = Town::with_rig();
    town.configure(json!({
        "env_vars": {"PLAIN": "visible", "LONG": "a-long-value"}, "git_auth": {"github_token": "ghp_123456789", "gitlab_instance_url": "https://gitlab.example"},
        "github_cli_pat": "12345678", "kilocode_token": "äöüäöüäöü"
    }))
    .unwrap();
    let config = ask(&town, &rpc::GET_TOWN_CONFIG, ()).unwrap();
    let shown = masked(&serde_json::from_value(config.clone()).unwrap());
    assert_eq!(shown["env_vars"], json!({"PLAIN": "****", "LONG": "****alue"}));
    assert_eq!(shown["git_auth"], json!({"github_token": "****6789", "gitlab_instance_url": "https://gitlab.example"}));
    assert_eq!((&shown["github_cli_pat"], &shown["kilocode_token"]), (&json!("****"), &json!("****üäöü")));
    // What was shown can be sent back, and changes nothing.
    let mut back = serde_json::Map::new();
    for key in ["env_vars", "git_auth", "github_cli_pat", "kilocode_token"] {
        back.insert(key.to_owned(), shown[key].clone());
    }
    assert_eq!(town.configure(Value::Object(back)).unwrap(), config);
    // A mask for a secret that there is not is no secret.
    town.configure(json!({"github_cli_pat": null})).unwrap();
    assert_eq!(town.configure(json!({"github_cli_pat": "****5678"})).unwrap().get("github_cli_pat"), None);
}
