//! What a connection's driver and its users tell each other without a lock.

use crate::mechanism::{
    atomic::{AtomicU8, AtomicUsize, Ordering},
    liveness::Vital,
};

/// The load and the vital signs of one connection.
#[derive(Debug)]
pub(crate) struct Gauge {
    in_flight: AtomicUsize,
    /// Streams among them that nobody is reading at the moment.
    resting: AtomicUsize,
    /// What the peer allows.
    max_streams: AtomicUsize,
    vital: AtomicU8,
}

impl Gauge {
    pub(crate) fn new(max_streams: usize) -> Self {
        Self {
            in_flight: AtomicUsize::new(0),
            resting: AtomicUsize::new(0),
            max_streams: AtomicUsize::new(max_streams),
            vital: AtomicU8::new(Vital::Alive as u8),
        }
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Requests in flight, or `None` when the peer allows no more.
    pub(crate) fn room(&self) -> Option<usize> {
        let in_flight = self.in_flight();
        (in_flight < self.max_streams.load(Ordering::Relaxed)).then_some(in_flight)
    }

    /// Counts one request in; `false` where it is one too many.
    pub(crate) fn enter(&self) -> bool {
        self.in_flight.fetch_add(1, Ordering::Relaxed) < self.max_streams.load(Ordering::Relaxed)
    }

    /// Counts one request out.
    pub(crate) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether the peer owes something to a call: an answer, or the next part of one that its reader waits for.
    pub(crate) fn owed(&self) -> bool {
        self.in_flight() > self.resting.load(Ordering::Relaxed)
    }

    /// Counts a stream whose reader takes its time.
    pub(crate) fn rest(&self) {
        self.resting.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts it out again.
    pub(crate) fn wake(&self) {
        self.resting.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn allow(&self, max_streams: usize) {
        self.max_streams.store(max_streams, Ordering::Relaxed);
    }

    pub(crate) fn vital(&self) -> Vital {
        Vital::from_u8(self.vital.load(Ordering::Relaxed))
    }

    pub(crate) fn set_vital(&self, vital: Vital) {
        self.vital.store(vital as u8, Ordering::Relaxed);
    }
}
