//! ElectionProclaim: replaces the value that a leader proclaims.

use etcd_errors::Error;

use crate::{
    election::{ElectionService, LeaderKey},
    request::{Limits, Unbound, bound::bindable},
    txn::size,
    types::{ResponseHeader, Value},
};

/// Replaces the value that a leader proclaims.
///
/// # Errors
/// Fails with `Code::ElectionNotLeader` if the caller is no longer the leader.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::LeaseId;
/// use etcd_client_core::election::{ElectionProclaim, LeaderKey};
///
/// let leader = LeaderKey::new("boss", "boss/7d", 42, LeaseId::new(0x7d).unwrap());
/// let proclaim = ElectionProclaim::new(leader, "moved to 10.0.0.8");
/// # let _ = proclaim;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an ElectionProclaim does nothing until it is awaited"]
pub struct ElectionProclaim<B = Unbound> {
    /// The key of the leadership.
    pub leader: LeaderKey,
    /// The new value.
    pub value: Value,
    pub(crate) binding: B,
}

bindable!(ElectionProclaim { leader, value } => ElectionProclaimResponse, ElectionService.proclaim);

impl ElectionProclaim {
    /// Creates a request that proclaims `value` for the leadership with the key `leader`.
    pub fn new(leader: LeaderKey, value: impl Into<Value>) -> Self {
        Self { leader, value: value.into(), binding: Unbound }
    }
}

impl ElectionProclaim {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the leader's key is empty, its revision is not positive, or the value exceeds the maximum
    /// size of a request.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        let leader = &self.leader;
        leader.check()?;
        size::check_parts(limits, true, &[leader.name.len(), leader.key.len(), self.value.len()])?;
        Ok(())
    }
}

/// The response to an [`ElectionProclaim`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionProclaimResponse {
    /// The header, with the revision of the proclamation.
    pub header: ResponseHeader,
}

impl ElectionProclaimResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader) -> Self {
        Self { header }
    }
}
