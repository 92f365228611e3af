//! A first-in, first-out queue with any number of producers and consumers.
//!
//! [`Queue::new`] needs no session. [`Queue::with_session`] also determines the outcome of a call whose response was lost, as
//! long as the session is alive.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
//! use etcd_concurrency::{Queue, Session};
//!
//! let session = Session::builder(&client).await?;
//! let queue = Queue::with_session(&session, "mails");
//! queue.enqueue("hello").await?;
//! let value = queue.dequeue().await?;
//! assert_eq!(value, "hello");
//! # Ok(())
//! # }
//! ```

mod consume;
mod one_shot;

pub(crate) use consume::{Head, QueueAccess, dequeue};
use etcd_client_core::{Compare, Key, Put, Revision, Txn, Value, kv::SortTarget};
use one_shot::OneShotWrite;
pub(crate) use one_shot::WriteOutcome;

use crate::{
    Error, Session, Store,
    keys::{contender_prefix, create_key, random_key},
};

/// A queue whose values are taken in the order in which they were enqueued.
///
/// It keeps its client alive: dropping the last [`Client`](etcd_client_core::Client) does not end it.
///
/// **Guarantees.**
/// Each value is enqueued at most once and taken at most once, even if requests are retried, lost or delayed.
/// Waiting for a value uses one watch.
/// With a session ([`with_session`](Self::with_session)) the outcome of each call is known as well, while the session is alive:
/// after a lost response, the call determines whether the value was enqueued or taken. Only a dropped future can then lose a
/// value that was just being taken.
///
/// **What breaks it.**
/// Without a session, a lost response leaves the outcome `Unknown`: a value may appear in the queue once, at any later time, and
/// a value that was taken may be lost with the response.
/// A consumer that dies after it took a value loses the value. Work that must be done at least once needs its own record, which is
/// removed when the work is done.
/// All waiting consumers try to take each new value: hundreds of idle consumers send hundreds of transactions per value.
/// A queue `a` also takes the items of queues below it, such as `a/urgent`: see
/// [`names_collide`](crate::keys::names_collide).
///
/// **Keys.**
/// `name/<unique>`, taken in the order of their revisions, as Go's `recipe.Queue`. Rust and Go programs can share a queue.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use etcd_concurrency::Queue;
///
/// let queue = Queue::new(&client, "mails");
/// queue.enqueue("hello").await?;
/// let value = queue.dequeue().await?;
/// assert_eq!(value, "hello");
/// # Ok(())
/// # }
/// ```
#[doc(alias = "NewQueue")]
#[derive(Clone, Debug)]
pub struct Queue {
    access: QueueAccess,
    name: Key,
}

impl Queue {
    /// Creates a handle of the queue `name`, without a session.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(client: etcd_client_core::Client) {
    /// let queue = etcd_concurrency::Queue::new(&client, "mails");
    /// # drop(queue);
    /// # }
    /// ```
    pub fn new(store: impl Into<Store>, name: impl Into<Key>) -> Self {
        Self { access: QueueAccess::Store(store.into()), name: name.into() }
    }

    /// Creates a handle of the queue `name` whose calls have a known outcome while the session is alive.
    ///
    /// The values are not attached to the session's lease: they stay in the queue when the session ends. A session with
    /// [`Tokens::lease_per_entry`](crate::session::Tokens::lease_per_entry) is not supported.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(session: etcd_concurrency::Session) {
    /// let queue = etcd_concurrency::Queue::with_session(&session, "mails");
    /// # drop(queue);
    /// # }
    /// ```
    pub fn with_session(session: &Session, name: impl Into<Key>) -> Self {
        Self { access: QueueAccess::Session(session.clone(), "Queue::with_session"), name: name.into() }
    }

    /// Adds a value at the end of the queue, and returns the revision that added it.
    ///
    /// Without a session, the request is retried only if it was certainly not processed. With a session it is always retried.
    /// If the outcome is unknown, the call then waits until etcd accepts a write that determines it, or until the session ends.
    ///
    /// # Errors
    ///
    /// Returns the client's error. Its outcome shows whether the value may be in the queue, or may still appear there. With a
    /// session the outcome is unknown only if the session's lease ended during the call, which [`Session::lost`] may report a
    /// little later. Returns [`Error::SessionExpired`] if the session had ended before, [`Error::CapacityExceeded`] if it has its
    /// maximum number of entries, and [`Error::NeedsTokens`] if it keeps no tokens.
    ///
    /// # Cancel safety
    ///
    /// After the future is dropped, the value may or may not be in the queue. A session resolves the outcome in the background:
    /// nothing is enqueued after that.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(queue: etcd_concurrency::Queue) -> Result<(), etcd_concurrency::Error> {
    /// let revision = queue.enqueue("hello").await?;
    /// println!("enqueued at revision {revision}");
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Enqueue")]
    pub async fn enqueue(&self, value: impl Into<Value>) -> Result<Revision, Error> {
        let value = value.into();
        let prefix = contender_prefix(&self.name);
        let QueueAccess::Session(session, recipe) = &self.access else {
            return create_key(self.access.store(), random_key(&prefix), value).await;
        };
        let key = random_key(&prefix);
        let txn = Txn::new().when(Compare::missing(&key)).then(Put::new(key, value));
        match OneShotWrite::new(session, recipe)?.send(txn, None).await? {
            WriteOutcome::Applied(at) => Ok(at),
            // The key is random, so that another program would have to choose the same one.
            WriteOutcome::Rejected(_) => Err(Error::KeyExists),
        }
    }

    /// Takes the first value, and waits while the queue is empty. Waiting survives outages.
    ///
    /// # Errors
    ///
    /// Returns the client's error. Its outcome shows whether a value may have been taken. With a session it is unknown only if
    /// the session ended during the call. Returns [`Error::SessionExpired`] if the session had ended before, and
    /// [`Error::NeedsTokens`] if it keeps no tokens.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future may lose a value that was just being taken.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(queue: etcd_concurrency::Queue) -> Result<(), etcd_concurrency::Error> {
    /// loop {
    ///     let value = queue.dequeue().await?;
    ///     println!("took {value:?}");
    /// }
    /// # }
    /// ```
    #[doc(alias = "Dequeue")]
    pub async fn dequeue(&self) -> Result<Value, Error> {
        dequeue(&self.access, &contender_prefix(&self.name), SortTarget::ModRevision).await
    }

    /// Takes the first value. Returns `None` if the queue is empty.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`dequeue`](Self::dequeue).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future may lose a value that was just being taken.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(queue: etcd_concurrency::Queue) -> Result<(), etcd_concurrency::Error> {
    /// while let Some(value) = queue.try_dequeue().await? {
    ///     println!("took {value:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_dequeue(&self) -> Result<Option<Value>, Error> {
        let head = Head::of(&contender_prefix(&self.name), SortTarget::ModRevision);
        Ok(head.take(&self.access).await?.ok())
    }
}
