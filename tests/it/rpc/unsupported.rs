//! What the contract has and embedded towns do not: each is there, and says so by its name.

use crate::support::tokens::{mayor, user};
use crate::support::{Town, refusal};
use base::error::{Code, Failure};
use gastown_mcp::rpc::call::{Context, Instance, read_reply};
use gastown_mcp::rpc::table::{METHODS, Method, Object};
use serde_json::Value;

/// Calls with arguments of any shape.
fn call(town: &Town, rig: &Instance, method: &Method, who: &Context, arguments: usize) -> Result<String, Failure> {
    let to = if method.object == Object::Rig { rig } else { &town.at };
    let args = Value::from(vec![Value::Null; arguments]).to_string();
    read_reply(&town.fleet.raw(to, method.name, &args, &serde_json::to_string(who).unwrap())).map(str::to_owned)
}

#[test]
fn methods_that_are_not_here_say_so_by_name_and_what_to_do_instead() {
    let (town, rig) = Town::with_rig();
    let unsupported: Vec<&&Method> = METHODS.iter().filter(|method| method.is_unsupported).collect();
    assert!(unsupported.len() >= 20);
    for method in unsupported {
        let refused = refusal(call(&town, &rig.at, method, &town.owner(), method.params.len()));
        assert_eq!(refused.code, Code::Unsupported);
        assert!(refused.message.starts_with(&format!("\"{}\" is not supported by embedded towns: ", method.name)), "{}", refused.message);
        assert!(refused.hint.is_some_and(|hint| hint.ends_with('.')), "{}", method.name);
        // The number of arguments counts, as of every method.
        let refused = refusal(call(&town, &rig.at, method, &town.owner(), method.params.len() + 1));
        assert_eq!(refused.code, Code::InvalidArgument, "{}", refused.message);
        // And so does who asks.
        let stranger = user(&town.fleet, "user-stranger");
        assert_eq!(refusal(call(&town, &rig.at, method, &stranger, method.params.len())).code, Code::Forbidden);
        assert_eq!(refusal(call(&town, &rig.at, method, &mayor(&town.fleet, &town.id), method.params.len())).code, Code::Unsupported);
    }
}
