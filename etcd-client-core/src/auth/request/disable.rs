//! AuthDisable: disables auth.

use crate::{
    auth::{AuthService, response::header_response},
    request::{Unbound, bound::bindable},
};

/// Disables auth, after which every client may do everything. Users, roles and their permissions are kept.
///
/// Nothing changes if auth is already disabled.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::AuthDisable;
///
/// let disable = AuthDisable::new();
/// # let _ = disable;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "an AuthDisable does nothing until it is awaited"]
pub struct AuthDisable<B = Unbound> {
    pub(crate) binding: B,
}

bindable!(AuthDisable {} => AuthDisableResponse, AuthService.disable);

impl AuthDisable {
    /// Creates a request that disables auth.
    pub fn new() -> Self {
        Self { binding: Unbound }
    }
}

header_response!(AuthDisable => AuthDisableResponse);
