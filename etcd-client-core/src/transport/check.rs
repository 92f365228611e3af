//! A request to a connection's driver: find out now whether the peer lives. And one of the driver's: find out on the others.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    task::Waker,
};

use futures_util::task::AtomicWaker;
use tokio::sync::Notify;

/// Shared by a connection and its driver.
#[derive(Debug, Default)]
pub(crate) struct Check {
    wanted: AtomicBool,
    driver: AtomicWaker,
    /// Whether the other connections to the peer are to be checked.
    others: Notify,
}

impl Check {
    /// Has the driver send a probe at once.
    pub(crate) fn ask(&self) {
        if !self.wanted.swap(true, Ordering::AcqRel) {
            self.driver.wake();
        }
    }

    /// Whether it was asked for since the last time. Wakes the driver when it is.
    pub(super) fn take(&self, driver: &Waker) -> bool {
        // Registered first: what is asked for from now on wakes it.
        self.driver.register(driver);
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
