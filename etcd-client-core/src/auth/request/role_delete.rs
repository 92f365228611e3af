//! RoleDelete: deletes a role.

use etcd_errors::{Code, Error};

use crate::{
    auth::{AuthService, name::named, response::header_response},
    request::{Unbound, bound::bindable},
};

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
/// use etcd_client_core::auth::RoleDelete;
///
/// assert_eq!(RoleDelete::new("writer").role, "writer");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthRoleDelete")]
#[must_use = "a RoleDelete does nothing until it is awaited"]
pub struct RoleDelete<B = Unbound> {
    /// The role.
    pub role: String,
    pub(crate) binding: B,
}

bindable!(RoleDelete { role } => RoleDeleteResponse, AuthService.role_delete);

impl RoleDelete {
    /// Creates a request that deletes `role`.
    pub fn new(role: impl Into<String>) -> Self {
        Self { role: role.into(), binding: Unbound }
    }
}

impl RoleDelete {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self) -> Result<(), Error> {
        named("role", &self.role, Code::RoleNotFound)?;
        Ok(())
    }
}

header_response!(RoleDelete => RoleDeleteResponse);
