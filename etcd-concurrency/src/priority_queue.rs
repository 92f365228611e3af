//! The queue whose values are taken by priority.

use etcd_client_core::{Compare, Get, Key, Put, Revision, SortTarget, Txn, Value};

use crate::{
    Error, Store,
    acquire::below,
    contender_prefix,
    pause::Pauses,
    queue::{First, take},
};

/// A queue whose values are taken by priority, the lowest number first, and among equals in the order in which they were put.
///
/// **Guarantees.**
/// Each value is taken at most once. The next value is the first by priority at the revision at which it is taken.
///
/// **What breaks it.**
/// As of [`Queue`](crate::Queue): a consumer that dies takes along what it took.
/// Producers of one priority contend for its next number: each attempt that is too late is repeated, with jitter.
///
/// **Keys.**
/// `name/<priority, 5 digits>/<number, 16 digits>`, and `__name/<priority>` for the bookkeeping, as Go's `recipe.PriorityQueue`:
/// both can put and take.
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
    store: Store,
    queue: Key,
}

impl PriorityQueue {
    /// The queue of this name.
    pub fn new(store: impl Into<Store>, name: impl Into<Key>) -> Self {
        Self { store: store.into(), queue: contender_prefix(name) }
    }

    /// Puts a value, and says at which revision. Lower priorities are taken first.
    ///
    /// # Errors
    /// The client's: its outcome says whether the value may be in the queue.
    pub async fn enqueue(&self, value: impl Into<Value>, priority: u16) -> Result<Revision, Error> {
        let value = value.into();
        let prefix = below(&self.queue, &format!("{priority:05}"));
        // As `newSequentialKV` of client/v3/experimental/recipes/key.go: whoever allocated a number since the last one was
        // read has written this key, even if the number is gone again.
        let bookkeeping: Key = [b"__", prefix.as_bytes()].concat().into();
        let mut pauses = Pauses::CONFLICT;
        loop {
            let last = Get::new(below(&prefix, "/")).keys_only().last_key();
            let last = last.bind(self.store.kv()).await?;
            let number = last.first().map_or(0, |kv| number_of(&kv.key).saturating_add(1));
            let key = below(&prefix, &format!("/{number:016}"));
            let txn = Txn::new()
                .when(Compare::mod_revision(&bookkeeping).less(last.header.revision.next()))
                .then((Put::new(&bookkeeping, Value::new()), Put::new(key, value.clone())));
            let response = txn.bind(self.store.kv()).await?;
            if response.succeeded() {
                return Ok(response.header.revision);
            }
            pauses.pause().await;
        }
    }

    /// Takes the first value, and waits while there is none. Outages are waited out.
    ///
    /// Dropping the future may lose a value that was just being taken.
    ///
    /// # Errors
    /// The client's: its outcome says whether a value may have been taken.
    pub async fn dequeue(&self) -> Result<Value, Error> {
        take(&self.store, &self.queue, SortTarget::Key).await
    }

    /// Takes the first value; `None` when there is none.
    ///
    /// Dropping the future may lose a value that was just being taken.
    ///
    /// # Errors
    /// As [`dequeue`](Self::dequeue).
    pub async fn try_dequeue(&self) -> Result<Option<Value>, Error> {
        Ok(First::of(&self.queue, SortTarget::Key).take(&self.store).await?.ok())
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
