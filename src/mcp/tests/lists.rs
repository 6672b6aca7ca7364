//! What is listed, read and completed, and what a server of each revision declares.

use crate::*;

/// The same request in the modern era and within a session.
fn both(server: &Product, method: &str, params: Value) -> [Value; 2] {
    let session = initialize(server, "2025-11-25");
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let legacy = body(&post_legacy(server, &session, &request.to_string()));
    let legacy = legacy.get("result").or(legacy.get("error")).cloned().unwrap();
    [ask_modern(server, &able(method, params, json!({}))), legacy]
}

#[test]
fn what_a_server_declares_follows_from_the_revision() {
    let server = Product::new();
    for (version, keys) in [
        ("2024-11-05", vec!["logging", "prompts", "resources", "tools"]),
        ("2025-03-26", vec!["completions", "logging", "prompts", "resources", "tools"]),
        ("2025-06-18", vec!["completions", "logging", "prompts", "resources", "tools"]),
        ("2025-11-25", vec!["completions", "logging", "prompts", "resources", "tools"]),
        (MODERN, vec!["completions", "extensions", "logging", "prompts", "resources", "tools"]),
    ] {
        let capabilities = if version == MODERN {
            ask_modern(&server, &able("server/discover", json!({}), json!({})))["capabilities"].clone()
        } else {
            let request = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": version}});
            body(&post(&server, &[], &request.to_string()))["result"]["capabilities"].clone()
        };
        let mut found: Vec<&str> = capabilities.as_object().unwrap().keys().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, keys, "{version}");
        assert_eq!(capabilities["resources"], json!({"subscribe": true, "listChanged": true}));
        assert_eq!((&capabilities["tools"], &capabilities["prompts"]), (&json!({"listChanged": true}), &json!({})));
    }
}

#[test]
fn every_declared_capability_has_its_methods_in_every_revision() {
    let server = Product::new();
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let session = initialize(&server, version);
        for method in ["tools/list", "resources/list", "resources/templates/list", "prompts/list"] {
            let request = json!({"jsonrpc": "2.0", "id": 1, "method": method});
            assert_eq!(verdict(&post_legacy(&server, &session, &request.to_string())), (200, 0), "{version} {method}");
        }
    }
}

#[test]
fn lists_have_pages_and_say_how_long_they_are_good() {
    let server = Product::new();
    let [modern, legacy] = both(&server, "resources/list", json!({}));
    assert_eq!((&modern["resources"], &modern["nextCursor"]), (&json!([{"uri": "test://a", "name": "a"}]), &json!("")));
    assert!(modern["ttlMs"].is_u64() && modern["cacheScope"] == "private");
    assert_eq!(legacy, json!({"resources": [{"uri": "test://a", "name": "a"}], "nextCursor": ""}));
    let [modern, legacy] = both(&server, "resources/list", json!({"cursor": ""}));
    assert_eq!((&modern["resources"][0]["name"], modern.get("nextCursor")), (&json!("b"), None));
    assert_eq!(modern["cacheScope"], "private");
    assert_eq!(legacy, json!({"resources": [{"uri": "test://b", "name": "b"}]}));
    for method in ["resources/list", "resources/templates/list", "prompts/list", "tools/list"] {
        for cursor in [json!("none"), json!(5), json!({})] {
            for refused in both(&server, method, json!({"cursor": cursor})) {
                assert_eq!(refused["code"], -32602, "{method} {cursor}");
            }
        }
        for first in both(&server, method, json!({"cursor": null})) {
            assert_eq!(first.get("code"), None, "{method}");
        }
    }
    assert_eq!(ask_modern(&server, &able("skills/list", json!({"cursor": "x"}), json!({})))["code"], -32602);
}

#[test]
fn templates_prompts_and_skills_are_listed_as_they_are() {
    let server = Product::new();
    for list in both(&server, "resources/templates/list", json!({})) {
        assert_eq!(list["resourceTemplates"], json!([{"uriTemplate": "test://{id}", "name": "any"}]));
    }
    for list in both(&server, "prompts/list", json!({})) {
        assert_eq!(list["prompts"][0]["name"], "greet");
    }
    let skills = ask_modern(&server, &able("skills/list", json!({}), json!({})));
    assert_eq!(skills["skills"][0]["uri"], "skill://s/SKILL.md");
    assert!(skills["ttlMs"].is_u64() && skills["cacheScope"] == "private");
    let skill = ask_modern(&server, &able("skills/get", json!({"uri": "skill://s/SKILL.md"}), json!({})));
    assert_eq!((&skill["skill"], skill["ttlMs"].is_u64()), (&skills["skills"][0], true));
    assert_eq!(ask_modern(&server, &able("skills/get", json!({"uri": "skill://none"}), json!({})))["code"], -32602);
}

