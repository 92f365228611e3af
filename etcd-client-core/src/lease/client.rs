//! The lease operations, bound to a client.

use std::time::Duration;

use crate::{
    lease::{
        LeaseGrant, LeaseKeepAlive, LeaseKeepAliveOnce, LeaseList, LeaseRevoke, LeaseService, LeaseTimeToLive,
    },
    request::Bound,
    types::LeaseId,
};

/// The lease operations of a client, returned by [`Client::lease`](crate::client::Client::lease).
///
/// Each method returns an operation that is awaited. For a key that has to exist again after its lease was lost, such as the
/// registration of a service, use [`Client::healing_lease`](crate::client::Client::healing_lease).
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use std::time::Duration;
///
/// let lease = client.lease().grant(Duration::from_secs(10)).await?;
/// client.put("alive", "yes").lease(lease.id).await?;
/// client.lease().revoke(lease.id).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LeaseClient<'a> {
    service: &'a dyn LeaseService,
}

impl<'a> LeaseClient<'a> {
    /// Creates a handle on any lease service, such as a wrapper or a mock.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::lease::{LeaseService, LeaseClient};
    ///
    /// fn leases(service: &dyn LeaseService) -> LeaseClient<'_> {
    ///     LeaseClient::new(service)
    /// }
    /// ```
    pub fn new(service: &'a dyn LeaseService) -> Self {
        Self { service }
    }

    /// Grants a lease that expires unless it is renewed within `ttl`.
    ///
    /// The server may raise a TTL that it considers too short. Use the TTL of the response. With
    /// [`keep_alive`](LeaseGrant::keep_alive) the lease is granted and kept alive in one step.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the TTL is zero or longer than etcd allows.
    /// [`Code::LeaseExist`](crate::Code::LeaseExist) if the chosen [`id`](LeaseGrant::id) is in use.
    ///
    /// # Cancel safety
    ///
    /// The lease may have been granted if the future is dropped. It then expires after its TTL.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    ///
    /// let lease = client.lease().grant(Duration::from_secs(10)).await?;
    /// println!("lease {} lives for {:?}", lease.id, lease.ttl);
    ///
    /// // Grant and keep alive: renewals stop when `kept` is dropped.
    /// let kept = client.lease().grant(Duration::from_secs(10)).keep_alive().await?;
    /// client.put("alive", "yes").lease(kept.id()).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Grant")]
    #[doc(alias = "LeaseGrant")]
    #[doc(alias = "lease_grant")]
    pub fn grant(self, ttl: Duration) -> LeaseGrant<Bound<'a, dyn LeaseService>> {
        LeaseGrant::new(ttl).bind(self.service)
    }

    /// Revokes a lease, which deletes the keys attached to it.
    ///
    /// Every [`LeaseKeeper`](crate::lease::LeaseKeeper) of this lease that is held by this client or a clone is lost immediately, with
    /// [`NotFound`](crate::lease::LeaseLostReason::NotFound), unless the revocation was certainly not applied. Handles of other clients
    /// are lost at their next renewal.
    ///
    /// # Errors
    ///
    /// [`Code::LeaseNotFound`](crate::Code::LeaseNotFound) if the lease does not exist.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future in flight leaves the outcome unknown. The local handles of the lease are lost in this case as well.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # use std::time::Duration;
    /// let lease = client.lease().grant(Duration::from_secs(10)).await?;
    /// client.lease().revoke(lease.id).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Revoke")]
    #[doc(alias = "LeaseRevoke")]
    #[doc(alias = "lease_revoke")]
    pub fn revoke(self, id: LeaseId) -> LeaseRevoke<Bound<'a, dyn LeaseService>> {
        LeaseRevoke::new(id).bind(self.service)
    }

    /// Returns the remaining TTL of a lease and, with [`keys`](LeaseTimeToLive::keys), the keys attached to it.
    ///
    /// An unknown or expired lease is not an error: the response has no TTL.
    ///
    /// # Errors
    ///
    /// Returns the errors of any read; see [`ErrorKind`](crate::ErrorKind).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # use std::time::Duration;
    /// let lease = client.lease().grant(Duration::from_secs(10)).await?;
    /// let left = client.lease().time_to_live(lease.id).keys().await?;
    /// match left.ttl {
    ///     Some(ttl) => println!("{} keys, expires in {ttl:?}", left.keys.len()),
    ///     None => println!("expired"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "TimeToLive")]
    #[doc(alias = "LeaseTimeToLive")]
    #[doc(alias = "lease_time_to_live")]
    #[doc(alias = "ttl")]
    pub fn time_to_live(self, id: LeaseId) -> LeaseTimeToLive<Bound<'a, dyn LeaseService>> {
        LeaseTimeToLive::new(id).bind(self.service)
    }

    /// Keeps a lease alive until the returned handle is dropped.
    ///
    /// Awaiting the operation performs the first renewal. To grant a lease and keep it alive, use
    /// [`LeaseGrant::keep_alive`] instead.
    ///
    /// # Errors
    ///
    /// [`Code::LeaseNotFound`](crate::Code::LeaseNotFound) if the lease does not exist.
    /// [`Timeout`](crate::ErrorKind::Timeout) or [`Unavailable`](crate::ErrorKind::Unavailable) if the deadline of the call passes
    /// before the first renewal.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # use std::time::Duration;
    /// let lease = client.lease().grant(Duration::from_secs(10)).await?;
    /// let kept = client.lease().keep_alive(lease.id).await?;
    /// tokio::select! {
    ///     lost = kept.lost() => println!("stop: {lost:?}"),
    ///     () = async { /* work that depends on the lease */ } => {}
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "KeepAlive")]
    #[doc(alias = "LeaseKeepAlive")]
    #[doc(alias = "lease_keep_alive")]
    pub fn keep_alive(self, id: LeaseId) -> LeaseKeepAlive<Bound<'a, dyn LeaseService>> {
        LeaseKeepAlive::new(id).bind(self.service)
    }

    /// Renews a lease once.
    ///
    /// # Errors
    ///
    /// [`Code::LeaseNotFound`](crate::Code::LeaseNotFound) if the lease does not exist.
    ///
    /// # Cancel safety
    ///
    /// The lease may have been renewed if the future is dropped.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # use std::time::Duration;
    /// let lease = client.lease().grant(Duration::from_secs(10)).await?;
    /// let renewed = client.lease().keep_alive_once(lease.id).await?;
    /// println!("expires in {:?}", renewed.ttl);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "KeepAliveOnce")]
    pub fn keep_alive_once(self, id: LeaseId) -> LeaseKeepAliveOnce<Bound<'a, dyn LeaseService>> {
        LeaseKeepAliveOnce::new(id).bind(self.service)
    }

    /// Lists all leases of the cluster.
    ///
    /// # Errors
    ///
    /// Returns the errors of any read; see [`ErrorKind`](crate::ErrorKind).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let leases = client.lease().list().await?;
    /// println!("{leases:?}");
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "LeaseClient")]
    #[doc(alias = "LeaseLeases")]
    #[doc(alias = "leases")]
    pub fn list(self) -> LeaseList<Bound<'a, dyn LeaseService>> {
        LeaseList::new().bind(self.service)
    }
}
