//! What is believed, as whom, and what goes further: never the client's own token.

use super::{call, deployment, get, json_of, list_tools, request, town};
use crate::support::edge::{Isolate, ORIGIN, header, text};
use crate::support::issuer::{ISSUER, KEYS_URL, Key, claims, publish, with};
use crate::support::{Fleet, tokens};
use gastown_mcp::auth::{Accept, AccessToken, verify};
use gastown_mcp::rpc::call::Instance;
use serde_json::json;

#[test]
fn a_token_of_each_algorithm_drives_a_town_beside_kilos_own() {
    let at = Isolate::with(&Fleet::new(), &[("OAUTH_ISSUER", ISSUER)]);
    let keys = [Key::rsa("rsa"), Key::ec("ec"), Key::ed("ed")];
    publish(&at.fleet, &keys.each_ref());
    let kilo = tokens::user(&at.fleet, "owner").jwt;
    let id = town(&at, &kilo, "backend");
    for key in &keys {
        let token = key.sign(&claims(&at.fleet));
        let towns = json_of(&call(&at, "/mcp", &token, "list_towns", json!({})));
        assert_eq!(towns["result"]["structuredContent"]["towns"][0]["id"], id, "{towns}");
        let slung = json_of(&call(&at, "/mcp", &token, "sling", json!({"town": id, "rig": "api", "title": key.id})));
        assert!(slung["result"]["structuredContent"]["bead"]["id"].is_string(), "{slung}");
        assert_eq!(get(&at, "/api/users/owner/towns", &token).status, 200);
        assert_eq!(list_tools(&at, &format!("/towns/{id}/mcp"), &token).status, 200, "the fleet's resource covers its towns");
    }
    assert_eq!(list_tools(&at, "/mcp", &kilo).status, 200);
    assert_eq!(at.fleet.take_faults(), Vec::<String>::new());
}

#[test]
fn forms_that_servers_differ_in() {
    let (at, key) = deployment();
    let good = claims(&at.fleet);
    for changes in [
        json!({"aud": ["https://other.example", format!("{ORIGIN}/mcp/")]}),
        json!({"scope": ["openid", "gastown:read"]}),
        json!({"iat": null}),
        json!({"nbf": at.fleet.now().millis() / 1000 + 9}),
        json!({"exp": at.fleet.now().millis() / 1000 - 9}),
    ] {
        assert_eq!(list_tools(&at, "/mcp", &key.sign(&with(good.clone(), changes.clone()))).status, 200, "{changes}");
    }
    for header in [
        json!({"alg": "ES256", "kid": "one"}),
        json!({"alg": "ES256", "typ": "JWT"}),
        json!({"alg": "ES256", "typ": "application/at+jwt", "kid": "one"}),
        // Nothing in a header brings a key.
        json!({"alg": "ES256", "typ": "AT+JWT", "jku": "https://evil.example", "jwk": Key::ec("evil").jwk()}),
    ] {
        assert_eq!(list_tools(&at, "/mcp", &key.sign_as(&header, &good.to_string())).status, 200, "{header}");
    }
}

#[test]
fn a_principal_ends_with_its_token() {
    let (at, key) = deployment();
    let token = key.sign(&claims(&at.fleet));
    let principal = AccessToken::open(&token, ISSUER).ok().unwrap().bearer(|_| true, at.fleet.now()).unwrap();
    assert_eq!(principal.expires_at.unwrap().since(at.fleet.now()), 3_600_000 - at.fleet.now().millis() % 1_000);
    assert_eq!(principal.key(), "user:owner", "the same as with a token of Kilo's");
}

#[test]
fn memberships_open_an_organizations_towns() {
    let (at, key) = deployment();
    let member = with(claims(&at.fleet), json!({"org_memberships": [{"orgId": "acme", "role": "member"}]}));
    assert_eq!(get(&at, "/api/orgs/acme/towns", &key.sign(&member)).status, 200);
    assert_eq!(get(&at, "/api/orgs/acme/towns", &key.sign(&claims(&at.fleet))).status, 403);
    let billing = with(claims(&at.fleet), json!({"orgs": [{"orgId": "acme", "role": "billing_manager"}]}));
    assert_eq!(get(&at, "/api/orgs/acme/towns", &key.sign(&billing)).status, 403);
}

