//! The kind of a failure, and its outcome for a write.

use std::fmt;

/// The kind of an [`Error`](crate::Error): where the call failed.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ErrorKind {
    /// The request was rejected before it was sent. [`Error::field`](crate::Error::field) names the invalid field.
    InvalidRequest,
    /// An endpoint or a setting of the client, such as its TLS configuration, is invalid.
    InvalidConfig,
    /// etcd returned an error; see [`Error::code`](crate::Error::code).
    Server,
    /// No connection was usable, or the connection was lost.
    Unavailable,
    /// The deadline of the call passed.
    Timeout,
    /// The client was closed.
    Closed,
    /// The call was made outside of a Tokio runtime, or its runtime has ended.
    NoRuntime,
    /// The response violates the rules of gRPC or of the etcd API.
    Protocol,
    /// The member does not support this RPC, or an option of it.
    Unsupported,
    /// The client has the maximum number of open streams of this kind. Nothing was sent.
    CapacityExceeded,
    /// The response came from another cluster than earlier responses. Its data is not returned.
    WrongCluster,
    /// A linearizable response was older than a revision that the client had already seen. Its data is not returned.
    RevisionRegressed,
    /// The reader of a watch was too slow, and the watch was configured to fail in that case.
    Lagged,
    /// Other clients changed the key during each attempt of a compare-and-swap. Nothing was written.
    Conflict,
    /// A key or a value does not have the format that the caller expects, such as UTF-8 text.
    InvalidData,
    /// A local operation failed, such as writing a file. The [`source`](std::error::Error::source) is an
    /// [`io::Error`](std::io::Error).
    Io,
}

impl ErrorKind {
    const fn phrase(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid request",
            Self::InvalidConfig => "invalid configuration",
            Self::Server => "etcd returned an error",
            Self::Unavailable => "no usable connection",
            Self::Timeout => "the deadline passed",
            Self::Closed => "the client is closed",
            Self::NoRuntime => "no Tokio runtime",
            Self::Protocol => "the response violates the protocol",
            Self::Unsupported => "not supported by this member",
            Self::CapacityExceeded => "too many open streams",
            Self::WrongCluster => "the response comes from another cluster",
            Self::RevisionRegressed => "the response is older than an earlier one",
            Self::Lagged => "the reader was too slow",
            Self::Conflict => "other clients changed the key",
            Self::InvalidData => "the data does not have the expected format",
            Self::Io => "a local I/O operation failed",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.phrase())
    }
}

/// The outcome of a failed call: whether it may have changed anything in etcd.
///
/// A failed read is always [`NotApplied`](Self::NotApplied), because a read changes nothing.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// The call definitely changed nothing. It is safe to retry.
    NotApplied,
    /// The write may have been applied, at most once. A retry may apply it a second time.
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
