//! The guard of a participant that has entered a double barrier.

use std::fmt;

use etcd_client_core::{
    Compare, Delete, Get, Key, Revision, Txn,
    kv::{GetResponse, SortOrder, SortTarget},
};

use crate::{Error, Store, queue_entry::QueueEntry, wait::deleted_before};

/// A participant that has entered a [`DoubleBarrier`](super::DoubleBarrier).
///
/// Dropping it leaves the barrier in the background, without waiting for the others.
/// It keeps its session and its client alive.
#[must_use = "a participant leaves when this is dropped"]
pub struct DoubleBarrierGuard {
    entry: QueueEntry,
    ready: Key,
    waiters: Key,
}

impl DoubleBarrierGuard {
    pub(super) fn new(entry: QueueEntry, ready: Key, waiters: Key) -> Self {
        Self { entry, ready, waiters }
    }

    /// Leaves the barrier, and waits until all participants have left.
    ///
    /// The participant that arrived first leaves last. The others wait for its key to be deleted, which also takes the barrier
    /// down.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotOwner`] if the participant's key was deleted before, [`Error::SessionExpired`] if the session ended,
    /// or the client's error.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped or fails, the session deletes the participant's key in the background.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(guard: etcd_concurrency::double_barrier::DoubleBarrierGuard) -> Result<(), etcd_concurrency::Error> {
    /// guard.leave().await?;
    /// // All participants have left.
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Leave")]
    pub async fn leave(self) -> Result<(), Error> {
        let session = self.entry.session().clone();
        let store = session.store().clone();
        let all = Get::new(&self.waiters).prefix().keys_only();
        let all = all.sort(SortTarget::CreateRevision, SortOrder::Ascend).bind(store.kv()).await?;
        // Participants of the next round may arrive while this one is left: only keys up to this bound are waited for.
        let bound = all.kvs.last().map_or_else(|| self.entry.fence(), |kv| kv.create_revision);
        let leave = async {
            match all.kvs.first() {
                Some(first) if first.create_revision == self.entry.fence() => self.leave_last(bound).await,
                first => {
                    let first = first.map(|kv| (Key::from(&kv.key), kv.create_revision));
                    self.entry.leave().await?;
                    let Some((key, created)) = first else { return Ok(()) };
                    deleted_before(&store, &key, created).await?;
                    // The first one may have died before the others left. The next one is then the first.
                    wait_none(&store, &self.waiters, bound).await
                }
            }
        };
        tokio::select! {
            biased;
            end = session.lost() => Err(Error::SessionExpired(end)),
            left = leave => left,
        }
    }

    /// Waits for each of the others, and then takes the barrier down.
    async fn leave_last(self, bound: Revision) -> Result<(), Error> {
        let Self { mut entry, ready, waiters } = self;
        let store = entry.session().store().clone();
        loop {
            let others = Get::new(&waiters).keys_only().last_create().max_create_revision(bound);
            let last = others.bind(store.kv()).await?.into_first().ok_or(Error::NotOwner)?;
            if last.create_revision == entry.fence() {
                break;
            }
            deleted_before(&store, &Key::from(&last.key), last.create_revision).await?;
        }
        if entry.is_leased() {
            return leave_leased(entry, &ready).await;
        }
        let both = (Delete::new(ready), Delete::new(entry.key()));
        let down = Txn::new().when(entry.owned()).then(both).bind(store.kv()).await?;
        entry.cancel_cleanup();
        if down.succeeded() { Ok(()) } else { Err(Error::NotOwner) }
    }
}

/// Leaves as the last participant where the own key has its own lease: revokes the lease, and then deletes `ready`.
///
/// In the opposite order, a participant of the next round would count the one that is leaving. A `ready` key without earlier
/// participants starts no round, and one that was put in between has another mod revision and stays.
async fn leave_leased(entry: QueueEntry, ready: &Key) -> Result<(), Error> {
    let store = entry.session().store().clone();
    let found = Get::new(ready).keys_only().bind(store.kv()).await?;
    entry.leave().await?;
    let Some(found) = found.first() else { return Ok(()) };
    let same = Compare::mod_revision(ready).equal(found.mod_revision);
    Txn::new().when(same).then(Delete::new(ready)).bind(store.kv()).await?;
    Ok(())
}

/// Waits until no key that was created up to `bound` is left.
async fn wait_none(store: &Store, waiters: &Key, bound: Revision) -> Result<(), Error> {
    loop {
        let first = Get::new(waiters).keys_only().first_create().max_create_revision(bound);
        let first: GetResponse = first.bind(store.kv()).await?;
        let Some(first) = first.into_first() else { return Ok(()) };
        deleted_before(store, &Key::from(&first.key), first.create_revision).await?;
    }
}

impl fmt::Debug for DoubleBarrierGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DoubleBarrierGuard").field("key", self.entry.key()).finish_non_exhaustive()
    }
}
