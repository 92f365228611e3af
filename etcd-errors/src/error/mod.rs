//! The error of every crate of this client: one word wide, and what it can be asked.

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

/// Why a call failed, what that means for a write, and what was tried.
///
/// `Display` is one phrase on one line; the causes are behind [`source`](std::error::Error::source), and
/// [`report`](Self::report) tells all of it to a person. A clone is deep but for the source, which is shared.
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
    attempts: Vec<Attempt>,
    elapsed: Option<Duration>,
    compact_revision: Option<i64>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Which error etcd answered with, if it did.
    pub fn code(&self) -> Option<Code> {
        self.0.code
    }

    /// The gRPC code that came with the answer. For an error of etcd's table, match on [`code`](Self::code) instead:
    /// servers of different versions send different gRPC codes.
    pub fn grpc_code(&self) -> Option<GrpcCode> {
        self.0.grpc
    }

    /// What the failed call may have done in etcd.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// The part of the request or the setting that is wrong, if the error is about one.
    pub fn field(&self) -> Option<&'static str> {
        self.0.field
    }

    /// What was being done, such as `put`.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The message alone; of an answer of etcd, its text as it came.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What was tried, oldest first.
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// How long the call took, all attempts together.
    pub fn elapsed(&self) -> Option<Duration> {
        self.0.elapsed
    }

    /// The oldest revision that history still has, as etcd counts revisions, where a watch ended because it needed older ones.
    pub fn compact_revision(&self) -> Option<i64> {
        self.0.compact_revision
    }

    /// All that is known, on several lines, for a person: what failed, what it means for the write, what was tried,
    /// and what to do.
    pub fn report(&self) -> Report<'_> {
        Report::new(self)
    }

    /// Whether the write may have been applied: [`outcome`](Self::outcome) is [`Outcome::Unknown`].
    pub fn outcome_unknown(&self) -> bool {
        self.outcome() == Outcome::Unknown
    }

    /// Whether the revision asked for has been compacted away.
    pub fn is_compacted(&self) -> bool {
        self.code() == Some(Code::Compacted)
    }

    /// Whether the user lacks a permission.
    pub fn is_permission_denied(&self) -> bool {
        matches!(self.code(), Some(Code::PermissionDenied | Code::Other(GrpcCode::PermissionDenied)))
    }

    /// Whether the lease does not exist (any more).
    pub fn is_lease_not_found(&self) -> bool {
        self.code() == Some(Code::LeaseNotFound)
    }

    /// Whether the database's quota is exhausted.
    pub fn is_no_space(&self) -> bool {
        self.code() == Some(Code::NoSpace)
    }

    /// Whether the member has no leader.
    pub fn is_no_leader(&self) -> bool {
        self.code() == Some(Code::NoLeader)
    }

    /// Whether the member is not the leader, which the call needs.
    pub fn is_not_leader(&self) -> bool {
        self.code() == Some(Code::NotLeader)
    }

    /// Whether etcd no longer takes the token: authenticate again, the password may still be right.
    ///
    /// etcd says so in three ways: the token is unknown, it predates the last change of users or roles, or there is none.
    pub fn is_token_rejected(&self) -> bool {
        matches!(self.code(), Some(Code::InvalidAuthToken | Code::AuthOldRevision | Code::UserEmpty))
    }

    /// Whether time ran out: the deadline of the call or a timeout inside of etcd.
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

    /// Whether the client was closed.
    pub fn is_closed(&self) -> bool {
        self.kind() == ErrorKind::Closed
    }

    /// Whether no member could be reached, or the one reached could not serve at the moment.
    pub fn is_unavailable(&self) -> bool {
        self.kind() == ErrorKind::Unavailable
            || self.code().is_some_and(|code| code.grpc() == GrpcCode::Unavailable)
    }

    /// Whether the member does not have this RPC, or not this part of it.
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
    /// Only what is known; a panic message shows this, so the source is its text.
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

/// The first attempts and how many more there are: a log line must not grow with the retries of a call.
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
    /// The message as it reads in a sentence: without what etcd and Go put in front of it.
    fn phrase(&self) -> &str {
        let (_, text) = code::unwrap(GrpcCode::Unknown, &self.message);
        let text = text.strip_prefix("etcdserver: ").unwrap_or(text);
        text.strip_prefix("mvcc: ").unwrap_or(text)
    }
}
