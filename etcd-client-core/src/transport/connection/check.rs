//! Requests to a connection's driver to check its peer now, and the driver's request to check the other connections.

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
    /// The waker of the driver. The driver is a separate task, so its waker never changes; its first poll registers
    /// it.
    driver: OnceLock<Waker>,
    /// Notified when the other connections to the peer are to be checked.
    others: Notify,
}

impl Check {
    /// Makes the driver send a probe immediately.
    pub(crate) fn ask(&self) {
        if self.wanted.swap(true, Ordering::AcqRel) {
            return;
        }
        // Two locations are written and read crosswise: the request and the waker. With a fence on both
        // sides, either this thread sees the waker, or the driver's first poll sees the request. Without it,
        // both could be missed.
        fence(Ordering::SeqCst);
        if let Some(driver) = self.driver.get() {
            driver.wake_by_ref();
        }
    }

    /// Returns `true` if a check was requested since the last call. Registers the driver, so that a request wakes it.
    pub(crate) fn take(&self, driver: &Waker) -> bool {
        if self.driver.get().is_none() {
            let _ = self.driver.set(driver.clone());
            // Pairs with the fence in `ask`.
            fence(Ordering::SeqCst);
        }
        self.wanted.load(Ordering::Relaxed) && self.wanted.swap(false, Ordering::AcqRel)
    }

    /// Requests checks of the other connections, because calls wait on this one without any data arriving.
    pub(crate) fn spread(&self) {
        self.others.notify_one();
    }

    /// Waits until the other connections to the peer are to be checked.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    pub(crate) async fn spreads(&self) {
        self.others.notified().await;
    }
}
