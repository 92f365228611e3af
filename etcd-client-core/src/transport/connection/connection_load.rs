//! Load and liveness of a connection, shared without a lock between its driver and its users.

use crate::transport::connection::{
    atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering},
    liveness::ConnectionHealth,
};

/// The load and the liveness of one connection.
#[derive(Debug)]
pub(crate) struct ConnectionLoad {
    in_flight: AtomicUsize,
    /// The number of streams in flight whose reader is not waiting for data.
    resting: AtomicUsize,
    /// The peer's limit of concurrent streams.
    max_streams: AtomicUsize,
    /// Set once the connection accepts no new requests, permanently.
    closed: AtomicBool,
    /// Set once a request was answered.
    useful: AtomicBool,
    health: AtomicU8,
}

impl ConnectionLoad {
    pub(crate) fn new(max_streams: usize) -> Self {
        Self {
            in_flight: AtomicUsize::new(0),
            resting: AtomicUsize::new(0),
            max_streams: AtomicUsize::new(max_streams),
            closed: AtomicBool::new(false),
            useful: AtomicBool::new(false),
            health: AtomicU8::new(ConnectionHealth::Alive as u8),
        }
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Returns the number of requests in flight, or `None` if the peer's limit is reached.
    pub(crate) fn below_limit(&self) -> Option<usize> {
        let in_flight = self.in_flight();
        (in_flight < self.max_streams.load(Ordering::Relaxed)).then_some(in_flight)
    }

    /// Returns `true` if the peer's limit is reached, on a connection that is not closed.
    pub(crate) fn is_full(&self) -> bool {
        self.below_limit().is_none() && !self.is_closed()
    }

    /// Counts a new request. Returns `false` if the peer's limit is reached.
    pub(crate) fn enter(&self) -> bool {
        let max_streams = self.max_streams.load(Ordering::Relaxed);
        let one_more = |in_flight| (in_flight < max_streams).then_some(in_flight + 1);
        // A compare-and-swap loop, because the count must never exceed the limit: h2 would queue the surplus request
        // half sent. `SeqCst`, as in `leave`, takes part in the hand-over protocol of `Capacity`.
        self.in_flight.fetch_update(Ordering::SeqCst, Ordering::Relaxed, one_more).is_ok()
    }

    /// Returns `true` if more requests are in flight than the peer allows, which it may have lowered since.
    pub(crate) fn is_over(&self) -> bool {
        self.in_flight() > self.max_streams.load(Ordering::Relaxed)
    }

    /// Counts a new request, like [`enter`](Self::enter), but leaves half of the slots to other calls.
    pub(crate) fn enter_first_half(&self) -> bool {
        let half = self.max_streams.load(Ordering::Relaxed) / 2;
        let one_more = |in_flight| (in_flight < half).then_some(in_flight + 1);
        self.in_flight.fetch_update(Ordering::SeqCst, Ordering::Relaxed, one_more).is_ok()
    }

    /// Counts a request that has ended.
    pub(crate) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
    }

    /// Returns `true` if the peer owes data to a call: a response, or the next part of one that its reader waits for.
    pub(crate) fn owed(&self) -> bool {
        self.in_flight() > self.resting.load(Ordering::Relaxed)
    }

    /// Counts a stream whose reader is not waiting for data.
    pub(crate) fn rest(&self) {
        self.resting.fetch_add(1, Ordering::Relaxed);
    }

    /// Stops counting it.
    pub(crate) fn wake(&self) {
        self.resting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Sets the peer's limit. Returns `true` if it was raised.
    pub(crate) fn allow(&self, max_streams: usize) -> bool {
        let before = self.max_streams.load(Ordering::Relaxed);
        // Compared first: the driver calls this after every read, and the store would invalidate a cache line that
        // every call reads.
        if before != max_streams {
            self.max_streams.store(max_streams, Ordering::SeqCst);
        }
        before < max_streams
    }

    /// Accepts no new requests from now on.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.allow(0);
    }

    /// Returns `true` if the connection accepts no new requests, permanently.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Records that a request was answered.
    pub(crate) fn answered(&self) {
        // Checked first, so that the common case does not write to a cache line that every call reads.
        if !self.is_useful() {
            self.useful.store(true, Ordering::Relaxed);
        }
    }

    /// Returns `true` if a request was answered.
    pub(crate) fn is_useful(&self) -> bool {
        self.useful.load(Ordering::Relaxed)
    }

    pub(crate) fn health(&self) -> ConnectionHealth {
        ConnectionHealth::from_u8(self.health.load(Ordering::Relaxed))
    }

    pub(crate) fn set_health(&self, health: ConnectionHealth) {
        self.health.store(health as u8, Ordering::Relaxed);
    }
}
