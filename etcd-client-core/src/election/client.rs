//! The operations of etcd's election service, bound to a client.

use crate::{
    election::{
        ElectionCampaign, ElectionLeader, ElectionObserve, ElectionProclaim, ElectionResign, ElectionService,
        LeaderKey,
    },
    request::Bound,
    types::{Key, LeaseId, Value},
};

/// The operations of etcd's own election service, returned by [`Client::server_election`](crate::client::Client::server_election).
///
/// A campaign is one call, and the member that serves the call waits on behalf of the client. The elections are those of Go's
/// `concurrency.Election` and of `etcdctl elect`. The wait fails if that member fails, and a member that loses a caller may leave its
/// key behind until the lease expires: see [`ElectionCampaign`]. The elections of the crate `etcd-concurrency` survive the loss of
/// members and clean up after themselves.
///
/// # Examples
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
pub struct ElectionClient<'a> {
    service: &'a dyn ElectionService,
}

impl<'a> ElectionClient<'a> {
    /// Creates a handle on any election service, such as a wrapper or a mock.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::election::{ElectionService, ElectionClient};
    ///
    /// fn elections(service: &dyn ElectionService) -> ElectionClient<'_> {
    ///     ElectionClient::new(service)
    /// }
    /// ```
    pub fn new(service: &'a dyn ElectionService) -> Self {
        Self { service }
    }

    /// Campaigns in the election `name` until it is won, then proclaims `value`. Waits indefinitely unless a timeout is set.
    ///
    /// The leadership ends with [`resign`](Self::resign) or when `lease` expires. The lease is not renewed by this call. Guard each write
    /// of the leader with [`LeaderKey::owned`].
    ///
    /// # Errors
    ///
    /// [`Code::LeaseNotFound`](crate::Code::LeaseNotFound) or [`Code::SessionExpired`](crate::Code::SessionExpired) if the lease does not exist or
    /// expires during the wait. [`Timeout`](crate::ErrorKind::Timeout) if the timeout passes.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future may leave the key of the candidate behind until the lease expires, and the candidate may win with it. Revoke
    /// the lease, or delete the key [`ElectionCampaign::key`](crate::election::ElectionCampaign::key), to withdraw earlier.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # use std::time::Duration;
    /// use etcd_client_core::Put;
    ///
    /// let lease = client.lease().grant(Duration::from_secs(60)).keep_alive().await?;
    /// let won = client.server_election().campaign("boss", lease.id(), "10.0.0.7").await?;
    /// let txn = client.txn().when(won.leader.owned()).then(Put::new("plan", "v2")).await?;
    /// println!("still the leader: {}", txn.succeeded());
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Campaign")]
    pub fn campaign(
        self,
        name: impl Into<Key>,
        lease: LeaseId,
        value: impl Into<Value>,
    ) -> ElectionCampaign<Bound<'a, dyn ElectionService>> {
        ElectionCampaign::new(name, lease, value).bind(self.service)
    }

    /// Replaces the value that the leader proclaims.
    ///
    /// # Errors
    ///
    /// [`Code::ElectionNotLeader`](crate::Code::ElectionNotLeader) if `leader` does not lead any longer.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # use std::time::Duration;
    /// # let lease = client.lease().grant(Duration::from_secs(60)).await?;
    /// let won = client.server_election().campaign("boss", lease.id, "10.0.0.7").await?;
    /// client.server_election().proclaim(won.leader, "10.0.0.8").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Proclaim")]
    pub fn proclaim(
        self,
        leader: LeaderKey,
        value: impl Into<Value>,
    ) -> ElectionProclaim<Bound<'a, dyn ElectionService>> {
        ElectionProclaim::new(leader, value).bind(self.service)
    }

    /// Returns the current leader of the election `name` and the value it proclaims.
    ///
    /// # Errors
    ///
    /// [`Code::ElectionNoLeader`](crate::Code::ElectionNoLeader) if there is no leader.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let leader = client.server_election().leader("boss").await?;
    /// println!("{:?} leads", leader.kv.value_str());
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Leader")]
    pub fn leader(self, name: impl Into<Key>) -> ElectionLeader<Bound<'a, dyn ElectionService>> {
        ElectionLeader::new(name).bind(self.service)
    }

    /// Returns a stream of the leaders of the election `name` and of the values they proclaim.
    ///
    /// Nothing is sent until the stream is read. The stream waits while there is no leader.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the name is too long. Later errors are items of the stream. It is
    /// served by one member and ends with an error if that member cannot continue: observe again to get the leader of that time.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let mut leaders = client.server_election().observe("boss").await?;
    /// while let Some(leader) = leaders.next().await {
    ///     println!("{:?} leads", leader?.kv.value_str());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Observe")]
    pub fn observe(self, name: impl Into<Key>) -> ElectionObserve<Bound<'a, dyn ElectionService>> {
        ElectionObserve::new(name).bind(self.service)
    }

    /// Resigns from the leadership. The next candidate becomes the leader.
    ///
    /// Resigning after the leadership was lost changes nothing and is not an error.
    ///
    /// # Errors
    ///
    /// Returns the errors of any write; see [`ErrorKind`](crate::ErrorKind).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # use std::time::Duration;
    /// # let lease = client.lease().grant(Duration::from_secs(60)).await?;
    /// let won = client.server_election().campaign("boss", lease.id, "10.0.0.7").await?;
    /// client.server_election().resign(won.leader).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Resign")]
    pub fn resign(self, leader: LeaderKey) -> ElectionResign<Bound<'a, dyn ElectionService>> {
        ElectionResign::new(leader).bind(self.service)
    }
}
