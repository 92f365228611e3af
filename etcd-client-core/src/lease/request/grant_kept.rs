//! GrantKeptAlive: grants a lease and keeps it alive.

use std::pin::Pin;

use etcd_errors::Error;
use tokio::time::Instant;

use crate::{
    lease::{LeaseGrant, LeaseKeepAlive, LeaseKeeper, LeaseService},
    request::Bound,
};

/// Grants a lease and keeps it alive; returned by [`LeaseGrant::keep_alive`].
///
/// # Cancel safety
/// Dropping the future may leave a lease behind that is not renewed. It expires by itself.
#[derive(Clone, Debug)]
#[must_use = "a GrantKeptAlive does nothing until it is awaited"]
pub struct GrantKeptAlive<'a> {
    grant: LeaseGrant<Bound<'a, dyn LeaseService>>,
}

impl<'a> LeaseGrant<Bound<'a, dyn LeaseService>> {
    /// Grants the lease and keeps it alive. The deadline of the lease counts from before the grant was sent.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    ///
    /// let lease = client.lease().grant(Duration::from_secs(10)).keep_alive().await?;
    /// client.put("alive", "yes").lease(lease.id()).await?;
    /// tokio::select! {
    ///     lost = lease.lost() => eprintln!("stop working: {lost}"),
    ///     () = std::future::pending() => {} // the work
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn keep_alive(self) -> GrantKeptAlive<'a> {
        GrantKeptAlive { grant: self }
    }
}

impl<'a> IntoFuture for GrantKeptAlive<'a> {
    type Output = Result<LeaseKeeper, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let service = self.grant.binding.service;
        let (grant, options) = self.grant.unbind();
        Box::pin(async move {
            let sent_at = Instant::now();
            let lease = service.grant(grant, options.clone()).await?;
            let keep = LeaseKeepAlive::new(lease.id).granted(lease.ttl, sent_at);
            service.keep_alive(keep, options).await
        })
    }
}
