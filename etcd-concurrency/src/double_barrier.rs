//! The barrier that a number of participants enter together and leave together.

use std::{fmt, num::NonZeroUsize};

use etcd_client_core::{
    CallOptions, Compare, Delete, Event, Get, GetResponse, Key, KeyValue, OpResponse, Put, Resend, Revision,
    SortOrder, SortTarget, Txn, Value, WatchCreate,
};

use crate::{
    Error, Session,
    acquire::{below, unique_key},
    contender_prefix,
    pause::{Pauses, passes},
    place::{Answer, Place},
    token::rules::Rule,
    wait::deleted_before,
};

/// A barrier that a number of participants enter together and leave together.
///
/// **Guarantees.**
/// Nobody has entered before all have come; nobody has left before all who entered have left, died, or lost their session.
/// An extra participant gets [`Error::Full`] and leaves no key behind: one that comes when all have come, and one that comes
/// before all of them have left. The next round begins when the last one has left.
///
/// **What breaks it.**
/// Participants that were told different numbers.
/// Go's `Enter` does not look whether a round is running: a Go participant that comes in the middle of one waits for the next
/// `ready`, and those who leave wait for it. One whose session ends while it waits enters all the same, without a key, by the
/// `ready` of a later round.
/// It puts `ready` without a condition as well, so that a copy which is applied late can let others enter without it.
///
/// **Keys.**
/// `name/waiters/<unique>` and `name/ready`, as Go's `recipe.DoubleBarrier`: both can take part.
///
/// It keeps its session and its client alive.
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
    /// [`Error::Full`] when all have come already, and until all of them have left; [`Error::Lost`] when the participant's key was deleted, [`Error::Expired`] when the
    /// session ended, or the client's.
    pub async fn enter(&self) -> Result<Inside, Error> {
        let waiters = self.waiters();
        let mut place = Place::new(&self.session, unique_key(&waiters, self.session.lease()), None)?;
        let (others, ready) = (Get::new(&waiters).prefix().keys_only(), Get::new(self.ready()).keys_only());
        let reads = match place.create(Value::new(), vec![others.clone(), ready.clone()]).await? {
            Answer::Created(reads) => reads,
            Answer::Found(own, _) => self.as_of(&own, others, ready).await?,
            Answer::Refused(_) => return Err(Error::KeyExists),
        };
        let (before, ready) = match Round::of(place.fence(), reads) {
            Round::Open { before, ready } if before < self.count.get() => (before, ready),
            _ => {
                place.leave().await?;
                return Err(Error::Full);
            }
        };
        if before + 1 == self.count.get() {
            self.put_ready(&place, ready).await?;
        } else {
            self.wait_ready(&place).await?;
        }
        Ok(Inside { place, ready: self.ready(), waiters })
    }

    /// What the entry would have read, had it been answered: the store as it was when the key was created.
    async fn as_of(&self, own: &KeyValue, others: Get, ready: Get) -> Result<Vec<GetResponse>, Error> {
        let read = |at: Revision| {
            let both = [others.clone(), ready.clone()].map(|get| get.revision(at));
            Txn::new().then(both).bind(self.session.store().kv())
        };
        let response = match read(own.create_revision).await {
            // Who left since is not counted, as if it had left before.
            Err(error) if error.is_compacted() => read(Revision::ZERO).await?,
            response => response?,
        };
        Ok(response.into_responses().into_iter().filter_map(OpResponse::into_get).collect())
    }

    /// Lets everybody in; `known` is the mod revision of `ready` when the participant came.
    ///
    /// The participant's own key has to exist: a copy that is applied after it is gone would open the next round. That `ready`
    /// does not exist is no condition, because one that a Go participant left behind wakes nobody.
    async fn put_ready(&self, place: &Place, known: Revision) -> Result<(), Error> {
        let (store, rules, mut known) = (self.session.store(), self.session.rules(), known);
        while known < place.fence() {
            let unchanged = Compare::mod_revision(self.ready()).equal(known);
            let both = rules.hold(Rule::ReadyNeedsWaiter).then(|| (place.owned(), unchanged));
            let txn = Txn::new()
                .when(both)
                .then(Put::new(self.ready(), Value::new()))
                .or_else([Get::new(place.key()).keys_only(), Get::new(self.ready()).keys_only()]);
            let options = CallOptions::default().resend(Resend::AsIfIdempotent);
            let response = store.kv().txn(txn, options).await.map_err(|error| place.explain(error))?;
            if response.succeeded() {
                return Ok(());
            }
            let read = |index| response.get(index).and_then(GetResponse::first);
            if read(0).is_none_or(|own| own.create_revision != place.fence()) {
                return Err(Error::Lost);
            }
            // Put by an earlier copy or by another participant, or taken down by one of an earlier round.
            known = read(1).map_or(Revision::ZERO, |ready| ready.mod_revision);
        }
        Ok(())
    }

    /// Waits for the last one, for as long as the participant's key and session last.
    async fn wait_ready(&self, place: &Place) -> Result<(), Error> {
        tokio::select! {
            biased;
            end = self.session.lost() => Err(Error::Expired(end)),
            () = place.lease_lost() => Err(Error::Lost),
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

/// Whether a participant that comes can take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// So many came before; `ready` has this mod revision.
    Open { before: usize, ready: Revision },
    /// All have come, and not all have left.
    Running,
}

impl Round {
    /// The round that a participant met when its key was created at `own`: it read the waiters, and `ready`.
    ///
    /// A round is running while somebody who came before the last `ready` is still there. A `ready` without them was left
    /// behind by participants that died.
    fn of(own: Revision, reads: Vec<GetResponse>) -> Self {
        let mut reads = reads.into_iter();
        let mut before = reads.next().unwrap_or_default().kvs;
        before.retain(|kv| kv.create_revision < own);
        let ready =
            reads.next().and_then(GetResponse::into_first).map_or(Revision::ZERO, |kv| kv.mod_revision);
        // A `ready` that is younger than the participant lets it in.
        let running = ready < own && before.iter().any(|kv| kv.create_revision < ready);
        if running { Self::Running } else { Self::Open { before: before.len(), ready } }
    }
}

/// One who has entered a [`DoubleBarrier`]. Dropping it leaves in the background, without waiting for the others.
///
/// It keeps its session and its client alive.
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
        if place.is_leased() {
            return leave_leased(place, &ready).await;
        }
        let both = (Delete::new(ready), Delete::new(place.key()));
        let down = Txn::new().when(place.owned()).then(both).bind(store.kv()).await?;
        place.forget();
        if down.succeeded() { Ok(()) } else { Err(Error::NotOwner) }
    }
}

