//! AuthStatus: whether auth is on.

use etcd_errors::Error;

use crate::model::{AuthRevision, ResponseHeader};
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound};

/// Asks whether auth is on, and for the revision of users, roles and permissions.
///
/// Servers since etcd 3.5 know it; an older one answers that it does not (`Error::is_unsupported`).
///
/// ```
/// use etcd_client_core::AuthStatus;
///
/// let status = AuthStatus::new();
/// # let _ = status;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "an AuthStatus does nothing until it is awaited"]
pub struct AuthStatus<B = Unbound> {
    spec: AuthStatusSpec,
    binding: B,
}

/// What an [`AuthStatus`] asks for: nothing but that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthStatusSpec {}

bindable!(AuthStatus, AuthStatusSpec => AuthStatusResponse, AuthBound: Auth.status);

impl AuthStatus {
    /// Asks whether auth is on.
    pub fn new() -> Self {
        AuthStatusSpec {}.into()
    }
}

impl<B> AuthStatus<B> {
    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

/// The answer to an [`AuthStatus`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthStatusResponse {
    /// Who answered. Its revision is that of the store, which auth has no part in.
    pub header: ResponseHeader,
    /// Whether auth is on.
    pub enabled: bool,
    /// Grows with each change of users, roles and permissions.
    pub auth_revision: AuthRevision,
}

impl AuthStatusResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, enabled: bool, auth_revision: AuthRevision) -> Self {
        Self { header, enabled, auth_revision }
    }
}
