//! Waiting for room on connections that have as many calls as their peers allow.

use tokio::sync::{Notify, futures::Notified};

use crate::mechanism::waiters::Waiters;

/// Where calls wait for room.
#[derive(Debug)]
pub(crate) struct Room {
    waiters: Waiters,
    told: Notify,
}

/// A call's place among those that wait.
#[derive(Debug)]
pub(crate) struct Place<'a>(&'a Room);

impl Room {
    pub(crate) fn new() -> Self {
        Self { waiters: Waiters::none(), told: Notify::new() }
    }

    /// To be called before the look for room that decides whether to wait.
    pub(crate) fn enter(&self) -> Place<'_> {
        self.waiters.enter();
        Place(self)
    }

    /// A call has left a connection. All that wait look again: what was left may be of use to some of them only.
    pub(crate) fn tell(&self) {
        if self.waiters.any() {
            self.told.notify_waiters();
        }
    }
}

impl Place<'_> {
    /// Ends at the first word after this was called, polled or not.
    pub(crate) fn word(&self) -> Notified<'_> {
        self.0.told.notified()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiters.leave();
    }
}
