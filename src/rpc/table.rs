//! The one table of methods: which object answers, under which name, with which parameters, and who may call.
//!
//! Owns the rows; everything else (client calls, the objects' exports, dispatch inside an object, the documents)
//! iterates them. A new method is one row here and one function in an object's core. Nothing else knows a method's
//! name, its object or the order of its arguments.

use super::serve::{Answer, Caller, Cx, arguments};
use crate::auth::principal::Scope;
use crate::error::Failure;
use crate::{registry, rig, session, town};

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

/// Who may call a method, once the caller may use the town at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone of the town, with the read scope.
    Read,
    /// Coordinators, Mayors and containers, with the write scope.
    Lead,
    /// Agents too, each for itself, with the write scope.
    Agent,
    /// Coordinators with the admin scope.
    Admin,
    /// Only our own objects and the edge, with a token made for this method.
    Internal,
}

impl Access {
    /// The scope that a caller needs.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self {
            Self::Read => Scope::Read,
            Self::Lead | Self::Agent => Scope::Write,
            Self::Admin | Self::Internal => Scope::Admin,
        }
    }
}

/// What an object that was never initialised answers. It creates no table unless it says so here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// Not found.
    Refuse,
    /// This JSON.
    Answer(&'static str),
    /// The call initialises the object.
    Create,
}

/// One method of one object.
pub struct Method {
    /// Which object answers.
    pub object: Object,
    /// The contract's name.
    pub name: &'static str,
    /// The positional parameters; the caller context comes after them.
    pub params: &'static [&'static str],
    /// Who may call.
    pub access: Access,
    /// What an uninitialised object does.
    pub absent: Absent,
    /// The function.
    pub(crate) handler: fn(&Cx<'_>, &Caller, &str) -> Result<Answer, Failure>,
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

macro_rules! methods {
    ($($id:ident: $object:ident $name:literal ($($param:literal),*) $access:ident $absent:expr => $handler:path;)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub static $id: Method = Method {
                object: Object::$object,
                name: $name,
                params: &[$($param),*],
                access: Access::$access,
                absent: $absent,
                handler: |cx, caller, args| $handler(cx, caller, arguments(&$id, args)?),
            };
        )*
        /// Every method, object by object.
        pub static METHODS: &[&Method] = &[$(&$id),*];
    };
}

use Absent::{Answer as Always, Create, Refuse};

