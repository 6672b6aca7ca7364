//! Enums whose variants are words: one table gives the text, its reading and its schema.
//!
//! Owns the macro. It stands before all modules that use it.

macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $text:literal $(or $other:literal)?),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum $name {
            $($(#[$about])* #[serde(rename = $text $(, alias = $other)?)] $variant),*
        }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word for it, in databases and on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The variant of a word; `None` for a word that is none of these.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text $(| $other)? => Some(Self::$variant),)* _ => None }
            }
        }
    };
}
