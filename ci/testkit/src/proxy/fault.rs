//! What a proxy can do to the bytes of a connection, and to connections themselves.

use std::time::Duration;

/// Which way bytes flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// What the client sends.
    ToServer,
    /// What the server sends.
    ToClient,
    /// Each of the two, by itself.
    Both,
}

impl Direction {
    pub(super) fn covers(self, other: Self) -> bool {
        self == Self::Both || self == other
    }
}

/// What happens to one direction of a connection until it is healed; a new fault replaces the one before.
///
/// Bytes are counted from the moment the fault is set, and from the first byte on a connection that is made later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Bytes arrive later by this much, give or take up to `jitter`, and in order.
    Delay {
        /// The mean.
        by: Duration,
        /// The most that one piece is off the mean.
        jitter: Duration,
    },
    /// At most so many bytes per second.
    Throttle {
        /// At least 1.
        bytes_per_second: u64,
    },
    /// The connection stays open and everything is swallowed, its end as well.
    ///
    /// What was swallowed is gone: healing resets the connections that lost something.
    Blackhole,
    /// Nothing is read, so that the window of the sender closes; healing lets everything through.
    ZeroWindow,
    /// So many bytes arrive, then the connection is reset.
    CutAfter(u64),
    /// The byte after so many arrives with its bits inverted.
    CorruptAfter(u64),
}

/// What happens to a client that connects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accept {
    /// It is connected to the server; where that refuses, it is reset.
    #[default]
    Serve,
    /// It is accepted, and nothing else ever happens.
    Silent,
    /// It is accepted and reset.
    Reset,
    /// The port is closed, so that the system refuses it. Nobody counts such attempts.
    Refuse,
}
