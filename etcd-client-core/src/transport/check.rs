//! A request to a connection's driver: find out now whether the peer lives.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    task::Waker,
};

use futures_util::task::AtomicWaker;

/// Shared by a connection and its driver.
#[derive(Debug, Default)]
pub(crate) struct Check {
    wanted: AtomicBool,
    driver: AtomicWaker,
}

impl Check {
    /// Has the driver send a PING as soon as the peer's policy allows one.
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
}
