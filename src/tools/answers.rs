//! The answers of rigs or registries to one question, and how complete they are.
//!
//! Owns that a silent respondent is named, and never counted as zero. Asks none, and knows no tool.

use super::tool::Place;
use crate::contract::shapes;
use crate::rpc::call::decode;
use crate::rpc::table::Method;
use base::error::{Code, Failure, Fault, Refusal};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A rig or registry that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Respondent {
    /// The id of the respondent.
    pub id: String,
    /// Its name, if it has one.
    pub name: String,
}

/// One answer of several.
pub struct Part {
    /// The respondent.
    pub from: Respondent,
    /// The answer, or the refusal that says why there is none.
    pub outcome: Result<String, Refusal>,
}

/// All answers to a plan.
pub enum Answers {
    /// From `Plan::One`.
    One(String),
    /// From the others, in the order of asking.
    Many(Vec<Part>),
}

/// The decoded answers of several respondents, and how complete they are.
pub struct Gathered<T> {
    /// The respondents with their answers.
    pub answered: Vec<(Respondent, T)>,
    /// The respondents without an answer.
    pub coverage: Coverage,
}

/// How many of those asked have answered; the others are named with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// How many were asked.
    pub asked: usize,
    /// How many answered.
    pub answered: usize,
    /// Who did not answer, and why: what is shown lacks their part.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub missing: Vec<Missing>,
}

impl Coverage {
    /// Everyone who was asked has answered.
    #[must_use]
    pub const fn whole(asked: usize) -> Self {
        Self { asked, answered: asked, missing: Vec::new() }
    }

    /// What a town says of its rigs; `reason` is why those that are missing are.
    #[must_use]
    pub fn of_rigs(known: &shapes::Coverage, reason: &str) -> Self {
        let missing = known.missing.iter().map(|rig| Missing { id: rig.to_string(), name: String::new(), reason: reason.to_owned() });
        Self {
            asked: usize::try_from(known.asked).unwrap_or_default(),
            answered: usize::try_from(known.answered).unwrap_or_default(),
            missing: missing.collect(),
        }
    }
}

/// One that did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Missing {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Why.
    pub reason: String,
}

impl Answers {
    /// The single answer, decoded.
    pub fn one<T: DeserializeOwned>(self, method: &Method) -> Result<T, Failure> {
        match self {
            Self::One(text) => decode(method, &text),
            Self::Many(_) => Err(Fault::new(method.name, "one answer was expected").into()),
        }
    }

    /// The answers of one rig or of all. The one rig that was named must answer; of all, whoever did not is missing.
    pub fn gather<T: DeserializeOwned>(self, method: &Method, place: &Place) -> Result<Gathered<T>, Failure> {
        match self {
            Self::Many(parts) => Ok(Self::Many(parts).many(method)),
            one @ Self::One(_) => {
                let rig = Respondent { id: place.rig()?.to_string(), name: String::new() };
                Ok(Gathered { answered: vec![(rig, one.one(method)?)], coverage: Coverage::whole(1) })
            }
        }
    }

    /// All answers, decoded; whoever answered nothing usable is missing.
    #[must_use]
    pub fn many<T: DeserializeOwned>(self, method: &Method) -> Gathered<T> {
        let parts = match self {
            Self::One(_) => Vec::new(),
            Self::Many(parts) => parts,
        };
        let asked = parts.len();
        let mut answered = Vec::new();
        let mut missing = Vec::new();
        for part in parts {
            let decoded = part.outcome.and_then(|text| {
                decode(method, &text).map_err(|failure| match failure {
                    Failure::Refused(refusal) => refusal,
                    Failure::Broke(_) => Refusal::new(Code::Unavailable, "the answer could not be read"),
                })
            });
            match decoded {
                Ok(value) => answered.push((part.from, value)),
                Err(refusal) => missing.push(Missing { id: part.from.id, name: part.from.name, reason: refusal.message }),
            }
        }
        let coverage = Coverage { asked, answered: answered.len(), missing };
        Gathered { answered, coverage }
    }
}
