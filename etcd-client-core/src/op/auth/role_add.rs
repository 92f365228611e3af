//! RoleAdd: creates a role.

use etcd_errors::{Code, Error};

use super::name::named;
use super::response::header_response;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

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
/// use etcd_client_core::RoleAdd;
///
/// assert_eq!(RoleAdd::new("writer").spec().role, "writer");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthRoleAdd")]
#[must_use = "a RoleAdd does nothing until it is awaited"]
pub struct RoleAdd<B = Unbound> {
    spec: RoleAddSpec,
    binding: B,
}

/// The parameters of a [`RoleAdd`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleAddSpec {
    /// The name of the role.
    pub role: String,
}

bindable!(RoleAdd, RoleAddSpec => RoleAddResponse, AuthBound: Auth.role_add);

impl RoleAdd {
    /// Creates a request that creates the role `role`.
    pub fn new(role: impl Into<String>) -> Self {
        RoleAddSpec { role: role.into() }.into()
    }
}

impl<B> RoleAdd<B> {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        named("role", &self.spec.role, Code::RoleEmpty)?;
        Ok(())
    }
}

header_response!(RoleAdd => RoleAddResponse);
