//! The requests of the Lease service and their responses: grant, revoke, time to live and list.
//!
//! The requests that renew a lease are in `keep_alive`.

pub(crate) mod keep_alive;

use std::time::Duration;

use bytes::Bytes;
use etcd_errors::{Code, Error};

use crate::{
    lease::LeaseService,
    request::{Unbound, bound::bindable},
    types::{Invalid, LeaseId, ResponseHeader},
};

/// The maximum TTL in seconds: `MaxLeaseTTL` in server/lease/lessor.go.
pub(crate) const MAX_TTL_SECONDS: u64 = 9_000_000_000;

/// Grants a lease. etcd deletes the keys attached to a lease when it expires without renewal.
///
/// If you choose the id and an earlier attempt of unknown outcome was applied, the next attempt fails with
/// `Code::LeaseExist`.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled: the lease may exist until it expires.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use etcd_client_core::LeaseId;
/// use etcd_client_core::lease::LeaseGrant;
///
/// let grant = LeaseGrant::new(Duration::from_millis(9_500)).id(LeaseId::new(7).unwrap());
/// assert_eq!(grant.ttl_seconds(), 10);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "Grant")]
#[doc(alias = "LeaseGrantRequest")]
#[doc(alias = "LeaseGrantOptions")]
#[must_use = "a LeaseGrant does nothing until it is awaited"]
pub struct LeaseGrant<B = Unbound> {
    /// The lease TTL.
    pub ttl: Duration,
    /// The lease id; `None` lets the client choose a random one.
    pub id: Option<LeaseId>,
    pub(crate) binding: B,
}

bindable!(LeaseGrant { ttl, id } => LeaseGrantResponse, LeaseService.grant);

impl LeaseGrant {
    /// Creates a request for a lease with the TTL `ttl`, rounded up to whole seconds.
    ///
    /// Servers raise a TTL that is too short (2 s by default), so use the TTL of the response.
    pub fn new(ttl: Duration) -> Self {
        Self { ttl, id: None, binding: Unbound }
    }
}

impl<B> LeaseGrant<B> {
    /// Sets the lease id. By default the client chooses a random positive id.
    ///
    /// The id may be negative, because etcd accepts any number except zero. An id that the client knows in advance
    /// lets it distinguish a grant whose response was lost from a second grant.
    #[doc(alias = "with_id")]
    pub fn id(mut self, id: LeaseId) -> Self {
        self.id = Some(id);
        self
    }
}

impl LeaseGrant {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the TTL is zero or exceeds etcd's maximum.
    pub fn validate(&self) -> Result<(), Error> {
        self.check()?;
        Ok(())
    }

    /// Returns the TTL in whole seconds, rounded up.
    pub fn ttl_seconds(&self) -> u64 {
        self.ttl.as_secs().saturating_add(u64::from(self.ttl.subsec_nanos() > 0))
    }

    fn check(&self) -> Result<(), Invalid> {
        if self.ttl.is_zero() {
            return Err(Invalid::new("ttl", "must be greater than zero"));
        }
        if self.ttl_seconds() > MAX_TTL_SECONDS {
            let complaint = format!("exceeds the maximum of {MAX_TTL_SECONDS} seconds");
            return Err(Invalid::new("ttl", complaint).code(Code::LeaseTTLTooLarge));
        }
        Ok(())
    }
}

/// The response to a [`LeaseGrant`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseGrantResponse {
    /// The header of the response. Its revision takes no part in the ordering of reads and writes.
    pub header: ResponseHeader,
    /// The id of the lease.
    pub id: LeaseId,
    /// The lease TTL, which may be longer than requested.
    pub ttl: Duration,
}

impl LeaseGrantResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, id: LeaseId, ttl: Duration) -> Self {
        Self { header, id, ttl }
    }
}

/// Revokes a lease immediately and deletes the keys attached to it.
///
/// # Errors
/// Fails with `Code::LeaseNotFound` if the lease does not exist.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::LeaseId;
/// use etcd_client_core::lease::LeaseRevoke;
///
/// let revoke = LeaseRevoke::new(LeaseId::new(7).unwrap());
/// assert_eq!(revoke.id.get(), 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "Revoke")]
#[doc(alias = "LeaseRevokeRequest")]
#[must_use = "a LeaseRevoke does nothing until it is awaited"]
pub struct LeaseRevoke<B = Unbound> {
    /// The lease to revoke.
    pub id: LeaseId,
    pub(crate) binding: B,
}

bindable!(LeaseRevoke { id } => LeaseRevokeResponse, LeaseService.revoke);

impl LeaseRevoke {
    /// Creates a request that revokes the lease `id`.
    pub fn new(id: LeaseId) -> Self {
        Self { id, binding: Unbound }
    }
}

/// The response to a [`LeaseRevoke`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseRevokeResponse {
    /// The header, with the revision at which the attached keys were deleted.
    pub header: ResponseHeader,
}

impl LeaseRevokeResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader) -> Self {
        Self { header }
    }
}

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

/// Lists all leases.
///
/// # Examples
/// ```
/// use etcd_client_core::lease::LeaseList;
///
/// let list = LeaseList::new();
/// # let _ = list;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a LeaseList does nothing until it is awaited"]
pub struct LeaseList<B = Unbound> {
    pub(crate) binding: B,
}

bindable!(LeaseList {} => LeaseListResponse, LeaseService.list);

impl LeaseList {
    /// Creates a request that lists all leases.
    pub fn new() -> Self {
        Self { binding: Unbound }
    }
}

/// The response to a [`LeaseList`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseListResponse {
    /// The header of the response. Its revision takes no part in the ordering of reads and writes.
    pub header: ResponseHeader,
    /// The leases, in no particular order.
    pub leases: Vec<LeaseId>,
}

impl LeaseListResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, leases: Vec<LeaseId>) -> Self {
        Self { header, leases }
    }
}
