//! UserRevokeRole: revokes a role from a user.

use etcd_errors::{Code, Error};

use crate::{
    auth::{AuthService, name::named, response::header_response},
    request::{Unbound, bound::bindable},
};

/// Revokes a role from a user.
///
/// # Errors
/// - `Code::RoleNotGranted`: the user does not have the role.
/// - `Code::UserNotFound`: the user does not exist.
/// - `Code::InvalidAuthMgmt`: the role `root` of the user `root` cannot be revoked while auth is enabled.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::UserRevokeRole;
///
/// let op = UserRevokeRole::new("alice", "writer");
/// assert_eq!((op.user.as_str(), op.role.as_str()), ("alice", "writer"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthUserRevokeRole")]
#[must_use = "a UserRevokeRole does nothing until it is awaited"]
pub struct UserRevokeRole<B = Unbound> {
    /// The user.
    pub user: String,
    /// The role.
    pub role: String,
    pub(crate) binding: B,
}

bindable!(UserRevokeRole { user, role } => UserRevokeRoleResponse, AuthService.user_revoke_role);

impl UserRevokeRole {
    /// Creates a request that revokes the role `role` from `user`.
    pub fn new(user: impl Into<String>, role: impl Into<String>) -> Self {
        Self { user: user.into(), role: role.into(), binding: Unbound }
    }
}

impl UserRevokeRole {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self) -> Result<(), Error> {
        named("user", &self.user, Code::UserNotFound)?;
        named("role", &self.role, Code::RoleNotGranted)?;
        Ok(())
    }
}

header_response!(UserRevokeRole => UserRevokeRoleResponse);
