//! What a build offers besides the product. The product offers nothing besides; a build for the conformance suite adds its fixture.
//!
//! Owns the value that the shell hands to the edge. It adds rows to tables; how rows are served is theirs.

use super::Edge;
use crate::prompts::prompt::PromptDef;
use crate::resources::ResourceDef;
use crate::tools::ToolTable;

/// Rows for the tables of tools, resources and prompts, and a caller for requests without a token.
#[derive(Clone, Copy)]
pub struct Additions {
    /// Tools of coordinators, listed after the product's.
    pub tools: ToolTable,
    /// Resources, after the product's.
    pub resources: &'static [ResourceDef],
    /// Prompts, after the product's.
    pub prompts: &'static [PromptDef],
    /// Whether the lists of tools and prompts may change while a client is connected. The product's never do.
    pub lists_change: bool,
    /// The `Authorization` for a request to an MCP endpoint that has none.
    pub authorization: fn(Edge<'_>) -> Option<String>,
}

impl Additions {
    /// The product alone.
    pub const NONE: Self = Self { tools: ToolTable::EMPTY, resources: &[], prompts: &[], lists_change: false, authorization: |_| None };
}
