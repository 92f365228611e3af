//! Users, roles, permissions and tokens, as functions of their arguments.
//!
//! The rules are those of etcd's `server/auth/store.go`. Passwords are kept as they are: this is for tests.

mod permissions;
mod roles;
mod tokens;
mod users;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use etcd_proto::authpb::Permission;

use self::tokens::Tokens;
use crate::rejection::{
    AUTH_FAILED, AUTH_NOT_ENABLED, AUTH_OLD_REVISION, INVALID_AUTH_TOKEN, NO_PASSWORD_USER,
    PERMISSION_DENIED, ROOT_ROLE_NOT_EXIST, ROOT_USER_NOT_EXIST, Rejection, USER_EMPTY, USER_NOT_FOUND,
};
use crate::store::Span;

/// The user, and the role, that may do everything.
const ROOT: &str = "root";

/// The user that a request comes from, while authentication is enabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuthInfo {
    pub(crate) user: String,
    /// The revision of the users and roles when the token was checked.
    pub(crate) revision: u64,
}

/// The kind of access to a range of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

#[derive(Debug, Clone, Default)]
struct User {
    password: Option<String>,
    no_password: bool,
    roles: BTreeSet<String>,
}

/// The users and roles of a cluster, and the tokens of a member.
#[derive(Debug, Clone)]
pub(crate) struct Auth {
    enabled: bool,
    revision: u64,
    users: BTreeMap<String, User>,
    roles: BTreeMap<String, Vec<Permission>>,
    tokens: Tokens,
}

impl Auth {
    /// Creates an empty set of users, with authentication disabled. Unused tokens end after `token_ttl`.
    pub(crate) fn new(token_ttl: Duration) -> Self {
        Self {
            enabled: false,
            revision: 1,
            users: BTreeMap::new(),
            roles: BTreeMap::new(),
            tokens: Tokens::new(token_ttl),
        }
    }

    pub(crate) const fn is_enabled(&self) -> bool {
        self.enabled
    }

    pub(crate) const fn revision(&self) -> u64 {
        self.revision
    }

    /// Counts a change of users, roles or permissions. Tokens that were checked before are old.
    const fn changed(&mut self) {
        self.revision += 1;
    }

    pub(crate) fn enable(&mut self) -> Result<(), Rejection> {
        if self.enabled {
            return Ok(());
        }
        let root = self.users.get(ROOT).ok_or(ROOT_USER_NOT_EXIST)?;
        if !root.roles.contains(ROOT) {
            return Err(ROOT_ROLE_NOT_EXIST);
        }
        self.enabled = true;
        Ok(())
    }

    pub(crate) fn disable(&mut self) {
        if self.enabled {
            self.enabled = false;
            self.changed();
            self.tokens.clear();
        }
    }

    /// Invalidates all tokens of this member.
    pub(crate) fn drop_tokens(&mut self) {
        self.tokens.clear();
    }

    /// Returns a token for a user.
    pub(crate) fn authenticate(
        &mut self,
        name: &str,
        password: &str,
        now: Duration,
    ) -> Result<String, Rejection> {
        if !self.enabled {
            return Err(AUTH_NOT_ENABLED);
        }
        let user = self.users.get(name).ok_or(AUTH_FAILED)?;
        if user.no_password {
            return Err(NO_PASSWORD_USER);
        }
        if user.password.as_deref() != Some(password) {
            return Err(AUTH_FAILED);
        }
        Ok(self.tokens.assign(name, now))
    }

    /// Returns who has `token`. Nothing without a token, or while authentication is disabled.
    pub(crate) fn info(&mut self, token: Option<&str>, now: Duration) -> Result<Option<AuthInfo>, Rejection> {
        let Some(token) = token.filter(|_| self.enabled) else { return Ok(None) };
        let user = self.tokens.user(token, now).ok_or(INVALID_AUTH_TOKEN)?.to_owned();
        Ok(Some(AuthInfo { user, revision: self.revision }))
    }

    /// Checks that a request has a token, if one is required.
    pub(crate) const fn check_present(&self, info: Option<&AuthInfo>) -> Result<(), Rejection> {
        if self.enabled && info.is_none() { Err(USER_EMPTY) } else { Ok(()) }
    }

    /// Checks that a user has the role `root`.
    pub(crate) fn check_admin(&self, info: Option<&AuthInfo>) -> Result<(), Rejection> {
        if !self.enabled {
            return Ok(());
        }
        let info = info.ok_or(USER_EMPTY)?;
        let user = self.users.get(&info.user).ok_or(USER_NOT_FOUND)?;
        if user.roles.contains(ROOT) { Ok(()) } else { Err(PERMISSION_DENIED) }
    }

    /// Checks that a user may access all keys of `span`.
    pub(crate) fn check(
        &self,
        info: Option<&AuthInfo>,
        span: &Span,
        access: Access,
    ) -> Result<(), Rejection> {
        if !self.enabled {
            return Ok(());
        }
        let info = info.ok_or(USER_EMPTY)?;
        if info.revision < self.revision {
            return Err(AUTH_OLD_REVISION);
        }
        let user = self.users.get(&info.user).ok_or(PERMISSION_DENIED)?;
        if user.roles.contains(ROOT) || permissions::cover(self.permissions(user), span, access) {
            return Ok(());
        }
        Err(PERMISSION_DENIED)
    }

    fn permissions<'a>(&'a self, user: &'a User) -> impl Iterator<Item = &'a Permission> {
        user.roles.iter().filter_map(|role| self.roles.get(role)).flatten()
    }

    /// Returns whether a user has a role.
    pub(crate) fn has_role(&self, user: &str, role: &str) -> bool {
        self.users.get(user).is_some_and(|user| user.roles.contains(role))
    }
}

#[cfg(test)]
mod tests;
