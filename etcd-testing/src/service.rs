//! A member as a tower service.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as HttpBody;
use tonic::body::Body;
use tonic::service::Routes;
use tower_service::Service;

use crate::services::Services;
use crate::shared::Shared;

/// All gRPC services of a member as one [`tower_service::Service`], for clients that need no connection.
///
/// Calls through it use no socket, so they work while the clock of the runtime is paused. It can be used with
/// `Client::over_service` of etcd-client-core, and with any tonic stub:
///
/// ```
/// use etcd_proto::etcdserverpb::PutRequest;
/// # use etcd_proto::etcdserverpb::kv_server::Kv as _;
/// use etcd_testing::Etcd;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let etcd = Etcd::builder().without_listener().start().await?;
/// let client = etcd_client_core::Client::over_service(etcd.service())?;
/// client.put("greeting", "hello").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct EtcdService {
    routes: Routes,
}

impl fmt::Debug for EtcdService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdService").finish_non_exhaustive()
    }
}

impl EtcdService {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { routes: Services::routes(shared).prepare() }
    }
}

impl<B> Service<Request<B>> for EtcdService
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(self.routes.call(request))
    }
}
