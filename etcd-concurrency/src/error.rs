//! The error type of all recipes.

use etcd_client_core::Outcome;

use crate::session::SessionEnd;

/// The error of every recipe.
///
/// ```no_run
/// # async fn example(mutex: etcd_concurrency::Mutex) -> Result<(), etcd_concurrency::Error> {
/// use etcd_concurrency::Error;
///
/// match mutex.try_lock().await {
///     Ok(guard) => guard.unlock().await?,
///     Err(Error::Locked) => println!("another holder has the lock"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller's key in a lock, an election or a barrier was deleted while the session was alive.
    ///
    /// With [`Tokens::lease_per_entry`](crate::session::Tokens::lease_per_entry) it also means that the key's own lease may have
    /// expired.
    #[error("lock lost: its key was deleted, or its lease may have expired")]
    LockLost,
    /// The session has ended, and everything held through it is lost.
    #[doc(alias = "ErrSessionExpired")]
    #[error("the session has ended: {0}")]
    SessionExpired(SessionEnd),
    /// The work was stopped because its lease was not renewed. The lease had not expired yet.
    ///
    /// [`run_with_lock`](crate::run_with_lock) and [`run_as_leader`](crate::run_as_leader) return it.
    #[error("stopped before the lease could expire: it was not renewed in time")]
    NotRenewed,
    /// The key to change or release no longer belongs to the caller.
    #[doc(alias = "ErrLockReleased")]
    #[doc(alias = "ErrElectionNotLeader")]
    #[error("not the owner of the key")]
    NotOwner,
    /// Another contender holds the lock or the permits, and the call does not wait.
    #[doc(alias = "ErrLocked")]
    #[error("locked by another holder")]
    Locked,
    /// The time limit of the call passed.
    #[error("timed out while waiting")]
    TimedOut,
    /// In each attempt, other writers changed keys that the transaction had read.
    #[error("transaction conflicted with other writers in each of {attempts} attempts")]
    Conflict {
        /// The number of attempts.
        attempts: u32,
    },
    /// The key already exists.
    #[doc(alias = "ErrKeyExists")]
    #[error("the key already exists")]
    KeyExists,
    /// The barrier has all of its participants, or the session has its maximum number of entries (16,384).
    #[doc(alias = "ErrTooManyClients")]
    #[error("capacity exceeded: the barrier has all of its participants, or the session has 16384 entries")]
    CapacityExceeded,
    /// A transaction handle was used after its attempt had finished.
    #[error("the transaction attempt has finished")]
    TxnFinished,
    /// etcd denied a write of a session.
    ///
    /// The user's role needs read and write permission on the recipe's keys and on the session's tokens: see
    /// [`SessionBuilder::tokens`](crate::session::SessionBuilder::tokens). A session with
    /// [`Tokens::lease_per_entry`](crate::session::Tokens::lease_per_entry) keeps no tokens.
    #[error(
        "permission denied: grant read and write on the recipe's keys and on the prefix {tokens:?}, or set SessionBuilder::tokens to another prefix or to Tokens::lease_per_entry"
    )]
    PermissionDenied {
        /// The prefix of the session's tokens, without the client's namespace.
        tokens: String,
        /// The error that etcd returned.
        source: etcd_client_core::Error,
    },
    /// The recipe needs tokens, but its session keeps none.
    #[error(
        "{recipe} needs tokens, but the session has Tokens::lease_per_entry: set Tokens::below, or use the queue without a session"
    )]
    NeedsTokens {
        /// The constructor of the recipe.
        recipe: &'static str,
    },
    /// An error of the client. Its outcome shows whether a write may have been applied.
    #[error(transparent)]
    Client(#[from] etcd_client_core::Error),
}

impl Error {
    /// Returns whether something that the caller held or waited for is lost: its key or the whole session.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_concurrency::Error;
    ///
    /// assert!(Error::LockLost.is_lost());
    /// assert!(!Error::Locked.is_lost());
    /// ```
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::LockLost | Self::SessionExpired(_) | Self::NotRenewed | Self::NotOwner)
    }

    /// Returns whether a time limit passed: the caller's, or that of a request to etcd.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_concurrency::Error;
    ///
    /// assert!(Error::TimedOut.is_timeout());
    /// ```
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::TimedOut => true,
            Self::Client(error) => error.is_timeout(),
            _ => false,
        }
    }

    /// Returns the client's error, if the recipe failed because of one.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_concurrency::Error;
    ///
    /// assert!(Error::Locked.client().is_none());
    /// ```
    pub fn client(&self) -> Option<&etcd_client_core::Error> {
        match self {
            Self::Client(error) | Self::PermissionDenied { source: error, .. } => Some(error),
            _ => None,
        }
    }

    /// Returns whether the write of a failed transaction, unlock or put may have been applied in etcd.
    ///
    /// Keys of a failed acquisition do not count: the session removes them.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Outcome;
    /// use etcd_concurrency::Error;
    ///
    /// assert_eq!(Error::NotOwner.outcome(), Outcome::NotApplied);
    /// ```
    pub fn outcome(&self) -> Outcome {
        self.client().map_or(Outcome::NotApplied, etcd_client_core::Error::outcome)
    }
}

#[cfg(test)]
mod tests {
    use etcd_client_core::{Code, ErrorKind};

    use super::*;

    #[test]
    fn classifies_errors() {
        let unknown = etcd_client_core::Error::new(ErrorKind::Timeout, "late").with_outcome(Outcome::Unknown);
        let denied =
            Error::PermissionDenied { tokens: "__entry/".to_owned(), source: Code::PermissionDenied.into() };
        assert!(denied.to_string().contains("on the prefix \"__entry/\""), "{denied}");
        for (error, lost, timeout, outcome) in [
            (Error::LockLost, true, false, Outcome::NotApplied),
            (Error::SessionExpired(SessionEnd::Lost), true, false, Outcome::NotApplied),
            (Error::NotOwner, true, false, Outcome::NotApplied),
            (Error::NotRenewed, true, false, Outcome::NotApplied),
            (Error::TimedOut, false, true, Outcome::NotApplied),
            (Error::Locked, false, false, Outcome::NotApplied),
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
    fn displays_client_errors_unchanged() {
        let error = Error::from(etcd_client_core::Error::new(ErrorKind::Closed, "the client was closed"));
        assert_eq!(error.to_string(), "the client was closed");
        assert_eq!(
            Error::SessionExpired(SessionEnd::Closed).to_string(),
            "the session has ended: it was closed"
        );
    }

    #[test]
    fn is_send_sync_and_clone() {
        fn crosses<T: Send + Sync + Clone + 'static>() {}
        crosses::<Error>();
    }
}
