//! The layer below HTTP/2: connectors open byte streams to endpoints, by TCP, unix sockets, TLS and HTTP proxies.

pub(crate) mod address_order;
pub(crate) mod described;
pub(crate) mod dialing;
#[cfg(feature = "proxy")]
pub(crate) mod proxy;
pub(crate) mod tcp;
pub(crate) mod tls;

use std::{fmt, future::poll_fn, pin::Pin, sync::Arc};

use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

use crate::types::Endpoint;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The target of a connection attempt.
///
/// A connector is any `tower_service::Service<Target>` whose response is a tokio byte stream. Examples are the
/// client's own connector, one that uses a proxy, and one of a simulated network.
///
/// # Examples
///
/// ```
/// use std::{future::Future, io, pin::Pin, task::{Context, Poll}};
///
/// use etcd_client_core::Client;
/// use etcd_client_core::transport::Target;
/// use tokio::net::TcpStream;
/// use tower_service::Service;
///
/// /// Reaches the member through a port forward.
/// #[derive(Clone)]
/// struct PortForward;
///
/// impl Service<Target> for PortForward {
///     type Response = TcpStream;
///     type Error = io::Error;
///     type Future = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;
///
///     fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
///         Poll::Ready(Ok(()))
///     }
///
///     fn call(&mut self, _target: Target) -> Self::Future {
///         Box::pin(TcpStream::connect("127.0.0.1:12379"))
///     }
/// }
///
/// let builder = Client::builder(["http://etcd-0.internal:2379"]).connector(PortForward);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Target {
    /// The member's endpoint.
    pub endpoint: Endpoint,
    /// The number of unfinished attempts to reach this endpoint. A connector that knows several addresses begins each
    /// attempt with a different one.
    pub attempt: usize,
}

/// A byte stream to a member.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Io for T {}

pub(crate) type BoxIo = Pin<Box<dyn Io>>;

/// An object-safe connector.
#[async_trait::async_trait]
pub(crate) trait Connect: Send + Sync {
    async fn connect(&self, target: Target) -> Result<BoxIo, BoxError>;
}

/// Adapts a tower service to [`Connect`].
pub(crate) struct ServiceConnector<S>(pub(crate) S);

#[async_trait::async_trait]
impl<S> Connect for ServiceConnector<S>
where
    S: Service<Target> + Clone + Send + Sync + 'static,
    S::Response: AsyncRead + AsyncWrite + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
{
    async fn connect(&self, target: Target) -> Result<BoxIo, BoxError> {
        // A clone per connection: `poll_ready` reserves capacity in the service that it is called on, so
        // attempts that run at the same time must not share one.
        let mut service = self.0.clone();
        poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
        let io = service.call(target).await.map_err(Into::into)?;
        Ok(Box::pin(io))
    }
}

/// A shared connector that implements `Debug`.
#[derive(Clone)]
pub(crate) struct SharedConnector(pub(crate) Arc<dyn Connect>);

impl fmt::Debug for SharedConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}
