//! Text of rows for documents: a summary, and the names of query parameters, bodies and answers.
//!
//! Owns the types. The Worker carries no such text: there the same functions build an empty value.

#[cfg(target_arch = "wasm32")]
pub use in_wasm::{GroupDocs, RouteDocs};
#[cfg(not(target_arch = "wasm32"))]
pub use on_host::{BodyDocs, GroupDocs, RouteDocs};

/// The text of a route, beginning with its summary.
pub(super) const fn says(summary: &'static str) -> RouteDocs {
    RouteDocs::new().says(summary)
}

#[cfg(not(target_arch = "wasm32"))]
mod on_host {
    use crate::auth::principal::Role;
    use std::any::type_name;

    /// A body or the data of an answer.
    #[derive(Debug, Clone, Copy)]
    pub enum BodyDocs {
        /// No body, or data of no fixed shape.
        None,
        /// A shape of the contract, by the name of its type.
        One(fn() -> &'static str),
        /// A list of them.
        List(fn() -> &'static str),
        /// These fields; a question mark follows one that may be left out.
        Fields(&'static [&'static str]),
    }

    /// The text of one route.
    #[derive(Debug, Clone, Copy)]
    pub struct RouteDocs {
        /// One sentence.
        pub summary: &'static str,
        /// Parameters of the query; a question mark follows one that may be left out.
        pub query: &'static [&'static str],
        /// The body of the request.
        pub body: BodyDocs,
        /// The data of the answer, as the object answers it.
        pub answer: BodyDocs,
    }

    /// The text of a group of routes.
    #[derive(Debug, Clone, Copy)]
    pub struct GroupDocs {
        /// The section of the document, and the tag in the `OpenAPI` document.
        pub title: &'static str,
        /// The callers that the group admits.
        pub callers: &'static str,
        /// The role whose scopes are shown.
        pub role: Role,
    }

    impl RouteDocs {
        /// No text.
        pub(in crate::edge::rest) const fn new() -> Self {
            Self { summary: "", query: &[], body: BodyDocs::None, answer: BodyDocs::None }
        }

        pub(in crate::edge::rest) const fn says(mut self, summary: &'static str) -> Self {
            self.summary = summary;
            self
        }

        pub(in crate::edge::rest) const fn query(mut self, names: &'static [&'static str]) -> Self {
            self.query = names;
            self
        }

        pub(in crate::edge::rest) const fn body<T>(mut self) -> Self {
            self.body = BodyDocs::One(type_name::<T>);
            self
        }

        pub(in crate::edge::rest) const fn fields(mut self, names: &'static [&'static str]) -> Self {
            self.body = BodyDocs::Fields(names);
            self
        }

        pub(in crate::edge::rest) const fn answer<T>(mut self) -> Self {
            self.answer = BodyDocs::One(type_name::<T>);
            self
        }

        pub(in crate::edge::rest) const fn list<T>(mut self) -> Self {
            self.answer = BodyDocs::List(type_name::<T>);
            self
        }

        pub(in crate::edge::rest) const fn answer_fields(mut self, names: &'static [&'static str]) -> Self {
            self.answer = BodyDocs::Fields(names);
            self
        }
    }

    impl GroupDocs {
        pub(in crate::edge::rest) const fn new(title: &'static str, callers: &'static str, role: Role) -> Self {
            Self { title, callers, role }
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod in_wasm {
    use crate::auth::principal::Role;

    /// Nothing.
    #[derive(Debug, Clone, Copy)]
    pub struct RouteDocs;

    /// Nothing.
    #[derive(Debug, Clone, Copy)]
    pub struct GroupDocs;

    #[expect(clippy::extra_unused_type_parameters, reason = "rows name types for the documents of the host")]
    impl RouteDocs {
        /// No text.
        pub(in crate::edge::rest) const fn new() -> Self {
            Self
        }

        pub(in crate::edge::rest) const fn says(self, _: &'static str) -> Self {
            self
        }

        pub(in crate::edge::rest) const fn query(self, _: &'static [&'static str]) -> Self {
            self
        }

        pub(in crate::edge::rest) const fn body<T>(self) -> Self {
            self
        }

        pub(in crate::edge::rest) const fn fields(self, _: &'static [&'static str]) -> Self {
            self
        }

        pub(in crate::edge::rest) const fn answer<T>(self) -> Self {
            self
        }

        pub(in crate::edge::rest) const fn list<T>(self) -> Self {
            self
        }

        pub(in crate::edge::rest) const fn answer_fields(self, _: &'static [&'static str]) -> Self {
            self
        }
    }

    impl GroupDocs {
        pub(in crate::edge::rest) const fn new(_: &'static str, _: &'static str, _: Role) -> Self {
            Self
        }
    }
}
