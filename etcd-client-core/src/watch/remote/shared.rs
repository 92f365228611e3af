//! The state of a watch that its handle and its stream task share.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use etcd_errors::Error;
use futures_core::Stream;
use tokio::sync::{oneshot, watch};

use crate::{
    types::Revision,
    watch::{
        Watch, WatchCounters, WatchResponse, WatchStatus,
        remote::{
            buffer::{Buffer, Taken},
            commands::{Command, CommandQueue},
        },
        state::{Ticket, position::Position},
    },
};

/// A waiter for a revision up to which everything was delivered.
type Asker = oneshot::Sender<Result<Revision, Error>>;

/// The shared state of one watch.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) ticket: Ticket,
    pub(crate) spec: Watch,
    state: Mutex<State>,
    status: watch::Sender<WatchStatus>,
    pub(crate) counters: Counters,
    /// The first revision that was not delivered.
    next: AtomicI64,
    /// Set when the reader was dropped.
    gone: AtomicBool,
}

#[derive(Debug)]
struct State {
    buffer: Buffer,
    /// The queue of the stream task that currently owns the watch.
    task: Arc<CommandQueue>,
    askers: Vec<Asker>,
    /// The last error before the watch was created.
    last_error: Option<Error>,
}

/// The counters of a watch.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) resumed: AtomicU64,
    pub(crate) paused: AtomicU64,
    pub(crate) coalesced: AtomicU64,
    pub(crate) repeated: AtomicU64,
    pub(crate) resynced: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, count: u64) {
        if count > 0 {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(crate) fn read(&self) -> WatchCounters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        WatchCounters {
            resumed: read(&self.resumed),
            paused: read(&self.paused),
            coalesced: read(&self.coalesced),
            repeated: read(&self.repeated),
            resynced: read(&self.resynced),
        }
    }
}

impl Shared {
    pub(crate) fn new(ticket: Ticket, spec: Watch, task: Arc<CommandQueue>) -> Self {
        let buffer = Buffer::new(spec.buffer_bytes);
        let next = AtomicI64::new(spec.start_revision.get());
        Self {
            ticket,
            spec,
            state: Mutex::new(State { buffer, task, askers: Vec::new(), last_error: None }),
            status: watch::Sender::new(WatchStatus::Creating),
            counters: Counters::default(),
            next,
            gone: AtomicBool::new(false),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Poisoning is ignored: a panic elsewhere cannot leave the state half-updated.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn with_buffer<T>(&self, work: impl FnOnce(&mut Buffer) -> T) -> T {
        work(&mut self.state().buffer)
    }

    /// Records that another stream task owns the watch from now on.
    pub(crate) fn move_to(&self, task: &Arc<CommandQueue>) {
        self.state().task = Arc::clone(task);
    }

    pub(crate) fn send(&self, command: Command) {
        let task = Arc::clone(&self.state().task);
        task.push(command);
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Ends the watch once. The reader still gets the buffered responses, then the error.
    pub(crate) fn end(&self, error: Option<Error>) {
        let askers = {
            let mut state = self.state();
            if !state.buffer.end(error.clone()) {
                return;
            }
            std::mem::take(&mut state.askers)
        };
        for asker in askers {
            let _ = asker.send(Err(error.clone().unwrap_or_else(cancelled)));
        }
        self.status.send_replace(WatchStatus::Ended { error });
    }

    pub(crate) fn set_status(&self, status: WatchStatus) {
        // The end is final: a stream task may still report a state while the reader is being dropped.
        self.status.send_if_modified(|now| {
            let over = matches!(now, WatchStatus::Ended { .. });
            if !over {
                *now = status;
            }
            !over
        });
    }

    pub(crate) fn status(&self) -> watch::Receiver<WatchStatus> {
        self.status.subscribe()
    }

    pub(crate) fn set_last_error(&self, error: &Error) {
        self.state().last_error = Some(error.clone());
    }

    /// Takes the last error before the creation.
    pub(crate) fn last_error(&self) -> Option<Error> {
        self.state().last_error.take()
    }

    /// Records the position of the watch.
    pub(crate) fn reached(&self, position: Position) {
        self.next.fetch_max(position.next(), Ordering::AcqRel);
    }

    /// Returns the first revision that was not delivered to the handle.
    pub(crate) fn next(&self) -> i64 {
        self.next.load(Ordering::Acquire)
    }

    /// Registers a waiter for the next progress report.
    pub(crate) fn ask(&self) -> oneshot::Receiver<Result<Revision, Error>> {
        let (asker, answer) = oneshot::channel();
        let mut state = self.state();
        if let Some(end) = state.buffer.ended() {
            let error = end.clone().unwrap_or_else(cancelled);
            drop(state);
            let _ = asker.send(Err(error));
            return answer;
        }
        // Waiters that have given up are removed here, so that they do not accumulate.
        state.askers.retain(|asker| !asker.is_closed());
        state.askers.push(asker);
        answer
    }

    /// Sends the answer to all waiters.
    pub(crate) fn answer(&self, answer: &Result<Revision, Error>) {
        let askers = std::mem::take(&mut self.state().askers);
        for asker in askers {
            let _ = asker.send(answer.clone());
        }
    }
}

fn cancelled() -> Error {
    Error::new(etcd_errors::ErrorKind::Closed, "the watch has ended")
}

/// The reader's side of a watch. Dropping it cancels the watch.
#[derive(Debug)]
pub(crate) struct Reader(pub(crate) Arc<Shared>);

impl Stream for Reader {
    type Item = Result<WatchResponse, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let shared = &self.0;
        let (taken, go_on) = ready!(shared.with_buffer(|buffer| buffer.poll(cx)));
        if go_on {
            shared.send(Command::Drained(shared.ticket));
        }
        Poll::Ready(match taken {
            Taken::Response(response) => Some(Ok(response)),
            Taken::End(error) => error.map(Err),
        })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Set first: a watch that is moving between tasks misses the command below, and its next task checks
        // this flag.
        self.0.gone.store(true, Ordering::Release);
        self.0.end(None);
        self.0.send(Command::Remove(self.0.ticket));
    }
}
