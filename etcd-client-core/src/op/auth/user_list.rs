//! UserList: the users there are.

use etcd_errors::Error;

use crate::model::ResponseHeader;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Lists all users.
///
/// ```
/// use etcd_client_core::UserList;
///
/// let list = UserList::new();
/// # let _ = list;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a UserList does nothing until it is awaited"]
pub struct UserList<B = Unbound> {
    spec: UserListSpec,
    binding: B,
}

/// What a [`UserList`] asks for: nothing but the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserListSpec {}

bindable!(UserList, UserListSpec => UserListResponse, AuthBound: Auth.user_list);

impl UserList {
    /// Lists all users.
    pub fn new() -> Self {
        UserListSpec {}.into()
    }
}

impl<B> UserList<B> {
    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

/// The answer to a [`UserList`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserListResponse {
    /// Who answered. Its revision is that of the store, which auth has no part in.
    pub header: ResponseHeader,
    /// The names of the users, in their order.
    pub users: Vec<String>,
}

impl UserListResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, users: Vec<String>) -> Self {
        Self { header, users }
    }
}
