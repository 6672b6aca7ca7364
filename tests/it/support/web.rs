//! The web as the edge sees it: documents by URL, and how often each was asked for. And what `WebCrypto` does in the Worker.
//!
//! Owns no issuer: `issuer` puts its documents here.

use base::error::Fault;
use base64ct::{Base64UrlUnpadded, Encoding};
use futures::future::LocalBoxFuture;
use gastown_mcp::auth::Algorithm;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::HashMap;

/// How long every answer takes.
pub const LATENCY_MILLIS: u32 = 40;

/// What is at a URL.
#[derive(Clone)]
pub enum Page {
    /// This text.
    Text(String),
    /// Nothing, ever.
    Hangs,
}

/// The documents.
#[derive(Default)]
pub struct Web {
    pages: RefCell<HashMap<String, Page>>,
    asked: RefCell<Vec<String>>,
}

impl Web {
    /// Puts a document there, or takes it away.
    pub fn put(&self, url: &str, page: Option<Page>) {
        let mut pages = self.pages.borrow_mut();
        match page {
            Some(page) => pages.insert(url.to_owned(), page),
            None => pages.remove(url),
        };
    }

    /// The URLs that were asked for since the last look.
    pub fn take_asked(&self) -> Vec<String> {
        self.asked.take()
    }

    /// As `Runtime::fetch_text`.
    pub fn open(&self, url: &str, bytes_max: usize) -> LocalBoxFuture<'static, Result<String, Fault>> {
        self.asked.borrow_mut().push(url.to_owned());
        let page = self.pages.borrow().get(url).cloned();
        Box::pin(async move {
            match page {
                None => Err(Fault::new("fetch", "status 404")),
                Some(Page::Text(text)) if text.len() > bytes_max => Err(Fault::new("fetch", "too long")),
                Some(Page::Text(text)) => Ok(text),
                Some(Page::Hangs) => std::future::pending().await,
            }
        })
    }
}

/// As `Runtime::verify_signature`.
pub fn is_signed(algorithm: Algorithm, jwk: &str, message: &[u8], signature: &[u8]) -> bool {
    let jwk: Value = serde_json::from_str(jwk).unwrap();
    let member = |name: &str| Base64UrlUnpadded::decode_vec(jwk[name].as_str().unwrap()).unwrap_or_default();
    match algorithm {
        Algorithm::Rs256 => {
            let key = RsaPublicKeyComponents { n: member("n"), e: member("e") };
            key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
        }
        Algorithm::Es256 => {
            let point = [vec![4], member("x"), member("y")].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
        }
        Algorithm::EdDsa => UnparsedPublicKey::new(&ED25519, member("x")).verify(message, signature).is_ok(),
    }
}
