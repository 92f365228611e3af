//! UserDelete: removes a user.

use etcd_errors::{Code, Error};

use super::name::named;
use super::response::header_response;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Removes a user; the tokens the user holds are void at once.
///
/// An unknown user is an error of the server (`Code::UserNotFound`), and so is `root` while auth is on
/// (`Code::InvalidAuthMgmt`). Dropping the future after it was polled leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::UserDelete;
///
/// assert_eq!(UserDelete::new("alice").spec().user, "alice");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a UserDelete does nothing until it is awaited"]
pub struct UserDelete<B = Unbound> {
    spec: UserDeleteSpec,
    binding: B,
}

/// What a [`UserDelete`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserDeleteSpec {
    /// The user.
    pub user: String,
}

bindable!(UserDelete, UserDeleteSpec => UserDeleteResponse, AuthBound: Auth.user_delete);

impl UserDelete {
    /// Removes `user`.
    pub fn new(user: impl Into<String>) -> Self {
        UserDeleteSpec { user: user.into() }.into()
    }
}

impl<B> UserDelete<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// Names the field etcd would refuse, with the code it would answer with.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        named("user", &self.spec.user, Code::UserNotFound)?;
        Ok(())
    }
}

header_response!(UserDelete => UserDeleteResponse);
