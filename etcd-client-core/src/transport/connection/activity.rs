//! A byte stream that records when data was read and how much was written.
//!
//! Frames that no call waits for, such as a PONG, also show that the peer is alive, so liveness is derived from the
//! bytes read instead of the responses. The count of bytes written shows which requests were never sent: h2 reports a
//! lost connection in the same way whether or not it has written a request.

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

use crate::transport::connect::BoxIo;

/// The activity of a stream, shared by its driver and its users.
#[derive(Clone, Debug, Default)]
pub(crate) struct Activity(Arc<Record>);

#[derive(Debug, Default)]
struct Record {
    /// Set when data was read since the driver last checked.
    fresh: AtomicBool,
    /// The time of the last check that found new data, in the pool's milliseconds.
    at: AtomicU64,
    /// The number of bytes written.
    written: AtomicU64,
    /// Set once no further byte may be written.
    sealed: AtomicBool,
    /// Set when the next write must wait until the runtime has polled the socket.
    wary: AtomicBool,
}

/// The time without data, in milliseconds, after which the end of the connection may have gone unnoticed: the runtime
/// was not polled, or a load balancer closed the idle connection.
const IDLE: u64 = 100;

/// The number of bytes written before a request was queued.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(u64);

impl Activity {
    /// Returns `true` if data was read since the last call.
    pub(crate) fn take(&self) -> bool {
        // The plain load avoids a read-modify-write at every poll of the driver.
        self.0.fresh.load(Ordering::Relaxed) && self.0.fresh.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn set_at(&self, now: u64) {
        self.0.at.store(now, Ordering::Relaxed);
    }

    /// Marks the current position. Must be called before a request is queued.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.0.written.load(Ordering::Relaxed))
    }

    /// Returns `true` if nothing was written since `mark`, and nothing will be.
    pub(crate) fn is_unwritten_since(&self, mark: Mark) -> bool {
        // `Acquire` pairs with `Release` in `seal`: once `sealed` is visible, so is the final count of
        // written bytes. Without the seal, an unchanged count would only mean that nothing was written yet.
        self.0.sealed.load(Ordering::Acquire) && self.0.written.load(Ordering::Relaxed) == mark.0
    }

    /// Drops all later writes, so that unwritten requests stay unwritten.
    pub(crate) fn seal(&self) {
        self.0.sealed.store(true, Ordering::Release);
    }

    /// Records that a call picked the connection at `now`. After idleness, a close that has already arrived is read
    /// before the request is written; otherwise the outcome of that request would be unknown.
    pub(crate) fn used(&self, now: u64) {
        if now > self.at() + IDLE {
            self.0.wary.store(true, Ordering::Relaxed);
        }
    }

    /// Returns the time of the last read, in the pool's milliseconds.
    pub(crate) fn at(&self) -> u64 {
        self.0.at.load(Ordering::Relaxed)
    }
}

/// The byte stream of a connection, with its activity recorded.
pub(crate) struct RecordedIo {
    io: BoxIo,
    activity: Activity,
}

impl RecordedIo {
    pub(crate) fn new(io: BoxIo) -> (Self, Activity) {
        let activity = Activity::default();
        (Self { io, activity: activity.clone() }, activity)
    }
}

impl RecordedIo {
    /// Returns `true` once a write may proceed, or `false` if its bytes must be dropped.
    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let record = &self.activity.0;
        if record.sealed.load(Ordering::Relaxed) {
            return Poll::Ready(false);
        }
        if record.wary.load(Ordering::Relaxed) && record.wary.swap(false, Ordering::Relaxed) {
            // `yield_now` wakes this task only after the runtime has polled its sockets. h2 reads before it
            // writes, so a close that has arrived by then is found before the request is written.
            let _ = pin!(tokio::task::yield_now()).poll(cx);
            return Poll::Pending;
        }
        Poll::Ready(true)
    }

    fn count(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            // Only the driver's task writes, so a load and a store suffice.
            Poll::Ready(Ok(bytes)) => {
                let before = self.activity.0.written.load(Ordering::Relaxed);
                self.activity.0.written.store(before + *bytes as u64, Ordering::Relaxed);
            }
            // The stream is broken: nothing more will be written.
            Poll::Ready(Err(_)) => self.activity.seal(),
            Poll::Pending => {}
        }
        written
    }
}

impl AsyncRead for RecordedIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = self.io.as_mut().poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.0.fresh.store(true, Ordering::Relaxed);
        } else if matches!(result, Poll::Ready(Err(_)))
            || (matches!(result, Poll::Ready(Ok(()))) && buf.remaining() > 0)
        {
            // End of stream: no response can follow, so sending the queued requests would only make their
            // outcome unknown.
            self.activity.seal();
        }
        result
    }
}

impl AsyncWrite for RecordedIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if !ready!(self.poll_writable(cx)) {
            // Dropped, but reported as written: an error here would replace the reason why the stream was sealed.
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
