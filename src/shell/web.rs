//! The web beyond this Worker, and `WebCrypto`.
//!
//! Owns reading streams up to a limit, fetching texts and checking signatures of public keys. Knows no issuer and no token.

use super::sql::describe;
use base::error::Fault;
use futures::future::LocalBoxFuture;
use gastown_mcp::auth::Algorithm;
use js_sys::{Array, JSON, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch, catch)]
    async fn fetch(url: &str, init: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = importKey, catch)]
    async fn import_key(format: &str, key: &JsValue, algorithm: &JsValue, extractable: bool, usages: &Array) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = verify, catch)]
    async fn verify(algorithm: &JsValue, key: &JsValue, signature: &Uint8Array, message: &Uint8Array) -> Result<JsValue, JsValue>;
}

/// The whole stream, or `None` when it is longer than `bytes_max`. Read chunk by chunk, so that one without a stated length
/// cannot fill the memory.
pub(super) async fn read_stream(stream: &web_sys::ReadableStream, bytes_max: usize) -> Result<Option<Vec<u8>>, JsValue> {
    let reader: web_sys::ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut bytes = Vec::new();
    loop {
        let chunk = JsFuture::from(reader.read()).await?;
        if Reflect::get(&chunk, &JsValue::from_str("done"))?.is_truthy() {
            return Ok(Some(bytes));
        }
        let chunk = Uint8Array::new(&Reflect::get(&chunk, &JsValue::from_str("value"))?);
        if bytes.len() + chunk.length() as usize > bytes_max {
            return Ok(None);
        }
        bytes.extend(chunk.to_vec());
    }
}

/// See `Runtime::fetch_text`. A redirect is an answer like any other that is not 200: it could lead anywhere.
pub(super) async fn fetch_text(url: String, bytes_max: usize) -> Result<String, Fault> {
    let doing = format!("fetch {url}");
    let broken = |error: JsValue| Fault::new(&doing, describe(&error));
    let init = JSON::parse(r#"{"redirect":"manual","headers":{"accept":"application/json"}}"#).map_err(broken)?;
    let response: web_sys::Response = fetch(&url, &init).await.map_err(broken)?.unchecked_into();
    if response.status() != 200 {
        return Err(Fault::new(&doing, format!("status {}", response.status())));
    }
    let Some(stream) = response.body() else { return Ok(String::new()) };
    let bytes = read_stream(&stream, bytes_max).await.map_err(broken)?;
    let bytes = bytes.ok_or_else(|| Fault::new(&doing, format!("longer than {bytes_max} bytes")))?;
    String::from_utf8(bytes).map_err(|error| Fault::new(&doing, error))
}

/// See `Runtime::verify_signature`.
pub(super) fn verify_signature(algorithm: Algorithm, jwk: &str, message: &[u8], signature: &[u8]) -> LocalBoxFuture<'static, bool> {
    // Copied now: a view of the memory would be invalid once it grows.
    let (message, signature) = (Uint8Array::from(message), Uint8Array::from(signature));
    let jwk = JSON::parse(jwk);
    let algorithm = match algorithm {
        Algorithm::Rs256 => r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-256"}"#,
        Algorithm::Es256 => r#"{"name":"ECDSA","namedCurve":"P-256","hash":"SHA-256"}"#,
        Algorithm::EdDsa => r#"{"name":"Ed25519"}"#,
    };
    let algorithm = JSON::parse(algorithm).unwrap_or_else(|_| Object::new().into());
    Box::pin(async move {
        let Ok(jwk) = jwk else { return false };
        let usages = Array::of1(&JsValue::from_str("verify"));
        let Ok(key) = import_key("jwk", &jwk, &algorithm, false, &usages).await else { return false };
        verify(&algorithm, &key, &signature, &message).await.is_ok_and(|is_good| is_good.is_truthy())
    })
}
