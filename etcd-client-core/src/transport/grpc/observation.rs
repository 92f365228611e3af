//! The observed end of an attempt, and what a second execution of its RPC would do.

use etcd_errors::{Code, Outcome};

/// The effect of a second execution of an RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// It changes nothing.
    Read,
    /// It changes nothing beyond the first execution, and its response can be distinguished.
    Idempotent,
    /// It may be applied twice.
    Write,
    /// A write that members forward to the leader. A member may have forwarded it before it responds that there is no
    /// leader (`PromoteMember` in etcd's `server/etcdserver/server.go`).
    Forwarded,
}

impl Class {
    /// Returns true if a request with an unknown outcome may be retried.
    pub(crate) fn is_repeatable(self) -> bool {
        matches!(self, Self::Read | Self::Idempotent)
    }
}

/// The observed result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observation {
    /// No byte of the request was sent.
    NotSent,
    /// The peer reported that it did not process the request: by REFUSED_STREAM, or by a GOAWAY with a lower stream
    /// id (RFC 9113, sections 6.8 and 8.7).
    NotProcessed,
    /// The connection or the stream ended without a status.
    Lost,
    /// The call ended with this status. The outcome is the one that its text implies for a write.
    Rejected(Code, Outcome),
    /// A response arrived but cannot be decoded.
    Malformed,
    /// The member was unresponsive for too long while another one was available, so the client stopped waiting.
    Abandoned,
    /// The deadline of the call passed.
    DeadlinePassed,
}
