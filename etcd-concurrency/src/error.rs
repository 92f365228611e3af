//! The error of every recipe: what was lost, who owns it instead, or what the client answered.

use etcd_client_core::Outcome;

/// Why a recipe did not do what it was asked for.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key that stood for the caller in a lock, an election or a barrier was deleted, by whoever it was, while the session lived.
    /// With [`Tokens::lease_per_entry`](crate::Tokens::lease_per_entry) also: the key's own lease may have expired.
    #[error("the key that held the place was deleted")]
    Lost,
    /// The session is over, and with it everything that was held by it.
    #[error("the session is over: {0}")]
    Expired(SessionEnd),
    /// What was to be changed or given back does not belong to the caller, or does no longer.
    #[error("not the owner any more")]
    NotOwner,
    /// Somebody else holds it, and the caller did not want to wait.
    #[error("somebody else holds it")]
    Held,
    /// The time that the caller gave passed.
    #[error("the time to wait passed")]
    TimedOut,
    /// Other transactions changed what this one had read, in each attempt.
    #[error("other transactions were faster in each of {attempts} attempts")]
    Conflict {
        /// How often it was tried.
        attempts: u32,
    },
    /// The key exists already.
    #[error("the key exists already")]
    KeyExists,
    /// More participants came than the barrier takes, or more places were asked of a session than it holds.
    #[error("there is no room for one more")]
    Full,
    /// A transaction's handle was used after its attempt was over.
    #[error("the transaction's attempt is over")]
    Finished,
    /// etcd denied a recipe's write. Besides the recipe's own keys, the user's role needs permission to read and write the
    /// session's tokens: see [`SessionBuilder::tokens`](crate::SessionBuilder::tokens). A session with
    /// [`Tokens::lease_per_entry`](crate::Tokens::lease_per_entry) needs none.
    #[error(
        "permission denied: grant read and write on the recipe's keys and on the prefix {tokens:?}, or set SessionBuilder::tokens to another prefix or to Tokens::lease_per_entry"
    )]
    PermissionDenied {
        /// The prefix of the session's tokens, without the client's namespace.
        tokens: String,
        /// The answer.
        source: etcd_client_core::Error,
    },
    /// A recipe that works only with tokens, by a session that keeps none.
    #[error(
        "{recipe} needs tokens, but the session has Tokens::lease_per_entry: set Tokens::below, or use the queue without a session"
    )]
    NeedsTokens {
        /// The constructor of the recipe.
        recipe: &'static str,
    },
    /// The client's error. Its outcome says whether a write may have been applied.
    #[error(transparent)]
    Client(#[from] etcd_client_core::Error),
}

/// How a session came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionEnd {
    /// Its lease was lost: it expired, was revoked by somebody, or may have expired as far as the client can know.
    Lost,
    /// It was closed, and its lease revoked.
    Closed,
    /// It was given up, and its lease left to expire or to be taken over.
    Orphaned,
}

impl std::fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Lost => "its lease was lost",
            Self::Closed => "it was closed",
            Self::Orphaned => "it was given up",
        })
    }
}

impl Error {
    /// Whether something that was held, or waited for, is lost: the place or the whole session.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Lost | Self::Expired(_) | Self::NotOwner)
    }

    /// Whether the caller's time passed, or that of the call to etcd.
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::TimedOut => true,
            Self::Client(error) => error.is_timeout(),
            _ => false,
        }
    }

    /// The client's error, if it is one.
    pub fn client(&self) -> Option<&etcd_client_core::Error> {
        match self {
            Self::Client(error) | Self::PermissionDenied { source: error, .. } => Some(error),
            _ => None,
        }
    }

    /// What the write of a failed transaction, unlock or put may have done in etcd.
    ///
    /// Keys that a failed acquisition may have left are no part of it: the session removes them.
    pub fn outcome(&self) -> Outcome {
        self.client().map_or(Outcome::NotApplied, etcd_client_core::Error::outcome)
    }
}

#[cfg(test)]
mod tests {
    use etcd_client_core::{Code, ErrorKind};

    use super::*;

    #[test]
    fn an_error_says_what_it_means() {
        let unknown = etcd_client_core::Error::new(ErrorKind::Timeout, "late").with_outcome(Outcome::Unknown);
        let denied =
            Error::PermissionDenied { tokens: "__entry/".to_owned(), source: Code::PermissionDenied.into() };
        assert!(denied.to_string().contains("on the prefix \"__entry/\""), "{denied}");
        for (error, lost, timeout, outcome) in [
            (Error::Lost, true, false, Outcome::NotApplied),
            (Error::Expired(SessionEnd::Lost), true, false, Outcome::NotApplied),
            (Error::NotOwner, true, false, Outcome::NotApplied),
            (Error::TimedOut, false, true, Outcome::NotApplied),
            (Error::Held, false, false, Outcome::NotApplied),
            (unknown.into(), false, true, Outcome::Unknown),
            (etcd_client_core::Error::from(Code::PermissionDenied).into(), false, false, Outcome::NotApplied),
            (denied, false, false, Outcome::NotApplied),
        ] {
            assert_eq!(
                (error.is_lost(), error.is_timeout(), error.outcome()),
                (lost, timeout, outcome),
                "{error}"
            );
        }
    }

    #[test]
    fn an_error_of_the_client_is_shown_as_it_is() {
        let error = Error::from(etcd_client_core::Error::new(ErrorKind::Closed, "the client was closed"));
        assert_eq!(error.to_string(), "the client was closed");
        assert_eq!(Error::Expired(SessionEnd::Closed).to_string(), "the session is over: it was closed");
    }

    #[test]
    fn an_error_crosses_threads() {
        fn crosses<T: Send + Sync + Clone + 'static>() {}
        crosses::<Error>();
    }
}
