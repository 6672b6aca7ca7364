//! Tables of REST routes: what a row says of itself, and which row a request means.
//!
//! Owns the match of paths and the answers for those that are none. What a route does, and for whom it is, is its table's.

use super::envelope;
use base::http::Response;

/// What every row of a table has.
#[derive(Debug, Clone, Copy)]
pub struct Address {
    /// Upper case.
    pub method: &'static str,
    /// Segments; one that begins with a colon is a variable.
    pub path: &'static str,
    /// Of success.
    pub status: u16,
}

impl Address {
    /// One that answers 200.
    #[must_use]
    pub const fn new(method: &'static str, path: &'static str) -> Self {
        Self { method, path, status: 200 }
    }

    /// What stands in the path for its variables, if that is such a path.
    fn variables<'a>(&self, rest: &'a [String]) -> Option<Vec<&'a str>> {
        let mut variables = Vec::new();
        let mut given = rest.iter();
        for part in self.path.split('/') {
            let segment = given.next()?;
            match part.starts_with(':') {
                true => variables.push(segment.as_str()),
                false if part == segment => {}
                false => return None,
            }
        }
        given.next().is_none().then_some(variables)
    }

    /// The path as documents have it: `{variables}` in braces.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub fn shown(&self) -> String {
        let part = |part: &str| part.strip_prefix(':').map_or(part.to_owned(), |name| format!("{{{name}}}"));
        self.path.split('/').map(part).collect::<Vec<_>>().join("/")
    }
}

/// The row that a request means, and what stands for its variables. Of two that fit the first counts.
///
/// # Errors
/// 404 for a path that is none, 405 for a path without this method.
pub fn find<'t, 'r, R>(
    rows: &'t [R],
    address: fn(&R) -> &Address,
    method: &str,
    rest: &'r [String],
) -> Result<(&'t R, Vec<&'r str>), Box<Response>> {
    let (index, variables) = pick(&mut rows.iter().map(address), method, rest)?;
    match rows.get(index) {
        Some(row) => Ok((row, variables)),
        None => Err(Box::new(envelope::not_found())),
    }
}

/// Which one it is. Apart from `find`, of which there is one for each table.
fn pick<'r>(
    addresses: &mut dyn Iterator<Item = &Address>,
    method: &str,
    rest: &'r [String],
) -> Result<(usize, Vec<&'r str>), Box<Response>> {
    let mut allowed: Vec<&str> = Vec::new();
    for (index, address) in addresses.enumerate() {
        if let Some(variables) = address.variables(rest) {
            if address.method == method {
                return Ok((index, variables));
            }
            allowed.push(address.method);
        }
    }
    Err(Box::new(if allowed.is_empty() { envelope::not_found() } else { envelope::method_not_allowed(allowed.join(", ")) }))
}
