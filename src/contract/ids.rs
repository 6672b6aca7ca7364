//! Identifiers: what an id looks like, how one is parsed and how one is made from random bytes.
//!
//! Owns the newtypes. Does not know where random bytes come from, nor which object an id names.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Text that is not a lower-case UUID where an id was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id: a hyphenated UUID was expected")
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl TryFrom<String> for $name {
            type Error = NotAnId;

            fn try_from(text: String) -> Result<Self, NotAnId> {
                Self::parse(&text)
            }
        }


        impl $name {
            /// Accepts a hyphenated UUID in any case; keeps it in lower case.
            ///
            /// # Errors
            /// `NotAnId` for anything else.
            pub fn parse(text: &str) -> Result<Self, NotAnId> {
                if text.len() != uuid::fmt::Hyphenated::LENGTH {
                    return Err(NotAnId);
                }
                let parsed = uuid::Uuid::try_parse(text).map_err(|_| NotAnId)?;
                Ok(Self(parsed.hyphenated().to_string()))
            }

            /// A version 4 UUID from sixteen random bytes.
            #[must_use]
            pub fn from_random(bytes: [u8; 16]) -> Self {
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid().hyphenated().to_string())
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The first eight characters: the short form used in identities and branches.
            #[must_use]
            pub fn prefix(&self) -> &str {
                self.0.get(..8).unwrap_or(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

uuid_id!(
    /// A town.
    TownId
);
uuid_id!(
    /// A rig.
    RigId
);
uuid_id!(
    /// A bead, whatever its type.
    BeadId
);
uuid_id!(
    /// An agent.
    AgentId
);
uuid_id!(
    /// A convoy.
    ConvoyId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_hyphenated_uuid_and_nothing_else() {
        let id = TownId::from_random([7; 16]);
        assert_eq!(TownId::parse(id.as_str()), Ok(id.clone()));
        assert_eq!(TownId::parse(&id.as_str().to_uppercase()), Ok(id.clone()));
        assert_eq!(id.prefix().len(), 8);
        for bad in ["", "frontend", "../x", "00000000000000000000000000000000", "{00000000-0000-0000-0000-000000000000}"] {
            assert_eq!(TownId::parse(bad), Err(NotAnId), "{bad}");
            assert!(serde_json::from_value::<TownId>(bad.into()).is_err(), "{bad}");
        }
    }
}
