//! A barrier that a fixed number of participants enter together and leave together.
//!
//! Use a [`DoubleBarrier`] to run a phase of work in lockstep, for instance one step of a distributed computation: no
//! participant starts the phase before all have arrived, and none continues before all have finished.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
//! use std::num::NonZeroUsize;
//! use etcd_concurrency::{DoubleBarrier, Session};
//!
//! let session = Session::builder(&client).await?;
//! let ten = NonZeroUsize::new(10).expect("not zero");
//! let guard = DoubleBarrier::new(&session, "phase-1", ten).enter().await?;
//! // All ten participants have arrived.
//! guard.leave().await?;
//! // All ten participants have left.
//! # Ok(())
//! # }
//! ```

mod guard;
mod round;

use std::num::NonZeroUsize;

use etcd_client_core::{
    CallOptions, Compare, Event, Get, Key, KeyValue, Put, Revision, Txn, Value, Watch, kv::GetResponse,
    request::RetryPolicy, txn::OpResponse,
};
pub use guard::DoubleBarrierGuard;
use round::Round;

use crate::{
    Error, Session,
    backoff::{Backoff, is_transient},
    keys::{below, contender_prefix, unique_key},
    queue_entry::{CreateOutcome, QueueEntry},
    token::rules::Rule,
    wait::wait_event,
};

/// A barrier that a fixed number of participants enter together and leave together.
///
/// It keeps its session and its client alive.
///
/// **Guarantees.**
/// No participant has entered before all have arrived. No participant has left before all that entered have left, died, or lost
/// their session.
/// An extra participant gets [`Error::CapacityExceeded`] and leaves no key behind. This applies to one that arrives when all have
/// arrived, and to one that arrives before all of them have left. The next round starts when the last one has left.
///
/// **What breaks it.**
/// Participants that use different counts.
/// Go's `Enter` does not check whether a round is running: a Go participant that arrives during a round waits for the next
/// `ready` key, and the participants that leave wait for it. If its session ends while it waits, it still enters, without a key,
/// on the `ready` key of a later round.
/// Go also puts `ready` unconditionally, so a copy that is applied late can admit other participants without it.
///
/// **Keys.**
/// `name/waiters/<unique>` and `name/ready`, as Go's `recipe.DoubleBarrier`. Rust and Go participants can share a barrier.
#[doc(alias = "NewDoubleBarrier")]
#[derive(Clone, Debug)]
pub struct DoubleBarrier {
    session: Session,
    base: Key,
    count: NonZeroUsize,
}

impl DoubleBarrier {
    /// Creates a handle of the barrier `name`. All participants have to use the same count.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(session: etcd_concurrency::Session) {
    /// use std::num::NonZeroUsize;
    /// use etcd_concurrency::DoubleBarrier;
    ///
    /// let two = NonZeroUsize::new(2).expect("not zero");
    /// let barrier = DoubleBarrier::new(&session, "phase-1", two);
    /// # drop(barrier);
    /// # }
    /// ```
    pub fn new(session: &Session, name: impl Into<Key>, count: NonZeroUsize) -> Self {
        Self { session: session.clone(), base: contender_prefix(name), count }
    }

    /// Waits until all participants have arrived.
    ///
    /// # Errors
    ///
    /// Returns [`Error::CapacityExceeded`] if all participants have arrived already and not all of them have left,
    /// [`Error::LockLost`] if the participant's key was deleted, [`Error::SessionExpired`] if the session ended, or the client's
    /// error.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future withdraws the participant. [`Session`] describes when its key is deleted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(barrier: etcd_concurrency::DoubleBarrier) -> Result<(), etcd_concurrency::Error> {
    /// let guard = barrier.enter().await?;
    /// // All participants have arrived.
    /// guard.leave().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Enter")]
    pub async fn enter(&self) -> Result<DoubleBarrierGuard, Error> {
        let waiters = self.waiters();
        let key = unique_key(&waiters, self.session.lease());
        let mut entry = QueueEntry::new(&self.session, key, None)?;
        let (others, ready) = (Get::new(&waiters).prefix().keys_only(), Get::new(self.ready()).keys_only());
        let reads = match entry.create(Value::new(), vec![others.clone(), ready.clone()]).await? {
            CreateOutcome::Created(reads) => reads,
            CreateOutcome::Found(own, _) => self.read_as_of(&own, others, ready).await?,
            CreateOutcome::Rejected(_) => return Err(Error::KeyExists),
        };
        let (before, ready) = match Round::of(entry.fence(), reads) {
            Round::Open { before, ready } if before < self.count.get() => (before, ready),
            _ => {
                // Deleted before the error is returned, because the key would count as a participant of the next round.
                entry.leave().await?;
                return Err(Error::CapacityExceeded);
            }
        };
        if before + 1 == self.count.get() {
            self.put_ready(&entry, ready).await?;
        } else {
            self.wait_ready(&entry).await?;
        }
        Ok(DoubleBarrierGuard::new(entry, self.ready(), waiters))
    }

