//! AuthDisable: turns auth off.

use etcd_errors::Error;

use super::response::header_response;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Turns auth off: from then on anybody may do anything. Users, roles and their permissions stay.
///
/// Where auth is off already nothing changes. Dropping the future after it was polled leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::AuthDisable;
///
/// let disable = AuthDisable::new();
/// # let _ = disable;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "an AuthDisable does nothing until it is awaited"]
pub struct AuthDisable<B = Unbound> {
    spec: AuthDisableSpec,
    binding: B,
}

/// What an [`AuthDisable`] asks for: nothing but that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthDisableSpec {}

bindable!(AuthDisable, AuthDisableSpec => AuthDisableResponse, AuthBound: Auth.disable);

impl AuthDisable {
    /// Turns auth off.
    pub fn new() -> Self {
        AuthDisableSpec {}.into()
    }
}

impl<B> AuthDisable<B> {
    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

header_response!(AuthDisable => AuthDisableResponse);
