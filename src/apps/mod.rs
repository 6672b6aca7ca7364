//! Views that hosts show instead of a tool's bare result (MCP Apps, SEP-1865, specification 2026-01-26).
//!
//! Owns the views' text, addresses and metadata. Which tool names a view, and who serves it as a resource, is decided
//! elsewhere; the view itself talks to its host only.

/// The extension's key in a client's `capabilities.extensions`.
pub const EXTENSION: &str = "io.modelcontextprotocol/ui";
/// The only MIME type the extension knows.
pub const MIME_TYPE: &str = "text/html;profile=mcp-app";
/// What a server says of it, as JSON text.
pub const SETTINGS: &str = r#"{"mimeTypes":["text/html;profile=mcp-app"]}"#;

/// How a town is doing: the view of `get_town_status`.
pub const TOWN_OVERVIEW_URI: &str = "ui://gastown/town-overview";
/// The view: one file that loads nothing.
pub const TOWN_OVERVIEW: &str = include_str!("town_overview.html");
/// `_meta` of the content item (JSON): the view needs no domain at all, and looks best in a frame.
pub const TOWN_OVERVIEW_META: &str =
    r#"{"ui":{"csp":{"connectDomains":[],"resourceDomains":[],"frameDomains":[],"baseUriDomains":[]},"prefersBorder":true}}"#;
/// `_meta` of the tool whose result the view shows (JSON). The second key is what hosts before 2026-01-26 read.
pub const TOWN_OVERVIEW_TOOL_META: &str =
    r#"{"ui":{"resourceUri":"ui://gastown/town-overview","visibility":["model","app"]},"ui/resourceUri":"ui://gastown/town-overview"}"#;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// The view is part of the Worker; this is what must not grow unseen.
    const VIEW_BYTES_MAX: usize = 12_000;

    #[test]
    fn the_view_loads_nothing_and_makes_no_markup_of_data() {
        let words = [
            "http:",
            "https:",
            "//",
            "src=",
            "href=",
            "@import",
            "url(",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval",
            "Function(",
            "fetch(",
            "import(",
        ];
        for word in words {
            assert!(!TOWN_OVERVIEW.contains(word), "the view contains {word}");
        }
        assert!(TOWN_OVERVIEW.contains("source !== host"), "the view checks who speaks");
    }

    #[test]
    fn the_view_is_small() {
        assert!(TOWN_OVERVIEW.len() <= VIEW_BYTES_MAX, "{} bytes", TOWN_OVERVIEW.len());
    }

    #[test]
    fn the_metadata_is_json_and_names_the_view() {
        let view: Value = serde_json::from_str(TOWN_OVERVIEW_META).unwrap();
        for domains in ["connectDomains", "resourceDomains", "frameDomains", "baseUriDomains"] {
            assert_eq!(view["ui"]["csp"][domains], Value::Array(Vec::new()));
        }
        let tool: Value = serde_json::from_str(TOWN_OVERVIEW_TOOL_META).unwrap();
        assert_eq!(tool["ui"]["resourceUri"], TOWN_OVERVIEW_URI);
        assert_eq!(tool["ui/resourceUri"], TOWN_OVERVIEW_URI);
    }
}
