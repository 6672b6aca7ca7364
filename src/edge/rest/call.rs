//! Calls that routes make to objects.
//!
//! Owns the making of a planned call: its town, its idempotency key, and the explanation of a failure. The futures are boxed,
//! so that all routes share one.

use super::request::RouteRequest;
use super::response::{Reply, ResponseShape};
use super::wrong_rig::Named;
use crate::contract::ids::RigId;
use crate::rpc::call::{Call, Instance, written};
use crate::rpc::table::{Method, Object};
use base::error::{Failure, Fault};
use base::http::Response;
use futures::future::LocalBoxFuture;
use serde::Serialize;

/// A call that a route makes, with the shape of its answer.
pub struct PlannedCall {
    /// The call.
    pub call: Call,
    /// The shape of the answer.
    pub shape: ResponseShape,
    /// Things of the request that may be in another rig, in the order of the look-up.
    pub named: Vec<Named>,
}

/// A route under way.
pub type Running<'a> = LocalBoxFuture<'a, Result<Reply, Failure>>;
/// A route under way that writes its response itself.
pub type Responding<'a> = LocalBoxFuture<'a, Response>;

impl PlannedCall {
    /// Adds things of the request that may be in another rig, or in none.
    #[must_use]
    pub fn naming(mut self, named: impl IntoIterator<Item = Named>) -> Self {
        self.named.extend(named);
        self
    }
}

impl<'a> RouteRequest<'a> {
    /// The call of the row's method to the object of the path, shown as the row says.
    ///
    /// # Errors
    /// A fault when the arguments cannot be written, `NotFound` when the path does not name the object.
    pub fn call(&self, args: impl Serialize) -> Result<PlannedCall, Failure> {
        let method = self.object_method()?;
        self.planned(None, method, written(method, args)?, self.route.shape)
    }

    /// The same with another method than the row's.
    ///
    /// # Errors
    /// As `call`.
    pub fn call_method(&self, method: &'static Method, args: impl Serialize, shape: ResponseShape) -> Result<PlannedCall, Failure> {
        self.planned(None, method, written(method, args)?, shape)
    }

    /// The call of the row's method to a rig that the row's path or the body names. The rig says itself whether it is the
    /// town's.
    ///
    /// # Errors
    /// A fault when the arguments cannot be written.
    pub fn call_rig(&self, rig: RigId, args: impl Serialize) -> Result<PlannedCall, Failure> {
        let method = self.object_method()?;
        self.planned(Some(Instance::Rig(rig)), method, written(method, args)?, self.route.shape)
    }

    /// The part of the three above that is the same for all types of arguments.
    fn planned(&self, at: Option<Instance>, method: &'static Method, args: String, shape: ResponseShape) -> Result<PlannedCall, Failure> {
        let instance = at.map_or_else(|| self.object(method), Ok)?;
        Ok(PlannedCall { call: Call { instance, method, args }, shape, named: Vec::new() })
    }

    /// Makes a planned call; a change with the key of the request.
    pub fn carry_out(&'a self, planned: Result<PlannedCall, Failure>) -> Running<'a> {
        Box::pin(async move {
            let PlannedCall { call, shape, named } = planned?;
            let key = self.key().filter(|_| !call.method.is_read());
            let answer = self.caller.client.call(&call, self.place.town.as_ref(), key.as_deref()).await;
            match answer.and_then(|answer| shape.show(&answer, call.method)) {
                Ok(data) => Ok(data.into()),
                Err(failure) => Err(self.explain(&call.instance, &named, failure).await),
            }
        })
    }

    fn object_method(&self) -> Result<&'static Method, Fault> {
        self.route.object_method().ok_or_else(|| Fault::new(self.route.path, "the route has no object method"))
    }

    /// The object of the path that has this method.
    fn object(&self, method: &Method) -> Result<Instance, Failure> {
        Ok(match method.object {
            Object::Rig => Instance::Rig(self.rig()?.clone()),
            Object::Town => Instance::Town(self.town()?.clone()),
            Object::Registry => self.owner()?.clone(),
            Object::Session => return Err(Fault::new(method.name, "no route names a session").into()),
        })
    }
}

/// A call to this object.
///
/// # Errors
/// A fault when the arguments cannot be written.
pub fn planned(instance: Instance, method: &'static Method, args: impl Serialize, shape: ResponseShape) -> Result<PlannedCall, Failure> {
    Ok(PlannedCall { call: Call::new(instance, method, args)?, shape, named: Vec::new() })
}
