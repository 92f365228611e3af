//! The state of a lease that is kept alive, its loss, and the reason of the loss.

use std::fmt;

use etcd_errors::{Code, Error, ErrorKind};
use tokio::time::Instant;

use crate::types::LeaseId;

/// The operation that a lost lease is reported for.
const OPERATION: &str = "lease keep-alive";

/// A lease that may have expired, or that is no longer renewed. Treat its keys as deleted.
#[doc(alias = "ErrKeepAliveHalted")]
#[derive(Clone, Debug)]
pub struct LeaseLost {
    id: LeaseId,
    reason: LeaseLostReason,
    error: Option<Error>,
}

/// The reason why a lease is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeaseLostReason {
    /// It was not renewed in time: no member responded before it may have expired.
    Expired,
    /// It does not exist on the server: it was revoked, or it expired.
    NotFound,
    /// It was not renewed in time because the members rejected the renewals.
    Denied,
    /// It was revoked by its handle.
    Revoked,
    /// The last clone of its handle was dropped. The lease remains until its deadline.
    Released,
    /// The client was closed, or its runtime ended. The lease remains until its deadline.
    Closed,
    /// Every endpoint leads to another cluster or history, or one was accepted
    /// ([`Client::accept_cluster`](crate::client::Client::accept_cluster)). The keys that were attached to the lease may not
    /// exist there.
    Replaced,
}

impl LeaseLost {
    /// Creates the loss of a lease for this reason.
    pub fn new(id: LeaseId, reason: LeaseLostReason) -> Self {
        Self { id, reason, error: None }
    }

    /// Sets the error of the last renewal.
    #[must_use = "returns the changed value"]
    pub fn with_error(mut self, error: Error) -> Self {
        self.error = Some(error);
        self
    }

    /// Returns the lease id.
    pub fn id(&self) -> LeaseId {
        self.id
    }

    /// Returns the reason.
    pub fn reason(&self) -> LeaseLostReason {
        self.reason
    }

    /// Returns the error of the last renewal, if it failed.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }
}

impl LeaseLostReason {
    const fn phrase(self) -> &'static str {
        match self {
            Self::Expired => "it was not renewed in time",
            Self::NotFound => "it does not exist on the server",
            Self::Denied => "the server rejected its renewal",
            Self::Revoked => "it was revoked",
            Self::Released => "its handle was dropped",
            Self::Closed => "the client was closed",
            Self::Replaced => "another cluster or history replaced its own",
        }
    }
}

impl fmt::Display for LeaseLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lease {} is lost: {}", self.id, self.reason.phrase())
    }
}

impl std::error::Error for LeaseLost {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.as_ref().map(|error| error as _)
    }
}

/// The error of an operation that needs the lease: `Code::LeaseNotFound` if the lease does not exist on the server,
/// the code of the rejection if a renewal was rejected, [`ErrorKind::Timeout`] if it was not renewed in time, and
/// [`ErrorKind::Closed`] otherwise.
impl From<LeaseLost> for Error {
    fn from(lost: LeaseLost) -> Self {
        let text = lost.to_string();
        let rejected = lost.error.as_ref().and_then(Self::code);
        let error = match lost.reason {
            LeaseLostReason::NotFound | LeaseLostReason::Replaced => {
                Self::new(ErrorKind::Server, text).with_code(Code::LeaseNotFound)
            }
            LeaseLostReason::Denied => match rejected {
                Some(code) => Self::new(ErrorKind::Server, text).with_code(code),
                None => Self::new(ErrorKind::Timeout, text),
            },
            LeaseLostReason::Expired => Self::new(ErrorKind::Timeout, text),
            LeaseLostReason::Revoked | LeaseLostReason::Released | LeaseLostReason::Closed => {
                Self::new(ErrorKind::Closed, text)
            }
        };
        let error = error.with_operation(OPERATION);
        match lost.error {
            Some(source) => error.with_source(source),
            None => error,
        }
    }
}

/// The state of a lease that is kept alive.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LeaseState {
    /// Its renewals succeed.
    Alive,
    /// A renewal is late, and others are in progress. The lease lives until its deadline.
    Late {
        /// The time since when it is late.
        since: Instant,
        /// The error of the last renewal; `None` if it was only slow.
        error: Option<Error>,
    },
    /// The lease is lost, which is final.
    Lost(LeaseLost),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_names_lease_and_reason() {
        let id = LeaseId::new(7).expect("not zero");
        for (reason, kind, code) in [
            (LeaseLostReason::Expired, ErrorKind::Timeout, None),
            (LeaseLostReason::NotFound, ErrorKind::Server, Some(Code::LeaseNotFound)),
            (LeaseLostReason::Denied, ErrorKind::Server, Some(Code::PermissionDenied)),
            (LeaseLostReason::Revoked, ErrorKind::Closed, None),
            (LeaseLostReason::Released, ErrorKind::Closed, None),
            (LeaseLostReason::Closed, ErrorKind::Closed, None),
            (LeaseLostReason::Replaced, ErrorKind::Server, Some(Code::LeaseNotFound)),
        ] {
            let denied = reason == LeaseLostReason::Denied;
            let lost = LeaseLost::new(id, reason);
            let lost = if denied { lost.with_error(Code::PermissionDenied.into()) } else { lost };
            let error = Error::from(lost);
            assert_eq!((error.kind(), error.code()), (kind, code), "{reason:?}");
            assert!(error.to_string().contains("0000000000000007"), "{error}");
            assert_eq!(std::error::Error::source(&error).is_some(), denied);
        }
    }
}
