//! A byte stream that remembers whether anything was read from it.
//!
//! HTTP/2 frames that no call waits for, a PONG among them, are signs of life too: so the bytes are watched, not the answers.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connector::BoxIo;

/// What was read from a stream, as its driver and its users need it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard(Arc<Record>);

#[derive(Debug, Default)]
struct Record {
    /// Whether something was read since the driver last asked.
    fresh: AtomicBool,
    /// When the driver last found that something was read, in the pool's milliseconds.
    at: AtomicU64,
}

impl Heard {
    /// Whether something was read since this was last called.
    pub(crate) fn take(&self) -> bool {
        self.0.fresh.load(Ordering::Relaxed) && self.0.fresh.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn set_at(&self, now: u64) {
        self.0.at.store(now, Ordering::Relaxed);
    }

    /// When something was last read, in the pool's milliseconds.
    pub(crate) fn at(&self) -> u64 {
        self.0.at.load(Ordering::Relaxed)
    }
}

/// The stream of a connection, watched.
pub(crate) struct Watched {
    io: BoxIo,
    heard: Heard,
}

impl Watched {
    pub(crate) fn new(io: BoxIo) -> (Self, Heard) {
        let heard = Heard::default();
        (Self { io, heard: heard.clone() }, heard)
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = self.io.as_mut().poll_read(cx, buf);
        if buf.filled().len() > before {
            self.heard.0.fresh.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.io.as_mut().poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io.as_mut().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.as_mut().poll_shutdown(cx)
    }
}
