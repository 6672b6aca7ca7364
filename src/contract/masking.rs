//! How a town's secrets are shown.
//!
//! Owns which settings are secret, the mask, and how a mask that comes back is known.

use super::shapes::TownConfig;
use serde_json::Value;

/// Settings of a town that hold secrets, at the top or one level down.
pub const SECRETS: [&str; 4] = ["env_vars", "git_auth", "github_cli_pat", "kilocode_token"];
/// How a secret that is shown begins.
const MASK: &str = "****";
/// Characters of a secret that are shown after it at most.
const MASKED_CHARS_SHOWN: usize = 4;
/// A secret of so many characters is not shown in part.
const MASKED_WHOLE_CHARS_MAX: usize = 8;

/// The same configuration with every secret as it may be shown: four stars, and the last four characters of one that is
/// longer than eight. Environment variables are all secrets.
#[must_use]
pub fn masked(config: &TownConfig) -> TownConfig {
    let mut shown = config.clone();
    for (key, value) in shown.iter_mut().filter(|(key, _)| SECRETS.contains(&key.as_str())) {
        if let Value::Object(fields) = value {
            for (_, value) in fields.iter_mut().filter(|(name, _)| key == "env_vars" || name.ends_with("_token")) {
                *value = mask(value);
            }
        } else {
            *value = mask(value);
        }
    }
    shown
}

fn mask(secret: &Value) -> Value {
    let characters: Vec<char> = secret.as_str().unwrap_or_default().chars().collect();
    let shown = characters.len().checked_sub(MASKED_CHARS_SHOWN).filter(|_| characters.len() > MASKED_WHOLE_CHARS_MAX);
    let tail: String = shown.and_then(|from| characters.get(from..)).unwrap_or_default().iter().collect();
    Value::from(format!("{MASK}{tail}"))
}

/// Whether this is how a secret was shown: four stars and up to four characters.
#[must_use]
pub fn is_masked(value: &Value) -> bool {
    value.as_str().and_then(|text| text.strip_prefix(MASK)).is_some_and(|rest| rest.chars().count() <= MASKED_CHARS_SHOWN)
}
