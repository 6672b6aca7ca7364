//! Beads: made within limits, moved through their life, never after its end.

use crate::support::{Town, code, refusal};
use base::error::Code;
use gastown_mcp::contract::ids::{BeadId, RigId};
use gastown_mcp::contract::shapes::{Bead, BeadStatus};
use gastown_mcp::rpc::table::{GET_BEAD, UPDATE_BEAD_STATUS};
use serde_json::{Map, Value, json};

#[test]
fn text_has_limits_and_the_refusal_names_them() {
    let (town, rig) = Town::with_rig();
    let mut fat = Map::new();
    fat.insert("x".to_owned(), Value::from("x".repeat(16 * 1_024)));
    let cases = [
        (json!({"title": ""}), "title"),
        (json!({"title": " \n\t"}), "title"),
        (json!({"title": "t".repeat(501)}), "title must have 1 to 500 characters"),
        (json!({"title": "t", "body": "b".repeat(64 * 1_024 + 1)}), "body must have at most 65536 bytes"),
        (json!({"title": "t", "labels": vec!["l"; 51]}), "labels: at most 50"),
        (json!({"title": "t", "labels": ["l".repeat(101)]}), "labels: at most 50, each of at most 100 characters"),
        (json!({"title": "t", "metadata": fat}), "metadata: at most 16384 bytes"),
    ];
    for (input, reason) in cases {
        let mut slung = input.clone();
        slung["rigId"] = json!(rig.id);
        let mut created = input;
        created["type"] = json!("issue");
        for refusal in [refusal(town.sling_as(&rig, slung, &town.owner())), refusal(town.create_bead(&rig, created))] {
            assert_eq!(refusal.code, Code::InvalidArgument);
            assert!(refusal.message.contains(reason), "{}", refusal.message);
        }
    }
    assert!(town.beads(&rig, json!({})).is_empty());
    assert!(town.agents(&rig).is_empty());
    town.sling(&rig, &"ü".repeat(500));
}

#[test]
fn text_comes_back_as_it_was_written() {
    let (town, rig) = Town::with_rig();
    let body = "quotes \" ' ; -- \u{0} \u{1f600} \\ {\"json\": [1]} \r\n";
    let input = json!({"rigId": rig.id, "title": "'; DROP TABLE beads; --", "body": body, "labels": ["[\"x\"]"], "metadata": {"deep": {"er": [1.5, null]}, "$.branch": 1}});
    let slung = town.sling_as(&rig, input, &town.owner()).unwrap();
    let read = town.bead(&rig, &slung.bead.bead_id);
    assert_eq!(read.body.as_deref(), Some(body));
    assert_eq!(read, slung.bead);
    assert_eq!(town.beads(&rig, json!({})), [slung.bead]);
}

#[test]
fn a_terminal_bead_never_changes() {
    let (town, rig) = Town::with_rig();
    for end in [BeadStatus::Closed, BeadStatus::Failed] {
        let bead = town.sling(&rig, "t").bead.bead_id;
        let ended = town.set_status(&rig, &bead, end);
        town.fleet.advance(1_000);
        for status in BeadStatus::ALL {
            assert_eq!(town.set_status(&rig, &bead, *status), ended);
        }
    }
    assert!(town.agents(&rig).iter().all(|agent| agent.current_hook_bead_id.is_none()));
}

#[test]
fn a_failure_keeps_its_reason() {
    let (town, rig) = Town::with_rig();
    let bead = town.sling(&rig, "t").bead.bead_id;
    let reason = json!({"code": "tests", "message": "3 tests fail", "source": "refinery"});
    let failed: Bead = town.fleet.ask(&rig.at, &UPDATE_BEAD_STATUS, (&bead, "failed", "me", reason), &town.owner()).unwrap();
    assert_eq!(failed.failure_reason.as_deref(), Some("3 tests fail"));
    let other = town.sling(&rig, "t").bead.bead_id;
    let endless = json!({"message": "m".repeat(2_001)});
    assert_eq!(
        code(town.fleet.ask::<Bead>(&rig.at, &UPDATE_BEAD_STATUS, (&other, "failed", "me", endless), &town.owner())),
        Code::InvalidArgument
    );
    let forged = json!({"type": "issue", "title": "t", "created_by": "c".repeat(2_001)});
    assert_eq!(code(town.create_bead(&rig, forged)), Code::InvalidArgument);
}

#[test]
fn a_reopened_bead_leaves_its_hook() {
    let (town, rig) = Town::with_rig();
    town.configure(json!({"max_polecats_per_rig": 1})).unwrap();
    let slung = town.sling(&rig, "t");
    town.set_status(&rig, &slung.bead.bead_id, BeadStatus::InReview);
    let reopened = town.set_status(&rig, &slung.bead.bead_id, BeadStatus::Open);
    // It was given out again at once: nobody else waits.
    assert_eq!(reopened.assignee_agent_bead_id, Some(slung.agent.unwrap().id));
}

#[test]
fn beads_belong_to_the_rig_that_was_called() {
    let (town, rig) = Town::with_rig();
    let backend = town.add_rig("backend", 3);
    let bead = town.sling(&rig, "t").bead.bead_id;
    assert_eq!(town.fleet.ask::<Option<Bead>>(&backend.at, &GET_BEAD, (&bead,), &town.owner()).unwrap(), None);
    assert!(town.beads(&backend, json!({})).is_empty());
    assert!(town.beads(&backend, json!({"rig_id": rig.id})).is_empty());
    let wrong = RigId::from_random([9; 16]);
    assert_eq!(code(town.sling_as(&rig, json!({"rigId": wrong, "title": "t"}), &town.owner())), Code::InvalidArgument);
    assert_eq!(code(town.create_bead(&rig, json!({"type": "issue", "title": "t", "rig_id": wrong}))), Code::InvalidArgument);
    let parent = json!({"type": "issue", "title": "t", "parent_bead_id": BeadId::from_random([9; 16])});
    assert_eq!(code(town.create_bead(&rig, parent)), Code::NotFound);
    for kind in ["message", "convoy", "agent", "bogus"] {
        assert_eq!(code(town.create_bead(&rig, json!({"type": kind, "title": "t"}))), Code::InvalidArgument);
    }
}
