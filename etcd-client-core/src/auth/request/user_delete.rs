//! UserDelete: deletes a user.

use etcd_errors::{Code, Error};

use crate::{
    auth::{AuthService, name::named, response::header_response},
    request::{Unbound, bound::bindable},
};

/// Deletes a user. All tokens of the user become invalid immediately.
///
/// # Errors
/// Fails with `Code::UserNotFound` if the user does not exist, and with `Code::InvalidAuthMgmt` for the user `root`
/// while auth is enabled.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::UserDelete;
///
/// assert_eq!(UserDelete::new("alice").user, "alice");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthUserDelete")]
#[must_use = "a UserDelete does nothing until it is awaited"]
pub struct UserDelete<B = Unbound> {
    /// The user.
    pub user: String,
    pub(crate) binding: B,
}

bindable!(UserDelete { user } => UserDeleteResponse, AuthService.user_delete);

impl UserDelete {
    /// Creates a request that deletes `user`.
    pub fn new(user: impl Into<String>) -> Self {
        Self { user: user.into(), binding: Unbound }
    }
}

impl UserDelete {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self) -> Result<(), Error> {
        named("user", &self.user, Code::UserNotFound)?;
        Ok(())
    }
}

header_response!(UserDelete => UserDeleteResponse);
