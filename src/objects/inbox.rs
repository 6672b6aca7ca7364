//! Letters from other objects, applied one by one.
//!
//! Owns that each letter stands for itself: an old one is dropped, and one that cannot be applied does not hold up the
//! others. The cores know the meaning of a letter.

use crate::contract::letters::{Letter, Rejected};
use crate::objects::handler::{Answer, Cx, json};
use crate::objects::outbox::is_news;
use base::error::Failure;

/// Applies letters one by one. The answer lists the letters that could not be applied, and is void without any.
pub fn receive(cx: &Cx<'_>, source: &str, letters: &[Letter], apply: impl Fn(&Letter) -> Result<(), Failure>) -> Result<Answer, Failure> {
    let mut rejected = Vec::new();
    for letter in letters {
        let outcome = cx.attempt(|| if is_news(cx.sql, source, letter)? { apply(letter) } else { Ok(()) });
        let reason = match outcome {
            Ok(()) => continue,
            Err(Failure::Refused(refusal)) => refusal.message,
            // Only our own objects read this, and they log it.
            Err(Failure::Broke(fault)) => fault.log_text().to_owned(),
        };
        rejected.push(Rejected { kind: letter.kind.clone(), subject: letter.subject.clone(), reason });
    }
    if rejected.is_empty() { Ok(Answer::Void) } else { json(&rejected) }
}
