//! The connector of a client with a proxy: a tunnel through it, or the way around it.

use super::{HttpProxy, tunnel};
use crate::transport::connector::{BoxError, BoxIo, Connect, SharedConnector, Target};

/// Asks the proxy for a tunnel to each member that is not excepted; the proxy itself is dialled by the inner connector.
///
/// The time that all of this may take is the connection's.
#[derive(Debug)]
pub(crate) struct ProxyConnector {
    proxy: HttpProxy,
    inner: SharedConnector,
}

impl ProxyConnector {
    pub(crate) fn new(proxy: HttpProxy, inner: SharedConnector) -> Self {
        Self { proxy, inner }
    }
}

#[async_trait::async_trait]
impl Connect for ProxyConnector {
    async fn connect(&self, target: Target) -> Result<BoxIo, BoxError> {
        let Some(via) = self.proxy.to(&target.endpoint) else { return self.inner.0.connect(target).await };
        let proxy = Target { endpoint: via.endpoint.clone(), attempt: target.attempt };
        let io = self
            .inner
            .0
            .connect(proxy)
            .await
            .map_err(|source| tunnel::ProxyError::Unreachable { proxy: via.name().into(), source })?;
        Ok(tunnel::open(io, via, target.endpoint.authority()).await?)
    }
}
