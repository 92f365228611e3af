//! The location of a session's tokens.

use etcd_client_core::Key;

/// The default prefix. Go's recipes keep their bookkeeping keys below `__`, too.
const PREFIX: &str = "__entry/";

/// The location of a session's tokens: small keys, attached to its lease, that make each of its writes one-shot.
///
/// A token is named `<prefix><lease>/<nonce>/<number>`. A session has as many tokens as it ever had concurrent operations, and
/// they are deleted with its lease. Watches and caches of the whole key space receive them.
///
/// The prefix must not start with the name of a lock, an election, a queue or another recipe: contenders would mistake a token
/// for a contender, and consumers would mistake it for an item.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use etcd_concurrency::{Session, session::Tokens};
///
/// // The role may read and write everything below `team/`.
/// let session = Session::builder(&client).tokens(Tokens::below("team/entries/")).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Tokens {
    /// `None` for a lease per entry.
    pub(super) prefix: Option<Key>,
}

impl Tokens {
    /// Keeps tokens below `prefix`. For a namespaced client, the prefix is relative to the namespace.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_concurrency::session::Tokens;
    ///
    /// let tokens = Tokens::below("team/entries/");
    /// ```
    pub fn below(prefix: impl Into<Key>) -> Self {
        Self { prefix: Some(prefix.into()) }
    }

    /// Keeps no tokens: each entry has its own lease instead. This is for roles that may write only the keys of the recipes.
    ///
    /// An entry puts its key under a lease that nothing else uses. Revoking the lease deletes the key, and copies of the entry
    /// that arrive later fail with `LeaseNotFound`. The guarantees of a [`Session`](crate::Session) about late copies therefore
    /// hold as well.
    ///
    /// **Costs.**
    /// Two requests to enter (a grant and the entry) and two to leave (a read and the revocation), instead of one each.
    /// Each entry's lease is renewed while its key is held or waits. The leases of a client share keep-alive streams.
    ///
    /// **Differences.**
    /// The key of a [`Mutex`](crate::Mutex) or an [`Election`](crate::Election) is named after the entry's lease, and two tasks
    /// of one session queue for it like two sessions.
    /// An entry whose lease may have expired is lost with [`Error::LockLost`](crate::Error::LockLost), even if the session is
    /// alive.
    /// After [`Session::orphan`](crate::Session::orphan), or when the process dies, the entries expire one TTL later. A session
    /// that takes the lease over does not find them, and a leadership that it resumes ends with its entry's lease.
    /// If the session ends in any other way than [`Session::close`](crate::Session::close), its entries expire as well.
    ///
    /// **Limits.**
    /// [`Queue::with_session`](crate::Queue::with_session) and
    /// [`PriorityQueue::with_session`](crate::PriorityQueue::with_session) fail with
    /// [`Error::NeedsTokens`](crate::Error::NeedsTokens): the items of a queue have no lease that could show the outcome of a
    /// call. [`Queue::new`](crate::Queue::new) works, with an outcome that may be unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_concurrency::{Mutex, Session, session::Tokens};
    ///
    /// // The role may read and write below `jobs/`, and nothing else.
    /// let session = Session::builder(&client).tokens(Tokens::lease_per_entry()).await?;
    /// let guard = Mutex::new(&session, "jobs/nightly").lock().await?;
    /// guard.unlock().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn lease_per_entry() -> Self {
        Self { prefix: None }
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self::below(PREFIX)
    }
}
