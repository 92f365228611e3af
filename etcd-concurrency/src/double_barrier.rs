//! The barrier that a number of participants enter together and leave together.

use std::{fmt, num::NonZeroUsize};

use etcd_client_core::{
    CallOptions, Delete, Event, Get, GetResponse, Key, Put, Resend, Revision, SortOrder, SortTarget, Txn,
    Value, WatchCreate,
};

use crate::{
    Error, Session,
    acquire::{below, unique_key},
    contender_prefix,
    pause::{Pauses, passes},
    place::{Entered, Place},
    wait::deleted_before,
};

/// A barrier that a number of participants enter together and leave together.
///
/// **Guarantees.**
/// Nobody has entered before all have come; nobody has left before all who entered have left, died, or lost their session.
/// One that comes too many is refused and leaves no key.
///
/// **What breaks it.**
/// Participants that were told different numbers.
/// A round begins when the last one has left: one that comes in the middle of it is one too many.
///
/// **Keys.**
/// `name/waiters/<unique>` and `name/ready`, as Go's `recipe.DoubleBarrier`: both can take part.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use std::num::NonZeroUsize;
/// use etcd_concurrency::{DoubleBarrier, Session};
///
/// let session = Session::builder(&client).await?;
/// let ten = NonZeroUsize::new(10).expect("not zero");
/// let inside = DoubleBarrier::new(&session, "phase-1", ten).enter().await?;
/// // all ten are here
/// inside.leave().await?;
/// // all ten are done
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DoubleBarrier {
    session: Session,
    base: Key,
    count: NonZeroUsize,
}

impl DoubleBarrier {
    /// The barrier of this name. All participants have to give the same number.
    pub fn new(session: &Session, name: impl Into<Key>, count: NonZeroUsize) -> Self {
        Self { session: session.clone(), base: contender_prefix(name), count }
    }

    /// Waits until all have come.
    ///
    /// Dropping the future takes the participant back: see [`Session`] for when its key is gone.
    ///
    /// # Errors
    /// [`Error::Full`] when all have come already, [`Error::Lost`] when the participant's key was deleted, [`Error::Expired`] when the
    /// session ended, or the client's.
    pub async fn enter(&self) -> Result<Inside, Error> {
        let waiters = self.waiters();
        let mut place = Place::new(&self.session, unique_key(&waiters, self.session.lease()), None)?;
        let others = Get::new(&waiters).prefix().keys_only();
        let before = match place.enter(Value::new(), others.clone()).await? {
            Entered::New(standing) => standing.ahead.len(),
            Entered::Found(own) => {
                let earlier = others.max_create_revision(Revision::new(own.create_revision.get() - 1));
                earlier.bind(self.session.store().kv()).await?.kvs.len()
            }
        };
        if before >= self.count.get() {
            place.leave().await?;
            return Err(Error::Full);
        }
        if before + 1 == self.count.get() {
            let options = CallOptions::default().resend(Resend::AsIfIdempotent);
            self.session.store().kv().put(Put::new(self.ready(), Value::new()), options).await?;
        } else {
            self.wait_ready(&place).await?;
        }
        Ok(Inside { place, ready: self.ready(), waiters })
    }

    /// Waits for the last one, for as long as the participant's key and session last.
    async fn wait_ready(&self, place: &Place) -> Result<(), Error> {
        tokio::select! {
            biased;
            end = self.session.lost() => Err(Error::Expired(end)),
            () = place.gone() => Err(Error::Lost),
            ready = self.ready_after(place.fence()) => ready,
        }
    }

    async fn ready_after(&self, entered: Revision) -> Result<(), Error> {
        let (mut from, mut pauses) = (entered.next(), Pauses::OUTAGE);
        loop {
            let put = WatchCreate::new(self.ready()).start_revision(from).no_delete();
            match crate::wait_event(self.session.store(), put, |event: &Event| !event.is_delete()).await {
                Ok(_) => return Ok(()),
                Err(Error::Client(error)) if error.is_compacted() => {}
                Err(error) => return Err(error),
            }
            // It is not taken down while this participant has its key.
            match Get::new(self.ready()).keys_only().bind(self.session.store().kv()).await {
                Ok(now) if now.first().is_some_and(|kv| kv.mod_revision > entered) => return Ok(()),
                Ok(now) => from = now.header.revision.next(),
                Err(error) if passes(&error) => pauses.pause().await,
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

/// One who has entered a [`DoubleBarrier`]. Dropping it leaves in the background, without waiting for the others.
#[must_use = "a participant leaves when this is dropped"]
pub struct Inside {
    place: Place,
    ready: Key,
    waiters: Key,
}

impl Inside {
    /// Waits until all have left.
    ///
    /// The first of those who are inside is the last to leave, and all others wait for that one; it takes the barrier down.
    ///
    /// # Errors
    /// [`Error::NotOwner`] when the participant's key was deleted before, [`Error::Expired`] when the session ended, or the
    /// client's: the session then leaves in the background.
    pub async fn leave(self) -> Result<(), Error> {
        let session = self.place.session().clone();
        let store = session.store().clone();
        let all = Get::new(&self.waiters).prefix().keys_only();
        let all = all.sort(SortTarget::CreateRevision, SortOrder::Ascend).bind(store.kv()).await?;
        let bound = all.kvs.last().map_or_else(|| self.place.fence(), |kv| kv.create_revision);
        let leave = async {
            match all.kvs.first() {
                Some(first) if first.create_revision == self.place.fence() => self.leave_last(bound).await,
                first => {
                    let first = first.map(|kv| (Key::from(&kv.key), kv.create_revision));
                    self.place.leave().await?;
                    let Some((key, created)) = first else { return Ok(()) };
                    deleted_before(&store, &key, created).await?;
                    // The first may have died; then the next one is.
                    wait_none(&store, &self.waiters, bound).await
                }
            }
        };
        tokio::select! {
            biased;
            end = session.lost() => Err(Error::Expired(end)),
            left = leave => left,
        }
    }

    /// The first one waits for each of the others, and then takes the barrier down.
    async fn leave_last(self, bound: Revision) -> Result<(), Error> {
        let Self { mut place, ready, waiters } = self;
        let store = place.session().store().clone();
        loop {
            let others = Get::new(&waiters).keys_only().last_create().max_create_revision(bound);
            let last = others.bind(store.kv()).await?.into_first().ok_or(Error::NotOwner)?;
            if last.create_revision == place.fence() {
                break;
            }
            deleted_before(&store, &Key::from(&last.key), last.create_revision).await?;
        }
        let both = (Delete::new(ready), Delete::new(place.key()));
        let down = Txn::new().when(place.owned()).then(both).bind(store.kv()).await?;
        place.forget();
        if down.succeeded() { Ok(()) } else { Err(Error::NotOwner) }
    }
}

/// Waits until none of those who were inside is.
async fn wait_none(store: &crate::Store, waiters: &Key, bound: Revision) -> Result<(), Error> {
    loop {
        let first = Get::new(waiters).keys_only().first_create().max_create_revision(bound);
        let first: GetResponse = first.bind(store.kv()).await?;
        let Some(first) = first.into_first() else { return Ok(()) };
        deleted_before(store, &Key::from(&first.key), first.create_revision).await?;
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inside").field("key", self.place.key()).finish_non_exhaustive()
    }
}
