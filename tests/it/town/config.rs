//! A town's configuration: defaults, merge rules, limits (Gastown contract 3.9).

use crate::support::{Town, code, refusal};
use base::error::Code;
use gastown_mcp::rpc::table::GET_TOWN_CONFIG;
use serde_json::{Value, json};

fn read(town: &Town) -> Value {
    town.fleet.ask(&town.at, &GET_TOWN_CONFIG, (), &town.owner()).unwrap()
}

#[test]
fn a_town_that_set_nothing_answers_the_contracts_defaults_and_its_owner() {
    let (town, _rig) = Town::with_rig();
    let config = read(&town);
    assert_eq!(config["staged_convoys_default"], true);
    assert_eq!(config["convoy_merge_mode"], "review-then-land");
    assert_eq!(config["merge_strategy"], "pr");
    assert_eq!(config["refinery"]["auto_merge_delay_minutes"], 5);
    assert_eq!(config["owner_user_id"], crate::support::tokens::OWNER);
    assert_eq!(config["owner_type"], "user");
    assert_eq!(config["env_vars"], json!({}));
}

#[test]
fn an_update_is_merged_shallowly_but_refinery_and_instructions_by_key() {
    let (town, _rig) = Town::with_rig();
    town.configure(json!({"refinery": {"auto_merge": false}, "custom_instructions": {"polecat": "p"}, "env_vars": {"A": "1", "B": "2"}}))
        .unwrap();
    let answer =
        town.configure(json!({"refinery": {"code_review": false}, "custom_instructions": {"mayor": "m"}, "env_vars": {"C": "3"}})).unwrap();
    assert_eq!(answer, read(&town));
    assert_eq!((&answer["refinery"]["auto_merge"], &answer["refinery"]["code_review"]), (&json!(false), &json!(false)));
    assert_eq!(answer["custom_instructions"], json!({"polecat": "p", "mayor": "m"}));
    assert_eq!(answer["env_vars"], json!({"C": "3"}));
    let answer = town.configure(json!({"custom_instructions": null, "default_model": "m"})).unwrap();
    assert_eq!(answer.get("custom_instructions"), None);
    assert_eq!(town.configure(json!({"default_model": ""})).unwrap().get("default_model"), None);
}

#[test]
fn a_masked_secret_keeps_the_stored_one() {
    let (town, _rig) = Town::with_rig();
    town.configure(json!({"env_vars": {"TOKEN": "s3cret"}, "git_auth": {"github_token": "ghp_abcd"}, "github_cli_pat": "pat_1234"}))
        .unwrap();
    let masked = json!({"env_vars": {"TOKEN": "****cret", "NEW": "****"}, "git_auth": {"github_token": "****abcd", "gitlab_token": "glp"}, "github_cli_pat": "****1234"});
    let answer = town.configure(masked).unwrap();
    assert_eq!(answer["env_vars"], json!({"TOKEN": "s3cret"}));
    assert_eq!(answer["git_auth"], json!({"github_token": "ghp_abcd", "gitlab_token": "glp"}));
    assert_eq!(answer["github_cli_pat"], "pat_1234");
    assert_eq!(town.configure(json!({"github_cli_pat": "****12345"})).unwrap()["github_cli_pat"], "****12345");
}

#[test]
fn a_value_that_does_not_fit_changes_nothing() {
    let (town, _rig) = Town::with_rig();
    let before = read(&town);
    for (bad, reason) in [
        (json!({"max_polecats_per_rig": 0}), "from 1 to 50"),
        (json!({"max_polecats_per_rig": 51}), "from 1 to 50"),
        (json!({"max_polecats_per_rig": 2.5}), "from 1 to 50"),
        (json!({"max_polecats_per_rig": "5"}), "from 1 to 50"),
        (json!({"convoy_merge_mode": "zzz"}), "review-then-land or review-and-merge"),
        (json!({"staged_convoys_default": 1}), "true or false"),
        (json!({"custom_instructions": {"mayor": "m".repeat(2_001)}}), "2000 characters"),
        (json!({"env_vars": {"GASTOWN_X": "1"}}), "env_vars must be"),
        (json!({"env_vars": {"1X": "1"}}), "env_vars must be"),
        (json!({"env_vars": {"X": 1}}), "env_vars must be"),
        (json!({"refinery": {"review_mode": "zzz"}}), "refinery.review_mode must be rework or comments"),
        (json!({"refinery": {"bogus": true}}), "refinery.bogus is not a setting"),
        (json!({"refinery": {"gates": ["ok", 7]}}), "refinery.gates must be a list"),
        (json!({"refinery": {"auto_merge_delay_minutes": -1}}), "minutes, or null"),
        (json!({"refinery": true}), "refinery must be an object"),
        (json!({"git_auth": {"password": "x"}}), "git_auth.password is not a setting"),
        (json!({"git_auth": {"github_token": 7}}), "git_auth.github_token must be a text"),
        (json!({"role_models": {"witness": "m"}}), "role_models.witness is not a setting"),
        (json!({"container": {"sleep_after_minutes": 4}}), "from 5 to 120"),
        (json!({"container": {"sleep_after_minutes": 121}}), "from 5 to 120"),
        (json!({"alarm_interval_active": 4}), "from 5 to 600"),
        (json!({"alarm_interval_idle": 3_601}), "from 30 to 3600"),
        (json!({"merge_strategy": "squash"}), "direct or pr"),
        (json!({"disable_ai_coauthor": "yes"}), "true or false"),
        (json!({"custom_instructions": {"witness": "m"}}), "custom_instructions.witness is not a setting"),
        (json!({"default_model": "m".repeat(301)}), "300 characters"),
        (json!({"x.merge_strategy": "pr"}), "x.merge_strategy is not a setting"),
        (json!({"no_such_key": null}), "no_such_key is not a setting"),
        (json!({"owner_user_id": "user-stranger"}), "owner_user_id is not a setting"),
        (json!({"organization_id": "org"}), "organization_id is not a setting"),
        (json!({"no_such_key": 1}), "no_such_key is not a setting"),
        (json!({"env_vars": {"X": "m".repeat(70_000)}}), "65536 bytes"),
    ] {
        let mut update = bad;
        update["git_author_name"] = json!("changed");
        let refusal = refusal(town.configure(update));
        assert_eq!(refusal.code, Code::InvalidArgument);
        assert!(refusal.message.contains(reason), "{}", refusal.message);
    }
    assert_eq!(read(&town), before);
    assert_eq!(code(town.configure(json!([]))), Code::InvalidArgument);
}

/// S2-24: a larger pool is used at once, in every rig.
#[test]
fn a_new_capacity_reaches_the_rigs_and_waiting_work_is_given_out() {
    let (town, rig) = Town::with_rig();
    let backend = town.add_rig("backend", 3);
    for number in 0..8 {
        town.sling(&rig, &format!("{number}"));
        town.sling(&backend, &format!("{number}"));
    }
    town.configure(json!({"max_polecats_per_rig": 7})).unwrap();
    for place in [&rig, &backend] {
        let hooked = town.agents(place).into_iter().filter(|agent| agent.current_hook_bead_id.is_some()).count();
        assert_eq!(hooked, 7);
    }
    // Another setting is no news to the rigs.
    town.sql(&town.at).take_log();
    town.configure(json!({"git_author_name": "n"})).unwrap();
    assert!(town.sql(&town.at).take_log().iter().all(|(statement, _)| !statement.starts_with("-- outbox")));
}