    /// Repeats the reads of an entry whose response was lost, at the revision that created its key.
    async fn read_as_of(&self, own: &KeyValue, others: Get, ready: Get) -> Result<Vec<GetResponse>, Error> {
        let read = |at: Revision| {
            let both = [others.clone(), ready.clone()].map(|get| get.revision(at));
            Txn::new().then(both).bind(self.session.store().kv())
        };
        let response = match read(own.create_revision).await {
            // The current state does not count participants that left since, as if they had left before.
            Err(error) if error.is_compacted() => read(Revision::ZERO).await?,
            response => response?,
        };
        Ok(response.into_responses().into_iter().filter_map(OpResponse::into_get).collect())
    }

    /// Admits all participants. `known` is the mod revision of `ready` when this participant arrived.
    ///
    /// The participant's own key has to exist: a copy that is applied after the key is gone would start the next round. The
    /// condition is not that `ready` is missing, because a `ready` key that a Go participant left behind wakes no waiter.
    async fn put_ready(&self, entry: &QueueEntry, known: Revision) -> Result<(), Error> {
        let (store, rules, mut known) = (self.session.store(), self.session.rules(), known);
        // A `ready` that is newer than the own key admits this participant, no matter which one put it.
        while known < entry.fence() {
            let unchanged = Compare::mod_revision(self.ready()).equal(known);
            let both = rules.enforces(Rule::ReadyNeedsWaiter).then(|| (entry.owned(), unchanged));
            let txn = Txn::new()
                .when(both)
                .then(Put::new(self.ready(), Value::new()))
                .or_else([Get::new(entry.key()).keys_only(), Get::new(self.ready()).keys_only()]);
            let options = CallOptions::default().retry(RetryPolicy::AssumeIdempotent);
            let response = store.kv().txn(txn, options).await.map_err(|error| entry.map_error(error))?;
            if response.succeeded() {
                return Ok(());
            }
            let read = |index| response.get(index).and_then(GetResponse::first);
            if read(0).is_none_or(|own| own.create_revision != entry.fence()) {
                return Err(Error::LockLost);
            }
            // An earlier copy or another participant put it, or a participant of an earlier round deleted it.
            known = read(1).map_or(Revision::ZERO, |ready| ready.mod_revision);
        }
        Ok(())
    }

    /// Waits for the last participant, while the own key and the session are alive.
    async fn wait_ready(&self, entry: &QueueEntry) -> Result<(), Error> {
        tokio::select! {
            biased;
            end = self.session.lost() => Err(Error::SessionExpired(end)),
            () = entry.lease_lost() => Err(Error::LockLost),
            () = entry.gone() => Err(Error::LockLost),
            ready = self.ready_after(entry.fence()) => ready,
        }
    }

    async fn ready_after(&self, entered: Revision) -> Result<(), Error> {
        let (mut from, mut backoff) = (entered.next(), Backoff::OUTAGE);
        loop {
            let put = Watch::new(self.ready()).start_revision(from).no_delete();
            match wait_event(self.session.store(), put, |event: &Event| !event.is_delete()).await {
                Ok(_) => return Ok(()),
                Err(Error::Client(error)) if error.is_compacted() => {}
                Err(error) => return Err(error),
            }
            // A read is enough after a compaction: `ready` is not deleted while this participant has its key.
            match Get::new(self.ready()).keys_only().bind(self.session.store().kv()).await {
                Ok(now) if now.first().is_some_and(|kv| kv.mod_revision > entered) => return Ok(()),
                Ok(now) => from = now.header.revision.next(),
                Err(error) if is_transient(&error) => backoff.wait().await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn waiters(&self) -> Key {
        below(&self.base, "waiters/")
    }

    fn ready(&self) -> Key {
        below(&self.base, "ready")
    }
}
