//! Public documents: health, the page for people, the page for models, and the resource metadata.
//!
//! Owns texts. Knows nothing about any town.

use super::settings::Settings;
use crate::edge::oauth::protected_resource;
use crate::edge::route::Door;
use base::http::{Request, Response, ResponseBody};
use std::borrow::Cow;

const HOME: &str = include_str!("home.html");
const LLMS: &str = include_str!("llms.txt");

/// The public page behind a door, if there is one.
pub(super) fn answer(settings: &Settings, request: &Request<'_>, door: &Door) -> Option<Response> {
    let page = match door {
        Door::Health => Response::json(200, "{\"status\":\"ok\"}".to_owned()),
        Door::Home => Response { status: 200, headers: Vec::new(), body: ResponseBody::Html(Cow::Borrowed(HOME)) },
        Door::Llms => Response::text(200, LLMS),
        Door::ResourceMetadata { path } => Response::json(200, protected_resource::metadata(settings, request, path)),
        Door::Nowhere => crate::edge::rest::envelope::not_found(),
        _ => return None,
    };
    if matches!(request.method.as_str(), "GET" | "HEAD") || *door == Door::Nowhere {
        return Some(page);
    }
    Some(crate::edge::rest::envelope::method_not_allowed("GET, HEAD, OPTIONS"))
}
