//! The events that an observer receives.

use std::time::Duration;

use etcd_errors::{Code, Error, ErrorKind, Outcome};

use crate::transport::{endpoint::EndpointPhase, grpc::method::Purpose};

/// The end of one attempt of a call.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttemptEvent<'a> {
    /// The operation, such as `put`.
    pub operation: &'static str,
    /// The endpoint that the attempt used, as configured.
    pub endpoint: &'a str,
    /// The number of the attempt within its call, starting at 1.
    pub number: u32,
    /// `true` if any byte of the request may have left this process.
    pub sent: bool,
    /// The duration of the attempt. Only for the first attempt does it include the wait for a connection.
    pub elapsed: Duration,
    /// The error of the attempt, or `None` if it succeeded.
    pub error: Option<&'a Error>,
    /// `true` if the call is retried after this attempt.
    pub retried: bool,
}

/// The end of a call, after all of its attempts.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallEvent {
    /// The operation, such as `put`.
    pub operation: &'static str,
    /// The number of attempts. It is 0 if no endpoint was ready.
    pub attempts: u32,
    /// The total duration of the call.
    pub elapsed: Duration,
    /// The result of the call.
    pub end: CallEnd,
}

/// The result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallEnd {
    /// The call succeeded. For a stream: it was opened.
    Ok,
    /// The call failed.
    #[non_exhaustive]
    Failed {
        /// The error's kind.
        kind: ErrorKind,
        /// The server's error code, if it returned one.
        code: Option<Code>,
        /// The effect that the call may have had in etcd.
        outcome: Outcome,
    },
    /// The caller dropped the future. The outcome of a write is unknown.
    Dropped,
}

impl CallEnd {
    pub(crate) fn failed(error: &Error) -> Self {
        Self::Failed { kind: error.kind(), code: error.code(), outcome: error.outcome() }
    }
}

/// A change of an endpoint's phase.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EndpointEvent<'a> {
    /// The endpoint, as configured.
    pub endpoint: &'a str,
    /// The new phase.
    pub phase: EndpointPhase,
    /// The reason, if something is wrong.
    pub reason: Option<&'a str>,
}

/// A connection was opened or closed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ConnectionEvent<'a> {
    /// The endpoint, as configured.
    pub endpoint: &'a str,
    /// The purpose of the connection.
    pub purpose: ConnectionPurpose,
    /// The change: opened or closed.
    pub change: ConnectionChange,
    /// The number of the endpoint's connections with this purpose after the change. Events of concurrent changes may
    /// arrive out of order. To keep a count, sum the changes instead of storing this value.
    pub count: usize,
}

/// The purpose of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectionPurpose {
    /// Unary calls.
    Calls,
    /// Streams.
    Streams,
    /// Calls that block until another client acts: `Lock` and `Campaign` of the server's lock and election services.
    Waits,
}

impl ConnectionPurpose {
    /// Returns `calls`, `streams` or `waits`.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::observe::ConnectionPurpose;
    ///
    /// assert_eq!(ConnectionPurpose::Calls.name(), "calls");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Streams => "streams",
            Self::Waits => "waits",
        }
    }
}

impl From<Purpose> for ConnectionPurpose {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Calls => Self::Calls,
            Purpose::Streams => Self::Streams,
            Purpose::Waits => Self::Waits,
        }
    }
}

/// The kind of a [`ConnectionEvent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectionChange {
    /// The connection was established and its first PING was answered.
    Opened,
    /// The connection was closed or lost.
    Closed,
}

impl ConnectionChange {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Closed => "closed",
        }
    }
}
