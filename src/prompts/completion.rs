//! Completion of arguments: existing names and ids.
//!
//! Owns the choice of values for a typed beginning. Completion helps and refuses little: without a known town, or with a
//! silent object, it offers less.

use crate::contract::ids::TownId;
use crate::contract::shapes::{Bead, ConvoyEntry};
use crate::prompts;
use crate::prompts::prompt::{PromptDef, Values};
use crate::resources::{Offering, visible_templates};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::{LIST_BEADS, LIST_CONVOYS};
use crate::tools::paging::{LIMIT_MAX, sort};
use crate::tools::resolve::{of_rigs, rigs_of, towns_of};
use crate::tools::text::name;
use base::error::{Code, Failure};
use mcp::types::{CallError, Reference};
use serde_json::{Map, Value};

/// Values offered at most.
pub const VALUES_MAX: usize = 100;

/// What a template's variable may be completed to.
fn of_variable(name: &str) -> Values {
    match name {
        "town" => Values::Towns,
        "rig" => Values::Rigs,
        "convoy" => Values::Convoys,
        "agent" => Values::Agents,
        "bead" => Values::Beads,
        _ => Values::Free,
    }
}

/// Something that may be meant.
struct Candidate {
    id: String,
    label: String,
    /// The label is good as an argument too, if nothing else has it.
    is_named: bool,
}

/// `completion/complete`: at most `VALUES_MAX` values, those that begin with the typed text first, and the total.
/// `context`: the other arguments as far as they are known.
///
/// # Errors
/// `Invalid` for an unknown prompt, template or argument.
pub async fn complete(
    at: &Offering<'_>,
    additions: &'static [PromptDef],
    reference: Reference<'_>,
    argument: &str,
    value: &str,
    context: &Map<String, Value>,
) -> Result<(Vec<String>, usize), CallError> {
    let values = kind(at, additions, reference, argument)?;
    let town = context.get("town").and_then(Value::as_str);
    match candidates(at, values, town).await {
        Ok(candidates) => Ok(pick(&candidates, value)),
        Err(Failure::Refused(refusal)) if matches!(refusal.code, Code::NotFound | Code::Forbidden | Code::InvalidArgument) => {
            Ok((Vec::new(), 0))
        }
        Err(failure) => Err(failure.into()),
    }
}

fn kind(at: &Offering<'_>, additions: &'static [PromptDef], reference: Reference<'_>, argument: &str) -> Result<Values, CallError> {
    let is_pinned = at.pinned.is_some();
    let (what, known): (&str, Vec<(&str, Values)>) = match reference {
        Reference::Prompt(prompt) => {
            let Some(row) = prompts::visible(is_pinned, additions).find(|row| row.name == prompt) else {
                return Err(CallError::Invalid(format!("ref: no prompt is called {prompt}; prompts/list shows them")));
            };
            (row.name, prompts::arguments(row, is_pinned).map(|argument| (argument.name, argument.values)).collect())
        }
        Reference::Resource(uri) => {
            let Some(row) = visible_templates(is_pinned, at.additions).find(|row| row.uri == uri) else {
                return Err(CallError::Invalid("ref: no such template; resources/templates/list shows them".to_owned()));
            };
            (row.uri, row.variables().map(|name| (name, of_variable(name))).collect())
        }
    };
    let found = known.iter().find(|(name, _)| *name == argument).map(|(_, values)| *values);
    found.ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        CallError::Invalid(format!("argument: {what} has no {argument}; it has: {}", names.join(", ")))
    })
}

async fn candidates(at: &Offering<'_>, values: Values, town: Option<&str>) -> Result<Vec<Candidate>, Failure> {
    match (values, at.pinned) {
        (Values::Free, _) => return Ok(Vec::new()),
        (Values::Words(words), _) => return Ok(words.iter().map(|word| Candidate::named(word, word)).collect()),
        (Values::Towns, Some(pinned)) => return Ok(vec![Candidate::named(pinned, &at.town_name(pinned).await?)]),
        (Values::Towns, None) => {
            return Ok(towns_of(at.client).await?.iter().map(|town| Candidate::named(&town.id, &town.name)).collect());
        }
        _ => {}
    }
    let town = match (at.pinned, town) {
        (_, Some(named)) => at.town(named).await?,
        (Some(pinned), None) => pinned.clone(),
        (None, None) => return Ok(Vec::new()),
    };
    of_town(at, values, &town).await
}

async fn of_town(at: &Offering<'_>, values: Values, town: &TownId) -> Result<Vec<Candidate>, Failure> {
    Ok(match values {
        Values::Rigs => rigs_of(at.client, town).await?.iter().map(|rig| Candidate::named(&rig.id, &rig.name)).collect(),
        Values::Agents => at.agents(town).await?.found.iter().map(|(_, agent)| Candidate::named(&agent.id, &agent.name)).collect(),
        Values::Convoys => {
            let call = Call::new(Instance::Town(town.clone()), &LIST_CONVOYS, ())?;
            let convoys: Vec<ConvoyEntry> = decode(&LIST_CONVOYS, &at.client.call(&call, Some(town), None).await?)?;
            convoys.iter().map(|convoy| Candidate::titled(&convoy.id, &convoy.title)).collect()
        }
        Values::Beads => {
            let newest = of_rigs::<Vec<Bead>>(at.client, town, &LIST_BEADS, &format!("[{{\"limit\":{LIMIT_MAX}}}]")).await?;
            newest.found.iter().flat_map(|(_, beads)| beads).map(|bead| Candidate::titled(&bead.bead_id, &bead.title)).collect()
        }
        Values::Towns | Values::Free | Values::Words(_) => Vec::new(),
    })
}

impl Candidate {
    fn named(id: impl ToString, label: &str) -> Self {
        Self { id: id.to_string(), label: label.to_owned(), is_named: !label.is_empty() && name(label) == label }
    }

    fn titled(id: impl ToString, label: &str) -> Self {
        Self { id: id.to_string(), label: label.to_owned(), is_named: false }
    }
}

/// Those that match, in order: label or id begins with the typed text, then label contains it; each by label.
fn pick(candidates: &[Candidate], typed: &str) -> (Vec<String>, usize) {
    let typed = typed.to_lowercase();
    let mut matching: Vec<(bool, String, String)> = Vec::new();
    for candidate in candidates {
        let label = candidate.label.to_lowercase();
        let by_id = !typed.is_empty() && candidate.id.starts_with(&typed);
        let begins = by_id || label.starts_with(&typed);
        if !begins && !label.contains(&typed) {
            continue;
        }
        let is_unique = || candidates.iter().filter(|other| other.label == candidate.label).count() == 1;
        let value = if candidate.is_named && !by_id && is_unique() { &candidate.label } else { &candidate.id };
        matching.push((!begins, label, value.clone()));
    }
    // By label, and by id where labels are the same.
    let matching = sort(matching, false, |(later, label, value)| (i64::from(*later), format!("{label}\0{value}")));
    let total = matching.len();
    (matching.into_iter().take(VALUES_MAX).map(|(_, _, value)| value).collect(), total)
}
