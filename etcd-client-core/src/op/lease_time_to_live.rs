//! LeaseTimeToLive: how long a lease still lives, and what is attached to it.

use std::time::Duration;

use bytes::Bytes;
use etcd_errors::Error;

use super::bind::bindable;
use super::{Limits, Unbound};
use crate::model::{LeaseId, ResponseHeader};

/// Asks how long a lease still lives. An unknown or expired lease is not an error: the answer has no time.
///
/// ```
/// use etcd_client_core::{LeaseId, LeaseTimeToLive};
///
/// let ask = LeaseTimeToLive::new(LeaseId::new(7).unwrap()).keys();
/// assert!(ask.spec().keys);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a LeaseTimeToLive does nothing until it is awaited"]
pub struct LeaseTimeToLive<B = Unbound> {
    pub(super) spec: LeaseTimeToLiveSpec,
    pub(super) binding: B,
}

/// What a [`LeaseTimeToLive`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseTimeToLiveSpec {
    /// The lease.
    pub id: LeaseId,
    /// Whether the attached keys are returned.
    pub keys: bool,
}

bindable!(LeaseTimeToLive, LeaseTimeToLiveSpec => LeaseTimeToLiveResponse, LeaseBound: Lease.time_to_live);

impl LeaseTimeToLive {
    /// Asks about the lease `id`.
    pub fn new(id: LeaseId) -> Self {
        LeaseTimeToLiveSpec { id, keys: false }.into()
    }
}

impl<B> LeaseTimeToLive<B> {
    /// Returns the attached keys too. Default: not.
    pub fn keys(mut self) -> Self {
        self.spec.keys = true;
        self
    }

    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

/// The answer to a [`LeaseTimeToLive`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseTimeToLiveResponse {
    /// Who answered. Its revision has no part in the ordering of reads and writes.
    pub header: ResponseHeader,
    /// The lease.
    pub id: LeaseId,
    /// How long the lease still lives, in whole seconds rounded down; `None` when it is unknown or expired.
    pub ttl: Option<Duration>,
    /// How long it was granted for; zero when it is unknown or expired.
    pub granted_ttl: Duration,
    /// The attached keys, when asked for.
    pub keys: Vec<Bytes>,
}

impl LeaseTimeToLiveResponse {
    /// An answer for a lease that lives.
    pub fn new(header: ResponseHeader, id: LeaseId, ttl: Duration, granted_ttl: Duration) -> Self {
        Self { header, id, ttl: Some(ttl), granted_ttl, keys: Vec::new() }
    }

    /// An answer for a lease that is unknown or expired.
    pub fn unknown(header: ResponseHeader, id: LeaseId) -> Self {
        Self { header, id, ttl: None, granted_ttl: Duration::ZERO, keys: Vec::new() }
    }

    /// Sets the attached keys.
    #[must_use = "returns the changed response"]
    pub fn with_keys(mut self, keys: Vec<Bytes>) -> Self {
        self.keys = keys;
        self
    }
}
