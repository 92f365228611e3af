//! Elections: one leader at a time, whose value everybody can see.

mod contenders;
mod leadership;
mod observer;

use std::time::Duration;

use etcd_client_core::{Get, Key, KeyValue, Revision, Value};
use tokio::time::timeout;

pub use contenders::Leader;
pub use leadership::Leadership;
pub use observer::Observer;

use crate::{
    Error, Session, contender_key, contender_prefix,
    place::{Entered, Place},
    waiting::{Rivals, wait},
};

/// An office that one leader has at a time, in the order in which they campaigned.
///
/// **Guarantees.**
/// As of a [`Mutex`](crate::Mutex): of all leaders by the rule of etcd's revisions one is the first, each later one has a higher
/// fence, and a candidate is woken by the departure of the one directly ahead and by nothing else.
/// A candidate whose session ends, or whose key is deleted, is told so at once and never wins.
///
/// **What breaks it.**
/// A leader whose lease expired may not know it yet: writes that only the leader may make need [`Leadership::owned`], work that
/// cannot be fenced [`Leadership::scope`].
/// An election `a` waits for the leaders of elections below it, such as `a/b`: see [`names_collide`](crate::names_collide).
///
/// **Keys.**
/// Those of Go's `concurrency.Election` and of `etcdctl elect`: `name/<lease>`, with what the leader proclaims as value.
///
/// It keeps its session and its client alive.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use std::time::Duration;
/// use etcd_client_core::Put;
/// use etcd_concurrency::{Election, Session};
///
/// let session = Session::builder(&client).ttl(Duration::from_secs(10)).await?;
/// let election = Election::new(&session, "scheduler");
///
/// let leadership = election.campaign("host-1").await?;
/// leadership.proclaim("host-1, ready").await?;
/// let txn = client.txn().when(leadership.owned()).then(Put::new("plan", "..."));
/// assert!(txn.await?.succeeded());
/// leadership.resign().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Election {
    session: Session,
    name: Key,
}

impl Election {
    /// The election of this name, with candidates of this session.
    pub fn new(session: &Session, name: impl Into<Key>) -> Self {
        Self { session: session.clone(), name: name.into() }
    }

    /// Waits until the caller is the leader, and shows `value` to all who look.
    ///
    /// A session has one place in the queue: a second campaign waits for the end of the first one's leadership.
    /// A place that the session's lease had before is kept, and its value replaced.
    /// Dropping the future withdraws: see [`Session`] for when the key is gone.
    ///
    /// # Errors
    /// [`Error::Lost`] when the candidate's key was deleted, [`Error::Expired`] when the session ended, both at once;
    /// [`Error::Full`] when the session has too many places; the client's error when etcd could not be asked, or refused.
    /// None of them leaves a key behind.
    pub async fn campaign(&self, value: impl Into<Value> + Send) -> Result<Leadership, Error> {
        let value = value.into();
        let mut place = Place::contend(&self.session, &self.name, true).await?;
        let rivals = Rivals::all_gone(contender_prefix(&self.name));
        let entered = place.enter(value.clone(), rivals.ahead()).await?;
        if let Entered::Found(own) = &entered
            && own.value != value.as_bytes()
        {
            place.put(value).await?;
        }
        wait(&place, &rivals, entered).await?;
        Ok(Leadership::new(place))
    }

    /// Waits to be the leader, but no longer than `limit`.
    ///
    /// # Errors
    /// [`Error::TimedOut`] after that time, else as [`campaign`](Self::campaign).
    pub async fn campaign_within(
        &self,
        value: impl Into<Value> + Send,
        limit: Duration,
    ) -> Result<Leadership, Error> {
        timeout(limit, self.campaign(value)).await.unwrap_or(Err(Error::TimedOut))
    }

    /// Takes up the leadership that was won under this key, by an earlier process for instance. Waits while this session itself
    /// has it in hand.
    ///
    /// # Errors
    /// [`Error::NotOwner`] when the key was not created by the revision `fence`, or is not that of the leader.
    pub async fn resume(&self, key: impl Into<Key> + Send, fence: Revision) -> Result<Leadership, Error> {
        let key = key.into();
        let own = key == self.key();
        let slot = if own { Some(self.session.slot(&self.key()).await?) } else { None };
        let leader = self.leader().await?.ok_or(Error::NotOwner)?;
        if leader.key != key.as_bytes() || leader.create_revision != fence {
            return Err(Error::NotOwner);
        }
        let mut place = Place::new(&self.session, key, slot)?;
        place.found(fence, leader.mod_revision);
        Ok(Leadership::new(place))
    }

    /// Who leads, and the value that was proclaimed; `None` when nobody does.
    ///
    /// # Errors
    /// The client's.
    pub async fn leader(&self) -> Result<Option<KeyValue>, Error> {
        let first = Get::new(contender_prefix(&self.name)).first_create();
        Ok(first.bind(self.session.store().kv()).await?.into_first())
    }

    /// Follows who leads: now, at each change and at each proclamation.
    pub fn observe(&self) -> Observer {
        Observer::new(self.session.store(), &self.name)
    }

    /// The name.
    pub fn name(&self) -> &Key {
        &self.name
    }

    fn key(&self) -> Key {
        contender_key(&self.name, self.session.lease())
    }
}
