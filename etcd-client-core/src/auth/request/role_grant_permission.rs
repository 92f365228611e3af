//! RoleGrantPermission: grants a role access to keys.

use etcd_errors::{Code, Error};

use crate::{
    auth::{AuthService, Permission, name::named, response::header_response},
    request::{Unbound, bound::bindable},
};

/// Grants a role access to keys. A permission of the role for exactly the same keys is replaced.
///
/// # Errors
/// Fails with `Code::RoleNotFound` if the role does not exist, and with `Code::InvalidAuthMgmt` if the range ends
/// before it starts.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::{Access, Permission, RoleGrantPermission};
///
/// let grant = RoleGrantPermission::new("writer", Permission::read_write("dir/").prefix());
/// assert_eq!(grant.permission.access, Access::ReadWrite);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthRoleGrantPermission")]
#[must_use = "a RoleGrantPermission does nothing until it is awaited"]
pub struct RoleGrantPermission<B = Unbound> {
    /// The role.
    pub role: String,
    /// The permission to grant.
    pub permission: Permission,
    pub(crate) binding: B,
}

bindable!(RoleGrantPermission { role, permission } => RoleGrantPermissionResponse, AuthService.role_grant_permission);

impl RoleGrantPermission {
    /// Creates a request that grants this permission to `role`.
    pub fn new(role: impl Into<String>, permission: Permission) -> Self {
        Self { role: role.into(), permission, binding: Unbound }
    }
}

impl RoleGrantPermission {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self) -> Result<(), Error> {
        named("role", &self.role, Code::RoleNotFound)?;
        self.permission.check()?;
        Ok(())
    }
}

header_response!(RoleGrantPermission => RoleGrantPermissionResponse);
