//! Proclaim: a leader says something new.

use etcd_errors::Error;

use super::LeaderKey;
use crate::model::{ResponseHeader, Value};
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound, size};

/// Replaces what a leader proclaims, if it still leads; else the server's error is `Code::ElectionNotLeader`.
///
/// Dropping the future leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::{ElectionProclaim, LeaderKey, LeaseId};
///
/// let leader = LeaderKey::new("boss", "boss/7d", 42, LeaseId::new(0x7d).unwrap());
/// let proclaim = ElectionProclaim::new(leader, "moved to 10.0.0.8");
/// # let _ = proclaim;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an ElectionProclaim does nothing until it is awaited"]
pub struct ElectionProclaim<B = Unbound> {
    pub(in crate::op) spec: ElectionProclaimSpec,
    pub(in crate::op) binding: B,
}

/// What an [`ElectionProclaim`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionProclaimSpec {
    /// What the leadership is held by.
    pub leader: LeaderKey,
    /// What is proclaimed from now on.
    pub value: Value,
}

bindable!(ElectionProclaim, ElectionProclaimSpec => ElectionProclaimResponse, ElectionBound: ElectionService.proclaim);

impl ElectionProclaim {
    /// Proclaims `value` as the one whose leadership is held by `leader`.
    pub fn new(leader: LeaderKey, value: impl Into<Value>) -> Self {
        ElectionProclaimSpec { leader, value: value.into() }.into()
    }
}

impl<B> ElectionProclaim<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// When the leader's key is empty or its revision not positive, or the value is longer than a request may be.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        let leader = &self.spec.leader;
        leader.check()?;
        size::check_parts(limits, true, &[leader.name.len(), leader.key.len(), self.spec.value.len()])?;
        Ok(())
    }
}

/// The answer to an [`ElectionProclaim`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionProclaimResponse {
    /// Who answered; its revision is that of the proclamation.
    pub header: ResponseHeader,
}

impl ElectionProclaimResponse {
    /// An answer.
    pub fn new(header: ResponseHeader) -> Self {
        Self { header }
    }
}
