//! The server's own elections, bound to a client.

use crate::{
    model::{Key, LeaseId, Value},
    op::{
        ElectionBound, ElectionCampaign, ElectionLeader, ElectionObserve, ElectionProclaim, ElectionResign,
        LeaderKey,
    },
    service::ElectionService,
};

/// What [`Client::server_election`](crate::Client::server_election) gives: elections that a member waits for, in one call each.
///
/// They are those of Go's `concurrency.Election` and of `etcdctl elect`. The wait ends with the member that it waits on, and a member that
/// loses a caller may leave its key behind until the lease ends: see [`ElectionCampaign`]. An election of the crate
/// `etcd-concurrency` outlives its members and cleans up.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use std::time::Duration;
///
/// let lease = client.lease().grant(Duration::from_secs(60)).await?;
/// let won = client.server_election().campaign("boss", lease.id, "10.0.0.7").await?;
/// client.server_election().proclaim(won.leader.clone(), "10.0.0.8").await?;
///
/// let mut leaders = client.server_election().observe("boss").await?;
/// while let Some(leader) = leaders.next().await {
///     println!("{:?} leads", leader?.kv.value_str());
/// #   break;
/// }
/// client.server_election().resign(won.leader).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ServerElections<'a> {
    service: &'a dyn ElectionService,
}

impl<'a> ServerElections<'a> {
    /// The elections of any election service.
    pub fn new(service: &'a dyn ElectionService) -> Self {
        Self { service }
    }

    /// Waits until it leads `name`, for as long as `lease` lives, and proclaims `value`. Default: as long as it takes.
    pub fn campaign(
        self,
        name: impl Into<Key>,
        lease: LeaseId,
        value: impl Into<Value>,
    ) -> ElectionCampaign<ElectionBound<'a>> {
        ElectionCampaign::new(name, lease, value).bind(self.service)
    }

    /// Replaces what a leader proclaims.
    pub fn proclaim(self, leader: LeaderKey, value: impl Into<Value>) -> ElectionProclaim<ElectionBound<'a>> {
        ElectionProclaim::new(leader, value).bind(self.service)
    }

    /// Asks who leads `name`.
    pub fn leader(self, name: impl Into<Key>) -> ElectionLeader<ElectionBound<'a>> {
        ElectionLeader::new(name).bind(self.service)
    }

    /// Follows who leads `name`.
    pub fn observe(self, name: impl Into<Key>) -> ElectionObserve<ElectionBound<'a>> {
        ElectionObserve::new(name).bind(self.service)
    }

    /// Gives up a leadership.
    pub fn resign(self, leader: LeaderKey) -> ElectionResign<ElectionBound<'a>> {
        ElectionResign::new(leader).bind(self.service)
    }
}
