//! No statement that a convoy costs reads a whole table.

use super::convoy_changes::{sling_into, three, update};
use crate::support::assert_indexed;
use gastown_mcp::rpc::table::CLOSE_CONVOY;
use serde_json::json;

#[test]
fn no_statement_about_convoys_reads_a_whole_table() {
    let (town, [api, web, _]) = three();
    let sql = town.sql(&town.at);
    sql.take_log();
    let tasks = json!([{"title": "a"}, {"title": "b", "rig_id": web.id, "depends_on": [0]}]);
    let convoy = town.try_convoy(json!({"rigId": api.id, "convoyTitle": "c", "tasks": tasks, "staged": true})).unwrap().convoy.id;
    let more = sling_into(&town, json!({"convoy": "c", "rig_id": web.id, "title": "more"})).unwrap().beads.remove(0).bead.bead_id;
    update(&town, &convoy, json!({"add_beads": [more], "depends_on": []})).unwrap();
    town.start(&convoy).unwrap();
    for rig in [&api, &web, &web] {
        let held = town.agents(rig).into_iter().find_map(|agent| agent.current_hook_bead_id);
        held.map(|bead| town.close(rig, &bead));
        town.fleet.settle();
    }
    update(&town, &convoy, json!({"remove_beads": [more]})).unwrap();
    town.convoy_status(&convoy);
    town.fleet.tell(&town.at, &CLOSE_CONVOY, (&convoy,), &town.owner()).unwrap();
    town.fleet.settle();
    for (statement, params) in sql.take_log() {
        // A town has one row and few rigs; the outbox is short; convoys that are shown are shown one by one.
        let small = ["FROM town", "FROM rigs", "FROM outbox", "-- meta", "sqlite_master", "-- convoys_titled"]
            .iter()
            .any(|known| statement.contains(known));
        if !small || statement.contains("FROM convoy_beads AS") {
            // What is computed from an entry's own columns is no table.
            let plan = sql.explain(&statement, &params);
            let reads_all = plan.lines().any(|step| {
                step.starts_with("SCAN") && ["USING", "CONSTANT", "json_each", "subquery"].iter().all(|known| !step.contains(known))
            });
            assert!(!reads_all, "{statement}\n{plan}");
        }
        if statement.starts_with("-- mirror") || statement.starts_with("-- convoys_waiting") {
            assert_indexed(&sql, &statement, &params);
        }
    }
}
