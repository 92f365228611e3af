//! Elections of etcd's Election service, for which the members wait on behalf of clients.
//!
//! [`Client::server_election`](crate::Client::server_election) returns the [`ElectionClient`]. The crate `etcd-concurrency` has
//! elections that report the loss of the leadership.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use std::time::Duration;
//!
//! let lease = client.lease().grant(Duration::from_secs(60)).await?;
//! let won = client.server_election().campaign("boss", lease.id, "10.0.0.7").await?;
//! client.server_election().resign(won.leader).await?;
//! # Ok(())
//! # }
//! ```

pub(crate) mod client;
pub(crate) mod codec;
pub(crate) mod remote;
pub(crate) mod request;
pub(crate) mod service;
#[cfg(test)]
mod tests;

use etcd_errors::Code;

use crate::{
    txn::Compare,
    types::{Invalid, Key, LeaseId, Revision},
};

pub use client::ElectionClient;
pub use request::{
    ElectionCampaign, ElectionCampaignResponse, ElectionLeader, ElectionLeaderResponse, ElectionObserve,
    ElectionProclaim, ElectionProclaimResponse, ElectionResign, ElectionResignResponse,
};
pub use service::{ElectionService, LeaderStream};

/// The key of a leadership, as returned by a campaign. Use it to proclaim, to resign, and to guard writes.
///
/// # Examples
/// ```
/// use etcd_client_core::LeaseId;
/// use etcd_client_core::election::LeaderKey;
///
/// let key = LeaderKey::new("boss", "boss/7d", 42, LeaseId::new(0x7d).unwrap());
/// let guard = key.owned();
/// # let _ = guard;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LeaderKey {
    /// The name of the election.
    pub name: Key,
    /// The key, which exists while the leadership lasts.
    pub key: Key,
    /// The revision that created the key. It is greater for every leader than for the previous one.
    pub create_revision: Revision,
    /// The lease that holds the leadership.
    pub lease: LeaseId,
}

impl LeaderKey {
    /// Creates the key of a leadership in the election `name`.
    pub fn new(
        name: impl Into<Key>,
        key: impl Into<Key>,
        create_revision: impl Into<Revision>,
        lease: LeaseId,
    ) -> Self {
        Self { name: name.into(), key: key.into(), create_revision: create_revision.into(), lease }
    }

    /// Returns a condition that holds while the leadership lasts.
    ///
    /// Add it to a Txn so that its writes are not applied after the leadership was lost.
    ///
    /// Nothing else proves the leadership. A member may report a campaign as won although its lease expired during
    /// the wait, because `Election.Campaign` in client/v3/concurrency only checks the keys of the other candidates.
    pub fn owned(&self) -> Compare {
        Compare::create_revision(&self.key).equal(self.create_revision)
    }

    pub(crate) fn check(&self) -> Result<(), Invalid> {
        if self.key.is_empty() {
            return Err(Invalid::new("key", "is empty").code(Code::EmptyKey).within("leader"));
        }
        if self.create_revision.get() <= 0 {
            return Err(Invalid::new("create_revision", "must be greater than zero").within("leader"));
        }
        Ok(())
    }
}
