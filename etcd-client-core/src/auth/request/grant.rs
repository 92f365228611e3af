//! The requests that grant and revoke: roles of users, and permissions of roles.

use etcd_errors::{Code, Error};

use crate::{
    auth::{
        AuthService, Permission,
        request::{header_response, named},
    },
    request::{Unbound, bound::bindable},
    types::{Key, KeyRange, range_setters},
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
