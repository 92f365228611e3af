//! UserRevokeRole: takes a role from a user.

use etcd_errors::{Code, Error};

use super::name::named;
use super::response::header_response;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Takes a role from a user.
///
/// A role that the user does not have is an error of the server (`Code::RoleNotGranted`); so is an unknown user
/// (`Code::UserNotFound`), and the role `root` of the user `root` while auth is on (`Code::InvalidAuthMgmt`). Dropping the future after it was polled leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::UserRevokeRole;
///
/// let op = UserRevokeRole::new("alice", "writer");
/// assert_eq!((op.spec().user.as_str(), op.spec().role.as_str()), ("alice", "writer"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a UserRevokeRole does nothing until it is awaited"]
pub struct UserRevokeRole<B = Unbound> {
    spec: UserRevokeRoleSpec,
    binding: B,
}

/// What a [`UserRevokeRole`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserRevokeRoleSpec {
    /// The user.
    pub user: String,
    /// The role.
    pub role: String,
}

bindable!(UserRevokeRole, UserRevokeRoleSpec => UserRevokeRoleResponse, AuthBound: Auth.user_revoke_role);

impl UserRevokeRole {
    /// Takes the role `role` from `user`.
    pub fn new(user: impl Into<String>, role: impl Into<String>) -> Self {
        UserRevokeRoleSpec { user: user.into(), role: role.into() }.into()
    }
}

impl<B> UserRevokeRole<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// Names the field etcd would refuse, with the code it would answer with.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        named("user", &self.spec.user, Code::UserNotFound)?;
        named("role", &self.spec.role, Code::RoleNotGranted)?;
        Ok(())
    }
}

header_response!(UserRevokeRole => UserRevokeRoleResponse);
