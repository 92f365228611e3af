//! The seam below HTTP/2: how a byte stream to a member is made.

use std::{fmt, future::poll_fn, pin::Pin, sync::Arc};

use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

use crate::model::Endpoint;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a connector is asked to reach.
///
/// A connector is any `tower_service::Service<Target>` whose response is a tokio byte stream: the client's own, one that goes
/// through a proxy, or one of a simulated network.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Target {
    /// The member's endpoint.
    pub endpoint: Endpoint,
    /// How many attempts to reach the endpoint are under way and have not been answered yet. A connector that knows several
    /// addresses of it begins with another one for each.
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

/// Any tower service as a [`Connect`].
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
        let mut service = self.0.clone();
        poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
        let io = service.call(target).await.map_err(Into::into)?;
        Ok(Box::pin(io))
    }
}

/// A shared connector that can be printed.
#[derive(Clone)]
pub(crate) struct SharedConnector(pub(crate) Arc<dyn Connect>);

impl fmt::Debug for SharedConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}
