//! UserGrantRole: grants a role to a user.

use etcd_errors::{Code, Error};

use crate::{
    auth::{AuthService, name::named, response::header_response},
    request::{Unbound, bound::bindable},
};

/// Grants a role to a user. Granting a role that the user already has is not an error.
///
/// # Errors
/// Fails with `Code::UserNotFound` if the user does not exist, and with `Code::RoleNotFound` if the role does not
/// exist. The role `root` does not have to exist.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::UserGrantRole;
///
/// let op = UserGrantRole::new("alice", "writer");
/// assert_eq!((op.user.as_str(), op.role.as_str()), ("alice", "writer"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthUserGrantRole")]
#[must_use = "a UserGrantRole does nothing until it is awaited"]
pub struct UserGrantRole<B = Unbound> {
    /// The user.
    pub user: String,
    /// The role.
    pub role: String,
    pub(crate) binding: B,
}

bindable!(UserGrantRole { user, role } => UserGrantRoleResponse, AuthService.user_grant_role);

impl UserGrantRole {
    /// Creates a request that grants the role `role` to `user`.
    pub fn new(user: impl Into<String>, role: impl Into<String>) -> Self {
        Self { user: user.into(), role: role.into(), binding: Unbound }
    }
}

impl UserGrantRole {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self) -> Result<(), Error> {
        named("user", &self.user, Code::UserNotFound)?;
        named("role", &self.role, Code::RoleNotFound)?;
        Ok(())
    }
}

header_response!(UserGrantRole => UserGrantRoleResponse);
