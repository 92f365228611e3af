//! RoleGet: requests the permissions of a role.

use etcd_errors::{Code, Error};

use crate::{
    auth::{AuthService, Permission, name::named},
    request::{Unbound, bound::bindable},
    types::ResponseHeader,
};

/// Requests the permissions of a role.
///
/// A user without the role `root` can only request its own roles.
///
/// # Errors
/// Fails with `Code::RoleNotFound` if the role does not exist.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::RoleGet;
///
/// assert_eq!(RoleGet::new("writer").role, "writer");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthRoleGet")]
#[must_use = "a RoleGet does nothing until it is awaited"]
pub struct RoleGet<B = Unbound> {
    /// The role.
    pub role: String,
    pub(crate) binding: B,
}

bindable!(RoleGet { role } => RoleGetResponse, AuthService.role_get);

impl RoleGet {
    /// Creates a request for the permissions of `role`.
    pub fn new(role: impl Into<String>) -> Self {
        Self { role: role.into(), binding: Unbound }
    }
}

impl RoleGet {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self) -> Result<(), Error> {
        named("role", &self.role, Code::RoleNotFound)?;
        Ok(())
    }
}

/// The response to a [`RoleGet`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleGetResponse {
    /// The header of the response, with the revision of the store. Changes to auth do not advance it.
    pub header: ResponseHeader,
    /// The permissions, in the order of their keys. The role `root` has every permission: servers since etcd 3.6
    /// return that, older servers return only the permissions that were granted to it.
    pub permissions: Vec<Permission>,
}

impl RoleGetResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, permissions: Vec<Permission>) -> Self {
        Self { header, permissions }
    }
}
