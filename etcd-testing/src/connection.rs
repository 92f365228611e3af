//! HTTP/2 connections, and the tasks that serve them.

use std::future::{Future, Ready, ready};
use std::task::{Context, Poll};

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::task::JoinHandle;
use tower_service::Service;

use crate::power::Gated;
use crate::service::{ConnectionLost, EtcdService, Severable};

/// The number of streams of a connection: etcd sets no limit since 3.5.5.
const MAX_STREAMS: u32 = u32::MAX;

/// The number of reset streams that a connection tolerates. A client that drops many calls is no attack here.
const MAX_RESETS: usize = 1 << 20;

/// A task that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Task(JoinHandle<()>);

impl Task {
    pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task))
    }

    /// Ends the task, and waits until everything that it owns is dropped.
    pub(crate) async fn end(mut self) {
        self.0.abort();
        // A task that was aborted ends with an error.
        let _aborted = (&mut self.0).await;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The bytes in flight on a connection in memory, per direction.
const IN_FLIGHT: usize = 64 * 1024;

/// Opens a connection in memory.
pub(crate) fn in_memory(service: EtcdService) -> DuplexStream {
    let (client, member) = tokio::io::duplex(IN_FLIGHT);
    tokio::spawn(serve(member, service));
    client
}

/// A [`tower_service::Service`] that opens connections in memory to a member, for clients with a connector of their own.
///
/// It ignores the address. While the member is stopped, it fails.
#[derive(Debug, Clone)]
pub struct Connector {
    service: EtcdService,
}

impl Connector {
    pub(crate) const fn new(service: EtcdService) -> Self {
        Self { service }
    }
}

impl<T> Service<T> for Connector {
    type Response = DuplexStream;
    type Error = ConnectionLost;
    type Future = Ready<Result<DuplexStream, ConnectionLost>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectionLost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _address: T) -> Self::Future {
        let refused = self.service.shared().power().is_stopped();
        ready(if refused { Err(ConnectionLost) } else { Ok(in_memory(self.service.clone())) })
    }
}

/// Serves one connection until it ends.
pub(crate) async fn serve<T>(io: T, service: EtcdService)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut run = service.shared().power().run();
    let gated = Gated::new(io, run.clone());
    let severable = Severable::default();
    let connection = severable.clone();
    let handler = service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(severable.clone());
        let mut service = service.clone();
        async move { service.call(request).await }
    });
    let mut server = http2::Builder::new(TokioExecutor::new());
    server
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_RESETS);
    tokio::select! {
        biased;
        () = run.ended() => {}
        () = connection.severed() => {}
        // The client sees how its connection ended.
        _ended = server.serve_connection(TokioIo::new(gated), handler) => {}
    }
}
