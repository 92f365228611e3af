//! HTTP/2 connections, and the tasks that serve them.

use std::future::Future;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tower_service::Service as _;

use crate::service::EtcdService;

/// The number of streams of a connection: etcd sets no limit since 3.5.5.
const MAX_STREAMS: u32 = u32::MAX;

/// The number of reset streams that a connection tolerates. A client that drops many calls is no attack here.
const MAX_RESETS: usize = 1 << 20;

/// A task that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Task(AbortHandle);

impl Task {
    pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task).abort_handle())
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves one connection until it ends.
pub(crate) async fn serve<T>(io: T, service: EtcdService)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handler = service_fn(move |request| {
        let mut service = service.clone();
        async move { service.call(request).await }
    });
    let mut server = http2::Builder::new(TokioExecutor::new());
    server
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_RESETS);
    // The client notices how its connection ended; there is nobody else to report it to.
    let _ended = server.serve_connection(TokioIo::new(io), handler).await;
}
