//! The router: from a path and a method to a row.
//!
//! Owns the match of paths against groups and rows, `Allow`, and the answers 404 and 405. Rows are `route`'s, access checks
//! `access`'.

use super::route::{Credentials, Route, RouteGroup};
use super::{GROUPS, envelope};
use base::http::Response;

/// The parameters of a path, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathParameters(Vec<(&'static str, String)>);

/// A path that belongs to a group of REST routes.
#[derive(Debug, PartialEq, Eq)]
pub struct RestPath {
    /// The group.
    pub group: &'static RouteGroup,
    /// The parameters of the group's prefix.
    pub parameters: PathParameters,
    /// The segments after the prefix, percent-decoded.
    rest: Vec<String>,
}

/// The order in which `Allow` lists methods.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"];

impl PathParameters {
    /// The text of a parameter; empty when the pattern has no such parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str())
    }
}

impl RestPath {
    /// The group of a path, given as percent-decoded segments. Of two groups that fit the first counts.
    #[must_use]
    pub fn locate(segments: &[&str]) -> Option<Self> {
        GROUPS.iter().copied().find_map(|group| {
            let mut parameters = PathParameters::default();
            let rest = match_front(group.prefix.trim_start_matches('/'), segments, &mut parameters)?;
            Some(Self { group, parameters, rest: rest.iter().map(|segment| (*segment).to_owned()).collect() })
        })
    }

    /// The row of this path and method, and all parameters of the path.
    ///
    /// # Errors
    /// 404 for a path without rows, 405 for a path without this method.
    pub fn find(&self, method: &str) -> Result<(&'static Route, PathParameters), Box<Response>> {
        let is_meant = |route: &Route| route.method == method || (method == "HEAD" && route.answers_head());
        if let Some(found) = self.rows().find(|(route, _)| is_meant(route)) {
            return Ok(found);
        }
        Err(Box::new(match self.allow() {
            Some(allow) => envelope::method_not_allowed(allow),
            None => envelope::not_found(),
        }))
    }

    /// The methods of this path, as the header `Allow` lists them.
    #[must_use]
    pub fn allow(&self) -> Option<String> {
        let has = |method: &str| match method {
            "OPTIONS" => self.rows().next().is_some(),
            "HEAD" => self.rows().any(|(route, _)| route.answers_head()),
            _ => self.rows().any(|(route, _)| route.method == method),
        };
        let allowed: Vec<&str> = METHODS.into_iter().filter(|method| has(method)).collect();
        (!allowed.is_empty()).then(|| allowed.join(", "))
    }

    /// Whether every row of this path verifies its token itself.
    #[must_use]
    pub fn is_unauthenticated(&self) -> bool {
        let mut rows = self.rows().peekable();
        rows.peek().is_some() && rows.all(|(route, _)| route.is_unauthenticated())
    }

    /// Whether a token may come as a subprotocol.
    #[must_use]
    pub fn takes_token_in_subprotocol(&self) -> bool {
        self.rows().any(|(route, _)| route.credentials == Credentials::HeaderOrSubprotocol)
    }

    /// The rows whose path this is.
    fn rows(&self) -> impl Iterator<Item = (&'static Route, PathParameters)> {
        let segments: Vec<&str> = self.rest.iter().map(String::as_str).collect();
        self.group.routes.iter().filter_map(move |route| {
            let mut parameters = self.parameters.clone();
            match_front(route.path, &segments, &mut parameters).filter(|rest| rest.is_empty())?;
            Some((route, parameters))
        })
    }
}

/// The segments after the pattern, if the path begins with it. A part of the pattern is text, a parameter (`:rig`), or text in
/// front of a parameter (`mayor-:mayor`); the empty pattern is no segment.
fn match_front<'s, 'a>(pattern: &'static str, segments: &'s [&'a str], parameters: &mut PathParameters) -> Option<&'s [&'a str]> {
    let mut rest = segments;
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let (segment, after) = rest.split_first()?;
        match part.split_once(':') {
            Some((text, name)) => parameters.0.push((name, segment.strip_prefix(text)?.to_owned())),
            None if part == *segment => {}
            None => return None,
        }
        rest = after;
    }
    Some(rest)
}
