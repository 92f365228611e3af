//! Elections: one leader at a time, whose value is visible to everyone.
//!
//! Candidates [`campaign`](Election::campaign) through a [`Session`] and get a [`Leadership`] when they are elected. Other
//! programs follow the leader with an [`Observer`], which needs no session.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
//! use std::time::Duration;
//! use etcd_client_core::Put;
//! use etcd_concurrency::{Election, Session};
//!
//! let session = Session::builder(&client).ttl(Duration::from_secs(10)).await?;
//! let election = Election::new(&session, "scheduler");
//!
//! let leadership = election.campaign("host-1").await?;
//! leadership.proclaim("host-1, ready").await?;
//! // etcd applies the write only while this process leads.
//! let txn = client.txn().when(leadership.owned()).then(Put::new("plan", "..."));
//! assert!(txn.await?.succeeded());
//! leadership.resign().await?;
//! # Ok(())
//! # }
//! ```

mod contenders;
mod leadership;
mod observer;

use std::time::Duration;

pub use contenders::Leader;
use etcd_client_core::{Get, Key, KeyValue, Revision, Value};
pub use leadership::Leadership;
pub use observer::Observer;
use tokio::time::timeout;

use crate::{
    Error, Session,
    keys::{contender_key, contender_prefix},
    queue_entry::{Entered, QueueEntry},
    waiting::{WaitSet, wait},
};

/// An election with one leader at a time, in the order in which the candidates campaigned.
///
/// It keeps its session and its client alive.
///
/// **Guarantees.**
/// The same as those of a [`Mutex`](crate::Mutex): leaders are ordered by etcd's revisions, each later leader has a higher fence,
/// and a candidate is woken only when the one directly ahead leaves.
/// A candidate whose session ends or whose key is deleted gets an error immediately, and is never elected.
///
/// **What breaks it.**
/// A leader whose lease expired may not know it yet. Writes that only the leader may make need [`Leadership::owned`]; work that
/// cannot be fenced needs [`Leadership::scope`].
/// An election `a` waits for the leaders of elections below it, such as `a/b`: see
/// [`names_collide`](crate::keys::names_collide).
///
/// **Keys.**
/// `name/<lease>`, with the leader's proclaimed value, as Go's `concurrency.Election` and `etcdctl elect`.
#[doc(alias = "NewElection")]
#[derive(Clone, Debug)]
pub struct Election {
    session: Session,
    name: Key,
}

impl Election {
    /// Creates a handle of the election `name`, whose candidates belong to this session.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(session: etcd_concurrency::Session) {
    /// let election = etcd_concurrency::Election::new(&session, "scheduler");
    /// # drop(election);
    /// # }
    /// ```
    pub fn new(session: &Session, name: impl Into<Key>) -> Self {
        Self { session: session.clone(), name: name.into() }
    }

    /// Waits until the caller is elected, and publishes `value`.
    ///
    /// A session has one candidate per election: a second campaign waits until the leadership of the first one ends. If the
    /// session's lease already has a key in this election, for instance from an earlier process, that key is used with the new value.
    ///
    /// # Errors
    ///
    /// - [`Error::LockLost`] if the candidate's key was deleted, and [`Error::SessionExpired`] if the session ended. Both are
    ///   returned immediately.
    /// - [`Error::CapacityExceeded`] if the session has its maximum number of entries.
    /// - The client's error if etcd could not be reached or rejected the request.
    ///
    /// No error leaves a key behind.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future withdraws the candidate. [`Session`] describes when its key is deleted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(election: etcd_concurrency::Election) -> Result<(), etcd_concurrency::Error> {
    /// let leadership = election.campaign("host-1").await?;
    /// leadership.scope(async { /* lead */ }).await?;
    /// leadership.resign().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Campaign")]
    pub async fn campaign(&self, value: impl Into<Value> + Send) -> Result<Leadership, Error> {
        let value = value.into();
        let mut entry = QueueEntry::contend(&self.session, &self.name, true).await?;
        let wait_set = WaitSet::all_before(contender_prefix(&self.name));
        let entered = entry.enter(value.clone(), wait_set.query()).await?;
        // A key from before, for instance of an earlier process on this lease, may have another value.
        if let Entered::Found(own) = &entered
            && own.value != value.as_bytes()
        {
            entry.put(value).await?;
        }
        wait(&entry, &wait_set, entered).await?;
        Ok(Leadership::new(entry))
    }

