//! A request to a connection's driver: find out now whether the peer lives. And one of the driver's: find out on the others.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering, fence},
    },
    task::Waker,
};

use tokio::sync::Notify;

/// Shared by a connection and its driver.
#[derive(Debug, Default)]
pub(crate) struct Check {
    wanted: AtomicBool,
    /// The driver is a task of its own, whose waker never changes: it is registered by its first poll.
    driver: OnceLock<Waker>,
    /// Whether the other connections to the peer are to be checked.
    others: Notify,
}

impl Check {
    /// Has the driver send a probe at once.
    pub(crate) fn ask(&self) {
        if self.wanted.swap(true, Ordering::AcqRel) {
            return;
        }
        // Either this finds the waker, or the first poll finds the request.
        fence(Ordering::SeqCst);
        if let Some(driver) = self.driver.get() {
            driver.wake_by_ref();
        }
    }

    /// Whether it was asked for since the last time. Wakes the driver when it is.
    pub(super) fn take(&self, driver: &Waker) -> bool {
        if self.driver.get().is_none() {
            let _ = self.driver.set(driver.clone());
            fence(Ordering::SeqCst);
        }
        self.wanted.load(Ordering::Relaxed) && self.wanted.swap(false, Ordering::AcqRel)
    }

    /// Calls wait on this connection in silence.
    pub(super) fn spread(&self) {
        self.others.notify_one();
    }

    /// Ends when the other connections to the peer are to be checked.
    ///
    /// Cancel safe.
    pub(super) async fn spreads(&self) {
        self.others.notified().await;
    }
}
