//! What kind of failure an error is, and what it means for the write that got it.

use std::fmt;

/// What kind of failure an [`Error`](crate::Error) is: who noticed it and where.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ErrorKind {
    /// The request was refused before it was sent. [`Error::field`](crate::Error::field) says what is wrong with it.
    InvalidRequest,
    /// An endpoint or a setting of the client, such as its TLS, is wrong.
    InvalidConfig,
    /// etcd answered with an error: see [`Error::code`](crate::Error::code).
    Server,
    /// There was no usable connection, or it was lost.
    Unavailable,
    /// The deadline of the call passed.
    Timeout,
    /// The client was closed.
    Closed,
    /// The call was made outside of a tokio runtime, or its runtime has ended.
    NoRuntime,
    /// The answer of the peer breaks the rules of gRPC or of the etcd API.
    Protocol,
    /// The member does not have this RPC, or not this part of it.
    Unsupported,
    /// The answer came from another cluster than the answers before it. No data of it is returned.
    WrongCluster,
    /// A linearizable answer was older than what the client had seen before it asked. No data of it is returned.
    RevisionRegressed,
    /// The reader of a watch was slower than its events, and asked for an error in that case.
    Lagged,
    /// A key or a value is not what the caller reads it as, such as UTF-8 text.
    InvalidData,
    /// Something on this machine failed, such as writing a file. The cause is in
    /// [`source`](std::error::Error::source), an [`io::Error`](std::io::Error).
    Io,
}

impl ErrorKind {
    const fn phrase(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid request",
            Self::InvalidConfig => "invalid configuration",
            Self::Server => "etcd answered with an error",
            Self::Unavailable => "no usable connection",
            Self::Timeout => "the deadline passed",
            Self::Closed => "the client is closed",
            Self::NoRuntime => "no tokio runtime",
            Self::Protocol => "the answer breaks the protocol",
            Self::Unsupported => "not supported by this member",
            Self::WrongCluster => "the answer comes from another cluster",
            Self::RevisionRegressed => "the answer is older than what was seen before",
            Self::Lagged => "the reader was too slow",
            Self::InvalidData => "the data is not what was expected",
            Self::Io => "local input or output failed",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.phrase())
    }
}

/// What a failed call may have done in etcd.
///
/// A failed read is always [`NotApplied`](Self::NotApplied): a read changes nothing.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// The call definitely changed nothing: it is safe to make it again.
    NotApplied,
    /// The write may have been applied, at most once. Making it again may apply it twice.
    Unknown,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotApplied => "not applied",
            Self::Unknown => "unknown",
        })
    }
}
