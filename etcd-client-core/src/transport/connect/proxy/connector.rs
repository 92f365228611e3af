//! The connector of a client with a proxy.

use crate::transport::connect::{
    connector::{BoxError, BoxIo, Connect, SharedConnector, Target},
    proxy::{HttpProxy, tunnel},
};

/// Opens a tunnel through the proxy, or connects directly to members that are excepted. The inner connector dials the
/// proxy.
///
/// The connection timeout covers all of it.
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
