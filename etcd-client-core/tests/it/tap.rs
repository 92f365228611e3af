//! A connector over TCP that counts what is written, and ends connections after so many bytes of answers.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use etcd_client_core::{transport::Target, types::Address};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tower_service::Service;

use crate::servers::eventually;

/// Larger than everything else that is written meanwhile, smaller than any window.
const PAYLOAD: usize = 10_000;

/// A key or value that makes its request so large that [`Tap::wrote`] knows it was written.
pub(crate) fn payload() -> Vec<u8> {
    vec![b'p'; PAYLOAD]
}

/// Shared by all connections that it makes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tap {
    written: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
    /// The most bytes a connection gives to read before it is reset; 0 for all.
    most_read: usize,
}

impl Tap {
    /// Resets each connection after up to `bytes` read bytes.
    pub(crate) fn resetting_after(bytes: usize) -> Self {
        Self { most_read: bytes, ..Self::default() }
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// How many connections and clones of this there are.
    pub(crate) fn handles(&self) -> usize {
        Arc::strong_count(&self.written)
    }

    /// How many bytes were written.
    pub(crate) fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }

    /// Waits until `requests` with a [`payload`] each were written since `before`.
    pub(crate) async fn wrote(&self, before: usize, requests: usize) {
        let bytes = requests * PAYLOAD;
        eventually("the request is written", async || self.written() >= before + bytes).await;
    }
}

impl Service<Target> for Tap {
    type Response = Tapped;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Tapped>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let tap = self.clone();
        Box::pin(async move {
            let Address::Tcp { host, port } = target.endpoint.address() else {
                return Err(io::Error::other("this connector dials TCP only"));
            };
            let stream = TcpStream::connect((&**host, *port)).await?;
            stream.set_nodelay(true)?;
            tap.connections.fetch_add(1, Ordering::Relaxed);
            let left = match tap.most_read {
                0 => usize::MAX,
                most => fastrand::usize(most / 2..=most),
            };
            Ok(Tapped { stream, tap, left })
        })
    }
}

/// One connection of a [`Tap`].
#[derive(Debug)]
pub(crate) struct Tapped {
    stream: TcpStream,
    tap: Tap,
    left: usize,
}

impl AsyncRead for Tapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let read = buf.filled().len() - before;
        self.left = self.left.saturating_sub(read);
        if self.left == 0 {
            // What came last is lost with the connection.
            buf.set_filled(before);
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.tap.written.fetch_add(written, Ordering::Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
