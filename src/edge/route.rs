//! The URL space: from a path to the thing behind it.
//!
//! Owns the reading of paths. Serves nothing.

use crate::rpc::call::Instance;
use percent_encoding::percent_decode_str;

/// A place behind a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Door {
    /// MCP: `/mcp`, `/towns/{town}/mcp`, each also with `/readonly`.
    Mcp { town: Option<String>, read_only: bool },
    /// `/api/mayor/{town}/tools/…`
    Mayor { town: String, rest: Vec<String> },
    /// `/api/mayor/{town}/prompt`
    MayorPrompt { town: String },
    /// `/api/towns/{town}/rigs/{rig}/…`
    RigPlane { town: String, rig: String, rest: Vec<String> },
    /// `/api/towns/{town}/…`, but for the rigs.
    TownPlane { town: String, rest: Vec<String> },
    /// `/api/users/{user}/…` and `/api/orgs/{org}/…`
    Registry { owner: Instance, rest: Vec<String> },
    /// `/.well-known/oauth-protected-resource[/…]`; the path it describes.
    ResourceMetadata { path: String },
    /// `/health`
    Health,
    /// `/`
    Home,
    /// `/llms.txt`
    Llms,
    /// No route has this path.
    Nowhere,
}

impl Door {
    /// Reads a path. Segments are percent-decoded; an undecodable one leads nowhere.
    #[must_use]
    pub fn of(path: &str) -> Self {
        if let Some(described) = crate::auth::challenge::described_path(path) {
            return match Self::of(described) {
                Self::Mcp { .. } => Self::ResourceMetadata { path: described.to_owned() },
                _ if described.is_empty() => Self::ResourceMetadata { path: "/mcp".to_owned() },
                _ => Self::Nowhere,
            };
        }
        let trimmed = path.trim_matches('/');
        let Ok(segments) = trimmed.split('/').map(|segment| percent_decode_str(segment).decode_utf8()).collect::<Result<Vec<_>, _>>()
        else {
            return Self::Nowhere;
        };
        let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        let own = |rest: &[&str]| rest.iter().map(|segment| (*segment).to_owned()).collect();
        match segments.as_slice() {
            [""] => Self::Home,
            ["health"] => Self::Health,
            ["llms.txt"] => Self::Llms,
            ["mcp"] => Self::Mcp { town: None, read_only: false },
            ["mcp", "readonly"] => Self::Mcp { town: None, read_only: true },
            ["towns", town, "mcp"] => Self::Mcp { town: Some((*town).to_owned()), read_only: false },
            ["towns", town, "mcp", "readonly"] => Self::Mcp { town: Some((*town).to_owned()), read_only: true },
            ["api", "mayor", town, "tools", rest @ ..] => Self::Mayor { town: (*town).to_owned(), rest: own(rest) },
            ["api", "mayor", town, "prompt"] => Self::MayorPrompt { town: (*town).to_owned() },
            ["api", "towns", town, "rigs", rig, rest @ ..] => {
                Self::RigPlane { town: (*town).to_owned(), rig: (*rig).to_owned(), rest: own(rest) }
            }
            ["api", "towns", town, rest @ ..] => Self::TownPlane { town: (*town).to_owned(), rest: own(rest) },
            ["api", "users", user, rest @ ..] => Self::Registry { owner: Instance::User((*user).to_owned()), rest: own(rest) },
            ["api", "orgs", org, rest @ ..] => Self::Registry { owner: Instance::Org((*org).to_owned()), rest: own(rest) },
            _ => Self::Nowhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_their_doors() {
        assert_eq!(Door::of("/mcp"), Door::Mcp { town: None, read_only: false });
        assert_eq!(Door::of("/mcp/"), Door::Mcp { town: None, read_only: false });
        assert_eq!(Door::of("/towns/frontend/mcp/readonly"), Door::Mcp { town: Some("frontend".to_owned()), read_only: true });
        assert_eq!(
            Door::of("/api/users/oauth%2Fgoogle%3A1/towns"),
            Door::Registry { owner: Instance::User("oauth/google:1".to_owned()), rest: vec!["towns".to_owned()] }
        );
        assert_eq!(Door::of("/.well-known/oauth-protected-resource"), Door::ResourceMetadata { path: "/mcp".to_owned() });
        assert_eq!(
            Door::of("/.well-known/oauth-protected-resource/towns/a/mcp"),
            Door::ResourceMetadata { path: "/towns/a/mcp".to_owned() }
        );
        assert_eq!(Door::of("/api/towns/t/config"), Door::TownPlane { town: "t".to_owned(), rest: vec!["config".to_owned()] });
        for nowhere in [
            "/.well-known/oauth-protected-resource/admin",
            "/.well-known/openid-configuration",
            "/mcp/x",
            "/%ff",
            "/api/mayor/t",
            "/api/mayor/t/prompt/x",
            "/towns//",
        ] {
            assert_eq!(Door::of(nowhere), Door::Nowhere, "{nowhere}");
        }
    }
}
