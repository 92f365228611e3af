//! Who waits for room on a connection, counted so that whoever leaves one knows whether to tell.

use super::atomic::{AtomicUsize, Ordering, fence};

/// The calls that wait.
#[derive(Debug)]
pub(crate) struct Waiters(AtomicUsize);

impl Waiters {
    pub(crate) fn none() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Counts one in. It has to look for room after this, and before it sleeps: either it sees the room that another call
    /// leaves behind, or that call sees it wait.
    pub(crate) fn enter(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    pub(crate) fn leave(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether somebody waits, asked after room was made.
    pub(crate) fn any(&self) -> bool {
        fence(Ordering::SeqCst);
        self.0.load(Ordering::SeqCst) > 0
    }
}
