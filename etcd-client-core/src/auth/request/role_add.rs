//! RoleAdd: creates a role.

use etcd_errors::{Code, Error};

use crate::{
    auth::{AuthService, name::named, response::header_response},
    request::{Unbound, bound::bindable},
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
}

impl RoleAdd {
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
