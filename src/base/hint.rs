//! A sentence that may name tools.
//!
//! Owns where in the sentence the tools stand, so that each caller reads the names it has for them. Knows no tool.

/// A tool, by the name that coordinators have for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToolKey(pub &'static str);

/// What to do next. A text becomes one that names no tool, whatever stands in it; `hint!` makes one that does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hint {
    pub(crate) text: String,
    /// First byte and length of each name.
    pub(crate) tools: Vec<(usize, usize)>,
}

/// What a hint is made of.
pub enum Piece<'a> {
    /// Plain text.
    Text(&'a str),
    /// The name of a tool.
    Tool(ToolKey),
}

impl Hint {
    /// The pieces as one sentence.
    #[must_use]
    pub fn of(pieces: &[Piece<'_>]) -> Self {
        let mut hint = Self::default();
        for piece in pieces {
            match piece {
                Piece::Text(text) => hint.text.push_str(text),
                Piece::Tool(ToolKey(name)) => hint.push_tool(name),
            }
        }
        hint
    }

    /// The sentence with other names for its tools; `None` when one of them has no name.
    pub(crate) fn renamed(text: &str, tools: &[(usize, usize)], name: impl for<'a> Fn(&'a str) -> Option<&'a str>) -> Option<Self> {
        let mut hint = Self::default();
        let mut from = 0;
        for (at, length) in tools {
            hint.text.push_str(text.get(from..*at)?);
            hint.push_tool(name(text.get(*at..at + length)?)?);
            from = at + length;
        }
        hint.text.push_str(text.get(from..)?);
        Some(hint)
    }

    fn push_tool(&mut self, name: &str) {
        self.tools.push((self.text.len(), name.len()));
        self.text.push_str(name);
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Self { text, tools: Vec::new() }
    }
}

impl<'a> From<&'a str> for Piece<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Piece<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<ToolKey> for Piece<'_> {
    fn from(tool: ToolKey) -> Self {
        Self::Tool(tool)
    }
}

/// A hint from texts and tools: `hint!["Call ", LIST_RIGS, " to see the rigs."]`.
#[macro_export]
macro_rules! hint {
    ($($piece:expr),+ $(,)?) => { $crate::hint::Hint::of(&[$($crate::hint::Piece::from($piece)),+]) };
}
