//! UserGrantRole: grants a role to a user.

use etcd_errors::{Code, Error};

use super::name::named;
use super::response::header_response;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

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
/// use etcd_client_core::UserGrantRole;
///
/// let op = UserGrantRole::new("alice", "writer");
/// assert_eq!((op.spec().user.as_str(), op.spec().role.as_str()), ("alice", "writer"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthUserGrantRole")]
#[must_use = "a UserGrantRole does nothing until it is awaited"]
pub struct UserGrantRole<B = Unbound> {
    spec: UserGrantRoleSpec,
    binding: B,
}

/// The parameters of a [`UserGrantRole`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserGrantRoleSpec {
    /// The user.
    pub user: String,
    /// The role.
    pub role: String,
}

bindable!(UserGrantRole, UserGrantRoleSpec => UserGrantRoleResponse, AuthBound: Auth.user_grant_role);

impl UserGrantRole {
    /// Creates a request that grants the role `role` to `user`.
    pub fn new(user: impl Into<String>, role: impl Into<String>) -> Self {
        UserGrantRoleSpec { user: user.into(), role: role.into() }.into()
    }
}

impl<B> UserGrantRole<B> {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        named("user", &self.spec.user, Code::UserNotFound)?;
        named("role", &self.spec.role, Code::RoleNotFound)?;
        Ok(())
    }
}

header_response!(UserGrantRole => UserGrantRoleResponse);
