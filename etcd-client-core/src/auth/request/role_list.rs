//! RoleList: lists the roles.

use crate::{
    auth::AuthService,
    request::{Unbound, bound::bindable},
    types::ResponseHeader,
};

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
