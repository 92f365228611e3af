//! Faults of the bytes of a connection and of connections.

use std::time::Duration;

/// The direction of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
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

/// A fault of one direction of a connection until it is healed. A new fault replaces the previous one.
///
/// Bytes are counted from the time the fault is set, and from the first byte of a later connection.
///
/// Delayed or held bytes are in flight: closing or resetting the connection at one end does not remove them. The other
/// end receives them when they are due, followed by the FIN or RST.
/// At most [`Fault::UNDER_WAY`] bytes of each direction are in flight. Further bytes block the sender, as with a closed
/// window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Bytes arrive later by this much, give or take up to `jitter`, and in order. Without jitter their spacing is
    /// kept.
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
    /// At most this many bytes per second.
    Throttle {
        /// At least 1.
        bytes_per_second: u64,
    },
    /// The connection stays open, and everything is dropped, including its end.
    ///
    /// Dropped bytes are lost: healing resets the connections that lost some.
    Blackhole,
    /// Like [`Blackhole`](Self::Blackhole) from the first piece on that has more than this many bytes.
    ///
    /// On a path with a smaller MTU than both ends assume, small segments arrive. A large one is lost on each
    /// retransmission, together with everything that follows it.
    LoseLarger(usize),
    /// Nothing is read, so that the window of the sender closes; healing lets everything through.
    ZeroWindow,
    /// This many bytes arrive, then the connection is reset.
    CutAfter(u64),
    /// The byte after this many arrives with inverted bits.
    CorruptAfter(u64),
}

impl Fault {
    /// The most that is on its way in one direction of a connection: far more than recipes send in minutes, and little
    /// enough for hundreds of connections. Each piece of a stream counts 64 bytes more than it carries.
    pub const UNDER_WAY: usize = 1024 * 1024;

    /// A delay without jitter.
    #[must_use]
    pub const fn delay(by: Duration) -> Self {
        Self::Delay { by, jitter: Duration::ZERO }
    }
}

/// The handling of a client that connects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accept {
    /// The client is connected to the server, or reset if the server refuses.
    #[default]
    Serve,
    /// It is accepted, and nothing else ever happens.
    Silent,
    /// It is accepted and reset.
    Reset,
    /// The port is closed, so that the system refuses the client. Such attempts are not counted.
    Refuse,
}
