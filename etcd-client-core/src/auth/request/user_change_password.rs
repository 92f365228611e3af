//! UserChangePassword: changes the password of a user.

use etcd_errors::{Code, Error};

use crate::{
    auth::{AuthService, name::named, response::header_response},
    request::{Unbound, bound::bindable},
    types::Secret,
};

/// Changes the password of a user. All tokens of the user become invalid immediately.
///
/// A user who was created without a password still has none afterwards, which is not an error. For the storage of
/// passwords on the server and in this client, see [`UserAdd`](crate::auth::UserAdd).
///
/// # Errors
/// Fails with `Code::UserNotFound` if the user does not exist.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::UserChangePassword;
///
/// let change = UserChangePassword::new("alice", "battery staple");
/// assert!(!format!("{change:?}").contains("staple"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthUserChangePassword")]
#[must_use = "a UserChangePassword does nothing until it is awaited"]
pub struct UserChangePassword<B = Unbound> {
    /// The user.
    pub user: String,
    /// The new password.
    pub password: Secret,
    pub(crate) binding: B,
}

bindable!(UserChangePassword { user, password } => UserChangePasswordResponse, AuthService.user_change_password);

impl UserChangePassword {
    /// Creates a request that sets the password of `user`.
    pub fn new(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self { user: user.into(), password: password.into(), binding: Unbound }
    }
}

impl UserChangePassword {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self) -> Result<(), Error> {
        named("user", &self.user, Code::UserNotFound)?;
        Ok(())
    }
}

header_response!(UserChangePassword => UserChangePasswordResponse);
