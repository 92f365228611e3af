//! The error type of every crate of this client, and its accessors.

mod build;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::attempt::Attempt;
use crate::code::{self, Code};
use crate::grpc_code::GrpcCode;
use crate::kind::{ErrorKind, Outcome};
use crate::report::Report;
use crate::text::OneLine;
use crate::topic::ErrorTopic;

/// The error of a failed call: its kind and code, the outcome for a write, and the attempts that were made.
///
/// `Display` prints one phrase on one line. The causes are available through [`source`](std::error::Error::source), and
/// [`report`](Self::report) shows everything to a person. A clone is deep, except for the source, which is shared.
///
/// # Examples
///
/// ```
/// use etcd_errors::{Code, Error, Outcome};
///
/// fn describe(error: &Error) -> &'static str {
///     match (error.code(), error.outcome()) {
///         (Some(Code::PermissionDenied), _) => "ask an administrator for permission",
///         (_, Outcome::Unknown) => "read the key back before writing it again",
///         (_, _) => "safe to retry",
///     }
/// }
/// assert_eq!(describe(&Error::from(Code::Timeout)), "read the key back before writing it again");
/// ```
#[derive(Clone, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    outcome: Outcome,
    code: Option<Code>,
    grpc: Option<GrpcCode>,
    message: Cow<'static, str>,
    operation: Option<&'static str>,
    field: Option<&'static str>,
    topic: Option<ErrorTopic>,
    attempts: Vec<Attempt>,
    elapsed: Option<Duration>,
    compact_revision: Option<i64>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Returns the kind of this failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the error that etcd returned, or `None` if the failure is not a response of etcd.
    pub fn code(&self) -> Option<Code> {
        self.0.code
    }

    /// Returns the gRPC code of the response. For an error of etcd's table, match on [`code`](Self::code) instead:
    /// servers of different versions send different gRPC codes.
    pub fn grpc_code(&self) -> Option<GrpcCode> {
        self.0.grpc
    }

    /// Returns what the failed call may have done in etcd.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Returns the invalid field of the request, or the invalid setting, if the error is about one.
    pub fn field(&self) -> Option<&'static str> {
        self.0.field
    }

    /// Returns the topic of this error: its own, or else the common one of all attempts.
    pub fn topic(&self) -> Option<ErrorTopic> {
        self.0.topic.or_else(|| {
            let (first, others) = self.attempts().split_first()?;
            others.iter().all(|other| other.topic() == first.topic()).then_some(first.topic()?)
        })
    }

    /// Returns the operation that failed, such as `put`.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// Returns the message without the operation and the causes. For a response of etcd, this is its unchanged text.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the attempts of the call, oldest first.
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// Returns the duration of the call, all attempts included.
    pub fn elapsed(&self) -> Option<Duration> {
        self.0.elapsed
    }

    /// Returns the oldest revision that is still available, if a watch ended because it needed an older, compacted one.
    pub fn compact_revision(&self) -> Option<i64> {
        self.0.compact_revision
    }

    /// Returns a report of several lines for people: the failure, the outcome of the write, the attempts, the causes,
    /// and what to do.
    pub fn report(&self) -> Report<'_> {
        Report::new(self)
    }

    /// Returns `true` if a write may have been applied, so that [`outcome`](Self::outcome) is [`Outcome::Unknown`].
    pub fn outcome_unknown(&self) -> bool {
        self.outcome() == Outcome::Unknown
    }

    /// Returns `true` if the requested revision has been compacted.
    pub fn is_compacted(&self) -> bool {
        self.code() == Some(Code::Compacted)
    }

    /// Returns `true` if the user lacks a permission.
    pub fn is_permission_denied(&self) -> bool {
        matches!(self.code(), Some(Code::PermissionDenied | Code::Other(GrpcCode::PermissionDenied)))
    }

    /// Returns `true` if the lease does not exist, because it expired, was revoked, or was never granted.
    pub fn is_lease_not_found(&self) -> bool {
        self.code() == Some(Code::LeaseNotFound)
    }

    /// Returns `true` if the quota of the database is exhausted.
    pub fn is_no_space(&self) -> bool {
        self.code() == Some(Code::NoSpace)
    }

    /// Returns `true` if the member has no leader.
    pub fn is_no_leader(&self) -> bool {
        self.code() == Some(Code::NoLeader)
    }

    /// Returns `true` if the call needs the leader, and the member is not the leader.
    pub fn is_not_leader(&self) -> bool {
        self.code() == Some(Code::NotLeader)
    }

    /// Returns `true` if etcd rejected the authentication token.
    ///
    /// The token is unknown or expired, it is older than the last change of users and roles, or the request had none.
    /// The password may still be valid: authenticate again.
    pub fn is_token_rejected(&self) -> bool {
        matches!(self.code(), Some(Code::InvalidAuthToken | Code::AuthOldRevision | Code::UserEmpty))
    }

    /// Returns `true` if the deadline of the call passed, or a timeout inside of etcd.
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
            || matches!(
                self.code(),
                Some(
                    Code::Timeout
                        | Code::TimeoutDueToLeaderFail
                        | Code::TimeoutDueToConnectionLost
                        | Code::TimeoutWaitAppliedIndex
                )
            )
    }

    /// Returns `true` if the client was closed.
    pub fn is_closed(&self) -> bool {
        self.kind() == ErrorKind::Closed
    }

    /// Returns `true` if no member could be reached, or the member that was reached could not serve the request.
    pub fn is_unavailable(&self) -> bool {
        self.kind() == ErrorKind::Unavailable
            || self.code().is_some_and(|code| code.grpc() == GrpcCode::Unavailable)
    }

    /// Returns `true` if the member does not support this RPC, or an option of it.
    pub fn is_unsupported(&self) -> bool {
        self.kind() == ErrorKind::Unsupported
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

// ===== impl Inner =====

impl std::error::Error for Inner {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.operation {
            write!(f, "{operation}: ")?;
        }
        match (self.phrase(), self.code) {
            ("", Some(Code::Other(grpc))) => write!(f, "{} ({grpc}, without a message)", self.kind)?,
            ("", _) => write!(f, "{}", self.kind)?,
            (phrase, _) => write!(f, "{}", OneLine(phrase))?,
        }
        self.field.map_or(Ok(()), |field| write!(f, " (field {field})"))
    }
}

