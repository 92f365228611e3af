//! A scripted server in memory, for tests under virtual time, and links to it that can go silent.

use std::{
    future::{Ready, ready},
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use etcd_client_core::{Client, ClientBuilder, transport::Target};
use etcd_testkit::scripted::{Answer, Call, Server, Step, reply};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tower_service::Service;

use crate::hostile::rig::{PUT, RANGE_STREAM, Rpc};

/// Dials the server in memory. Clones dial the same server.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) server: Arc<Server>,
    silent: Arc<AtomicBool>,
}

impl Link {
    pub(crate) fn to(server: Server) -> Self {
        Self { server: Arc::new(server), silent: Arc::default() }
    }

    /// Settings of a client that reaches the server.
    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder(["http://localhost:1"]).connector(self.clone())
    }

    /// Nothing arrives at the client from now on, on any connection.
    pub(crate) fn fall_silent(&self) {
        self.silent.store(true, Ordering::Relaxed);
    }
}

impl Service<Target> for Link {
    type Response = Silenced;
    type Error = io::Error;
    type Future = Ready<io::Result<Silenced>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _target: Target) -> Self::Future {
        ready(Ok(Silenced { io: self.server.connect(), silent: Arc::clone(&self.silent) }))
    }
}

/// A stream from which nothing is read once its link is silent.
#[derive(Debug)]
pub(crate) struct Silenced {
    io: DuplexStream,
    silent: Arc<AtomicBool>,
}

impl AsyncRead for Silenced {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.silent.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Silenced {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Answers gets and puts after this time.
pub(crate) fn answer_after(latency: Duration) -> impl Fn(&Call) -> Answer + Clone + Send + Sync + 'static {
    move |call: &Call| {
        let right = match call.path.as_str() {
            PUT => Rpc::Put.right(),
            RANGE_STREAM => Rpc::RangeStream.right(),
            _ => Rpc::Get.right(),
        };
        let mut steps = reply::message(right);
        steps.insert(1, Step::Sleep(latency));
        steps
    }
}