methods! {
    CREATE_TOWN: Registry "createTown" ("input") Lead Create => registry::towns::create_town;
    GET_TOWN: Registry "getTownAsync" ("townId") Read Always("null") => registry::towns::get_town;
    LIST_TOWNS: Registry "listTowns" () Read Always("[]") => registry::towns::list_towns;
    DELETE_TOWN: Registry "deleteTown" ("townId") Internal Always("false") => registry::towns::delete_town;
    CREATE_RIG: Registry "createRig" ("input") Lead Refuse => registry::rigs::create_rig;
    GET_RIG: Registry "getRigAsync" ("rigId") Read Always("null") => registry::rigs::get_rig;
    LIST_REGISTRY_RIGS: Registry "listRigs" ("townId") Read Always("[]") => registry::rigs::list_rigs;
    DELETE_RIG: Registry "deleteRig" ("rigId") Internal Always("false") => registry::rigs::delete_rig;
    LISTEN_TO_REGISTRY: Registry "listen" ("topics", "expiresAt") Internal Create => registry::listen;

    SET_TOWN_ID: Town "setTownId" ("townId") Internal Create => town::identity::set_town_id;
    INITIALIZE_IDENTITY: Town "initializePrivateTownIdentity" ("identity") Internal Refuse => town::identity::initialize_identity;
    GET_IDENTITY_STATE: Town "getTownIdentityState" () Read Refuse => town::identity::get_identity_state;
    GET_TOWN_CONFIG: Town "getTownConfig" () Read Refuse => town::config::get_config;
    UPDATE_TOWN_CONFIG: Town "updateTownConfig" ("update") Admin Refuse => town::config::update_config;
    ADD_RIG: Town "addRig" ("input") Lead Refuse => town::rigs::add_rig;
    LIST_RIGS: Town "listRigs" () Read Refuse => town::rigs::list_rigs;
    SLING_CONVOY: Town "slingConvoy" ("input") Lead Refuse => town::sling::sling_convoy;
    START_CONVOY: Town "startConvoy" ("convoyId") Lead Refuse => town::convoy_changes::start_convoy;
    LIST_CONVOYS: Town "listConvoys" () Read Refuse => town::convoys::list_convoys;
    LIST_CONVOYS_DETAILED: Town "listConvoysDetailed" () Read Refuse => town::convoys::list_convoys_detailed;
    GET_CONVOY_STATUS: Town "getConvoyStatus" ("convoyId") Read Refuse => town::status::get_convoy_status;
    SEND_MAYOR_MESSAGE: Town "sendMayorMessage" ("message", "model", "uiContext", "actorUserId") Lead Refuse => town::mayor::send_message;
    GET_MAYOR_STATUS: Town "getMayorStatus" () Read Refuse => town::mayor::get_status;
    GET_ALARM_STATUS: Town "getAlarmStatus" ("cached") Read Refuse => town::status::get_alarm_status;
    LIST_FEED: Town "listFeed" ("after", "limit") Read Refuse => town::feed::list_feed;
    LISTEN_TO_TOWN: Town "listen" ("topics", "expiresAt") Internal Refuse => town::topics::listen;
    DELIVER_TO_TOWN: Town "deliver" ("letters") Internal Refuse => town::deliver;
    // Convoys.
    FIND_CONVOY: Town "findConvoy" ("nameOrId") Read Refuse => town::convoys::find_convoy;
    CREATE_CONVOY: Town "createConvoy" ("input") Lead Refuse => town::convoy_changes::create_convoy;
    SLING_INTO_CONVOY: Town "slingIntoConvoy" ("input") Lead Refuse => town::sling::sling_into_convoy;
    UPDATE_CONVOY: Town "updateConvoy" ("convoyId", "update") Lead Refuse => town::convoy_changes::update_convoy;
    CLOSE_CONVOY: Town "closeConvoy" ("convoyId") Lead Refuse => town::convoy_changes::close_convoy;
    CONVOY_ADD_BEAD: Town "convoyAddBead" ("convoyId", "beadId", "dependsOn") Lead Refuse => town::convoy_changes::add_bead;
    CONVOY_REMOVE_BEAD: Town "convoyRemoveBead" ("convoyId", "beadId") Lead Refuse => town::convoy_changes::remove_bead;
    ON_BEAD_CLOSED: Town "onBeadClosed" ("input") Lead Refuse => town::mirror::on_bead_closed;
    CHECK_TOWN: Town "checkTown" ("input") Admin Refuse => town::check::check_town;

    SLING_BEAD: Rig "slingBead" ("input") Lead Refuse => rig::sling::sling_bead;
    CREATE_BEAD: Rig "createBead" ("input") Agent Refuse => rig::beads::create_bead;
    GET_BEAD: Rig "getBeadAsync" ("beadId") Read Refuse => rig::beads::get_bead;
    LIST_BEADS: Rig "listBeads" ("filter") Read Refuse => rig::beads::list_beads;
    UPDATE_BEAD_STATUS: Rig "updateBeadStatus" ("beadId", "status", "agentId", "failureReason") Agent Refuse => rig::beads::update_bead_status;
    CLOSE_BEAD: Rig "closeBead" ("beadId", "agentId") Agent Refuse => rig::beads::close_bead;
    GET_OR_CREATE_AGENT: Rig "getOrCreateAgent" ("role", "rigId") Lead Refuse => rig::agents::get_or_create_agent;
    LIST_AGENTS: Rig "listAgents" ("filter") Read Refuse => rig::agents::list_agents;
    DELETE_AGENT: Rig "deleteAgent" ("agentId") Lead Refuse => rig::agents::delete_agent;
    HOOK_BEAD: Rig "hookBead" ("agentId", "beadId") Agent Refuse => rig::hooks::hook_bead;
    UNHOOK_BEAD: Rig "unhookBead" ("agentId") Agent Refuse => rig::hooks::unhook_bead;
    SEND_MAIL: Rig "sendMail" ("input") Agent Refuse => rig::mail::send_mail;
    CHECK_MAIL: Rig "checkMail" ("agentId") Agent Refuse => rig::mail::check_mail;
    CONVOY_BEADS: Rig "convoyBeads" ("convoyId") Internal Refuse => rig::convoys::convoy_beads;
    LISTEN_TO_RIG: Rig "listen" ("topics", "expiresAt") Internal Refuse => rig::topics::listen;
    DELIVER_TO_RIG: Rig "deliver" ("letters") Internal Create => rig::deliver;
    // Convoys and checks.
    CONVOY_CANDIDATES: Rig "convoyCandidates" ("beadIds") Internal Refuse => rig::convoys::convoy_candidates;
    CHECK_RIG: Rig "checkRig" ("convoyIds") Internal Refuse => rig::check::check_rig;
    REPAIR_RIG: Rig "repairRig" ("convoyIds") Internal Refuse => rig::check::repair_rig;

    SESSION_STATE: Session "sessionState" ("session") Internal Always("{\"has_ended\":false}") => session::session_state;
    END_SESSION: Session "endSession" ("session", "expiresAt") Internal Create => session::end_session;
    SET_LOG_LEVEL: Session "setLogLevel" ("session", "level", "expiresAt") Internal Create => session::set_log_level;
    APPEND_EVENTS: Session "appendEvents" ("session", "stream", "messages", "ends") Internal Create => session::append_events;
    OPEN_STREAM: Session "openStream" ("stream") Internal Create => session::open_stream;
    SUBSCRIBE: Session "addRoutes" ("session", "stream", "name", "routes") Internal Create => session::subscribe;
    UNSUBSCRIBE: Session "removeRoutes" ("session", "stream", "name") Internal Always("") => session::unsubscribe;
    ANSWERED: Session "answered" ("session", "id", "answer") Internal Always("") => session::answered;
    CANCELLED: Session "cancelled" ("session", "request") Internal Create => session::cancelled;
    HEAR: Session "hear" ("session", "request", "ids", "until") Internal Create => session::hear;
    SPEND_ONCE: Session "spendOnce" ("what", "expiresAt") Internal Create => session::spend_once;
    PUBLISH: Session "publish" ("topic") Internal Always("") => session::publish;
    OPEN_WATCH: Session "openWatch" ("watch", "routes", "expiresAt") Internal Create => session::open_watch;
    AWAIT_WATCH: Session "awaitWatch" ("watch", "until") Internal Always("false") => session::await_watch;
    CREATE_TASK: Session "createTask" ("task") Internal Create => session::create_task;
    GET_TASK: Session "getTask" ("id", "principal") Internal Always("null") => session::get_task;
    SAVE_TASK: Session "saveTask" ("task") Internal Always("false") => session::save_task;
    DELIVER_TO_SESSION: Session "deliver" ("letters") Internal Create => session::deliver;
}
