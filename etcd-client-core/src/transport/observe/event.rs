//! What an observer is told.

use std::time::Duration;

use etcd_errors::{Code, Error, ErrorKind, Outcome};

use crate::transport::{member::Purpose, state::EndpointPhase};

/// One attempt of a call ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttemptEvent<'a> {
    /// What was being done, such as `put`.
    pub operation: &'static str,
    /// The endpoint that it went to, as the user wrote it.
    pub endpoint: &'a str,
    /// Which attempt of the call this was; the first is 1.
    pub number: u32,
    /// Whether any byte of the request may have left this process.
    pub sent: bool,
    /// How long it took, a wait for a connection not included after the first.
    pub elapsed: Duration,
    /// What went wrong; `None` where it was answered.
    pub error: Option<&'a Error>,
    /// Whether another attempt follows.
    pub resent: bool,
}

/// A call ended, after all of its attempts.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallEvent {
    /// What was being done, such as `put`.
    pub operation: &'static str,
    /// How many attempts it took; none where no endpoint was ready.
    pub attempts: u32,
    /// How long it took in all.
    pub elapsed: Duration,
    /// How it ended.
    pub end: CallEnd,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallEnd {
    /// With an answer; a stream was opened.
    Ok,
    /// With an error.
    #[non_exhaustive]
    Failed {
        /// The error's kind.
        kind: ErrorKind,
        /// The server's code, where it gave one.
        code: Option<Code>,
        /// What the call may have done in etcd.
        outcome: Outcome,
    },
    /// The caller dropped its future: nobody knows whether a write was applied.
    Dropped,
}

impl CallEnd {
    pub(super) fn failed(error: &Error) -> Self {
        Self::Failed { kind: error.kind(), code: error.code(), outcome: error.outcome() }
    }
}

/// An endpoint changed its phase.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EndpointEvent<'a> {
    /// The endpoint, as the user wrote it.
    pub endpoint: &'a str,
    /// How it stands now.
    pub phase: EndpointPhase,
    /// Why, where something is wrong.
    pub reason: Option<&'a str>,
}

/// A connection was opened or closed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ConnectionEvent<'a> {
    /// The endpoint, as the user wrote it.
    pub endpoint: &'a str,
    /// What it is used for.
    pub purpose: ConnectionPurpose,
    /// Whether there is one more or one less.
    pub change: ConnectionChange,
    /// How many of this purpose the endpoint has with this change. Two changes at once may be told in any order: to keep a
    /// count, add them up.
    pub count: usize,
}

/// What a connection is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectionPurpose {
    /// Calls with one answer.
    Calls,
    /// Streams.
    Streams,
    /// Calls that wait for other clients: `Lock` and `Campaign` of the server's lock and election services.
    Waits,
}

impl ConnectionPurpose {
    /// `calls`, `streams` or `waits`.
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

/// One connection more or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectionChange {
    /// It was made and answered a PING.
    Opened,
    /// It ended.
    Closed,
}

impl ConnectionChange {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Closed => "closed",
        }
    }
}
