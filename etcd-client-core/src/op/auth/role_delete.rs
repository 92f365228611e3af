//! RoleDelete: removes a role.

use etcd_errors::{Code, Error};

use super::name::named;
use super::response::header_response;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Removes a role, and takes it from all users who have it.
///
/// An unknown role is an error of the server (`Code::RoleNotFound`), and so is `root` while auth is on
/// (`Code::InvalidAuthMgmt`). Dropping the future after it was polled leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::RoleDelete;
///
/// assert_eq!(RoleDelete::new("writer").spec().role, "writer");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a RoleDelete does nothing until it is awaited"]
pub struct RoleDelete<B = Unbound> {
    spec: RoleDeleteSpec,
    binding: B,
}

/// What a [`RoleDelete`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleDeleteSpec {
    /// The role.
    pub role: String,
}

bindable!(RoleDelete, RoleDeleteSpec => RoleDeleteResponse, AuthBound: Auth.role_delete);

impl RoleDelete {
    /// Removes `role`.
    pub fn new(role: impl Into<String>) -> Self {
        RoleDeleteSpec { role: role.into() }.into()
    }
}

impl<B> RoleDelete<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// Names the field etcd would refuse, with the code it would answer with.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        named("role", &self.spec.role, Code::RoleNotFound)?;
        Ok(())
    }
}

header_response!(RoleDelete => RoleDeleteResponse);
