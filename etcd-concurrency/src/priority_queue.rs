//! A queue whose values are taken by priority.
//!
//! A [`PriorityQueue`] takes the value with the lowest priority number first. Values of equal priority are taken in the order in
//! which they were enqueued. As with a [`Queue`](crate::Queue), a session makes the outcome of each call known.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
//! use etcd_concurrency::{PriorityQueue, Session};
//!
//! let session = Session::builder(&client).await?;
//! let queue = PriorityQueue::with_session(&session, "jobs");
//! queue.enqueue("nightly report", 7).await?;
//! let job = queue.dequeue().await?;
//! println!("next job: {job:?}");
//! # Ok(())
//! # }
//! ```

use etcd_client_core::{Compare, Get, Key, Put, Revision, Txn, Value, kv::SortTarget};

use crate::{
    Error, Session, Store,
    backoff::Backoff,
    keys::{below, contender_prefix},
    queue::{Head, QueueAccess, WriteOutcome, dequeue},
};

/// A queue whose values are taken by priority: the lowest number first, and equal priorities in the order in which they were
/// enqueued.
///
/// It keeps its client alive: dropping the last [`Client`](etcd_client_core::Client) does not end it.
///
/// **Guarantees.**
/// Each value is enqueued at most once and taken at most once. With a session the outcome of each call is known as well: see
/// [`Queue`](crate::Queue). The value that is taken is the first by priority at the revision at which it is taken.
///
/// **What breaks it.**
/// The same as for a [`Queue`](crate::Queue): without a session the outcome of a call may be unknown, and a consumer that dies
/// loses the value that it took.
/// Producers of one priority contend for its next number. An attempt that loses is retried with jitter.
///
/// **Keys.**
/// `name/<priority, 5 digits>/<number, 16 digits>`, and `__name/<priority>` for bookkeeping, as Go's `recipe.PriorityQueue`. Rust
/// and Go programs can share a queue.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use etcd_concurrency::PriorityQueue;
///
/// let queue = PriorityQueue::new(&client, "jobs");
/// queue.enqueue("later", 7).await?;
/// queue.enqueue("now", 1).await?;
/// assert_eq!(queue.dequeue().await?, "now");
/// # Ok(())
/// # }
/// ```
#[doc(alias = "NewPriorityQueue")]
#[derive(Clone, Debug)]
pub struct PriorityQueue {
    access: QueueAccess,
    queue: Key,
}

impl PriorityQueue {
    /// Creates a handle of the queue `name`, without a session.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(client: etcd_client_core::Client) {
    /// let queue = etcd_concurrency::PriorityQueue::new(&client, "jobs");
    /// # drop(queue);
    /// # }
    /// ```
    pub fn new(store: impl Into<Store>, name: impl Into<Key>) -> Self {
        Self { access: QueueAccess::Store(store.into()), queue: contender_prefix(name) }
    }

    /// Creates a handle of the queue `name` whose calls have a known outcome while the session is alive: see
    /// [`Queue::with_session`](crate::Queue::with_session).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(session: etcd_concurrency::Session) {
    /// let queue = etcd_concurrency::PriorityQueue::with_session(&session, "jobs");
    /// # drop(queue);
    /// # }
    /// ```
    pub fn with_session(session: &Session, name: impl Into<Key>) -> Self {
        let access = QueueAccess::Session(session.clone(), "PriorityQueue::with_session");
        Self { access, queue: contender_prefix(name) }
    }

    /// Adds a value, and returns the revision that added it. Lower priorities are taken first.
    ///
    /// If another producer takes the number first, the attempt is retried with the next number. Only an attempt that certainly
    /// was not applied is retried in this way.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Queue::enqueue`](crate::Queue::enqueue).
    ///
    /// # Cancel safety
    ///
    /// After the future is dropped, the value may or may not be in the queue: see [`Queue::enqueue`](crate::Queue::enqueue).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(queue: etcd_concurrency::PriorityQueue) -> Result<(), etcd_concurrency::Error> {
    /// queue.enqueue("nightly report", 7).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Enqueue")]
    pub async fn enqueue(&self, value: impl Into<Value>, priority: u16) -> Result<Revision, Error> {
        let value = value.into();
        let prefix = below(&self.queue, &format!("{priority:05}"));
        // As `newSequentialKV` in client/v3/experimental/recipes/key.go: each producer that allocates a number puts this key, so
        // a newer mod revision shows that the last number was read too early, even if its item has been taken since.
        let bookkeeping: Key = [b"__", prefix.as_bytes()].concat().into();
        let mut backoff = Backoff::CONFLICT;
        loop {
            let last = Get::new(below(&prefix, "/")).keys_only().last_key();
            let last = last.bind(self.access.store().kv()).await?;
            let number = last.first().map_or(0, |kv| number_of(&kv.key).saturating_add(1));
            let key = below(&prefix, &format!("/{number:016}"));
            let txn = Txn::new()
                .when(Compare::mod_revision(&bookkeeping).less(last.header.revision.next()))
                .then((Put::new(&bookkeeping, Value::new()), Put::new(key, value.clone())));
            // Without a session, a lost response is never retried: other producers put the bookkeeping key as well, so a rejected
            // second copy would not show whether the first copy was applied.
            if let WriteOutcome::Applied(at) = self.access.send(txn, None).await? {
                return Ok(at);
            }
            backoff.wait().await;
        }
    }

    /// Takes the first value, and waits while the queue is empty. Waiting survives outages.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Queue::dequeue`](crate::Queue::dequeue).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future may lose a value that was just being taken.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(queue: etcd_concurrency::PriorityQueue) -> Result<(), etcd_concurrency::Error> {
    /// let job = queue.dequeue().await?;
    /// println!("next job: {job:?}");
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Dequeue")]
    pub async fn dequeue(&self) -> Result<Value, Error> {
        dequeue(&self.access, &self.queue, SortTarget::Key).await
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
    /// # async fn example(queue: etcd_concurrency::PriorityQueue) -> Result<(), etcd_concurrency::Error> {
    /// if let Some(job) = queue.try_dequeue().await? {
    ///     println!("next job: {job:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_dequeue(&self) -> Result<Option<Value>, Error> {
        Ok(Head::of(&self.queue, SortTarget::Key).take(&self.access).await?.ok())
    }
}

/// Returns the number at the end of a key, or zero for a key that another program put there.
fn number_of(key: &[u8]) -> u64 {
    let digits = key.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::number_of;

    #[test]
    fn reads_the_number_after_the_last_slash() {
        assert_eq!(number_of(b"q/00001/0000000000000041"), 41);
        assert_eq!(number_of(b"q/00001/x"), 0);
        assert_eq!(number_of(b""), 0);
    }
}
