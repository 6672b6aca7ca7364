//! The URL space: from a path to the thing behind it.
//!
//! Owns the reading of paths: public pages, MCP endpoints, and where the groups of REST routes begin (`rest::GROUPS`; their
//! tables have the rest of the paths). Serves nothing.

use crate::edge::rest::RestPath;
use percent_encoding::percent_decode_str;

/// A place behind a path.
#[derive(Debug, PartialEq, Eq)]
pub enum Door {
    /// MCP: `/mcp`, `/towns/{town}/mcp`, each also with `/readonly`.
    Mcp { town: Option<String>, read_only: bool },
    /// `/api/…`, where a group of REST routes begins.
    Rest(RestPath),
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
        match segments.as_slice() {
            [""] => Self::Home,
            ["health"] => Self::Health,
            ["llms.txt"] => Self::Llms,
            ["mcp"] => Self::Mcp { town: None, read_only: false },
            ["mcp", "readonly"] => Self::Mcp { town: None, read_only: true },
            ["towns", town, "mcp"] => Self::Mcp { town: Some((*town).to_owned()), read_only: false },
            ["towns", town, "mcp", "readonly"] => Self::Mcp { town: Some((*town).to_owned()), read_only: true },
            segments => RestPath::locate(segments).map_or(Self::Nowhere, Self::Rest),
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
        assert_eq!(Door::of("/.well-known/oauth-protected-resource"), Door::ResourceMetadata { path: "/mcp".to_owned() });
        assert_eq!(
            Door::of("/.well-known/oauth-protected-resource/towns/a/mcp"),
            Door::ResourceMetadata { path: "/towns/a/mcp".to_owned() }
        );
        for (path, prefix, parameter, value) in [
            ("/api/users/oauth%2Fgoogle%3A1/towns", "/api/users/:user", "user", "oauth/google:1"),
            ("/api/orgs/acme", "/api/orgs/:org", "org", "acme"),
            ("/api/towns/t/config", "/api/towns/:town", "town", "t"),
            ("/api/towns/t/rigs/r/beads", "/api/towns/:town/rigs/:rig", "rig", "r"),
            ("/api/towns/t/rigs/mayor-t/agents/a/waiting", "/api/towns/:town/rigs/mayor-:mayor", "mayor", "t"),
            ("/api/mayor/t/tools/sling", "/api/mayor/:town/tools", "town", "t"),
            ("/api/mayor/t/prompt", "/api/mayor/:town/prompt", "town", "t"),
        ] {
            let Door::Rest(found) = Door::of(path) else { panic!("{path}") };
            assert_eq!((found.group.prefix, found.parameters.get(parameter)), (prefix, value), "{path}");
        }
        for nowhere in [
            "/.well-known/oauth-protected-resource/admin",
            "/.well-known/openid-configuration",
            "/mcp/x",
            "/%ff",
            "/api/mayor/t",
            "/api/mayor/t/castles",
            "/api/castles/t",
            "/towns//",
        ] {
            assert_eq!(Door::of(nowhere), Door::Nowhere, "{nowhere}");
        }
    }
}
