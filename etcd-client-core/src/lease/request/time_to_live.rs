//! LeaseTimeToLive: requests the remaining TTL of a lease and its keys.

use std::time::Duration;

use bytes::Bytes;

use crate::{
    lease::LeaseService,
    request::{Unbound, bound::bindable},
    types::{LeaseId, ResponseHeader},
};

/// Requests the remaining TTL of a lease.
///
/// An unknown or expired lease is not an error: the response then has no TTL.
///
/// # Examples
/// ```
/// use etcd_client_core::LeaseId;
/// use etcd_client_core::lease::LeaseTimeToLive;
///
/// let ask = LeaseTimeToLive::new(LeaseId::new(7).unwrap()).keys();
/// assert!(ask.keys);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "TimeToLive")]
#[doc(alias = "LeaseTimeToLiveRequest")]
#[doc(alias = "LeaseTimeToLiveOptions")]
#[must_use = "a LeaseTimeToLive does nothing until it is awaited"]
pub struct LeaseTimeToLive<B = Unbound> {
    /// The lease to look up.
    pub id: LeaseId,
    /// Returns the attached keys.
    pub keys: bool,
    pub(crate) binding: B,
}

bindable!(LeaseTimeToLive { id, keys } => LeaseTimeToLiveResponse, LeaseService.time_to_live);

impl LeaseTimeToLive {
    /// Creates a request for the lease `id`.
    pub fn new(id: LeaseId) -> Self {
        Self { id, keys: false, binding: Unbound }
    }
}

impl<B> LeaseTimeToLive<B> {
    /// Returns the attached keys. They are omitted by default.
    #[doc(alias = "WithAttachedKeys")]
    #[doc(alias = "with_keys")]
    pub fn keys(mut self) -> Self {
        self.keys = true;
        self
    }
}

/// The response to a [`LeaseTimeToLive`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseTimeToLiveResponse {
    /// The header of the response. Its revision takes no part in the ordering of reads and writes.
    pub header: ResponseHeader,
    /// The lease.
    pub id: LeaseId,
    /// The remaining TTL in whole seconds, rounded down; `None` if the lease is unknown or expired.
    pub ttl: Option<Duration>,
    /// The TTL that was granted; zero if the lease is unknown or expired.
    pub granted_ttl: Duration,
    /// The attached keys, if they were requested.
    pub keys: Vec<Bytes>,
}

impl LeaseTimeToLiveResponse {
    /// Creates a response for a lease that exists.
    pub fn new(header: ResponseHeader, id: LeaseId, ttl: Duration, granted_ttl: Duration) -> Self {
        Self { header, id, ttl: Some(ttl), granted_ttl, keys: Vec::new() }
    }

    /// Creates a response for a lease that is unknown or expired.
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
