//! RoleList: the roles there are.

use etcd_errors::Error;

use crate::model::ResponseHeader;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Lists all roles.
///
/// ```
/// use etcd_client_core::RoleList;
///
/// let list = RoleList::new();
/// # let _ = list;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a RoleList does nothing until it is awaited"]
pub struct RoleList<B = Unbound> {
    spec: RoleListSpec,
    binding: B,
}

/// What a [`RoleList`] asks for: nothing but the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleListSpec {}

bindable!(RoleList, RoleListSpec => RoleListResponse, AuthBound: Auth.role_list);

impl RoleList {
    /// Lists all roles.
    pub fn new() -> Self {
        RoleListSpec {}.into()
    }
}

impl<B> RoleList<B> {
    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

/// The answer to a [`RoleList`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleListResponse {
    /// Who answered. Its revision is that of the store, which auth has no part in.
    pub header: ResponseHeader,
    /// The names of the roles, in their order.
    pub roles: Vec<String>,
}

impl RoleListResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, roles: Vec<String>) -> Self {
        Self { header, roles }
    }
}
