//! Leader: who leads now.

use etcd_errors::Error;

use crate::model::{Key, KeyValue, ResponseHeader};
use crate::op::bind::bindable;
use crate::op::{Limits, Unbound, size};

/// Asks who leads an election; the server's error is `Code::ElectionNoLeader` where nobody does.
///
/// ```
/// use etcd_client_core::ElectionLeader;
///
/// let ask = ElectionLeader::new("boss");
/// assert_eq!(ask.spec().name, "boss");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an ElectionLeader asks nothing until it is awaited"]
pub struct ElectionLeader<B = Unbound> {
    pub(in crate::op) spec: ElectionLeaderSpec,
    pub(in crate::op) binding: B,
}

/// What an [`ElectionLeader`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionLeaderSpec {
    /// The election.
    pub name: Key,
}

bindable!(ElectionLeader, ElectionLeaderSpec => ElectionLeaderResponse, ElectionBound: ElectionService.leader);

impl ElectionLeader {
    /// Asks who leads `name`.
    pub fn new(name: impl Into<Key>) -> Self {
        ElectionLeaderSpec { name: name.into() }.into()
    }
}

impl<B> ElectionLeader<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// When the name is longer than a request may be.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        size::check_parts(limits, false, &[self.spec.name.len()])?;
        Ok(())
    }
}

/// Who leads, and what is proclaimed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionLeaderResponse {
    /// Who answered.
    pub header: ResponseHeader,
    /// The leader's key, with what it proclaims as the value. Its revision of creation and its lease are those of the leadership.
    pub kv: KeyValue,
}

impl ElectionLeaderResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, kv: KeyValue) -> Self {
        Self { header, kv }
    }
}
