//! What a lane is told by handles and by the hub.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::sync::{Notify, futures::Notified};

use super::entry::Entry;
use crate::mechanism::watch::Ticket;

/// What a lane is told.
#[derive(Debug)]
pub(super) enum Command {
    Add(Box<Entry>),
    /// Nobody reads it any more.
    Remove(Ticket),
    /// Its reader has caught up.
    Drained(Ticket),
    /// Somebody waits to hear how far it is.
    AskProgress(Ticket),
}

/// Commands for one lane. Each watch has a few of them at most, so that the number of watches bounds them.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    commands: Mutex<Commands>,
    told: Notify,
    /// Watches that the lane has, or is about to be given.
    pub(super) watches: AtomicUsize,
    /// The lane takes no more watches.
    pub(super) retired: AtomicBool,
}

#[derive(Debug, Default)]
struct Commands {
    waiting: Vec<Command>,
    closed: bool,
}

impl Inbox {
    fn commands(&self) -> MutexGuard<'_, Commands> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a command; one for a lane that has ended comes back.
    pub(super) fn push(&self, command: Command) -> Option<Command> {
        let mut commands = self.commands();
        if commands.closed {
            return Some(command);
        }
        commands.waiting.push(command);
        drop(commands);
        self.told.notify_one();
        None
    }

    pub(super) fn take(&self) -> Vec<Command> {
        std::mem::take(&mut self.commands().waiting)
    }

    /// Ends it where nothing is waiting: the lane is of no use any more.
    pub(super) fn close_if_idle(&self) -> bool {
        let mut commands = self.commands();
        commands.closed |= commands.waiting.is_empty();
        commands.closed
    }

    /// Ends it, with what was waiting.
    pub(super) fn close(&self) -> Vec<Command> {
        let mut commands = self.commands();
        commands.closed = true;
        std::mem::take(&mut commands.waiting)
    }

    /// Ends when there is something to take.
    pub(super) fn told(&self) -> Notified<'_> {
        self.told.notified()
    }

    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }
}
