//! What objects tell each other: the kinds of letter, one enum for each way, which sender and receiver share.
//!
//! Owns the kinds, the envelope, and in `rig`, `town` and `session` the bodies of what each of these receives. A row of an
//! outbox and an envelope keep the kind as text; one that cannot be read is a fault of the sender, and a refusal of the
//! receiver.

pub mod rig;
pub mod session;
pub mod town;

use base::error::Fault;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

text_enum!(
    /// What a rig tells its town.
    RigToTown {
        /// Its numbers; the subject is the rig.
        Summary = "summary",
        /// How a bead of a convoy stands; the subject is the bead.
        Bead = "bead",
        /// How a landing stands; the subject is the convoy.
        Landing = "landing",
        /// An escalation; the subject is its bead.
        Escalation = "escalation",
        /// Mail to the Mayor; the subject is the message.
        Message = "message",
        /// What has just happened, while somebody watches; the subject is the rig.
        Frames = "frames",
    }
);
text_enum!(
    /// What a town tells its rigs.
    TownToRig {
        /// Who the rig is; the subject is the rig.
        Rig = "rig",
        /// The part of a convoy that the rig has; the subject is the convoy.
        Convoy = "convoy",
        /// A decision is wanted; the subject is the escalation.
        Triage = "triage",
        /// Somebody has dealt with it; the subject is the escalation.
        Acknowledged = "acknowledged",
        /// A landing merge is ordered or taken back; the subject is the convoy.
        Landing = "landing",
        /// How a bead of another rig stands that one of this rig waits for; the subject is the bead.
        Blocker = "blocker",
        /// The rig is to empty itself; the subject is the rig.
        Removed = "removed",
    }
);
text_enum!(
    /// What a session is told.
    ToSession {
        /// Something that it listens to changed; the subject is the topic.
        Topic = "topic",
        /// Its town is gone, and so is the session; the subject is the session.
        Removed = "removed",
    }
);
text_enum!(
    /// What a session owes those that it listens to.
    FromSession {
        /// No letter but a call: it asks to be told; the subject is its target.
        Lease = "lease",
        /// Somebody has taken a notification; the subject is the topic, the body its number (`topics::RECEIPT`).
        Taken = "taken",
    }
);

/// One way that letters go.
pub trait LetterKind: Copy {
    /// The kind as rows and envelopes have it.
    fn text(self) -> &'static str;

    /// The kind of such a text.
    fn read(text: &str) -> Option<Self>;
}

macro_rules! letter_kinds {
    ($($kinds:ident),*) => {
        $(impl LetterKind for $kinds {
            fn text(self) -> &'static str {
                self.as_str()
            }

            fn read(text: &str) -> Option<Self> {
                Self::parse(text)
            }
        })*
    };
}

letter_kinds!(RigToTown, TownToRig, ToSession, FromSession);

/// A letter: the subject's state at `generation` or later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    /// What sort of subject.
    pub kind: String,
    /// Which one.
    pub subject: String,
    /// Which change.
    pub generation: i64,
    /// The state.
    pub body: Value,
}

/// A letter that the receiver could not apply. The others of its delivery were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// What sort of subject.
    pub kind: String,
    /// Which one.
    pub subject: String,
    /// Why, for the sender's log.
    pub reason: String,
}

impl Letter {
    /// The state that the letter carries.
    ///
    /// # Errors
    /// A fault: only our own objects write letters.
    pub fn read<T: DeserializeOwned>(&self, doing: &str) -> Result<T, Fault> {
        serde_json::from_str(&self.body.to_string()).map_err(|error| Fault::new(doing, error))
    }

    /// Its kind; `None` for one that does not go this way.
    #[must_use]
    pub fn kind<K: LetterKind>(&self) -> Option<K> {
        K::read(&self.kind)
    }
}
