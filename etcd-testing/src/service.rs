//! A member as a tower service: the services of etcd, behind the power and the faults of the member.

use std::fmt;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as HttpBody;
use tokio::sync::Notify;
use tokio::time::sleep;
use tonic::body::Body;
use tonic::service::Routes;
use tower_service::Service;

use crate::fault::Fault;
use crate::method::Method;
use crate::services::Services;
use crate::shared::Shared;

/// All gRPC services of a member as one [`tower_service::Service`], for clients that need no connection.
///
/// Calls through it use no socket, so they work while the clock of the runtime is paused. It can be used with
/// `Client::over_service` of etcd-client-core, and with stubs of tonic:
///
/// ```
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
    shared: Arc<Shared>,
}

impl fmt::Debug for EtcdService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdService").finish_non_exhaustive()
    }
}

/// The error of a call whose connection was lost: the member was stopped, or a fault closed the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionLost;

impl fmt::Display for ConnectionLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection lost")
    }
}

impl std::error::Error for ConnectionLost {}

/// The connection of a request, which a fault can close.
#[derive(Debug, Clone, Default)]
pub(crate) struct Severable(Arc<Notify>);

impl Severable {
    fn sever(&self) {
        self.0.notify_one();
    }

    /// Waits until a fault closes the connection.
    pub(crate) async fn severed(&self) {
        self.0.notified().await;
    }
}

type Answer = Result<Response<Body>, ConnectionLost>;

impl EtcdService {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { routes: Services::routes(Arc::clone(&shared)).prepare(), shared }
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Executes a call, unless a fault happens to it.
    async fn answer<B>(&mut self, request: Request<B>) -> Answer
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let fault = Method::from_path(request.uri().path()).and_then(|method| self.shared.next_fault(method));
        let connection = request.extensions().get::<Severable>().cloned();
        match fault {
            None => self.execute(request).await,
            Some(Fault::Refuse(status)) => Ok(status.into_http()),
            Some(Fault::Misreport(status)) => self.execute(request).await.map(|_| status.into_http()),
            Some(Fault::LoseRequest) => lose(connection).await,
            Some(Fault::LoseAnswer) => {
                drop(self.execute(request).await);
                lose(connection).await
            }
            Some(Fault::Hang) => pending().await,
            Some(Fault::ApplyAndHang) => {
                let _unsent = self.execute(request).await;
                pending().await
            }
            Some(Fault::Delay(time)) => {
                sleep(time).await;
                self.execute(request).await
            }
            Some(Fault::DelayAnswer(time)) => {
                let response = self.execute(request).await;
                sleep(time).await;
                response
            }
        }
    }

    async fn execute<B>(&mut self, request: Request<B>) -> Answer
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.routes.call(request).await.map_err(|never| match never {})
    }
}

/// Closes the connection of a call. A call without one fails at once.
async fn lose(connection: Option<Severable>) -> Answer {
    let Some(connection) = connection else { return Err(ConnectionLost) };
    connection.sever();
    // The connection ends this call.
    pending().await
}

impl<B> Service<Request<B>> for EtcdService
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = ConnectionLost;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectionLost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut service = self.clone();
        let mut run = self.shared.power().run();
        Box::pin(async move {
            let mut ending = run.clone();
            let answer = async move {
                run.unpaused().await;
                let answer = service.answer(request).await;
                run.unpaused().await;
                answer
            };
            tokio::select! {
                biased;
                () = ending.ended() => Err(ConnectionLost),
                answer = answer => answer,
            }
        })
    }
}
