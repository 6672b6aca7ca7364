//! Which function of which core answers a method.
//!
//! Owns the binding of the rows in `rpc::methods` to the cores, and the answer of methods that embedded towns do not have.
//! The composition root of the objects: no core knows another's handlers.

use super::handler::{Answer, Caller, Core, Cx, arguments};
use super::{registry, rig, session, town};
use crate::rpc::methods::for_each_method;
use crate::rpc::table::{self, Method, Object};
use base::error::{Code, Failure, Fault, Refusal, refuse};
use serde_json::value::RawValue;

/// Answers one method.
pub type Handler = fn(&Cx<'_>, &Caller, &str) -> Result<Answer, Failure>;

/// The core of an object.
#[must_use]
pub fn core(object: Object) -> &'static Core {
    match object {
        Object::Rig => &rig::CORE,
        Object::Town => &town::CORE,
        Object::Registry => &registry::CORE,
        Object::Session => &session::CORE,
    }
}

/// The function that answers a method.
///
/// # Errors
/// A fault: every row of the table has one.
pub fn handler(method: &Method) -> Result<Handler, Fault> {
    let bound = HANDLERS.iter().find(|(row, _)| std::ptr::eq(*row, method));
    bound.map(|(_, handler)| *handler).ok_or_else(|| Fault::new(method.name, "no handler"))
}

macro_rules! bind {
    (
        $($id:ident: $object:ident $name:literal ($($param:literal),*) $access:ident $absent:expr => $handler:path;)*
        @unsupported
        $($missing_id:ident: $missing:ident $missing_name:literal ($($missing_param:literal),*) $why:literal, $instead:literal;)*
    ) => {
        static HANDLERS: &[(&Method, Handler)] = &[
            $((&table::$id, |cx, caller, args| $handler(cx, caller, arguments(&table::$id, args)?)),)*
            $((&table::$missing_id, |_, _, args| Err(unsupported(&table::$missing_id, args, $why, $instead))),)*
        ];
    };
}

for_each_method!(bind);

/// The answer of a method that the contract has and embedded towns do not.
fn unsupported(method: &Method, args: &str, why: &str, instead: &str) -> Failure {
    let Method { name, params, .. } = method;
    let given: Result<Vec<Box<RawValue>>, _> = serde_json::from_str(args);
    if given.is_ok_and(|given| given.len() == params.len()) {
        let refusal = Refusal::new(Code::Unsupported, format!("\"{name}\" is not supported by embedded towns: {why}"));
        return refusal.hint(instead).into();
    }
    refuse(Code::InvalidArgument, format!("{name}({}): expected {} argument(s)", params.join(", "), params.len()))
}
