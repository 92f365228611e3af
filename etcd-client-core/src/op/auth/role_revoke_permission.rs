//! RoleRevokePermission: takes a permission from a role.

use etcd_errors::{Code, Error};

use super::name::named;
use super::response::header_response;
use crate::model::Key;
use crate::op::bind::bindable;
use crate::op::{KeyRange, Limits, Unbound, range_setters};

/// Takes from a role the permission for exactly these keys, whatever it allows: ranges that overlap stay.
///
/// A permission that the role does not have is an error of the server (`Code::PermissionNotGranted`), and so is an unknown
/// role (`Code::RoleNotFound`). Dropping the future after it was polled leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::{KeyRange, RoleRevokePermission};
///
/// let revoke = RoleRevokePermission::new("writer", "dir/").prefix();
/// assert_eq!(revoke.spec().range, KeyRange::prefix("dir/"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a RoleRevokePermission does nothing until it is awaited"]
pub struct RoleRevokePermission<B = Unbound> {
    spec: RoleRevokePermissionSpec,
    binding: B,
}

/// What a [`RoleRevokePermission`] asks for.
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
    /// Takes the permission for exactly `key` from `role`; with a range setter, the one for that range.
    pub fn new(role: impl Into<String>, key: impl Into<Key>) -> Self {
        Self::from_range(role, KeyRange::one(key))
    }

    /// Takes the permission for the keys of `range` from `role`: what a [`RoleGet`](crate::RoleGet) answered is taken as it is.
    pub fn from_range(role: impl Into<String>, range: KeyRange) -> Self {
        RoleRevokePermissionSpec { role: role.into(), range }.into()
    }
}

impl<B> RoleRevokePermission<B> {
    range_setters!(spec.range);

    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// Names the field etcd would refuse, with the code it would answer with.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        named("role", &self.spec.role, Code::RoleNotFound)?;
        // Servers before 3.5 granted permissions for the empty key: they can be taken back.
        self.spec.range.check_selectors()?;
        Ok(())
    }
}

header_response!(RoleRevokePermission => RoleRevokePermissionResponse);
