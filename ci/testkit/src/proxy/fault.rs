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

impl std::fmt::Display for Direction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ToServer => "to the server",
            Self::ToClient => "to the client",
            Self::Both => "both ways",
        })
    }
}

/// What happens to one direction of a connection until it is healed; a new fault replaces the one before.
///
/// Bytes are counted from the moment the fault is set, and from the first byte on a connection that is made later.
///
/// Bytes that are delayed or held are on their way: closing or resetting the connection at one end does not take them back. The
/// other end receives them when they are due, and the FIN or RST behind them.
/// At most [`Fault::UNDER_WAY`] bytes of each direction are on their way. More back up to the sender, as with a closed window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Bytes arrive later by this much, give or take up to `jitter`, and in order. Without jitter their spacing is kept.
    ///
    /// Healing delivers what is on its way at once.
    Delay {
        /// The mean.
        by: Duration,
        /// The most that one piece is off the mean.
        jitter: Duration,
    },
    /// Bytes are taken from the sender and arrive when the fault is healed or replaced, in order and all at once.
    Hold,
    /// At most so many bytes per second.
    Throttle {
        /// At least 1.
        bytes_per_second: u64,
    },
    /// The connection stays open and everything is swallowed, its end as well.
    ///
    /// What was swallowed is gone: healing resets the connections that lost something.
    Blackhole,
    /// As [`Blackhole`](Self::Blackhole) from the first piece on that holds more than so many bytes: on a path whose MTU is smaller
    /// than both ends think, small segments arrive, and a large one is lost however often it is sent, with what follows it.
    LoseLarger(usize),
    /// Nothing is read, so that the window of the sender closes; healing lets everything through.
    ZeroWindow,
    /// So many bytes arrive, then the connection is reset.
    CutAfter(u64),
    /// The byte after so many arrives with its bits inverted.
    CorruptAfter(u64),
}

impl Fault {
    /// The most that is on its way in one direction of a connection: far more than recipes send in minutes, and little enough for
    /// hundreds of connections. Each piece of a stream counts 64 bytes more than it carries.
    pub const UNDER_WAY: usize = 1024 * 1024;

    /// A delay without jitter.
    #[must_use]
    pub const fn delay(by: Duration) -> Self {
        Self::Delay { by, jitter: Duration::ZERO }
    }
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
