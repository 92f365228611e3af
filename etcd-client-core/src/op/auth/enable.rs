//! AuthEnable: turns auth on.

use etcd_errors::Error;

use super::response::header_response;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Turns auth on: from then on each call needs a user.
///
/// The user `root` with the role `root` must exist first, else it is an error of the server (`Code::RootUserNotExist`,
/// `Code::RootRoleNotExist`). Where auth is on already nothing changes. Dropping the future after it was polled leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::AuthEnable;
///
/// let enable = AuthEnable::new();
/// # let _ = enable;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "an AuthEnable does nothing until it is awaited"]
pub struct AuthEnable<B = Unbound> {
    spec: AuthEnableSpec,
    binding: B,
}

/// What an [`AuthEnable`] asks for: nothing but that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthEnableSpec {}

bindable!(AuthEnable, AuthEnableSpec => AuthEnableResponse, AuthBound: Auth.enable);

impl AuthEnable {
    /// Turns auth on.
    pub fn new() -> Self {
        AuthEnableSpec {}.into()
    }
}

impl<B> AuthEnable<B> {
    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

header_response!(AuthEnable => AuthEnableResponse);
