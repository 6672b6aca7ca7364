//! The one table of methods: object, name, parameters and access of each.
//!
//! Owns the type of a row. The rows are in `methods`; everything else (client calls, the objects' exports, dispatch inside an
//! object, the documents) iterates them. Nothing else knows a method's name, its object or the order of its arguments.

use super::methods::for_each_method;
use crate::auth::principal::{Role, Scope};

/// The kinds of object. User and organization registries are one core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Object {
    /// `RigDO` (embedded) or `TownDO` (Kilo).
    Rig,
    /// `TownDO`.
    Town,
    /// `GastownUserDO` and `GastownOrgDO`.
    Registry,
    /// `SessionDO`.
    Session,
}

/// The callers of a method, among those who may use the town.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone of the town, with the read scope.
    Read,
    /// Coordinators, Mayors and containers, with the write scope.
    Lead,
    /// Agents too, each for itself, with the write scope.
    Agent,
    /// The town's own Mayor, and coordinators with the admin scope.
    Mayor,
    /// Coordinators with the admin scope.
    Admin,
    /// Only our own objects and the edge, with a token made for this method.
    Internal,
}

impl Access {
    /// The scope that a coordinator needs.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self {
            Self::Read => Scope::Read,
            Self::Lead | Self::Agent => Scope::Write,
            Self::Mayor | Self::Admin | Self::Internal => Scope::Admin,
        }
    }

    /// The scope that a caller in this role needs. No Mayor's token has more than the write scope.
    #[must_use]
    pub fn scope_of(self, role: Role) -> Scope {
        if self == Self::Mayor && role == Role::Mayor { Scope::Write } else { self.scope() }
    }
}

/// The answer of an object that was never initialised. It creates no table unless it says so here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// A refusal: not found.
    Refuse,
    /// A constant JSON text.
    Answer(&'static str),
    /// The call initialises the object.
    Create,
}

/// One method of one object.
pub struct Method {
    /// The object that answers.
    pub object: Object,
    /// The method's name in the contract.
    pub name: &'static str,
    /// The positional parameters; the caller context comes after them.
    pub params: &'static [&'static str],
    /// The callers that are let in.
    pub access: Access,
    /// The answer of an uninitialised object.
    pub absent: Absent,
    /// The contract has it, embedded towns do not.
    pub is_unsupported: bool,
}

impl Method {
    /// Whether the method changes nothing.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.access == Access::Read
    }
}

/// The row of a method, by object and name.
#[must_use]
pub fn find(object: Object, name: &str) -> Option<&'static Method> {
    METHODS.iter().copied().find(|method| method.object == object && method.name == name)
}

/// The method by which an object takes letters of another's outbox.
#[must_use]
pub fn takes_letters(object: Object) -> Option<&'static Method> {
    match object {
        Object::Rig => Some(&DELIVER_TO_RIG),
        Object::Town => Some(&DELIVER_TO_TOWN),
        Object::Session => Some(&DELIVER_TO_SESSION),
        Object::Registry => None,
    }
}

/// The method by which a session asks an object to tell it of changes.
#[must_use]
pub fn takes_listeners(object: Object) -> Option<&'static Method> {
    match object {
        Object::Rig => Some(&LISTEN_TO_RIG),
        Object::Town => Some(&LISTEN_TO_TOWN),
        Object::Registry => Some(&LISTEN_TO_REGISTRY),
        Object::Session => None,
    }
}

macro_rules! declare {
    (
        $($id:ident: $object:ident $name:literal ($($param:literal),*) $access:ident $absent:expr => $handler:path;)*
        @unsupported
        $($missing_id:ident: $missing:ident $missing_name:literal ($($missing_param:literal),*) $why:literal, $instead:literal;)*
    ) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub static $id: Method = Method {
                object: Object::$object,
                name: $name,
                params: &[$($param),*],
                access: Access::$access,
                absent: $absent,
                is_unsupported: false,
            };
        )*
        $(
            #[doc = concat!("`", $missing_name, "`: ", $why, ".")]
            pub static $missing_id: Method = Method {
                object: Object::$missing,
                name: $missing_name,
                params: &[$($missing_param),*],
                access: Access::Read,
                absent: Refuse,
                is_unsupported: true,
            };
        )*
        /// Every method, object by object.
        pub static METHODS: &[&Method] = &[$(&$id,)* $(&$missing_id,)*];
    };
}

use Absent::{Answer as Always, Create, Refuse};

for_each_method!(declare);
