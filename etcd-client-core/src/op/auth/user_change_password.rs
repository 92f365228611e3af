//! UserChangePassword: changes the password of a user.

use etcd_errors::{Code, Error};

use super::name::named;
use super::response::header_response;
use crate::model::Secret;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Changes the password of a user. All tokens of the user become invalid immediately.
///
/// A user who was created without a password still has none afterwards, which is not an error. For the storage of
/// passwords on the server and in this client, see [`UserAdd`](crate::UserAdd).
///
/// # Errors
/// Fails with `Code::UserNotFound` if the user does not exist.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::UserChangePassword;
///
/// let change = UserChangePassword::new("alice", "battery staple");
/// assert!(!format!("{change:?}").contains("staple"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthUserChangePassword")]
#[must_use = "a UserChangePassword does nothing until it is awaited"]
pub struct UserChangePassword<B = Unbound> {
    spec: UserChangePasswordSpec,
    binding: B,
}

/// The parameters of a [`UserChangePassword`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserChangePasswordSpec {
    /// The user.
    pub user: String,
    /// The new password.
    pub password: Secret,
}

bindable!(UserChangePassword, UserChangePasswordSpec => UserChangePasswordResponse, AuthBound: Auth.user_change_password);

impl UserChangePassword {
    /// Creates a request that sets the password of `user`.
    pub fn new(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        UserChangePasswordSpec { user: user.into(), password: password.into() }.into()
    }
}

impl<B> UserChangePassword<B> {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        named("user", &self.spec.user, Code::UserNotFound)?;
        Ok(())
    }
}

header_response!(UserChangePassword => UserChangePasswordResponse);
