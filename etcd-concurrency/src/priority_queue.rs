//! The queue whose values are taken by priority.

use etcd_client_core::{Compare, Get, Key, Put, Revision, SortTarget, Txn, Value};

use crate::{
    Error, Session, Store,
    acquire::below,
    contender_prefix,
    one_shot::Shot,
    pause::Pauses,
    queue::{By, First, take},
};

/// A queue whose values are taken by priority, the lowest number first, and among equals in the order in which they were put.
///
/// **Guarantees.**
/// Each value is enqueued at most once and taken at most once. By a session the outcome of each call is known as well: see
/// [`Queue`](crate::Queue). The next value is the first by priority at the revision at which it is taken.
///
/// **What breaks it.**
/// As of [`Queue`](crate::Queue): without a session the outcome of a call may be unknown, and a consumer that dies takes along
/// what it took.
/// Producers of one priority contend for its next number: each attempt that is too late is repeated, with jitter.
///
/// **Keys.**
/// `name/<priority, 5 digits>/<number, 16 digits>`, and `__name/<priority>` for the bookkeeping, as Go's `recipe.PriorityQueue`:
/// both can put and take.
///
/// It keeps its client alive: dropping the last [`Client`](etcd_client_core::Client) does not end it.
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
#[derive(Clone, Debug)]
pub struct PriorityQueue {
    by: By,
    queue: Key,
}

impl PriorityQueue {
    /// The queue of this name.
    pub fn new(store: impl Into<Store>, name: impl Into<Key>) -> Self {
        Self { by: By::Store(store.into()), queue: contender_prefix(name) }
    }

    /// The queue of this name, used by a session: see [`Queue::with_session`](crate::Queue::with_session).
    pub fn with_session(session: &Session, name: impl Into<Key>) -> Self {
        let by = By::Session(session.clone(), "PriorityQueue::with_session");
        Self { by, queue: contender_prefix(name) }
    }

    /// Puts a value, and returns its revision. Lower priorities are taken first.
    ///
    /// A number that another producer took first is no outcome in doubt: only an attempt that was answered is repeated.
    ///
    /// # Errors
    /// As [`Queue::enqueue`](crate::Queue::enqueue).
    ///
    /// # Cancel safety
    /// As of [`Queue::enqueue`](crate::Queue::enqueue).
    pub async fn enqueue(&self, value: impl Into<Value>, priority: u16) -> Result<Revision, Error> {
        let value = value.into();
        let prefix = below(&self.queue, &format!("{priority:05}"));
        // As `newSequentialKV` of client/v3/experimental/recipes/key.go: whoever allocated a number since the last one was
        // read has written this key, even if the number is gone again.
        let bookkeeping: Key = [b"__", prefix.as_bytes()].concat().into();
        let mut pauses = Pauses::CONFLICT;
        loop {
            let last = Get::new(below(&prefix, "/")).keys_only().last_key();
            let last = last.bind(self.by.store().kv()).await?;
            let number = last.first().map_or(0, |kv| number_of(&kv.key).saturating_add(1));
            let key = below(&prefix, &format!("/{number:016}"));
            let txn = Txn::new()
                .when(Compare::mod_revision(&bookkeeping).less(last.header.revision.next()))
                .then((Put::new(&bookkeeping, Value::new()), Put::new(key, value.clone())));
            // Without a session never sent again after a lost answer: other producers put the bookkeeping key as well, so that
            // a refusal would not tell whether the first copy was applied.
            if let Shot::Applied(at) = self.by.send(txn, None).await? {
                return Ok(at);
            }
            pauses.pause().await;
        }
    }

    /// Takes the first value, and waits while there is none. Outages are waited out.
    ///
    /// # Errors
    /// As [`Queue::dequeue`](crate::Queue::dequeue).
    ///
    /// # Cancel safety
    /// Dropping the future may lose a value that was just being taken.
    pub async fn dequeue(&self) -> Result<Value, Error> {
        take(&self.by, &self.queue, SortTarget::Key).await
    }

    /// Takes the first value; `None` when there is none.
    ///
    /// # Errors
    /// As [`dequeue`](Self::dequeue).
    ///
    /// # Cancel safety
    /// As of [`dequeue`](Self::dequeue).
    pub async fn try_dequeue(&self) -> Result<Option<Value>, Error> {
        Ok(First::of(&self.queue, SortTarget::Key).take(&self.by).await?.ok())
    }
}

/// The number at the end of a key; that of a key which somebody else put there counts as zero.
fn number_of(key: &[u8]) -> u64 {
    let digits = key.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::number_of;

    #[test]
    fn the_number_is_what_follows_the_last_slash() {
        assert_eq!(number_of(b"q/00001/0000000000000041"), 41);
        assert_eq!(number_of(b"q/00001/x"), 0);
        assert_eq!(number_of(b""), 0);
    }
}
