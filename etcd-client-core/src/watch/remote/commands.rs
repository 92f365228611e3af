//! Commands from the handles and the hub to a stream task.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::sync::{Notify, futures::Notified};

use crate::watch::{remote::subscription::Subscription, state::Ticket};

/// A command to a stream task.
#[derive(Debug)]
pub(crate) enum Command {
    Add(Box<Subscription>),
    /// The reader was dropped.
    Remove(Ticket),
    /// The reader has caught up.
    Drained(Ticket),
    /// A handle waits for the progress of its watch.
    AskProgress(Ticket),
}

/// The queued commands of one stream task. Each watch has a few at most, so the number of watches bounds the queue.
#[derive(Debug, Default)]
pub(crate) struct CommandQueue {
    queued: Mutex<Queued>,
    notified: Notify,
    /// The number of watches that the task has or is about to receive.
    pub(crate) watches: AtomicUsize,
    /// Set when the task accepts no more watches.
    pub(crate) retired: AtomicBool,
}

#[derive(Debug, Default)]
struct Queued {
    waiting: Vec<Command>,
    closed: bool,
}

impl CommandQueue {
    fn queued(&self) -> MutexGuard<'_, Queued> {
        self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a command. Returns it if the task has ended.
    pub(crate) fn push(&self, command: Command) -> Option<Command> {
        let mut queued = self.queued();
        if queued.closed {
            return Some(command);
        }
        queued.waiting.push(command);
        drop(queued);
        // Stores a permit: a command that is queued while the task is busy still wakes it.
        self.notified.notify_one();
        None
    }

    pub(crate) fn take(&self) -> Vec<Command> {
        std::mem::take(&mut self.queued().waiting)
    }

    /// Closes the queue if it is empty, because the stream task is about to end. A command that was queued first
    /// keeps it open: the check and the closing share one lock.
    pub(crate) fn close_if_idle(&self) -> bool {
        let mut queued = self.queued();
        queued.closed |= queued.waiting.is_empty();
        queued.closed
    }

    /// Closes the queue and returns the queued commands.
    pub(crate) fn close(&self) -> Vec<Command> {
        let mut queued = self.queued();
        queued.closed = true;
        std::mem::take(&mut queued.waiting)
    }

    /// Waits until a command is queued.
    pub(crate) fn notified(&self) -> Notified<'_> {
        self.notified.notified()
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }
}