    /// Waits until the caller is elected, at most for `limit`.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TimedOut`] after `limit`, or the errors of [`campaign`](Self::campaign).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future withdraws the candidate. [`Session`] describes when its key is deleted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(election: etcd_concurrency::Election) -> Result<(), etcd_concurrency::Error> {
    /// use std::time::Duration;
    ///
    /// let leadership = election.try_campaign_for("host-1", Duration::from_secs(30)).await?;
    /// # drop(leadership);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_campaign_for(
        &self,
        value: impl Into<Value> + Send,
        limit: Duration,
    ) -> Result<Leadership, Error> {
        timeout(limit, self.campaign(value)).await.unwrap_or(Err(Error::TimedOut))
    }

    /// Resumes a leadership that was won with this key, for instance by an earlier process.
    ///
    /// Waits while another task of this session holds the key.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotOwner`] if the key was not created at the revision `fence` or is not the leader's,
    /// [`Error::SessionExpired`] if the session has ended, [`Error::CapacityExceeded`] if it has its maximum number of entries, or
    /// the client's error.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect on the leadership.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use etcd_client_core::{Client, Key, LeaseId, Revision};
    /// # async fn example(client: Client, lease: LeaseId, key: Key, fence: Revision) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_concurrency::{Election, Session};
    ///
    /// // An earlier process stored its lease, its key and its fence.
    /// let session = Session::builder(&client).lease(lease).await?;
    /// let leadership = Election::new(&session, "scheduler").resume(key, fence).await?;
    /// # drop(leadership);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "ResumeElection")]
    pub async fn resume(&self, key: impl Into<Key> + Send, fence: Revision) -> Result<Leadership, Error> {
        let key = key.into();
        let own = key == self.key();
        // A key of another lease needs no slot: tasks of this session do not queue with it.
        let slot = if own { Some(self.session.slot(&self.key()).await?) } else { None };
        let leader = self.leader().await?.ok_or(Error::NotOwner)?;
        if leader.key != key.as_bytes() || leader.create_revision != fence {
            return Err(Error::NotOwner);
        }
        let mut entry = QueueEntry::new(&self.session, key, slot)?;
        entry.adopt(fence, leader.mod_revision);
        Ok(Leadership::new(entry))
    }

    /// Returns the leader's key with its proclaimed value, or `None` if there is no leader.
    ///
    /// # Errors
    ///
    /// Returns the client's error.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(election: etcd_concurrency::Election) -> Result<(), etcd_concurrency::Error> {
    /// match election.leader().await? {
    ///     Some(kv) => println!("{:?} leads", kv.value_str()),
    ///     None => println!("no leader"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Leader")]
    pub async fn leader(&self) -> Result<Option<KeyValue>, Error> {
        let first = Get::new(contender_prefix(&self.name)).first_create();
        Ok(first.bind(self.session.store().kv()).await?.into_first())
    }

    /// Returns an observer of the leader: the current one, each change of the leader, and each proclamation.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(election: etcd_concurrency::Election) -> Result<(), etcd_concurrency::Error> {
    /// let mut observer = election.observe();
    /// while let Some(leader) = observer.next().await {
    ///     println!("{:?}", leader?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Observe")]
    pub fn observe(&self) -> Observer {
        Observer::new(self.session.store(), &self.name)
    }

    /// Returns the name.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(election: etcd_concurrency::Election) {
    /// println!("election {:?}", election.name());
    /// # }
    /// ```
    pub fn name(&self) -> &Key {
        &self.name
    }

    fn key(&self) -> Key {
        contender_key(&self.name, self.session.lease())
    }
}
