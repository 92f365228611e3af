//! UserGrantRole: gives a user a role.

use etcd_errors::{Code, Error};

use super::name::named;
use super::response::header_response;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Gives a user a role; one the user has already is no error.
///
/// An unknown user or role is an error of the server (`Code::UserNotFound`, `Code::RoleNotFound`); the role `root` need
/// not exist. Dropping the future after it was polled leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::UserGrantRole;
///
/// let op = UserGrantRole::new("alice", "writer");
/// assert_eq!((op.spec().user.as_str(), op.spec().role.as_str()), ("alice", "writer"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a UserGrantRole does nothing until it is awaited"]
pub struct UserGrantRole<B = Unbound> {
    spec: UserGrantRoleSpec,
    binding: B,
}

/// What a [`UserGrantRole`] asks for.
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
    /// Gives `user` the role `role`.
    pub fn new(user: impl Into<String>, role: impl Into<String>) -> Self {
        UserGrantRoleSpec { user: user.into(), role: role.into() }.into()
    }
}

impl<B> UserGrantRole<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// Names the field etcd would refuse, with the code it would answer with.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        named("user", &self.spec.user, Code::UserNotFound)?;
        named("role", &self.spec.role, Code::RoleNotFound)?;
        Ok(())
    }
}

header_response!(UserGrantRole => UserGrantRoleResponse);