#[test]
fn a_resource_is_read_or_not_found() {
    let server = Product::new();
    let contents = json!([{"uri": "test://a", "mimeType": "text/plain", "text": "content"}]);
    let [modern, legacy] = both(&server, "resources/read", json!({"uri": "test://a"}));
    assert_eq!((&modern["contents"], &modern["ttlMs"], &modern["cacheScope"]), (&contents, &json!(1_000), &json!("private")));
    assert_eq!(legacy, json!({"contents": contents}));
    let [modern, legacy] = both(&server, "resources/read", json!({"uri": "test://none"}));
    assert_eq!((&modern["code"], &modern["data"]), (&json!(-32602), &json!({"uri": "test://none"})));
    assert_eq!((&legacy["code"], &legacy["data"]), (&json!(-32002), &json!({"uri": "test://none"})));
    for refused in both(&server, "resources/read", json!({"uri": 5})) {
        assert_eq!(refused["code"], -32602);
    }
    for broken in both(&server, "resources/read", json!({"uri": "test://broken"})) {
        assert_eq!((&broken["code"], broken.to_string().contains("secret")), (&json!(-32603), false));
    }
}

#[test]
fn what_needs_a_wider_token_is_forbidden_with_a_challenge() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let modern = able("resources/read", json!({"uri": "test://scoped"}), json!({}));
    let legacy = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "scoped"}});
    let Got::Whole(modern) = start_modern(&server, &modern).wait() else { panic!("a stream came") };
    for response in [modern, post_legacy(&server, &session, &legacy.to_string())] {
        assert_eq!((response.status, header(&response, "www-authenticate")), (403, Some("Bearer scope=\"more\"")));
        assert_eq!(body(&response)["id"], 1);
    }
}

#[test]
fn a_prompt_is_filled_in_or_refused() {
    let server = Product::new();
    let [modern, legacy] = both(&server, "prompts/get", json!({"name": "greet", "arguments": {"who": "Ada"}}));
    assert_eq!((&modern["description"], &modern["messages"][0]["content"]["text"]), (&json!("A greeting"), &json!("Ada")));
    assert_eq!((modern.get("ttlMs"), legacy.as_object().unwrap().len()), (None, 2));
    for params in [
        json!({"name": "none"}),
        json!({"name": "greet"}),
        json!({"name": "greet", "arguments": null}),
        json!({"name": "greet", "arguments": {"who": 5}}),
        json!({"name": "greet", "arguments": []}),
        json!({"name": 5}),
        json!({}),
    ] {
        for refused in both(&server, "prompts/get", params.clone()) {
            assert_eq!(refused["code"], -32602, "{params}");
        }
    }
}

#[test]
fn a_completion_has_at_most_a_hundred_values_and_says_how_many_there_are() {
    let server = Product::new();
    let argument = json!({"name": "who", "value": "A"});
    let prompt = json!({"type": "ref/prompt", "name": "greet"});
    for result in both(&server, "completion/complete", json!({"ref": prompt, "argument": argument})) {
        let completion = &result["completion"];
        assert_eq!(completion["values"].as_array().unwrap().len(), 100);
        assert_eq!((&completion["values"][0], &completion["total"], &completion["hasMore"]), (&json!("A0"), &json!(150), &json!(true)));
    }
    let template = json!({"type": "ref/resource", "uri": "test://{id}"});
    for (context, values) in [(json!(null), 0), (json!({}), 0), (json!({"arguments": {"a": "1", "b": "2"}}), 2)] {
        let params = json!({"ref": template, "argument": argument, "context": context});
        for result in both(&server, "completion/complete", params) {
            let completion = &result["completion"];
            assert_eq!((completion["values"].as_array().unwrap().len(), &completion["hasMore"]), (values, &json!(false)));
        }
    }
    for params in [
        json!({}),
        json!({"ref": prompt}),
        json!({"argument": argument}),
        json!({"ref": {"type": "ref/tool", "name": "echo"}, "argument": argument}),
        json!({"ref": {"type": "ref/prompt", "name": "none"}, "argument": argument}),
        json!({"ref": {"type": "ref/prompt"}, "argument": argument}),
        json!({"ref": prompt, "argument": {"name": "who"}}),
        json!({"ref": prompt, "argument": {"name": "who", "value": 5}}),
        json!({"ref": prompt, "argument": argument, "context": {"arguments": {"a": 1}}}),
        json!({"ref": "greet", "argument": argument}),
    ] {
        for refused in both(&server, "completion/complete", params.clone()) {
            assert_eq!(refused["code"], -32602, "{params}");
        }
    }
    // The method is older than its capability.
    let session = initialize(&server, "2024-11-05");
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "completion/complete", "params": {"ref": prompt, "argument": argument}});
    assert_eq!(verdict(&post_legacy(&server, &session, &request.to_string())), (200, 0));
}

#[test]
fn a_tools_own_content_is_passed_on_and_a_failed_one_says_so() {
    let server = Product::new();
    for result in both(&server, "tools/call", json!({"name": "content"})) {
        assert_eq!((&result["content"], &result["isError"]), (&json!([{"type": "text", "text": "no"}]), &json!(true)));
        assert_eq!(result.get("structuredContent"), None);
    }
}

#[test]
fn a_list_is_the_same_each_time() {
    let server = Product::new();
    for method in ["tools/list", "prompts/list", "resources/list", "resources/templates/list", "skills/list"] {
        let list = || ask_modern(&server, &able(method, json!({}), json!({})));
        assert_eq!(list(), list());
    }
}
