//! A byte stream below h2 that can insert frames between those of h2.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{frame, ledger::Ledger};

const FRAME_HEADER: usize = 9;

/// h2 waits while more than this is not written yet.
const HIGH_WATER: usize = 256 * 1024;

/// Puts frames onto the wire.
#[derive(Clone, Debug, Default)]
pub(super) struct Injector {
    queue: Arc<Mutex<Queue>>,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    /// The replacement for the next SETTINGS frame of h2.
    settings: Option<Bytes>,
    connection: Option<Waker>,
}

impl Injector {
    /// Sends `frame` as soon as h2 is between two frames.
    pub(super) fn inject(&self, frame: Bytes) {
        let waker = {
            let mut queue = self.queue();
            queue.frames.push_back(frame);
            queue.connection.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Has h2's next SETTINGS frame say this instead.
    pub(super) fn rewrite_settings(&self, setting: Bytes) {
        self.queue().settings = Some(setting);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stream that h2 reads from and writes to.
#[derive(Debug)]
pub(super) struct Wire<T> {
    io: T,
    injector: Injector,
    ledger: Ledger,
    /// The bytes to write.
    out: BytesMut,
    /// The header of h2's frame under way, and how much of it is there.
    header: [u8; FRAME_HEADER],
    have: usize,
    /// The number of missing payload bytes of the current frame of h2.
    left: usize,
    /// Set if that payload was replaced.
    replaced: bool,
}

impl<T: AsyncWrite + Unpin> Wire<T> {
    pub(super) fn new(io: T, injector: Injector, ledger: Ledger) -> Self {
        Self {
            io,
            injector,
            ledger,
            out: BytesMut::new(),
            header: [0; FRAME_HEADER],
            have: 0,
            left: 0,
            replaced: false,
        }
    }

    fn put(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.put_injected();
            let wanted = if self.have < FRAME_HEADER { FRAME_HEADER - self.have } else { self.left };
            let (now, rest) = bytes.split_at(wanted.min(bytes.len()));
            if !(self.replaced && self.have == FRAME_HEADER) {
                self.out.extend_from_slice(now);
            }
            if self.have < FRAME_HEADER {
                self.header[self.have..self.have + now.len()].copy_from_slice(now);
                self.have += now.len();
                if self.have == FRAME_HEADER {
                    self.begin_payload();
                }
            } else {
                self.left -= now.len();
            }
            if self.have == FRAME_HEADER && self.left == 0 {
                self.have = 0;
            }
            bytes = rest;
        }
    }

    fn begin_payload(&mut self) {
        let [a, b, c, kind, flags, ..] = self.header;
        self.left = u32::from_be_bytes([0, a, b, c]) as usize;
        self.replaced = false;
        if kind == frame::SETTINGS && flags == 0 {
            let setting = self.injector.queue().settings.take();
            if let Some(setting) = setting {
                // h2 hands over headers whole, so the one that was just taken is still there.
                self.out.truncate(self.out.len() - FRAME_HEADER);
                self.out.extend_from_slice(&frame::http2(frame::SETTINGS, 0, 0, &setting));
                self.replaced = true;
            }
        }
        if kind == frame::RST_STREAM {
            self.ledger.reset();
        }
    }

    fn put_injected(&mut self) {
        if self.have == 0 {
            let mut queue = self.injector.queue();
            for frame in queue.frames.drain(..) {
                self.out.extend_from_slice(&frame);
            }
        }
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, &self.out))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // h2 reads when it is polled, so an injected frame wakes the task that polls it.
        self.injector.queue().connection = Some(cx.waker().clone());
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Wire<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.out.len() > HIGH_WATER {
            ready!(self.poll_drain(cx))?;
        }
        self.put(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.put_injected();
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
