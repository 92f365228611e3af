//! The queue that many write to and many take from.

use etcd_client_core::{
    Compare, Delete, Event, Get, GetResponse, Key, KeyValue, OpResponse, Outcome, Put, Revision, SortOrder,
    SortTarget, Txn, Value, WatchCreate,
};

use crate::{
    Error, Session, Store, contender_prefix, create_key,
    key::random_key,
    one_shot::{OneShot, Shot},
    pause::{Pauses, passes},
};

/// A queue: values are taken in the order in which they were put.
///
/// **Guarantees.**
/// Each value is enqueued at most once and taken at most once, whatever is retried, lost or delayed on the way.
/// Waiting for a value is one watch.
/// By a session ([`with_session`](Self::with_session)) the outcome of each call is known as well, for as long as the session
/// lives: after a lost answer a call finds out whether the value was put or taken, so that only a dropped future loses
/// a value that was just being taken.
///
/// **What breaks it.**
/// Without a session, an answer that was lost leaves the outcome `Unknown`: a value may come to be in the queue at any later
/// time, once; a value that was taken may be lost with the answer.
/// A consumer that dies after it took a value takes it along. What must be worked on at least once needs a record of its own,
/// removed when the work is done.
/// All consumers that wait try for each value that comes, so that hundreds of idle consumers cost hundreds of transactions for
/// each.
/// A queue `a` also takes the items of queues below it, such as `a/urgent`: see [`names_collide`](crate::names_collide).
///
/// **Keys.**
/// `name/<unique>`, taken by revision, as Go's `recipe.Queue`: both can put and take.
///
/// It keeps its client alive: dropping the last [`Client`](etcd_client_core::Client) does not end it.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use etcd_concurrency::{Queue, Session};
///
/// let queue = Queue::new(&client, "mails");
/// queue.enqueue("hello").await?;
/// let value = queue.dequeue().await?;
/// assert_eq!(value, "hello");
///
/// let session = Session::builder(&client).await?;
/// Queue::with_session(&session, "mails").enqueue("exactly once").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Queue {
    by: By,
    name: Key,
}

impl Queue {
    /// The queue of this name.
    pub fn new(store: impl Into<Store>, name: impl Into<Key>) -> Self {
        Self { by: By::Store(store.into()), name: name.into() }
    }

    /// The queue of this name, used by a session, so that the outcome of each call is known.
    ///
    /// The values are not attached to the session's lease: they stay when it ends.
    pub fn with_session(session: &Session, name: impl Into<Key>) -> Self {
        Self { by: By::Session(session.clone(), "Queue::with_session"), name: name.into() }
    }

    /// Puts a value at the end, and returns its revision.
    ///
    /// Without a session it is sent again only where it was surely not processed. By a session it is retried, and an
    /// unknown outcome is found out, which takes until etcd accepts a write again or the session ends.
    ///
    /// # Errors
    /// The client's: its outcome says whether the value may be in the queue, or may still come to be there. By a session it is
    /// unknown only when the session's lease ended meanwhile, which [`Session::lost`] may report a little later. [`Error::Expired`] when the session was over before,
    /// [`Error::NeedsTokens`] when it keeps no tokens.
    ///
    /// # Cancel safety
    /// Dropping the future leaves it open whether the value is enqueued. By a session it is settled in the background, so that
    /// nothing is enqueued later than that.
    pub async fn enqueue(&self, value: impl Into<Value>) -> Result<Revision, Error> {
        let value = value.into();
        let prefix = contender_prefix(&self.name);
        let By::Session(session, recipe) = &self.by else {
            return create_key(self.by.store(), random_key(&prefix), value).await;
        };
        let key = random_key(&prefix);
        let txn = Txn::new().when(Compare::missing(&key)).then(Put::new(key, value));
        match OneShot::new(session, recipe)?.send(txn, None).await? {
            Shot::Applied(at) => Ok(at),
            Shot::Refused(_) => Err(Error::KeyExists),
        }
    }

    /// Takes the first value, and waits while there is none. Outages are waited out.
    ///
    /// # Errors
    /// The client's: its outcome says whether a value may have been taken. By a session it is unknown only when the session
    /// ended meanwhile. [`Error::Expired`] when the session was over before.
    ///
    /// # Cancel safety
    /// Dropping the future may lose a value that was just being taken.
    pub async fn dequeue(&self) -> Result<Value, Error> {
        take(&self.by, &contender_prefix(&self.name), SortTarget::ModRevision).await
    }

    /// Takes the first value; `None` when there is none.
    ///
    /// # Errors
    /// As [`dequeue`](Self::dequeue).
    ///
    /// # Cancel safety
    /// As of [`dequeue`](Self::dequeue).
    pub async fn try_dequeue(&self) -> Result<Option<Value>, Error> {
        let first = First::of(&contender_prefix(&self.name), SortTarget::ModRevision);
        Ok(first.take(&self.by).await?.ok())
    }
}

/// Who uses a queue.
#[derive(Clone, Debug)]
pub(crate) enum By {
    Store(Store),
    /// The name is that of the constructor.
    Session(Session, &'static str),
}

impl By {
    pub(crate) fn store(&self) -> &Store {
        match self {
            Self::Store(store) => store,
            Self::Session(session, _) => session.store(),
        }
    }

    /// Sends a transaction: one-shot by a session, else as it is.
    pub(crate) async fn send(&self, txn: Txn, otherwise: Option<Get>) -> Result<Shot, Error> {
        match self {
            Self::Session(session, recipe) => OneShot::new(session, recipe)?.send(txn, otherwise).await,
            Self::Store(store) => {
                let response = txn.or_else(otherwise).bind(store.kv()).await?;
                Ok(match response.succeeded() {
                    true => Shot::Applied(response.header.revision),
                    false => Shot::Refused(response),
                })
            }
        }
    }
}

/// Takes the first value below `prefix`, and waits while there is none.
pub(crate) async fn take(by: &By, prefix: &Key, order: SortTarget) -> Result<Value, Error> {
    let mut pauses = Pauses::OUTAGE;
    let first = First::of(prefix, order);
    loop {
        let empty_at = match first.take(by).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(empty_at)) => empty_at,
            Err(Error::Client(error)) if error.outcome() == Outcome::NotApplied && passes(&error) => {
                pauses.pause().await;
                continue;
            }
            Err(error) => return Err(error),
        };
        let put = WatchCreate::new(prefix).prefix().start_revision(empty_at.next()).no_delete();
        match crate::wait_event(by.store(), put, |_: &Event| true).await {
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
    ///
    /// A mod revision never recurs, so that a copy that comes late takes nothing.
    pub(crate) async fn take(&self, by: &By) -> Result<Result<Value, Revision>, Error> {
        let mut found = self.0.clone().bind(by.store().kv()).await?;
        let mut pauses = Pauses::CONFLICT;
        loop {
            let Some(KeyValue { key, value, mod_revision, .. }) = found.kvs.pop() else {
                return Ok(Err(found.header.revision));
            };
            let claim =
                Txn::new().when(Compare::mod_revision(&key).equal(mod_revision)).then(Delete::new(&key));
            let response = match by.send(claim, Some(self.0.clone())).await? {
                Shot::Applied(_) => return Ok(Ok(value.into())),
                Shot::Refused(response) => response,
            };
            // Another one took it, and the answer names the next.
            let header = response.header;
            let next = response.into_responses().into_iter().next().and_then(OpResponse::into_get);
            found = next.unwrap_or_else(|| GetResponse::new(header, Vec::new()));
            pauses.pause().await;
        }
    }
}
