//! The Workers runtime, and nothing else that knows it.
use worker::{Context, Env, event};
#[event(fetch)]
async fn fetch(_r: worker::web_sys::Request, _e: Env, _c: Context) -> worker::Result<worker::Response> { worker::Response::ok("hi") }
