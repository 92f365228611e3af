//! LeaseGrant: a new lease.

use std::time::Duration;

use etcd_errors::{Code, Error};

use super::bind::bindable;
use super::{Invalid, Limits, Unbound};
use crate::model::{LeaseId, ResponseHeader};

/// The longest time to live in seconds: `MaxLeaseTTL` in server/lease/lessor.go.
pub(crate) const MAX_TTL_SECONDS: u64 = 9_000_000_000;

/// Grants a lease: keys attached to it are deleted when it is not renewed in time.
///
/// With an id chosen by the caller an attempt of unknown outcome that did succeed shows as `Code::LeaseExist` when the
/// grant is repeated. Dropping the future leaves the outcome unknown.
///
/// ```
/// use std::time::Duration;
/// use etcd_client_core::{LeaseGrant, LeaseId};
///
/// let grant = LeaseGrant::new(Duration::from_millis(9_500)).id(LeaseId::new(7).unwrap());
/// assert_eq!(grant.spec().ttl_seconds(), 10);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a LeaseGrant does nothing until it is awaited"]
pub struct LeaseGrant<B = Unbound> {
    pub(super) spec: LeaseGrantSpec,
    pub(super) binding: B,
}

/// What a [`LeaseGrant`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseGrantSpec {
    /// How long the lease lives without renewal.
    pub ttl: Duration,
    /// The id; `None` lets the client choose a random one.
    pub id: Option<LeaseId>,
}

bindable!(LeaseGrant, LeaseGrantSpec => LeaseGrantResponse, LeaseBound: Lease.grant);

impl LeaseGrant {
    /// A lease that lives for `ttl` without renewal, rounded up to whole seconds. Servers raise a time they
    /// find too short (2 s by default): go by the one in the answer.
    pub fn new(ttl: Duration) -> Self {
        LeaseGrantSpec { ttl, id: None }.into()
    }
}

impl<B> LeaseGrant<B> {
    /// Sets the id, which may be negative, as etcd accepts any number but zero. Default: the client chooses a random positive one, so
    /// that it can tell a grant whose response was lost from a second grant.
    pub fn id(mut self, id: LeaseId) -> Self {
        self.spec.id = Some(id);
        self
    }

    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// When the time to live is zero or longer than etcd allows.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        self.spec.check()?;
        Ok(())
    }
}

impl LeaseGrantSpec {
    /// The time to live in whole seconds, rounded up.
    pub fn ttl_seconds(&self) -> u64 {
        self.ttl.as_secs().saturating_add(u64::from(self.ttl.subsec_nanos() > 0))
    }

    fn check(&self) -> Result<(), Invalid> {
        if self.ttl.is_zero() {
            return Err(Invalid::new("ttl", "is zero"));
        }
        if self.ttl_seconds() > MAX_TTL_SECONDS {
            let complaint = format!("is longer than {MAX_TTL_SECONDS} seconds");
            return Err(Invalid::new("ttl", complaint).code(Code::LeaseTTLTooLarge));
        }
        Ok(())
    }
}

/// The answer to a [`LeaseGrant`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseGrantResponse {
    /// Who answered. Its revision has no part in the ordering of reads and writes.
    pub header: ResponseHeader,
    /// The id of the lease.
    pub id: LeaseId,
    /// How long the lease lives without renewal; may be longer than asked for.
    pub ttl: Duration,
}

impl LeaseGrantResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, id: LeaseId, ttl: Duration) -> Self {
        Self { header, id, ttl }
    }
}
