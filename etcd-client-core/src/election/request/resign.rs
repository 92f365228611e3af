//! ElectionResign: gives up a leadership.

use etcd_errors::Error;

use crate::{
    election::{ElectionService, LeaderKey},
    request::{Limits, Unbound, bound::bindable},
    txn::size,
    types::ResponseHeader,
};

/// Resigns from the leadership of an election, which passes to the next candidate. Resigning after the leadership was
/// lost changes nothing and is not an error.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::LeaseId;
/// use etcd_client_core::election::{ElectionResign, LeaderKey};
///
/// let leader = LeaderKey::new("boss", "boss/7d", 42, LeaseId::new(0x7d).unwrap());
/// let resign = ElectionResign::new(leader);
/// # let _ = resign;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an ElectionResign does nothing until it is awaited"]
pub struct ElectionResign<B = Unbound> {
    /// The key of the leadership.
    pub leader: LeaderKey,
    pub(crate) binding: B,
}

bindable!(ElectionResign { leader } => ElectionResignResponse, ElectionService.resign);

impl ElectionResign {
    /// Creates a request that resigns from the leadership with the key `leader`.
    pub fn new(leader: LeaderKey) -> Self {
        Self { leader, binding: Unbound }
    }
}

impl ElectionResign {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the leader's key is empty or its revision is not positive.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        let leader = &self.leader;
        leader.check()?;
        size::check_parts(limits, true, &[leader.name.len(), leader.key.len()])?;
        Ok(())
    }
}

/// The response to an [`ElectionResign`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionResignResponse {
    /// The header of the response.
    pub header: ResponseHeader,
}

impl ElectionResignResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader) -> Self {
        Self { header }
    }
}
