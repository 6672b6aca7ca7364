//! `logging/setLevel`.
//!
//! Owns its result. The level is kept by `State`; messages are sent by `talk`.

use crate::client::LogLevel;
use crate::problem::Problem;
use crate::reply::{JsonRpcResponse, internal};
use crate::request::RequestContext;
use crate::response_stream::Era;
use crate::result::ResultWriter;
use futures::future::{FutureExt as _, LocalBoxFuture};
use serde::Deserialize;

#[derive(Deserialize)]
struct Params {
    level: LogLevel,
}

/// `logging/setLevel` (2025-11-25, logging).
pub(super) fn set_level<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    async move {
        let levels = "level must be debug, info, notice, warning, error, critical, alert or emergency";
        let params: Params = call.read_params().map_err(|_| Problem::InvalidParams(levels.into()))?;
        if let Era::Legacy { session, .. } = &call.channel.era {
            let set = call.server.session_store().set_log_level(&session.key, params.level, session.expires);
            set.await.map_err(|fault| internal(call.server, &fault))?;
        }
        ResultWriter::open(call, 0).close()
    }
    .boxed_local()
}
