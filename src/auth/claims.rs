//! The claims of each issuer as they are on the wire.
//!
//! Owns their form, strictly: a claim that we read and that has the wrong type makes the whole token bad, and so does
//! an explicit `null` where Kilo's schema has none. Claims that we do not read are not looked at. Decides nothing.
//!
//! No type here is `Debug`: the pepper of a user is a secret.

use super::dates::NumericDate;
use serde::Deserialize;
use serde::de::{Deserializer, Error as DeError, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The audience that names Gastown (Gastown contract 5.2 point 3).
pub const AUDIENCE: &str = "gastown";

/// A Kilo user token (Gastown contract 5.1, first two rows).
///
/// `isAdmin`, `gastownAccess`, `organizationId` and `organizationRole` are left unread on purpose: they may
/// not widen the rights of a caller here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KiloClaims<'a> {
    /// Raw, so that another version is told apart from a malformed token.
    #[serde(default, borrow)]
    pub version: Option<&'a RawValue>,
    #[serde(default, borrow)]
    pub kilo_user_id: Option<Text<'a>>,
    #[serde(default, borrow, deserialize_with = "present")]
    pub api_token_pepper: Option<Pepper<'a>>,
    #[serde(default, deserialize_with = "present")]
    pub aud: Option<OneOrMany>,
    #[serde(default, deserialize_with = "present")]
    pub token_purpose: Option<Purpose>,
    #[serde(default, deserialize_with = "present")]
    pub credential_exchange: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    pub runtime_authorization: Option<IgnoredAny>,
    #[serde(default, borrow, deserialize_with = "present")]
    pub scope: Option<Text<'a>>,
    #[serde(default, borrow, deserialize_with = "present")]
    pub org_memberships: Option<Vec<Membership<'a>>>,
    #[serde(default, deserialize_with = "present")]
    pub iat: Option<NumericDate>,
    #[serde(default, deserialize_with = "present")]
    pub exp: Option<NumericDate>,
    #[serde(default, deserialize_with = "present")]
    pub nbf: Option<NumericDate>,
}

/// One element of `orgMemberships`.
#[derive(Deserialize)]
pub struct Membership<'a> {
    #[serde(rename = "orgId", borrow)]
    pub org_id: Text<'a>,
    #[serde(borrow)]
    pub role: Text<'a>,
}

/// The pepper that revokes a user's tokens. Only Kilo can compare it; here it must merely have been thought of.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Pepper<'a>(#[serde(borrow)] Option<Text<'a>>);

impl Pepper<'_> {
    /// An explicit null, or text (Gastown contract 5.2 point 5).
    pub fn is_set(&self) -> bool {
        self.0.as_ref().is_none_or(|pepper| !pepper.as_str().is_empty())
    }
}

/// The purpose of a modern Kilo token. Another word is a malformed claim.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    HumanApi,
    DeviceAccess,
    DelegatedWorkload,
    InternalService,
}

/// Everything that `GASTOWN_JWT_SECRET` signs: agent and container tokens (Gastown contract 5.1), our own internal ones
/// and exchanged ones, which have more to say (`ExchangedClaims`). `scope` tells them apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GastownClaims<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    pub scope: Option<Text<'a>>,
    #[serde(default, borrow, deserialize_with = "present")]
    pub agent_id: Option<Text<'a>>,
    #[serde(default, borrow, deserialize_with = "present")]
    pub rig_id: Option<Text<'a>>,
    #[serde(default, borrow, deserialize_with = "present")]
    pub town_id: Option<Text<'a>>,
    #[serde(default, borrow, deserialize_with = "present")]
    pub user_id: Option<Text<'a>>,
    #[serde(default, borrow, deserialize_with = "present")]
    pub role: Option<Text<'a>>,
    /// Ours: the dispatch order that an agent token came with.
    #[serde(default, deserialize_with = "present")]
    pub fence: Option<i64>,
    #[serde(default, borrow, deserialize_with = "present")]
    pub from: Option<Text<'a>>,
    #[serde(default, borrow, deserialize_with = "present")]
    pub method: Option<Text<'a>>,
    #[serde(default, deserialize_with = "present")]
    pub iat: Option<NumericDate>,
    #[serde(default, deserialize_with = "present")]
    pub exp: Option<NumericDate>,
    #[serde(default, deserialize_with = "present")]
    pub nbf: Option<NumericDate>,
}

/// The additional claims of an exchanged token, which stands for an OAuth access token behind the edge.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExchangedClaims<'a> {
    #[serde(default, borrow)]
    pub aud: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub granted: Option<Text<'a>>,
    #[serde(default, borrow, deserialize_with = "present")]
    pub org_memberships: Option<Vec<Membership<'a>>>,
}

/// An OAuth access token (RFC 9068 2.2). The memberships are Kilo's, under the name that the authorization server likes.
#[derive(Deserialize)]
pub struct AccessClaims<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    pub iss: Option<Text<'a>>,
    #[serde(default, borrow, deserialize_with = "present")]
    pub sub: Option<Text<'a>>,
    #[serde(default, deserialize_with = "present")]
    pub aud: Option<OneOrMany>,
    #[serde(default, deserialize_with = "present")]
    pub scope: Option<OneOrMany>,
    #[serde(default, borrow, deserialize_with = "present", rename = "orgMemberships", alias = "org_memberships", alias = "orgs")]
    pub orgs: Option<Vec<Membership<'a>>>,
    #[serde(default, deserialize_with = "present")]
    pub cnf: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    pub iat: Option<NumericDate>,
    #[serde(default, deserialize_with = "present")]
    pub exp: Option<NumericDate>,
    #[serde(default, deserialize_with = "present")]
    pub nbf: Option<NumericDate>,
}

/// Reads a claim that is there, even when it is `null`: serde alone would take a null for absence, and an `exp` or an
/// `aud` that is set to null must not count as one that was never asked for.
pub fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// A string claim; borrowed from the token unless it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One string or a list of them, as `aud` (RFC 7519 4.1.3) and the scopes of some authorization servers come.
pub struct OneOrMany(Vec<String>);

impl OneOrMany {
    /// Whether any of them is meant by `is_it`.
    pub fn any(&self, is_it: impl Fn(&str) -> bool) -> bool {
        self.0.iter().any(|name| is_it(name))
    }

    /// Each of them, with lists inside a string (separated by spaces) taken apart.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|names| names.split(' '))
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: DeError>(self, name: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![name.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<OneOrMany, A::Error> {
                let mut all = Vec::new();
                while let Some(name) = names.next_element()? {
                    all.push(name);
                }
                Ok(OneOrMany(all))
            }
        }
        deserializer.deserialize_any(Names)
    }
}