#[test]
fn a_token_for_one_town_is_good_at_that_towns_door_only() {
    let (at, key) = deployment();
    let kilo = tokens::user(&at.fleet, "owner").jwt;
    let (one, other) = (town(&at, &kilo, "one"), town(&at, &kilo, "other"));
    let token = key.sign(&with(claims(&at.fleet), json!({"aud": format!("{ORIGIN}/towns/{one}/mcp")})));
    let slung = json_of(&call(&at, &format!("/towns/{one}/mcp"), &token, "sling", json!({"rig": "api", "title": "x"})));
    assert!(slung["result"]["structuredContent"]["bead"]["id"].is_string(), "{slung}");
    for elsewhere in ["/mcp".to_owned(), format!("/towns/{other}/mcp"), "/towns/one/mcp".to_owned(), format!("/towns/{one}/mcp/readonly")] {
        super::refused(&list_tools(&at, &elsewhere, &token), "issued for another service");
    }
    super::refused(&get(&at, "/api/users/owner/towns", &token), "issued for another service");
    let crossing = json_of(&call(&at, &format!("/towns/{one}/mcp"), &token, "list_rigs", json!({"town": other})));
    assert_eq!(crossing["result"]["isError"], true, "{crossing}");
}

#[test]
fn a_public_url_is_what_clients_know() {
    let fleet = Fleet::new();
    let at = Isolate::with(&fleet, &[("OAUTH_ISSUER", ISSUER), ("PUBLIC_URL", "https://MCP.example/")]);
    let key = Key::ed("one");
    publish(&fleet, &[&key]);
    let metadata = json_of(&get(&at, "/.well-known/oauth-protected-resource/mcp", ""));
    assert_eq!(metadata["resource"], "https://mcp.example/mcp");
    let challenge = header(&list_tools(&at, "/mcp", ""), "www-authenticate").unwrap();
    assert!(challenge.contains("resource_metadata=\"https://mcp.example/.well-known/oauth-protected-resource/mcp\""), "{challenge}");
    let token = key.sign(&with(claims(&fleet), json!({"aud": "https://mcp.example/mcp"})));
    assert_eq!(list_tools(&at, "/mcp", &token).status, 200);
    super::refused(&list_tools(&at, "/mcp", &key.sign(&claims(&fleet))), "issued for another service");
}

#[test]
fn the_metadata_names_the_server_at_two_places_and_no_others() {
    let (at, _) = deployment();
    for (place, resource) in [("", "/mcp"), ("/mcp", "/mcp"), ("/towns/a/mcp", "/towns/a/mcp"), ("/mcp/readonly", "/mcp/readonly")] {
        let document = json_of(&get(&at, &format!("/.well-known/oauth-protected-resource{place}"), ""));
        assert_eq!(
            document,
            json!({"resource": format!("{ORIGIN}{resource}"), "authorization_servers": [ISSUER], "bearer_methods_supported": ["header"],
                "scopes_supported": ["gastown:read", "gastown:write", "gastown:admin"]})
        );
    }
    let off = Isolate::new(&at.fleet);
    let document = json_of(&get(&off, "/.well-known/oauth-protected-resource", ""));
    assert!(document.get("authorization_servers").is_none(), "{document}");
    for absent in
        ["oauth-authorization-server", "oauth-authorization-server/mcp", "openid-configuration", "mcp.json", "oauth-protected-resource/x"]
    {
        let answer = get(&at, &format!("/.well-known/{absent}"), "");
        assert_eq!((answer.status, json_of(&answer)["success"].clone()), (404, json!(false)), "{absent}");
    }
}

#[test]
fn what_the_objects_see_is_made_here_lives_a_minute_and_opens_no_door() {
    let (at, key) = deployment();
    let token = key.sign(&claims(&at.fleet));
    assert_eq!(call(&at, "/mcp", &token, "list_towns", json!({})).status, 200);
    let shown = at.fleet.take_shown();
    let exchanged = &shown.iter().find(|(to, _)| *to == Instance::User("owner".to_owned())).unwrap().1;
    assert_ne!(*exchanged, token);
    let principal = verify(at.fleet.keys(), exchanged, at.fleet.now(), Accept::Internal).unwrap();
    assert_eq!((principal.user_id.as_str(), principal.scope.name()), ("owner", "gastown:write"));
    super::refused(&list_tools(&at, "/mcp", exchanged), "internal tokens are not accepted here");
    assert!(shown.iter().all(|(_, jwt)| *jwt != token), "the client's token goes no further");
    // Kilo's own tokens are forwarded as they are.
    let kilo = tokens::user(&at.fleet, "owner").jwt;
    call(&at, "/mcp", &kilo, "list_towns", json!({}));
    assert!(at.fleet.take_shown().iter().any(|(_, jwt)| *jwt == kilo));
}

#[test]
fn requests_that_come_together_ask_the_server_once() {
    let (at, key) = deployment();
    let token = key.sign(&claims(&at.fleet));
    let all: Vec<_> = (0..20).map(|_| at.start(request("/mcp", &token, "tools/list", json!({})))).collect();
    for answer in at.fleet.block_on(futures::future::join_all(all)) {
        let answer = answer.whole();
        assert_eq!(answer.status, 200, "{}", text(&answer));
    }
    assert_eq!(at.fleet.web().take_asked().iter().filter(|url| *url == KEYS_URL).count(), 1);
}
