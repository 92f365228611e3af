//! ElectionLeader: requests the current leader.

use etcd_errors::Error;

use crate::{
    election::ElectionService,
    request::{Limits, Unbound, bound::bindable},
    txn::size,
    types::{Key, KeyValue, ResponseHeader},
};

/// Requests the leader of an election.
///
/// # Errors
/// Fails with `Code::ElectionNoLeader` if there is no leader.
///
///
/// # Examples
/// ```
/// use etcd_client_core::election::ElectionLeader;
///
/// let ask = ElectionLeader::new("boss");
/// assert_eq!(ask.name, "boss");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an ElectionLeader asks nothing until it is awaited"]
pub struct ElectionLeader<B = Unbound> {
    /// The name of the election.
    pub name: Key,
    pub(crate) binding: B,
}

bindable!(ElectionLeader { name } => ElectionLeaderResponse, ElectionService.leader);

impl ElectionLeader {
    /// Creates a request for the leader of `name`.
    pub fn new(name: impl Into<Key>) -> Self {
        Self { name: name.into(), binding: Unbound }
    }
}

impl ElectionLeader {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the name exceeds the maximum size of a request.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        size::check_parts(limits, false, &[self.name.len()])?;
        Ok(())
    }
}

/// The leader of an election and the value it proclaims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionLeaderResponse {
    /// The header of the response.
    pub header: ResponseHeader,
    /// The leader's key, with the proclaimed value. Its create revision and lease are those of the leadership.
    pub kv: KeyValue,
}

impl ElectionLeaderResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, kv: KeyValue) -> Self {
        Self { header, kv }
    }
}