impl fmt::Debug for Inner {
    /// Prints the fields that are set. A panic message shows this, so the source is printed as its text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.kind);
        if let Some(operation) = &self.operation {
            out.field("operation", operation);
        }
        out.field("message", &self.message);
        if let Some(field) = &self.field {
            out.field("field", field);
        }
        if let Some(code) = &self.code {
            out.field("code", code);
        }
        out.field("outcome", &self.outcome);
        if !self.attempts.is_empty() {
            out.field("attempts", &SomeAttempts(&self.attempts));
        }
        if let Some(source) = &self.source {
            out.field("source", &format_args!("{source}"));
        }
        out.finish_non_exhaustive()
    }
}

/// Prints the first attempts and the number of the others, so that a log line does not grow with the retries of a call.
struct SomeAttempts<'a>(&'a [Attempt]);

impl fmt::Debug for SomeAttempts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        let mut list = f.debug_list();
        list.entries(self.0.iter().take(SHOWN));
        match self.0.len().checked_sub(SHOWN) {
            None | Some(0) => list.finish(),
            Some(more) => list.entry(&format_args!("{more} more")).finish(),
        }
    }
}

impl Inner {
    /// Returns the message without the prefixes that etcd and Go put in front of it.
    fn phrase(&self) -> &str {
        let (_, text) = code::unwrap(GrpcCode::Unknown, &self.message);
        let text = text.strip_prefix("etcdserver: ").unwrap_or(text);
        text.strip_prefix("mvcc: ").unwrap_or(text)
    }
}
