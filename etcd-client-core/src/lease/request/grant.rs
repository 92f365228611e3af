//! LeaseGrant: grants a lease.

use std::time::Duration;

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
}

impl LeaseGrant {
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
