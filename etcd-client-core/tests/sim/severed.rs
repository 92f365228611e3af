//! A connector whose connections can be cut without anybody being told, while new ones work: a NAT or a tunnel that forgot them.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use etcd_client_core::transport::Target;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower_service::Service;
use turmoil::net::TcpStream;

use crate::world::Simulated;

/// Dials inside of the simulation; counts connections from 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct Severable(Arc<Cut>);

#[derive(Debug, Default)]
struct Cut {
    made: AtomicUsize,
    /// Connections before this one are cut.
    before: AtomicUsize,
}

impl Severable {
    /// How many connections were made.
    pub(crate) fn made(&self) -> usize {
        self.0.made.load(Ordering::Relaxed)
    }

    /// Swallows from now on what goes over the connections that were made so far.
    pub(crate) fn sever(&self) {
        self.0.before.store(self.made(), Ordering::Relaxed);
    }
}

impl Service<Target> for Severable {
    type Response = Link;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Link>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let cut = Arc::clone(&self.0);
        let connecting = Simulated.call(target);
        Box::pin(async move {
            let io = connecting.await?;
            let number = cut.made.fetch_add(1, Ordering::Relaxed);
            Ok(Link { io, number, cut })
        })
    }
}

/// One connection.
pub(crate) struct Link {
    io: TcpStream,
    number: usize,
    cut: Arc<Cut>,
}

impl Link {
    fn is_severed(&self) -> bool {
        self.number < self.cut.before.load(Ordering::Relaxed)
    }
}

impl AsyncRead for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_severed() { Poll::Pending } else { Pin::new(&mut self.io).poll_read(cx, buf) }
    }
}

impl AsyncWrite for Link {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_severed() {
            Poll::Ready(Ok(buf.len()))
        } else {
            Pin::new(&mut self.io).poll_write(cx, buf)
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
