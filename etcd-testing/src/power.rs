//! The power of a member: it runs, hangs or is stopped.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

/// The state of a member's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Power {
    Running,
    /// It neither reads nor writes, and keeps its connections.
    Paused,
    Stopped,
}

/// The power of a member, which tasks follow.
#[derive(Debug)]
pub(crate) struct Switch {
    /// The power, and the number of starts.
    state: watch::Sender<(Power, u64)>,
}

impl Switch {
    pub(crate) fn new() -> Self {
        Self { state: watch::Sender::new((Power::Running, 0)) }
    }

    pub(crate) fn pause(&self) {
        self.state.send_modify(|(power, _)| {
            if *power == Power::Running {
                *power = Power::Paused;
            }
        });
    }

    pub(crate) fn resume(&self) {
        self.state.send_modify(|(power, _)| {
            if *power == Power::Paused {
                *power = Power::Running;
            }
        });
    }

    pub(crate) fn stop(&self) {
        self.state.send_modify(|(power, _)| *power = Power::Stopped);
    }

    /// Starts the member again. What began before has ended.
    pub(crate) fn start(&self) {
        self.state.send_modify(|(power, starts)| {
            *power = Power::Running;
            *starts += 1;
        });
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.state.borrow().0 == Power::Stopped
    }

    /// Returns the present run, for a connection or a call that begins now.
    pub(crate) fn run(&self) -> Run {
        let state = self.state.subscribe();
        let started = state.borrow().1;
        Run { state, started }
    }
}

/// The run of a member during which a connection or a call began.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    state: watch::Receiver<(Power, u64)>,
    started: u64,
}

impl Run {
    /// Waits until the member is not paused.
    pub(crate) async fn unpaused(&mut self) {
        // An error is the end of the member, which `ended` reports.
        let _state = self.state.wait_for(|(power, _)| *power != Power::Paused).await;
    }

    /// Waits until the member is stopped.
    pub(crate) async fn ended(&mut self) {
        let started = self.started;
        let _state =
            self.state.wait_for(|(power, starts)| *power == Power::Stopped || *starts != started).await;
    }

    fn is_paused(&self) -> bool {
        self.state.borrow().0 == Power::Paused
    }
}

/// A connection that stands still while its member is paused, so that it does not even answer PINGs.
pub(crate) struct Gated<T> {
    io: T,
    run: Run,
    /// The end of the pause, for the reader and the writer.
    resumed: [Option<Pin<Box<dyn Future<Output = ()> + Send>>>; 2],
}

impl<T> Gated<T> {
    pub(crate) fn new(io: T, run: Run) -> Self {
        Self { io, run, resumed: [None, None] }
    }

    /// Waits for the end of a pause. Reader and writer have separate wakers.
    fn poll_unpaused(&mut self, side: usize, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(resumed) = &mut self.resumed[side] {
                ready!(resumed.as_mut().poll(cx));
                self.resumed[side] = None;
            }
            if !self.run.is_paused() {
                return Poll::Ready(());
            }
            let mut run = self.run.clone();
            self.resumed[side] = Some(Box::pin(async move { run.unpaused().await }));
        }
    }
}

const READER: usize = 0;
const WRITER: usize = 1;

impl<T: AsyncRead + Unpin> AsyncRead for Gated<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_unpaused(READER, cx));
        // A pause that begins while data is waited for holds the reader at its next poll.
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Gated<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_unpaused(WRITER, cx));
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unpaused(WRITER, cx));
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
