//! The configuration of a deployment, besides its secrets.
//!
//! Owns the names of the variables, and the refusal to serve with a malformed value.

use base::error::Fault;

/// The settings that requests need.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Browser origins that may call, besides the Worker's own.
    pub allowed_origins: Vec<String>,
    /// The deployment answers on this machine only, as development does.
    pub is_loopback_only: bool,
    /// The origin that clients know this deployment by, when it is not the one that requests arrive with.
    pub public_url: Option<String>,
    /// The authorization server whose access tokens are taken beside Kilo's and Gastown's own.
    pub oauth: Option<OAuth>,
    /// Tool calls that one principal may make in a minute, in each isolate. `None`: no limit but the platform's.
    pub calls_per_minute: Option<u32>,
}

/// One trusted authorization server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth {
    /// Its `iss`, to the letter.
    pub issuer: String,
    /// The address of its keys; `None`: its metadata names it.
    pub jwks_url: Option<String>,
}

impl Settings {
    /// Reads the variables; one that is not set is empty. `ALLOWED_ORIGINS`: origins separated by commas. `LOOPBACK_ONLY`:
    /// `true` or nothing. `PUBLIC_URL`: an origin. `OAUTH_ISSUER`, `OAUTH_JWKS_URL`: URLs.
    /// `CALLS_PER_MINUTE`: a number.
    ///
    /// # Errors
    /// `Fault` that names the variable.
    pub fn read(variable: impl Fn(&str) -> String) -> Result<Self, Fault> {
        let url = |name: &str| match variable(name).trim() {
            "" => Ok(None),
            url if is_safe(url) => Ok(Some(url.to_owned())),
            _ => Err(Fault::new("read the variables", format!("{name} must be an https:// URL (http:// for this machine only)"))),
        };
        let public_url = url("PUBLIC_URL")?.map(|url| url.trim_end_matches('/').to_owned());
        if public_url.as_deref().and_then(authority).is_some_and(|(_, path)| !path.is_empty()) {
            return Err(Fault::new("read the variables", "PUBLIC_URL must be an origin, without a path"));
        }
        let jwks_url = url("OAUTH_JWKS_URL")?;
        let oauth = url("OAUTH_ISSUER")?.map(|issuer| OAuth { issuer, jwks_url: jwks_url.clone() });
        if oauth.is_none() && jwks_url.is_some() {
            return Err(Fault::new("read the variables", "OAUTH_JWKS_URL needs OAUTH_ISSUER"));
        }
        let calls_per_minute = match variable("CALLS_PER_MINUTE").trim() {
            "" => None,
            number => match number.parse() {
                Ok(calls) if calls > 0 => Some(calls),
                _ => return Err(Fault::new("read the variables", "CALLS_PER_MINUTE must be a number greater than zero, or empty")),
            },
        };
        let origins = variable("ALLOWED_ORIGINS");
        let allowed_origins = origins.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(str::to_owned).collect();
        Ok(Self { allowed_origins, is_loopback_only: variable("LOOPBACK_ONLY") == "true", public_url, oauth, calls_per_minute })
    }
}

/// Whether an answer from this URL can be trusted: https, or plain http that does not leave the machine.
#[must_use]
pub(super) fn is_safe(url: &str) -> bool {
    let Some((host, _)) = authority(url) else { return false };
    let name = host.strip_prefix('[').and_then(|v6| v6.split(']').next()).unwrap_or_else(|| host.split(':').next().unwrap_or_default());
    let is_local = matches!(name, "localhost" | "127.0.0.1" | "::1");
    let is_plain = !name.is_empty() && url.bytes().all(|byte| byte.is_ascii_graphic()) && !host.contains('@') && !url.contains(['#', '\\']);
    is_plain && (url.starts_with("https://") || is_local && url.starts_with("http://"))
}

/// Host with port, and the rest of the URL.
pub(super) fn authority(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = url.split_once("://")?;
    Some(rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Fault> {
        Settings::read(|name| pairs.iter().find(|(known, _)| *known == name).map_or_else(String::new, |(_, value)| (*value).to_owned()))
    }

    #[test]
    fn nothing_set_is_no_oauth() {
        let settings = read(&[]).unwrap();
        assert!(settings.oauth.is_none() && settings.public_url.is_none() && settings.allowed_origins.is_empty());
    }

    #[test]
    fn an_issuer_is_kept_to_the_letter_and_an_origin_without_its_slash() {
        let settings = read(&[("OAUTH_ISSUER", " https://Login.example/a/ "), ("PUBLIC_URL", "https://mcp.example/")]).unwrap();
        assert_eq!(settings.oauth, Some(OAuth { issuer: "https://Login.example/a/".to_owned(), jwks_url: None }));
        assert_eq!(settings.public_url.as_deref(), Some("https://mcp.example"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for bad in [
            "login.example",
            "http://login.example",
            "ftp://127.0.0.1",
            "https://",
            "https:///path",
            "https://a b",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
            "https://user@login.example",
            "https://login.example/#x",
            "http://127.0.0.1\\@evil.example",
        ] {
            for name in ["OAUTH_ISSUER", "PUBLIC_URL"] {
                assert!(read(&[(name, bad)]).unwrap_err().log_text().contains(name), "{bad}");
            }
        }
        for local in ["http://127.0.0.1:4000", "http://localhost", "http://[::1]:4000/a"] {
            assert!(read(&[("OAUTH_ISSUER", local)]).is_ok(), "{local}");
        }
        assert!(read(&[("PUBLIC_URL", "https://mcp.example/prefix")]).unwrap_err().log_text().contains("PUBLIC_URL"));
        assert!(read(&[("OAUTH_JWKS_URL", "https://login.example/keys")]).unwrap_err().log_text().contains("OAUTH_ISSUER"));
    }
}
