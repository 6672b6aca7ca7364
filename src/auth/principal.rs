//! The authenticated caller: the one type that everything after authentication sees.
//!
//! Owns `Principal` and the rules that need nothing but it. Does not read tokens.

use crate::contract::ids::{RigId, TownId};
use crate::contract::shapes::Owner;
use base::error::{Code, Refusal};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Which kind of token was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Kilo user token (Gastown contract 5.1), or an OAuth access token.
    User,
    /// Agent JWT: one agent of one town.
    Agent,
    /// Container JWT: every agent of one town.
    Container,
    /// Signed by one of our own objects or by the edge, for one method, for a minute.
    Internal,
}

/// The role of the caller, in Gastown's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A person or the fleet coordinator that acts for one.
    Coordinator,
    /// The town's own Mayor.
    Mayor,
    /// A worker agent.
    Polecat,
    /// The merging agent of a rig.
    Refinery,
    /// A container without an agent header.
    Container,
    /// Our own objects.
    Internal,
}

impl Role {
    /// Whether it is one agent of a rig, which speaks for itself only.
    #[must_use]
    pub const fn is_of_rig(self) -> bool {
        matches!(self, Self::Polecat | Self::Refinery)
    }
}

/// The rights of the caller. A wider scope includes the narrower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// `gastown:read`
    Read,
    /// `gastown:write`
    Write,
    /// `gastown:admin`
    Admin,
}

impl Scope {
    /// Its name in tokens and in OAuth metadata.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "gastown:read",
            Self::Write => "gastown:write",
            Self::Admin => "gastown:admin",
        }
    }

    /// The scope of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Admin].into_iter().find(|scope| scope.name() == name)
    }

    /// Every name that it stands for, as a `scope` claim lists them.
    #[must_use]
    pub const fn granted(self) -> &'static str {
        match self {
            Self::Read => "gastown:read",
            Self::Write => "gastown:read gastown:write",
            Self::Admin => "gastown:read gastown:write gastown:admin",
        }
    }
}

/// A caller's place in an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrgMembership {
    /// The organization.
    #[serde(rename = "orgId")]
    pub org_id: String,
    /// `owner`, `member` or `billing_manager` (who may not use towns).
    pub role: String,
}

impl OrgMembership {
    /// Whether this role may use the organization's towns (Gastown contract 5.3). A role we do not know may not.
    #[must_use]
    pub fn may_use_towns(&self) -> bool {
        matches!(self.role.as_str(), "owner" | "member")
    }
}

/// The authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The kind of token.
    pub kind: TokenKind,
    /// In which role.
    pub role: Role,
    /// The token says so. An agent's token may leave it out: then `role` is the narrowest, and the agent's own row in its rig
    /// is the truth.
    pub is_role_known: bool,
    /// The user on whose behalf the call is made; empty for internal calls.
    pub user_id: String,
    /// The agent, when the token names one.
    pub agent_id: Option<String>,
    /// The one town this token is good for; `None` means every town that the user may use.
    pub town: Option<TownId>,
    /// The one rig this token is good for.
    pub rig: Option<RigId>,
    /// The widest scope granted.
    pub scope: Scope,
    /// Organizations of the user that may use towns (`billing_manager` left out).
    pub orgs: Vec<OrgMembership>,
    /// For an internal token: the object that made it, as `rig:<id>` or `town:<id>`.
    pub from: Option<String>,
    /// For an internal token: the only method it may call.
    pub method: Option<String>,
    /// For an agent token: the dispatch order that it is good for; `None`: for every order of the agent.
    pub fence: Option<i64>,
    /// The process that says it is this agent, as the request has it.
    pub process: Option<String>,
    /// When the token ends; `None` for a token without an end.
    pub expires_at: Option<Timestamp>,
}

impl Principal {
    /// A stable key: the same person or agent gives the same key with every token.
    #[must_use]
    pub fn key(&self) -> String {
        match (self.kind, &self.agent_id) {
            (TokenKind::Internal, _) => "internal".to_owned(),
            (_, Some(agent)) => format!("agent:{agent}"),
            (TokenKind::Container, None) => format!("container:{}", self.town.as_ref().map_or("", TownId::as_str)),
            (_, None) => format!("user:{}", self.user_id),
        }
    }

    /// Whether the token itself is good for this town. Says nothing about ownership.
    ///
    /// # Errors
    /// `Forbidden` when the token is pinned to another town.
    pub fn check_town(&self, town: &TownId) -> Result<(), Refusal> {
        match &self.town {
            Some(own) if own != town => Err(Refusal::new(Code::Forbidden, "Forbidden: this token is for another town")
                .hint("Use a token of this town, or connect to the town that your token names.")),
            _ => Ok(()),
        }
    }

    /// Whether this caller may use a town with this owner: the only such rule, used by edge and objects alike.
    ///
    /// # Errors
    /// `Forbidden` otherwise.
    pub fn check_owner(&self, town: &TownId, owner: &Owner) -> Result<(), Refusal> {
        self.check_town(town)?;
        let allowed = match self.kind {
            TokenKind::Internal | TokenKind::Agent | TokenKind::Container => self.town.is_some(),
            TokenKind::User => match (&owner.org_id, &owner.user_id) {
                (Some(org), _) => self.orgs.iter().any(|membership| membership.org_id == *org && membership.may_use_towns()),
                (None, Some(user)) => *user == self.user_id,
                (None, None) => false,
            },
        };
        if allowed {
            return Ok(());
        }
        Err(Refusal::new(Code::Forbidden, "Forbidden: this town belongs to somebody else")
            .hint("Call list_towns to see the towns that you may use."))
    }

    /// Whether this caller may delete `what` of this owner: of an organization only its owners may (Gastown contract 4.4).
    ///
    /// # Errors
    /// `Forbidden` otherwise.
    pub fn check_may_delete(&self, org: Option<&str>, what: &str) -> Result<(), Refusal> {
        let is_owner = |org: &str| self.orgs.iter().any(|membership| membership.org_id == org && membership.role == "owner");
        if org.is_none_or(is_owner) {
            return Ok(());
        }
        Err(Refusal::new(Code::Forbidden, format!("Only org owners can delete {what}")).hint("Ask an owner of the organization."))
    }

    /// Whether the scope covers `needed`.
    ///
    /// # Errors
    /// `Forbidden` otherwise.
    pub fn check_scope(&self, needed: Scope) -> Result<(), Refusal> {
        if self.scope >= needed {
            return Ok(());
        }
        let message = match self.scope {
            Scope::Read => "Forbidden: this token may read but not change anything",
            Scope::Write | Scope::Admin => "Forbidden: this token may not administer",
        };
        Err(Refusal::new(Code::Forbidden, message).hint(format!("Connect with a token that has {}.", needed.name())))
    }
}
