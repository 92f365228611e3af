//! RoleAdd: makes a role.

use etcd_errors::{Code, Error};

use super::name::named;
use super::response::header_response;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Makes a role, which has no permissions yet.
///
/// A role of this name is an error of the server (`Code::RoleAlreadyExist`). Dropping the future after it was polled leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::RoleAdd;
///
/// assert_eq!(RoleAdd::new("writer").spec().role, "writer");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a RoleAdd does nothing until it is awaited"]
pub struct RoleAdd<B = Unbound> {
    spec: RoleAddSpec,
    binding: B,
}

/// What a [`RoleAdd`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleAddSpec {
    /// The name.
    pub role: String,
}

bindable!(RoleAdd, RoleAddSpec => RoleAddResponse, AuthBound: Auth.role_add);

impl RoleAdd {
    /// Makes the role `role`.
    pub fn new(role: impl Into<String>) -> Self {
        RoleAddSpec { role: role.into() }.into()
    }
}

impl<B> RoleAdd<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// Names the field etcd would refuse, with the code it would answer with.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        named("role", &self.spec.role, Code::RoleEmpty)?;
        Ok(())
    }
}

header_response!(RoleAdd => RoleAddResponse);
