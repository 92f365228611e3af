//! RoleDelete: deletes a role.

use etcd_errors::{Code, Error};

use super::name::named;
use super::response::header_response;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Deletes a role and revokes it from all users who have it.
///
/// # Errors
/// Fails with `Code::RoleNotFound` if the role does not exist, and with `Code::InvalidAuthMgmt` for the role `root`
/// while auth is enabled.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::RoleDelete;
///
/// assert_eq!(RoleDelete::new("writer").spec().role, "writer");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthRoleDelete")]
#[must_use = "a RoleDelete does nothing until it is awaited"]
pub struct RoleDelete<B = Unbound> {
    spec: RoleDeleteSpec,
    binding: B,
}

/// The parameters of a [`RoleDelete`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleDeleteSpec {
    /// The role.
    pub role: String,
}

bindable!(RoleDelete, RoleDeleteSpec => RoleDeleteResponse, AuthBound: Auth.role_delete);

impl RoleDelete {
    /// Creates a request that deletes `role`.
    pub fn new(role: impl Into<String>) -> Self {
        RoleDeleteSpec { role: role.into() }.into()
    }
}

impl<B> RoleDelete<B> {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        named("role", &self.spec.role, Code::RoleNotFound)?;
        Ok(())
    }
}

header_response!(RoleDelete => RoleDeleteResponse);
