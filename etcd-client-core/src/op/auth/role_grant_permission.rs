//! RoleGrantPermission: lets a role read or write keys.

use etcd_errors::{Code, Error};

use super::name::named;
use super::permission::Permission;
use super::response::header_response;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Lets a role read or write keys. A permission that the role has for exactly the same keys is replaced.
///
/// An unknown role is an error of the server (`Code::RoleNotFound`), and so is a range that ends before it starts
/// (`Code::InvalidAuthMgmt`). Dropping the future after it was polled leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::{Access, Permission, RoleGrantPermission};
///
/// let grant = RoleGrantPermission::new("writer", Permission::read_write("dir/").prefix());
/// assert_eq!(grant.spec().permission.access, Access::ReadWrite);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a RoleGrantPermission does nothing until it is awaited"]
pub struct RoleGrantPermission<B = Unbound> {
    spec: RoleGrantPermissionSpec,
    binding: B,
}

/// What a [`RoleGrantPermission`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleGrantPermissionSpec {
    /// The role.
    pub role: String,
    /// What it may do.
    pub permission: Permission,
}

bindable!(RoleGrantPermission, RoleGrantPermissionSpec => RoleGrantPermissionResponse, AuthBound: Auth.role_grant_permission);

impl RoleGrantPermission {
    /// Gives `role` this permission.
    pub fn new(role: impl Into<String>, permission: Permission) -> Self {
        RoleGrantPermissionSpec { role: role.into(), permission }.into()
    }
}

impl<B> RoleGrantPermission<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// Names the field etcd would refuse, with the code it would answer with.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        named("role", &self.spec.role, Code::RoleNotFound)?;
        self.spec.permission.check()?;
        Ok(())
    }
}

header_response!(RoleGrantPermission => RoleGrantPermissionResponse);
