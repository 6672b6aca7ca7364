//! `wait_for`: as a task and within a call, in both eras.

mod answers;
mod call;
mod task;

use crate::support::client::Client;
use gastown_mcp::contract::ids::BeadId;
use gastown_mcp::objects::store::sql::Sql;
use gastown_mcp::rpc::call::Instance;
use gastown_mcp::tools::find;
use gastown_mcp::tools::profile::Profile;
use serde_json::{Value, json};

const TOOL: &str = "wait_for";

/// A town with a started convoy of two beads that do not wait for each other.
struct Given {
    convoy: String,
    beads: [BeadId; 2],
}

type World = crate::support::World<Given>;

impl World {
    fn new() -> Self {
        Self::holding(|town, rig| {
            let convoy = town.convoy(rig, Some(false), &[&[], &[]]);
            town.fleet.settle();
            let beads = [0, 1].map(|index: usize| convoy.beads[index].bead.bead_id.clone());
            Given { convoy: convoy.convoy.id.to_string(), beads }
        })
    }

    fn for_convoy(&self, seconds: u32) -> Value {
        json!({"town": self.town.id, "convoy": self.convoy, "timeout_seconds": seconds})
    }

    fn for_bead(&self, seconds: u32) -> Value {
        json!({"town": self.town.id, "bead": self.beads[0], "timeout_seconds": seconds})
    }

    /// Both beads end, one of them well.
    fn end(&self) {
        self.town.close(&self.rig, &self.beads[0]);
        self.town.fail(&self.rig, &self.beads[1]);
    }

    fn close_all(&self) {
        self.beads.iter().for_each(|bead| drop(self.town.close(&self.rig, bead)));
    }

    /// A merge commit becomes known.
    fn merge(&self, bead: &BeadId) {
        let sql = self.town.sql(&self.rig.at);
        sql.exec("UPDATE beads SET merge_commit = 'c0ffee' WHERE bead_id = ?", &json!([bead]).to_string()).unwrap();
    }
}

/// The object that keeps what the fleet's connection of the owner waits for.
fn sessions() -> Instance {
    Instance::Session(format!("principal:user:{}", crate::support::tokens::OWNER))
}

/// The structured content of a result, which is what the output schema allows and what the text says.
fn content(result: &Value) -> Value {
    assert!(result.get("isError").is_none(), "{result}");
    let content = result["structuredContent"].clone();
    assert_eq!(serde_json::from_str::<Value>(result["content"][0]["text"].as_str().unwrap()).unwrap(), content);
    let tool = find(Profile::Coordinator, TOOL).unwrap();
    let schema = gastown_mcp::tools::describe(tool)["outputSchema"].clone();
    for (name, value) in content.as_object().unwrap() {
        let property = &schema["properties"][name];
        let fits = match property["type"].as_str().unwrap_or_else(|| panic!("{name} is not in the schema")) {
            "string" => value.is_string() && property.get("enum").is_none_or(|known| known.as_array().unwrap().contains(value)),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64(),
            other => panic!("{name}: {other}"),
        };
        assert!(fits, "{name}: {value}");
    }
    for name in schema["required"].as_array().unwrap() {
        assert!(content.get(name.as_str().unwrap()).is_some(), "{name} is missing: {content}");
    }
    assert!(!content.to_string().contains("task ") && !content.to_string().contains("Payments"), "text of agents: {content}");
    content
}

/// What a refusal says.
fn refused(result: &Value) -> String {
    assert_eq!(result["isError"], true, "{result}");
    result["content"][0]["text"].as_str().unwrap().to_owned()
}

/// The state of a task.
fn state(client: &Client, id: &str) -> Value {
    client.result("tasks/get", json!({"taskId": id}))
}
