//! RoleRevokePermission: revokes a permission from a role.

use etcd_errors::{Code, Error};

use super::name::named;
use super::response::header_response;
use crate::model::Key;
use crate::op::bind::bindable;
use crate::op::{KeyRange, Limits, Unbound, range_setters};

/// Revokes the permission for exactly these keys from a role, whatever access it grants. Permissions for overlapping
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
/// use etcd_client_core::{KeyRange, RoleRevokePermission};
///
/// let revoke = RoleRevokePermission::new("writer", "dir/").prefix();
/// assert_eq!(revoke.spec().range, KeyRange::prefix("dir/"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthRoleRevokePermission")]
#[must_use = "a RoleRevokePermission does nothing until it is awaited"]
pub struct RoleRevokePermission<B = Unbound> {
    spec: RoleRevokePermissionSpec,
    binding: B,
}

/// The parameters of a [`RoleRevokePermission`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleRevokePermissionSpec {
    /// The role.
    pub role: String,
    /// The keys of the permission.
    pub range: KeyRange,
}

bindable!(RoleRevokePermission, RoleRevokePermissionSpec => RoleRevokePermissionResponse, AuthBound: Auth.role_revoke_permission);

impl RoleRevokePermission {
    /// Creates a request that revokes the permission for exactly `key` from `role`, or the one for a range if a range
    /// setter is called.
    pub fn new(role: impl Into<String>, key: impl Into<Key>) -> Self {
        Self::from_range(role, KeyRange::one(key))
    }

    /// Creates a request that revokes the permission for the keys of `range` from `role`. It accepts every range that
    /// [`RoleGet`](crate::RoleGet) returns.
    pub fn from_range(role: impl Into<String>, range: KeyRange) -> Self {
        RoleRevokePermissionSpec { role: role.into(), range }.into()
    }
}

impl<B> RoleRevokePermission<B> {
    range_setters!(spec.range);

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        named("role", &self.spec.role, Code::RoleNotFound)?;
        // Servers before 3.5 granted permissions for the empty key, and these must remain revocable.
        self.spec.range.check_selectors()?;
        Ok(())
    }
}

header_response!(RoleRevokePermission => RoleRevokePermissionResponse);
