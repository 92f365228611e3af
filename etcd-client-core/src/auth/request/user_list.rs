//! UserList: lists the users.

use crate::{
    auth::AuthService,
    request::{Unbound, bound::bindable},
    types::ResponseHeader,
};

/// Lists all users.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::UserList;
///
/// let list = UserList::new();
/// # let _ = list;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[doc(alias = "AuthUserList")]
#[must_use = "a UserList does nothing until it is awaited"]
pub struct UserList<B = Unbound> {
    pub(crate) binding: B,
}

bindable!(UserList {} => UserListResponse, AuthService.user_list);

impl UserList {
    /// Creates a request that lists all users.
    pub fn new() -> Self {
        Self { binding: Unbound }
    }
}

/// The response to a [`UserList`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserListResponse {
    /// The header of the response, with the revision of the store. Changes to auth do not advance it.
    pub header: ResponseHeader,
    /// The names of the users, in ascending order.
    pub users: Vec<String>,
}

impl UserListResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, users: Vec<String>) -> Self {
        Self { header, users }
    }
}
