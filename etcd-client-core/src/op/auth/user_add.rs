//! UserAdd: makes a user.

use etcd_errors::{Code, Error};

use super::name::named;
use super::response::header_response;
use crate::model::Secret;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Makes a user, who has no roles yet.
///
/// A user of this name is an error of the server (`Code::UserAlreadyExist`). Dropping the future after it was polled leaves the outcome unknown.
///
/// The server keeps a bcrypt hash, which is of the first 72 bytes of the password; newer servers refuse longer ones. What
/// this client holds of the password is wiped when it is dropped; what the connection has buffered is not.
///
/// ```
/// use etcd_client_core::UserAdd;
///
/// let alice = UserAdd::new("alice", "correct horse");
/// let by_certificate = UserAdd::no_password("ci-runner");
/// assert!(by_certificate.spec().password.is_none());
/// assert!(!format!("{alice:?}").contains("horse"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a UserAdd does nothing until it is awaited"]
pub struct UserAdd<B = Unbound> {
    spec: UserAddSpec,
    binding: B,
}

/// What a [`UserAdd`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserAddSpec {
    /// The name.
    pub user: String,
    /// The password; `None` for a user who logs in by the common name of a client certificate only.
    pub password: Option<Secret>,
}

bindable!(UserAdd, UserAddSpec => UserAddResponse, AuthBound: Auth.user_add);

impl UserAdd {
    /// Makes a user who logs in with `password`. An empty one is sent as it is: etcd takes it for a password.
    pub fn new(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        UserAddSpec { user: user.into(), password: Some(password.into()) }.into()
    }

    /// Makes a user who has no password, and logs in by the common name of a client certificate only.
    pub fn no_password(user: impl Into<String>) -> Self {
        UserAddSpec { user: user.into(), password: None }.into()
    }
}

impl<B> UserAdd<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// Names the field etcd would refuse, with the code it would answer with.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        named("user", &self.spec.user, Code::UserEmpty)?;
        Ok(())
    }
}

header_response!(UserAdd => UserAddResponse);
