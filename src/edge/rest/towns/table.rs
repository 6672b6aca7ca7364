//! The routes of a town.
//!
//! Owns the rows. A new route is one row and one function.

use super::{config, container_token, drains, mayor};
use crate::contract::shapes::{Activity, MayorMessageResult, MayorStatus};
use crate::edge::rest::docs::says;
use crate::edge::rest::response::ResponseShape::Field;
use crate::edge::rest::route::Action::{Call, Run, Stream, Unauthenticated};
use crate::edge::rest::route::Route;
use crate::edge::streams::{feed, status_socket};
use crate::rpc::table::{
    ACKNOWLEDGE_READY, GET_ACTIVITY, GET_ALARM_STATUS, GET_DRAIN_NONCE, GET_MAYOR_AGENT_ID, GET_MAYOR_STATUS, GET_TOWN_CONFIG,
    RECORD_EVICTION, SEND_MAYOR_MESSAGE, UPDATE_TOWN_CONFIG,
};

/// Every route of a town beside its rigs. Of two that fit a path the first counts.
pub(super) static ROUTES: &[Route] = &[
    Route::get("config", Run(&GET_TOWN_CONFIG, config::get)).docs(says("Reads the configuration, its secrets masked.")),
    Route::patch("config", Run(&UPDATE_TOWN_CONFIG, config::update)).docs(says("Changes settings; what is left out stays.")),
    // The Mayor.
    Route::post("mayor/message", Call(&SEND_MAYOR_MESSAGE, mayor::message))
        .docs(says("Leaves a message for the Mayor.").fields(&["message", "model?", "uiContext?"]).answer::<MayorMessageResult>()),
    Route::get("mayor/status", Call(&GET_MAYOR_STATUS, mayor::status)).docs(says("Reads how the Mayor is.").answer::<MayorStatus>()),
    Route::get("mayor-id", Call(&GET_MAYOR_AGENT_ID, mayor::status)).shown(Field("agentId")).docs(says("Reads the Mayor's agent id.")),
    // Containers.
    Route::post("container-eviction", Call(&RECORD_EVICTION, drains::begin))
        .shown(Field("nonce"))
        .docs(says("Begins a drain: nothing new is given out.")),
    Route::post("container-ready", Call(&ACKNOWLEDGE_READY, drains::end))
        .shown(Field("cleared"))
        .docs(says("Ends the drain with this nonce.").fields(&["nonce"])),
    Route::get("drain-status", Run(&GET_DRAIN_NONCE, drains::status)).docs(says("Reads whether the town drains.").answer_fields(&[
        "draining",
        "drainNonce",
        "drainStartedAt",
    ])),
    Route::post("refresh-container-token", Unauthenticated(container_token::refresh))
        .docs(says("Makes a new token for a container's own that is at most a day old, expired or not.").answer_fields(&["token"])),
    // Observers.
    Route::get("feed", Stream(&GET_ACTIVITY, feed::answer)).docs(
        says("Follows what happens in the town, as server-sent events or as one page.")
            .query(&["cursor?", "limit?", "actor?", "bead?", "rig_id?"])
            .answer::<Activity>(),
    ),
    Route::get("status/ws", Stream(&GET_ALARM_STATUS, status_socket::answer))
        .token_in_subprotocol()
        .docs(says("Opens a WebSocket on the town's status.")),
];
