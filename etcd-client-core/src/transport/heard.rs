//! A byte stream that records what was read from it and how much was written to it.
//!
//! HTTP/2 frames that no call waits for, a PONG among them, are signs of life too: so the bytes are watched, not the answers.
//! The bytes written show which requests never left: h2 reports a lost connection in the same way whether or not it had
//! written a request.

use std::{
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
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
    /// Bytes that the stream took.
    written: AtomicU64,
    /// Whether no byte is written any more.
    sealed: AtomicBool,
    /// Whether the next write waits until the runtime has looked at the socket.
    wary: AtomicBool,
}

/// How long nothing was read, in milliseconds, until the end of the connection may have gone unnoticed: by a runtime that was
/// not polled, or at the idle timeout of a load balancer.
const IDLE: u64 = 100;

/// How much was written before a request was queued.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(u64);

impl Heard {
    /// Whether something was read since this was last called.
    pub(crate) fn take(&self) -> bool {
        self.0.fresh.load(Ordering::Relaxed) && self.0.fresh.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn set_at(&self, now: u64) {
        self.0.at.store(now, Ordering::Relaxed);
    }

    /// To be called before a request is queued.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.0.written.load(Ordering::Relaxed))
    }

    /// Whether it is certain that nothing was written since `mark`, and nothing will be.
    pub(crate) fn is_silent_since(&self, mark: Mark) -> bool {
        self.0.sealed.load(Ordering::Acquire) && self.0.written.load(Ordering::Relaxed) == mark.0
    }

    /// Drops every later write, so that what was not written stays so.
    pub(crate) fn seal(&self) {
        self.0.sealed.store(true, Ordering::Release);
    }

    /// A call picked the connection at `now`: after idleness an end that has arrived is to be read before its request is written.
    pub(crate) fn used(&self, now: u64) {
        if now > self.at() + IDLE {
            self.0.wary.store(true, Ordering::Relaxed);
        }
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

impl Watched {
    /// Whether a write goes ahead, once that is known; without, its bytes are dropped.
    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let record = &self.heard.0;
        if record.sealed.load(Ordering::Relaxed) {
            return Poll::Ready(false);
        }
        if record.wary.load(Ordering::Relaxed) && record.wary.swap(false, Ordering::Relaxed) {
            // Wakes this task only after the runtime has polled its sockets. h2 reads before it writes, so that an end which
            // has arrived meanwhile is found first.
            let _ = pin!(tokio::task::yield_now()).poll(cx);
            return Poll::Pending;
        }
        Poll::Ready(true)
    }

    fn count(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            // Only the driver's task writes.
            Poll::Ready(Ok(bytes)) => {
                let before = self.heard.0.written.load(Ordering::Relaxed);
                self.heard.0.written.store(before + *bytes as u64, Ordering::Relaxed);
            }
            Poll::Ready(Err(_)) => self.heard.seal(),
            Poll::Pending => {}
        }
        written
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
        } else if matches!(result, Poll::Ready(Err(_)))
            || (matches!(result, Poll::Ready(Ok(()))) && buf.remaining() > 0)
        {
            // No answer can come after this: what is still to be written would be sent for nothing.
            self.heard.seal();
        }
        result
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if !ready!(self.poll_writable(cx)) {
            return Poll::Ready(Ok(buf.len()));
        }
        let written = self.io.as_mut().poll_write(cx, buf);
        self.count(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !ready!(self.poll_writable(cx)) {
            return Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()));
        }
        let written = self.io.as_mut().poll_write_vectored(cx, bufs);
        self.count(written)
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
