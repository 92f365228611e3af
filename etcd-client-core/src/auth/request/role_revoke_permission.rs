//! RoleRevokePermission: revokes a permission from a role.

use etcd_errors::{Code, Error};

use crate::{
    auth::{AuthService, name::named, response::header_response},
    request::{Unbound, bound::bindable},
    types::{Key, KeyRange, range_setters},
};

/// Revokes the permission for exactly these keys from a role, for any access. Permissions for overlapping
/// ranges are kept.
///
/// # Errors
/// Fails with `Code::PermissionNotGranted` if the role does not have the permission, and with `Code::RoleNotFound` if
/// the role does not exist.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::RoleRevokePermission;
/// use etcd_client_core::types::KeyRange;
///
/// let revoke = RoleRevokePermission::new("writer", "dir/").prefix();
/// assert_eq!(revoke.range, KeyRange::prefix("dir/"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthRoleRevokePermission")]
#[must_use = "a RoleRevokePermission does nothing until it is awaited"]
pub struct RoleRevokePermission<B = Unbound> {
    /// The role.
    pub role: String,
    /// The keys of the permission.
    pub range: KeyRange,
    pub(crate) binding: B,
}

bindable!(RoleRevokePermission { role, range } => RoleRevokePermissionResponse, AuthService.role_revoke_permission);

impl RoleRevokePermission {
    /// Creates a request that revokes the permission for exactly `key` from `role`, or the one for a range if a range
    /// setter is called.
    pub fn new(role: impl Into<String>, key: impl Into<Key>) -> Self {
        Self::from_range(role, KeyRange::one(key))
    }

    /// Creates a request that revokes the permission for the keys of `range` from `role`. It accepts every range that
    /// [`RoleGet`](crate::auth::RoleGet) returns.
    pub fn from_range(role: impl Into<String>, range: KeyRange) -> Self {
        Self { role: role.into(), range, binding: Unbound }
    }
}

impl<B> RoleRevokePermission<B> {
    range_setters!(range);
}

impl RoleRevokePermission {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self) -> Result<(), Error> {
        named("role", &self.role, Code::RoleNotFound)?;
        // Servers before 3.5 granted permissions for the empty key, and these must remain revocable.
        self.range.check_selectors()?;
        Ok(())
    }
}

header_response!(RoleRevokePermission => RoleRevokePermissionResponse);
