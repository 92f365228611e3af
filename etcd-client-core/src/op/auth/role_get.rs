//! RoleGet: the permissions of a role.

use etcd_errors::{Code, Error};

use super::name::named;
use super::permission::Permission;
use crate::model::ResponseHeader;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Asks which permissions a role has.
///
/// An unknown role is an error of the server (`Code::RoleNotFound`). Without the role `root` one may only ask about roles one has.
///
/// ```
/// use etcd_client_core::RoleGet;
///
/// assert_eq!(RoleGet::new("writer").spec().role, "writer");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a RoleGet does nothing until it is awaited"]
pub struct RoleGet<B = Unbound> {
    spec: RoleGetSpec,
    binding: B,
}

/// What a [`RoleGet`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleGetSpec {
    /// The role.
    pub role: String,
}

bindable!(RoleGet, RoleGetSpec => RoleGetResponse, AuthBound: Auth.role_get);

impl RoleGet {
    /// Asks about `role`.
    pub fn new(role: impl Into<String>) -> Self {
        RoleGetSpec { role: role.into() }.into()
    }
}

impl<B> RoleGet<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// Names the field etcd would refuse, with the code it would answer with.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        named("role", &self.spec.role, Code::RoleNotFound)?;
        Ok(())
    }
}

/// The answer to a [`RoleGet`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleGetResponse {
    /// Who answered. Its revision is that of the store, which auth has no part in.
    pub header: ResponseHeader,
    /// The permissions, in the order of their keys. The role `root` may do anything:
    /// servers since etcd 3.6 answer that, older ones what it was granted.
    pub permissions: Vec<Permission>,
}

impl RoleGetResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, permissions: Vec<Permission>) -> Self {
        Self { header, permissions }
    }
}