/// Leaves last where the own key has a lease of its own: the lease is revoked first, and then the barrier taken down.
///
/// In the other order a newcomer would count the participant that leaves. A `ready` without older waiters opens no round, and
/// one that was put since is another one.
async fn leave_leased(place: Place, ready: &Key) -> Result<(), Error> {
    let store = place.session().store().clone();
    let found = Get::new(ready).keys_only().bind(store.kv()).await?;
    place.leave().await?;
    let Some(found) = found.first() else { return Ok(()) };
    let same = Compare::mod_revision(ready).equal(found.mod_revision);
    Txn::new().when(same).then(Delete::new(ready)).bind(store.kv()).await?;
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_participant_joins_a_round_that_is_not_running() {
        let get = |revisions: &[(i64, i64)]| {
            let kv =
                |&(created, modified): &(i64, i64)| KeyValue::new("k", "").with_revisions(created, modified);
            GetResponse::new(Default::default(), revisions.iter().map(kv).collect())
        };
        // The own key was created at 20.
        for (waiters, ready, before) in [
            (vec![], None, Some(0)),
            (vec![10, 11], None, Some(2)),
            (vec![10, 11, 20, 21], None, Some(2)),
            (vec![10], Some(15), None),
            (vec![10, 16], Some(15), None),
            // Left behind by an earlier round.
            (vec![], Some(15), Some(0)),
            (vec![16], Some(15), Some(1)),
            // Put by somebody who came later.
            (vec![10, 20, 21], Some(22), Some(1)),
        ] {
            let put = Revision::new(ready.unwrap_or(0));
            let expected = before.map_or(Round::Running, |before| Round::Open { before, ready: put });
            let waiters = waiters.iter().map(|&created| (created, created)).collect::<Vec<_>>();
            let ready = ready.map(|modified| (5, modified)).into_iter().collect::<Vec<_>>();
            let round = Round::of(20.into(), vec![get(&waiters), get(&ready)]);
            assert_eq!(round, expected, "{waiters:?} {ready:?}");
        }
    }
}
