//! The lock that one holder has at a time, in the order of arrival.

use std::time::Duration;

use etcd_client_core::{Compare, Get, GetResponse, Key, Value};
use tokio::time::timeout;

use crate::{
    Error, Guard, Session, contender_prefix,
    place::{Answer, Place},
    waiting::{Rivals, wait},
};

/// A lock with one holder at a time, granted in the order of arrival.
///
/// **Guarantees.**
/// Of all holders by the rule of etcd's revisions one is the first, and each later one has a higher fence.
/// A waiter is woken by the departure of the one directly ahead, whether that one held, gave up or died, and by nothing else;
/// while nothing happens it sends nothing.
/// Tasks that lock the same name by the same session exclude each other as well: the second one waits. Locking twice in one task
/// waits for ever.
///
/// **What breaks it.**
/// A holder whose lease expired may not know it yet, and go on working: see [`Guard`] for the three ways to be safe.
/// Two processes that share a lease share the lock.
/// A lock `a` waits for the holders of locks below it, such as `a/b`: see [`names_collide`](crate::names_collide).
///
/// **Keys.**
/// Those of Go's `concurrency.Mutex` and of `etcdctl lock`: `name/<lease>`. All three wait in one queue.
///
/// It keeps its session and its client alive.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use std::time::Duration;
/// use etcd_client_core::Put;
/// use etcd_concurrency::{Error, Mutex, Session};
///
/// let session = Session::builder(&client).ttl(Duration::from_secs(10)).await?;
/// let mutex = Mutex::new(&session, "jobs/nightly");
///
/// let guard = mutex.lock().await?;
/// let txn = client.txn().when(guard.owned()).then(Put::new("result", "42"));
/// assert!(txn.await?.succeeded());
/// guard.unlock().await?;
///
/// match mutex.lock_within(Duration::from_secs(3)).await {
///     Ok(guard) => guard.unlock().await?,
///     Err(Error::TimedOut) => println!("busy"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Mutex {
    session: Session,
    name: Key,
}

impl Mutex {
    /// The lock of this name, held by this session.
    pub fn new(session: &Session, name: impl Into<Key>) -> Self {
        Self { session: session.clone(), name: name.into() }
    }

    /// Waits for the lock.
    ///
    /// Dropping the future leaves the queue: see [`Session`] for when the key is gone.
    ///
    /// # Errors
    /// [`Error::Lost`] when the place in the queue was deleted, [`Error::Expired`] when the session ended, both at once and not only
    /// when it would have been the caller's turn; [`Error::KeyExists`] when the session's key is attached to another lease;
    /// [`Error::Full`] when the session has too many places; the client's error when
    /// etcd could not be asked, or refused. None of them leaves a key behind.
    pub async fn lock(&self) -> Result<Guard, Error> {
        let mut place = Place::contend(&self.session, &self.name, true).await?;
        let rivals = Rivals::all_gone(contender_prefix(&self.name));
        let entered = place.enter(Value::new(), rivals.ahead()).await?;
        wait(&place, &rivals, entered).await?;
        Ok(Guard::new(place))
    }

    /// Waits for the lock, but no longer than `limit`.
    ///
    /// # Errors
    /// [`Error::TimedOut`] after that time, else as [`lock`](Self::lock).
    pub async fn lock_within(&self, limit: Duration) -> Result<Guard, Error> {
        timeout(limit, self.lock()).await.unwrap_or(Err(Error::TimedOut))
    }

    /// Takes the lock if nobody has it or waits for it. One transaction; refused, it writes the session's token.
    ///
    /// # Errors
    /// [`Error::Held`] when somebody has it or waits, else as [`lock`](Self::lock).
    pub async fn try_lock(&self) -> Result<Guard, Error> {
        let mut place = Place::contend(&self.session, &self.name, false).await?;
        let queue = contender_prefix(&self.name);
        let empty = Compare::create_revision(&queue).equal(0).prefix();
        let first = Get::new(&queue).keys_only().first_create();
        match place.create_if(empty, Value::new(), Vec::new(), Some(first)).await? {
            Answer::Created(_) => Ok(Guard::new(place)),
            // The session's lease has the key already: from an earlier copy of this entry, or from before it was taken over.
            Answer::Found(own, first) => {
                let first = first.first().and_then(GetResponse::first);
                let holds = first.is_some_and(|first| first.create_revision == own.create_revision);
                if holds { Ok(Guard::new(place)) } else { Err(Error::Held) }
            }
            Answer::Refused(_) => Err(Error::Held),
        }
    }

    /// The name.
    pub fn name(&self) -> &Key {
        &self.name
    }
}
