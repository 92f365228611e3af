//! The requests about roles: add, get, list and delete.

use etcd_errors::{Code, Error};

use crate::{
    auth::{
        AuthService, Permission,
        request::{header_response, named},
    },
    request::{Unbound, bound::bindable},
    types::ResponseHeader,
};

/// Creates a role, which has no permissions yet.
///
/// # Errors
/// Fails with `Code::RoleAlreadyExist` if a role with this name exists.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::RoleAdd;
///
/// assert_eq!(RoleAdd::new("writer").role, "writer");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthRoleAdd")]
#[must_use = "a RoleAdd does nothing until it is awaited"]
pub struct RoleAdd<B = Unbound> {
    /// The name of the role.
    pub role: String,
    pub(crate) binding: B,
}

bindable!(RoleAdd { role } => RoleAddResponse, AuthService.role_add);

impl RoleAdd {
    /// Creates a request that creates the role `role`.
    pub fn new(role: impl Into<String>) -> Self {
        Self { role: role.into(), binding: Unbound }
    }

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self) -> Result<(), Error> {
        named("role", &self.role, Code::RoleEmpty)?;
        Ok(())
    }
}

header_response!(RoleAdd => RoleAddResponse);

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

/// Lists all roles.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::RoleList;
///
/// let list = RoleList::new();
/// # let _ = list;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[doc(alias = "AuthRoleList")]
#[must_use = "a RoleList does nothing until it is awaited"]
pub struct RoleList<B = Unbound> {
    pub(crate) binding: B,
}

bindable!(RoleList {} => RoleListResponse, AuthService.role_list);

impl RoleList {
    /// Creates a request that lists all roles.
    pub fn new() -> Self {
        Self { binding: Unbound }
    }
}

/// The response to a [`RoleList`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleListResponse {
    /// The header of the response, with the revision of the store. Changes to auth do not advance it.
    pub header: ResponseHeader,
    /// The names of the roles, in ascending order.
    pub roles: Vec<String>,
}

impl RoleListResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, roles: Vec<String>) -> Self {
        Self { header, roles }
    }
}

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
