//! The routes of a registry.
//!
//! Owns the rows. A new route is one row and one function.

use super::{rigs, towns};
use crate::contract::shapes::{RegistryRig, TownRecord};
use crate::edge::rest::docs::says;
use crate::edge::rest::response::ResponseShape::Found;
use crate::edge::rest::route::Action::{Call, Run};
use crate::edge::rest::route::Route;
use crate::rpc::table::{CREATE_RIG, CREATE_TOWN, DESTROY_TOWN, GET_RIG, GET_TOWN, LIST_REGISTRY_RIGS, LIST_TOWNS, REMOVE_RIG};

/// Every route of a registry. Of two that fit a path the first counts.
pub(super) static ROUTES: &[Route] = &[
    Route::post("towns", Run(&CREATE_TOWN, towns::create)).creates().docs(says("Creates a town.").fields(&["name"]).answer::<TownRecord>()),
    Route::get("towns", Call(&LIST_TOWNS, towns::list)).docs(says("Lists the towns, newest first.").list::<TownRecord>()),
    Route::get("towns/:town", Call(&GET_TOWN, towns::of_town))
        .shown(Found(towns::ABSENT))
        .docs(says("Reads one town.").answer::<TownRecord>()),
    Route::delete("towns/:town", Run(&DESTROY_TOWN, towns::delete))
        .docs(says("Deletes a town with its rigs; with `force` its unfinished work too.").query(&["force?"]).answer_fields(&["deleted"])),
    Route::get("towns/:town/rigs", Call(&LIST_REGISTRY_RIGS, towns::of_town))
        .shown(Found(towns::ABSENT))
        .docs(says("Lists the rigs of a town, newest first.").list::<RegistryRig>()),
    Route::post("rigs", Run(&CREATE_RIG, rigs::create)).creates().docs(
        says("Creates a rig.")
            .fields(&["town_id", "name", "git_url", "default_branch?", "platform_integration_id?"])
            .answer::<RegistryRig>(),
    ),
    Route::get("rigs/:rig", Call(&GET_RIG, rigs::get)).shown(Found(rigs::ABSENT)).docs(says("Reads one rig.").answer::<RegistryRig>()),
    Route::delete("rigs/:rig", Run(&REMOVE_RIG, rigs::delete))
        .docs(says("Deletes a rig; with `force` its unfinished work too.").query(&["force?"]).answer_fields(&["deleted"])),
];
