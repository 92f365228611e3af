//! UserChangePassword: gives a user another password.

use etcd_errors::{Code, Error};

use super::name::named;
use super::response::header_response;
use crate::model::Secret;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Gives a user another password; the tokens the user holds are void at once.
///
/// An unknown user is an error of the server (`Code::UserNotFound`). A user made without a password still has none
/// afterwards, which is no error. Dropping the future after it was polled leaves the outcome unknown.
///
/// For what the server and this client keep of a password see [`UserAdd`](crate::UserAdd).
///
/// ```
/// use etcd_client_core::UserChangePassword;
///
/// let change = UserChangePassword::new("alice", "battery staple");
/// assert!(!format!("{change:?}").contains("staple"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a UserChangePassword does nothing until it is awaited"]
pub struct UserChangePassword<B = Unbound> {
    spec: UserChangePasswordSpec,
    binding: B,
}

/// What a [`UserChangePassword`] asks for.
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
    /// Gives `user` this password.
    pub fn new(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        UserChangePasswordSpec { user: user.into(), password: password.into() }.into()
    }
}

impl<B> UserChangePassword<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// Names the field etcd would refuse, with the code it would answer with.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        named("user", &self.spec.user, Code::UserNotFound)?;
        Ok(())
    }
}

header_response!(UserChangePassword => UserChangePasswordResponse);
