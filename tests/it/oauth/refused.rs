//! What is not believed. Every refused token differs in one point from one that is.

use super::{deployment, get, list_tools, refused};
use crate::support::edge::{Isolate, ORIGIN, Sent, header, text};
use crate::support::issuer::{ISSUER, KEYS_URL, Key, METADATA_URL, claims, publish, with};
use crate::support::{Fleet, tokens};
use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{Algorithm, AlgorithmSignature};
use serde_json::{Value, json};

fn encode(text: &str) -> String {
    Base64UrlUnpadded::encode_string(text.as_bytes())
}

/// Signed with HMAC, whatever the header says.
fn hmac(secret: &[u8], header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", encode(&header.to_string()), encode(&claims.to_string()));
    let signature = Hs256.sign(&Hs256Key::new(secret), signed.as_bytes());
    format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature.as_bytes()))
}

#[test]
fn a_claim_that_does_not_hold() {
    let (at, key) = deployment();
    let now = at.fleet.now().millis() / 1000;
    for (changes, reason) in [
        (json!({"iss": "https://login.example/other"}), "authorization server that is not trusted"),
        (json!({"iss": "https://login.example/tenant/"}), "authorization server that is not trusted"),
        (json!({"iss": null}), "authorization server that is not trusted"),
        (json!({"aud": null}), "issued for another service"),
        (json!({"aud": []}), "issued for another service"),
        (json!({"aud": ORIGIN}), "issued for another service"),
        (json!({"aud": format!("{ORIGIN}/mcp/x")}), "issued for another service"),
        (json!({"aud": "https://other.example/mcp"}), "issued for another service"),
        (json!({"aud": "gastown"}), "issued for another service"),
        (json!({"exp": now - 10}), "has expired"),
        (json!({"exp": null}), "malformed one"),
        (json!({"exp": "tomorrow"}), "malformed one"),
        (json!({"exp": now - 61, "iat": now - 60, "nbf": now - 60}), "has expired"),
        (json!({"iat": now + 3_600}), "not valid yet"),
        (json!({"exp": now - 5, "iat": now - 4}), "malformed one"),
        (json!({"nbf": now + 11}), "not valid yet"),
        (json!({"iat": now + 11}), "not valid yet"),
        (json!({"sub": null}), "malformed one"),
        (json!({"sub": ""}), "malformed one"),
        (json!({"sub": 7}), "malformed one"),
        (json!({"aud": 7}), "malformed one"),
        (json!({"scope": {"gastown:read": true}}), "malformed one"),
        (json!({"orgs": ["acme"]}), "malformed one"),
        // Bound to the client's key: good only with a proof.
        (json!({"cnf": {"jkt": "x"}}), "malformed one"),
    ] {
        refused(&list_tools(&at, "/mcp", &key.sign(&with(claims(&at.fleet), changes))), reason);
    }
    let twice = claims(&at.fleet).to_string().replacen('{', r#"{"sub":"somebody","#, 1);
    refused(&list_tools(&at, "/mcp", &key.sign_as(&json!({"alg": "ES256", "kid": "one"}), &twice)), "malformed one");
}

#[test]
fn a_header_that_does_not_fit() {
    let (at, key) = deployment();
    let good = claims(&at.fleet).to_string();
    for (header, reason) in [
        (json!({"alg": "none", "kid": "one"}), "not signed with an algorithm"),
        (json!({"alg": "RS512", "kid": "one"}), "not signed with an algorithm"),
        (json!({"alg": "PS256", "kid": "one"}), "not signed with an algorithm"),
        (json!({"alg": "es256", "kid": "one"}), "not signed with an algorithm"),
        // The key is another algorithm's.
        (json!({"alg": "RS256", "kid": "one"}), "not signed by an issuer known here"),
        (json!({"alg": "EdDSA", "kid": "one"}), "not signed by an issuer known here"),
        (json!({"alg": "ES256", "kid": "two"}), "not signed by an issuer known here"),
        (json!({"alg": "ES256", "kid": ""}), "not signed by an issuer known here"),
        (json!({"alg": "ES256", "kid": 1}), "not a signed JWT"),
        (json!({"alg": "ES256", "kid": "one", "crit": ["b64"]}), "not a signed JWT"),
        (json!({"alg": "ES256", "kid": "one", "typ": "dpop+jwt"}), "no access token"),
        (json!({"alg": "ES256", "kid": "one", "typ": "logout+jwt"}), "no access token"),
        (json!({"alg": "ES256", "kid": "one", "typ": ""}), "no access token"),
    ] {
        refused(&list_tools(&at, "/mcp", &key.sign_as(&header, &good)), reason);
    }
    let token = key.sign(&claims(&at.fleet));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    for (bad, reason) in [
        (format!("{signed}."), "not signed by an issuer known here"),
        (format!("{signed}.AAAA"), "not signed by an issuer known here"),
        (format!("{signed}.{signature}="), "not a signed JWT"),
        (format!("{signed}.{signature}.{signature}"), "not a signed JWT"),
        (Key::ec("one").sign(&claims(&at.fleet)), "not signed by an issuer known here"),
    ] {
        refused(&list_tools(&at, "/mcp", &bad), reason);
    }
}

// No key is ever used by the rules of the other kind.
#[test]
fn keys_are_not_confused() {
    let fleet = Fleet::new();
    let at = Isolate::with(&fleet, &[("OAUTH_ISSUER", ISSUER)]);
    let (rsa, ec, ed) = (Key::rsa("rsa"), Key::ec("ec"), Key::ed("ed"));
    publish(&fleet, &[&rsa, &ec, &ed]);
    let good = claims(&fleet);
    assert_eq!(list_tools(&at, "/mcp", &ec.sign(&good)).status, 200);
    // The public key as an HMAC secret, in the forms in which it is public.
    for key in [&rsa, &ec, &ed] {
        let jwk = key.jwk();
        let member = |name: &str| jwk[name].as_str().map(|text| Base64UrlUnpadded::decode_vec(text).unwrap());
        let secrets = [Some(jwk.to_string().into_bytes()), member("n"), member("x")];
        for secret in secrets.into_iter().flatten() {
            for header in [json!({"alg": "HS256", "typ": "at+jwt", "kid": key.id}), json!({"alg": key.algorithm(), "kid": key.id})] {
                assert_eq!(list_tools(&at, "/mcp", &hmac(&secret, &header, &good)).status, 401, "{header}");
            }
        }
    }
    // A published shared secret is no key.
    let oct = json!({"keys": [{"kty": "oct", "k": encode("a secret for everybody to read!"), "kid": "oct", "alg": "HS256"}, ec.jwk()]});
    let published = Isolate::with(&fleet, &[("OAUTH_ISSUER", ISSUER)]);
    fleet.web().put(KEYS_URL, Some(crate::support::web::Page::Text(oct.to_string())));
    let forged = hmac(b"a secret for everybody to read!", &json!({"alg": "HS256", "kid": "oct"}), &good);
    refused(&list_tools(&published, "/mcp", &forged), "not signed by an issuer known here");
    // Kilo's and Gastown's claims, signed by the authorization server.
    let now = fleet.now().millis() / 1000;
    for foreign in [
        json!({"version": 3, "kiloUserId": "owner", "apiTokenPepper": null, "iat": now, "exp": now + 60}),
        json!({"scope": "exchanged", "aud": "gastown-objects", "userId": "owner", "granted": "gastown:admin", "iat": now, "exp": now + 60}),
        json!({"scope": "container", "townId": "x", "userId": "owner", "iat": now, "exp": now + 60}),
    ] {
        refused(&list_tools(&at, "/mcp", &ec.sign(&foreign)), "not trusted here");
    }
    // The server's claims, signed with Kilo's and Gastown's secrets.
    for secret in ["nextauth-secret-of-the-tests", "gastown-secret-of-the-tests"] {
        let token = hmac(secret.as_bytes(), &json!({"alg": "HS256", "typ": "at+jwt"}), &good);
        assert_eq!(list_tools(&at, "/mcp", &token).status, 401);
    }
    // Without an authorization server no asymmetric algorithm is taken, whatever is signed.
    let off = Isolate::new(&fleet);
    refused(&list_tools(&off, "/mcp", &ec.sign(&good)), "not signed with an algorithm");
}

#[test]
fn a_token_of_another_issuer_fetches_nothing() {
    let (at, key) = deployment();
    for changes in [json!({"iss": "https://evil.example"}), json!({"iss": null})] {
        list_tools(&at, "/mcp", &key.sign(&with(claims(&at.fleet), changes)));
    }
    list_tools(&at, "/mcp", &tokens::user(&at.fleet, "owner").jwt);
    list_tools(&at, "/mcp", "abc");
    assert_eq!(at.fleet.web().take_asked(), Vec::<String>::new());
}

#[test]
fn metadata_of_another_issuer_or_address_is_not_followed() {
    for metadata in [
        json!({"issuer": "https://evil.example", "jwks_uri": KEYS_URL}),
        json!({"issuer": ISSUER, "jwks_uri": "http://keys.example/set"}),
        json!({"issuer": ISSUER, "jwks_uri": "file:///etc/passwd"}),
        json!({"issuer": ISSUER}),
        json!("nothing"),
    ] {
        let (at, key) = deployment();
        at.fleet.web().put(METADATA_URL, Some(crate::support::web::Page::Text(metadata.to_string())));
        let answer = list_tools(&at, "/mcp", &key.sign(&claims(&at.fleet)));
        assert_eq!(answer.status, 503, "{metadata}: {}", text(&answer));
        assert!(!at.fleet.web().take_asked().contains(&KEYS_URL.to_owned()), "{metadata}");
        assert_eq!(at.fleet.take_faults().len(), 1);
    }
}

#[test]
fn a_malformed_header_is_a_bad_request_and_a_query_holds_no_token() {
    let (at, key) = deployment();
    let token = key.sign(&claims(&at.fleet));
    let send = |authorization: Option<String>, path: &str| {
        let sent = Sent::new("POST", path).json(&json!({}));
        at.send(sent.with_all(authorization.as_deref().map(|value| ("authorization", value))))
    };
    for path in ["/mcp", "/api/users/owner/towns"] {
        let answer = send(Some(format!("Bearer {token}, Bearer {token}")), path);
        let challenge = header(&answer, "www-authenticate").unwrap();
        assert_eq!(answer.status, 400, "{}", text(&answer));
        assert!(challenge.contains("error=\"invalid_request\""), "{challenge}");
    }
    let answer = send(None, &format!("/mcp?access_token={token}"));
    assert_eq!(answer.status, 401);
    assert!(!header(&answer, "www-authenticate").unwrap().contains("error="));
}

#[test]
fn a_rest_door_names_metadata_that_is_there() {
    let (at, _) = deployment();
    let challenge = header(&get(&at, "/api/users/owner/towns", "x"), "www-authenticate").unwrap();
    assert!(challenge.contains(&format!("resource_metadata=\"{ORIGIN}/.well-known/oauth-protected-resource/mcp\"")), "{challenge}");
}
