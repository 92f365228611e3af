//! UserGet: the roles of a user.

use etcd_errors::{Code, Error};

use super::name::named;
use crate::model::ResponseHeader;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Asks which roles a user has.
///
/// An unknown user is an error of the server (`Code::UserNotFound`). Without the role `root` one may only ask about oneself.
///
/// ```
/// use etcd_client_core::UserGet;
///
/// assert_eq!(UserGet::new("alice").spec().user, "alice");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a UserGet does nothing until it is awaited"]
pub struct UserGet<B = Unbound> {
    spec: UserGetSpec,
    binding: B,
}

/// What a [`UserGet`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserGetSpec {
    /// The user.
    pub user: String,
}

bindable!(UserGet, UserGetSpec => UserGetResponse, AuthBound: Auth.user_get);

impl UserGet {
    /// Asks about `user`.
    pub fn new(user: impl Into<String>) -> Self {
        UserGetSpec { user: user.into() }.into()
    }
}

impl<B> UserGet<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// Names the field etcd would refuse, with the code it would answer with.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        named("user", &self.spec.user, Code::UserNotFound)?;
        Ok(())
    }
}

/// The answer to a [`UserGet`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserGetResponse {
    /// Who answered. Its revision is that of the store, which auth has no part in.
    pub header: ResponseHeader,
    /// The names of the roles, in their order.
    pub roles: Vec<String>,
}

impl UserGetResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, roles: Vec<String>) -> Self {
        Self { header, roles }
    }
}
