//! Where a session keeps its tokens, or what it does without.

use etcd_client_core::Key;

/// The prefix unless another is set. Go's recipes keep their own bookkeeping below `__`, too.
const PREFIX: &str = "__entry/";

/// Where a session keeps its tokens: small keys, attached to its lease, that make each of its writes one-shot.
///
/// A token is `<prefix><lease>/<nonce>/<number>`. A session has as many as it ever had entries under way at the same time, and
/// they end with its lease. Watches and caches of the whole key space see them.
///
/// The prefix must not begin with the name of a lock, an election, a queue or any other recipe: contenders would take a token
/// for a contender, and consumers would take it for an item.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// `None` for a lease per entry.
    pub(super) prefix: Option<Key>,
}

impl Tokens {
    /// Keeps tokens below `prefix`. With a namespaced client, that is below the namespace.
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_concurrency::{Session, Tokens};
    ///
    /// // The role may read and write everything below `team/`.
    /// let session = Session::builder(&client).tokens(Tokens::below("team/entries/")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn below(prefix: impl Into<Key>) -> Self {
        Self { prefix: Some(prefix.into()) }
    }

    /// Keeps no tokens: each entry has a lease of its own instead. For roles that may write only the keys of the recipes.
    ///
    /// An entry puts its key under a lease that nothing else uses. Revoking that lease deletes the key, and copies of the entry
    /// that come later fail with `LeaseNotFound`. So what [`Session`](crate::Session) says of late copies holds as well.
    ///
    /// **Costs.**
    /// Two requests to enter (a grant and the entry) and two to leave (a read and the revocation), instead of one each.
    /// Each entry's lease is renewed for as long as its key is held or waits; the renewals of a client share a stream.
    ///
    /// **Differences.**
    /// The key of a [`Mutex`](crate::Mutex) or an [`Election`](crate::Election) is named after the entry's lease, and two tasks
    /// of one session queue for it like two sessions.
    /// A place whose own lease may have expired is [`Error::Lost`](crate::Error::Lost), though the session may live.
    /// After [`Session::orphan`](crate::Session::orphan), or when the process dies, the places expire one TTL later; a session
    /// that takes the lease over does not find them again, and a leadership that it resumes ends with its entry's lease.
    /// When the session ends in any other way than [`Session::close`](crate::Session::close), its places expire as well.
    ///
    /// **Limits.**
    /// [`Queue::with_session`](crate::Queue::with_session) and
    /// [`PriorityQueue::with_session`](crate::PriorityQueue::with_session) fail with
    /// [`Error::NeedsTokens`](crate::Error::NeedsTokens): the items of a queue have no lease, so that no lease can tell what became
    /// of a call. [`Queue::new`](crate::Queue::new) works; its outcome may be unknown.
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_concurrency::{Mutex, Session, Tokens};
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
