//! Resign: a leader leaves.

use etcd_errors::Error;

use super::LeaderKey;
use crate::model::ResponseHeader;
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound, size};

/// Gives the lead of an election to the next candidate. Who does not lead any more changes nothing, which is no error.
///
/// Dropping the future leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::{ElectionResign, LeaderKey, LeaseId};
///
/// let leader = LeaderKey::new("boss", "boss/7d", 42, LeaseId::new(0x7d).unwrap());
/// let resign = ElectionResign::new(leader);
/// # let _ = resign;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an ElectionResign does nothing until it is awaited"]
pub struct ElectionResign<B = Unbound> {
    pub(in crate::op) spec: ElectionResignSpec,
    pub(in crate::op) binding: B,
}

/// What an [`ElectionResign`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionResignSpec {
    /// What the leadership is held by.
    pub leader: LeaderKey,
}

bindable!(ElectionResign, ElectionResignSpec => ElectionResignResponse, ElectionBound: ElectionService.resign);

impl ElectionResign {
    /// Gives up the leadership that is held by `leader`.
    pub fn new(leader: LeaderKey) -> Self {
        ElectionResignSpec { leader }.into()
    }
}

impl<B> ElectionResign<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// When the leader's key is empty or its revision not positive.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        let leader = &self.spec.leader;
        leader.check()?;
        size::check_parts(limits, true, &[leader.name.len(), leader.key.len()])?;
        Ok(())
    }
}

/// The answer to an [`ElectionResign`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionResignResponse {
    /// Who answered.
    pub header: ResponseHeader,
}

impl ElectionResignResponse {
    /// An answer.
    pub fn new(header: ResponseHeader) -> Self {
        Self { header }
    }
}
