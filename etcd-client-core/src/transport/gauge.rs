//! What a connection's driver and its users tell each other without a lock.

use crate::mechanism::{
    atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering},
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
    /// Whether the connection takes no new requests, for good.
    closed: AtomicBool,
    /// Whether a request was answered.
    useful: AtomicBool,
    vital: AtomicU8,
}

impl Gauge {
    pub(crate) fn new(max_streams: usize) -> Self {
        Self {
            in_flight: AtomicUsize::new(0),
            resting: AtomicUsize::new(0),
            max_streams: AtomicUsize::new(max_streams),
            closed: AtomicBool::new(false),
            useful: AtomicBool::new(false),
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

    /// Whether the peer allows no more, for now.
    pub(crate) fn is_full(&self) -> bool {
        self.room().is_none() && !self.is_closed()
    }

    /// Counts one request in, unless it is one too many.
    pub(crate) fn enter(&self) -> bool {
        let max_streams = self.max_streams.load(Ordering::Relaxed);
        let one_more = |in_flight| (in_flight < max_streams).then_some(in_flight + 1);
        self.in_flight.fetch_update(Ordering::SeqCst, Ordering::Relaxed, one_more).is_ok()
    }

    /// Whether more requests are in flight than the peer allows by now.
    pub(crate) fn is_over(&self) -> bool {
        self.in_flight() > self.max_streams.load(Ordering::Relaxed)
    }

    /// As [`enter`](Self::enter), for a call that leaves half of the slots to others.
    pub(crate) fn enter_first_half(&self) -> bool {
        let half = self.max_streams.load(Ordering::Relaxed) / 2;
        let one_more = |in_flight| (in_flight < half).then_some(in_flight + 1);
        self.in_flight.fetch_update(Ordering::SeqCst, Ordering::Relaxed, one_more).is_ok()
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

    /// Takes over what the peer allows, and returns whether that is more than before.
    pub(crate) fn allow(&self, max_streams: usize) -> bool {
        let before = self.max_streams.load(Ordering::Relaxed);
        if before != max_streams {
            self.max_streams.store(max_streams, Ordering::SeqCst);
        }
        before < max_streams
    }

    /// Takes no new requests from now on.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.allow(0);
    }

    /// Whether the connection takes no new requests, for good.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Notes that a request was answered.
    pub(crate) fn answered(&self) {
        if !self.is_useful() {
            self.useful.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a request was answered.
    pub(crate) fn is_useful(&self) -> bool {
        self.useful.load(Ordering::Relaxed)
    }

    pub(crate) fn vital(&self) -> Vital {
        Vital::from_u8(self.vital.load(Ordering::Relaxed))
    }

    pub(crate) fn set_vital(&self, vital: Vital) {
        self.vital.store(vital as u8, Ordering::Relaxed);
    }
}
