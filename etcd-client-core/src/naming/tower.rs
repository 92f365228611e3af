//! Service discovery for the balancers of tower and tonic.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use etcd_errors::Error;
use futures_core::Stream;
use tower::discover::Change;

use crate::{
    naming::{change::EndpointChange, endpoint::ServiceEndpoint, watch::EndpointChanges},
    types::Key,
};

/// Converts endpoint changes into tower's `Discover`. `connect` creates a service, or another value, for each added endpoint.
///
/// Pass the result to `tower::balance::p2c::Balance`. If [`EndpointChanges`] ends with an error, so does the discovery, and the
/// balancer keeps the services that it has.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use etcd_client_core::naming::{Endpoints, tower::discover};
/// use futures_util::StreamExt as _;
///
/// let changes = Endpoints::new(&client, "services/web")?.watch().await?.into_changes();
/// let mut discover = discover(changes, |_key, endpoint| format!("http://{}", endpoint.addr()));
/// while let Some(change) = discover.next().await {
///     let _change: tower::discover::Change<_, String> = change?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// tonic defines its own type `Change`, so feed its `Channel::balance_channel` from the [`EndpointChanges`] directly:
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<tonic::transport::Channel, etcd_client_core::Error> {
/// use etcd_client_core::naming::{EndpointChange, Endpoints};
/// use tonic::transport::{Channel, Endpoint, channel::Change};
///
/// let mut changes = Endpoints::new(&client, "services/web")?.watch().await?.into_changes();
/// let (channel, sender) = Channel::balance_channel(16);
/// tokio::spawn(async move {
///     while let Some(Ok(change)) = changes.next().await {
///         let change = match change {
///             EndpointChange::Added { key, endpoint } => {
///                 match Endpoint::from_shared(format!("http://{}", endpoint.addr())) {
///                     Ok(endpoint) => Change::Insert(key, endpoint),
///                     Err(_not_a_uri) => continue,
///                 }
///             }
///             EndpointChange::Deleted { key } => Change::Remove(key),
///             _ => continue,
///         };
///         if sender.send(change).await.is_err() {
///             break; // the channel was dropped
///         }
///     }
/// });
/// # Ok(channel)
/// # }
/// ```
pub fn discover<F, S>(changes: EndpointChanges, connect: F) -> Discovery<F>
where
    F: FnMut(&Key, ServiceEndpoint) -> S,
{
    Discovery { changes, connect }
}

/// A stream of tower's discovery changes, returned by [`discover`].
#[must_use = "streams do nothing unless polled"]
pub struct Discovery<F> {
    changes: EndpointChanges,
    connect: F,
}

impl<F, S> Stream for Discovery<F>
where
    F: FnMut(&Key, ServiceEndpoint) -> S + Unpin,
{
    type Item = Result<Change<Key, S>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(change) = ready!(Pin::new(&mut self.changes).poll_next(cx)) else {
            return Poll::Ready(None);
        };
        Poll::Ready(Some(change.map(|change| match change {
            EndpointChange::Added { key, endpoint } => {
                let service = (self.connect)(&key, endpoint);
                Change::Insert(key, service)
            }
            EndpointChange::Deleted { key } => Change::Remove(key),
        })))
    }
}

impl<F> fmt::Debug for Discovery<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discovery").field("changes", &self.changes).finish_non_exhaustive()
    }
}
