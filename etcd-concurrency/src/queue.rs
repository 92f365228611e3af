//! The queue that many write to and many take from.

use etcd_client_core::{
    Compare, Delete, Event, Get, GetResponse, Key, KeyValue, Revision, SortOrder, SortTarget, Txn, Value,
    WatchCreate,
};

use crate::{
    Error, Store, contender_prefix, create_unique_key,
    pause::{Pauses, passes},
};

/// A queue: values are taken in the order in which they were put.
///
/// **Guarantees.**
/// Each value is taken at most once: whoever deletes its key has it.
/// Waiting for a value is one watch.
///
/// **What breaks it.**
/// A consumer that dies after it took a value takes it along, and so does one whose answer was lost: the error's outcome is
/// `Unknown`. What must be worked on at least once needs a record of its own, removed when the work is done.
/// All who wait try for each value that comes, so that hundreds of idle consumers cost hundreds of transactions for each.
///
/// **Keys.**
/// `name/<unique>`, taken by revision, as Go's `recipe.Queue`: both can put and take.
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
#[derive(Clone, Debug)]
pub struct Queue {
    store: Store,
    name: Key,
}

impl Queue {
    /// The queue of this name.
    pub fn new(store: impl Into<Store>, name: impl Into<Key>) -> Self {
        Self { store: store.into(), name: name.into() }
    }

    /// Puts a value at the end, and says at which revision.
    ///
    /// # Errors
    /// The client's: its outcome says whether the value may be in the queue.
    pub async fn enqueue(&self, value: impl Into<Value>) -> Result<Revision, Error> {
        Ok(create_unique_key(&self.store, &self.name, value).await?.1)
    }

    /// Takes the first value, and waits while there is none. Outages are waited out.
    ///
    /// Dropping the future may lose a value that was just being taken.
    ///
    /// # Errors
    /// The client's: its outcome says whether a value may have been taken.
    pub async fn dequeue(&self) -> Result<Value, Error> {
        take(&self.store, &contender_prefix(&self.name), SortTarget::ModRevision).await
    }

    /// Takes the first value; `None` when there is none.
    ///
    /// Dropping the future may lose a value that was just being taken.
    ///
    /// # Errors
    /// As [`dequeue`](Self::dequeue).
    pub async fn try_dequeue(&self) -> Result<Option<Value>, Error> {
        let first = First::of(&contender_prefix(&self.name), SortTarget::ModRevision);
        Ok(first.take(&self.store).await?.ok())
    }
}

/// Takes the first value below `prefix`, and waits while there is none.
pub(crate) async fn take(store: &Store, prefix: &Key, order: SortTarget) -> Result<Value, Error> {
    let mut pauses = Pauses::OUTAGE;
    let first = First::of(prefix, order);
    loop {
        let empty_at = match first.take(store).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(empty_at)) => empty_at,
            Err(error) if error.outcome() == etcd_client_core::Outcome::NotApplied && passes(&error) => {
                pauses.pause().await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let put = WatchCreate::new(prefix).prefix().start_revision(empty_at.next()).no_delete();
        match crate::wait_event(store, put, |_: &Event| true).await {
            Ok(_) => pauses.reset(),
            Err(Error::Client(error)) if error.is_compacted() => {}
            Err(error) => return Err(error),
        }
    }
}

/// The first of the keys below a prefix.
pub(crate) struct First(Get);

impl First {
    pub(crate) fn of(prefix: &Key, order: SortTarget) -> Self {
        Self(Get::new(prefix).prefix().sort(order, SortOrder::Ascend).limit(1))
    }

    /// Deletes it and gives its value; the inner error says at which revision there was none.
    pub(crate) async fn take(
        &self,
        store: &Store,
    ) -> Result<Result<Value, Revision>, etcd_client_core::Error> {
        let mut found = self.0.clone().bind(store.kv()).await?;
        let mut pauses = Pauses::CONFLICT;
        loop {
            let Some(KeyValue { key, value, mod_revision, .. }) = found.kvs.pop() else {
                return Ok(Err(found.header.revision));
            };
            let claim = Txn::new()
                .when(Compare::mod_revision(&key).equal(mod_revision))
                .then(Delete::new(&key))
                .or_else(self.0.clone());
            let response = claim.bind(store.kv()).await?;
            if response.succeeded() {
                return Ok(Ok(value.into()));
            }
            // Another one took it, and the answer names the next.
            let header = response.header;
            let next = response.into_responses().pop().and_then(etcd_client_core::OpResponse::into_get);
            found = next.unwrap_or_else(|| GetResponse::new(header, Vec::new()));
            pauses.pause().await;
        }
    }
}
