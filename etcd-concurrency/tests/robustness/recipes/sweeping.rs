//! The algorithm that the recipes used before entries were one-shot, on the public API: an entry is retried as if it were idempotent, and
//! possible leftovers are swept by lease. Late copies of its requests do harm, which the checks of a run must find.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use etcd_client_core::{
    CallOptions, Client, Compare, Delete, Get, Key, Put, Txn, Value,
    kv::{SortOrder, SortTarget},
    request::RetryPolicy,
    txn::TxnResponse,
};
use etcd_concurrency::{Error, Queue, Session};
use tokio::{
    sync::{OwnedMutexGuard, mpsc},
    time::{Instant, sleep, sleep_until},
};

use super::{Held, LockKind, MEETING, PERMITS, Participant, QueueKind, Recipes};

/// Longer than the server's own timeout, which was assumed to limit the delay of a request.
const LATE: Duration = Duration::from_millis(7_500);

/// The interval between two reads of the queue. This algorithm shows late copies, not the way of waiting.
const POLL: Duration = Duration::from_millis(20);

/// A contender that uses this algorithm.
#[derive(Clone, Debug)]
pub(crate) struct Sweeping {
    client: Client,
    session: Session,
    slots: Arc<Mutex<HashMap<Key, Arc<tokio::sync::Mutex<()>>>>>,
    cleanups: mpsc::Sender<Cleanup>,
}

#[derive(Debug)]
struct Cleanup {
    key: Key,
    fence: Option<i64>,
    since: Instant,
    slot: Option<OwnedMutexGuard<()>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    NotCreated,
    Entering,
    Created(i64),
}

/// A key in a queue.
#[derive(Debug)]
pub(crate) struct Entry {
    recipes: Sweeping,
    key: Key,
    state: State,
    slot: Option<OwnedMutexGuard<()>>,
}

/// The keys that are counted as ahead, and the number that is tolerated.
#[derive(Debug)]
struct Ahead {
    prefix: Key,
    may_be: usize,
}

fn txn_options() -> CallOptions {
    CallOptions::default().retry(RetryPolicy::AssumeIdempotent)
}

impl Sweeping {
    async fn slot(&self, key: &Key) -> OwnedMutexGuard<()> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(key.clone()).or_default())
        };
        slot.lock_owned().await
    }

    fn key(&self, name: &str, unique: bool) -> Key {
        let lease = self.session.lease();
        let end = if unique { format!("-{:016x}", fastrand::u64(..)) } else { String::new() };
        format!("{name}/{lease:x}{end}").into()
    }

    async fn sweep(self, cleanup: Cleanup) {
        self.delete(&cleanup).await;
        if cleanup.fence.is_none() {
            sleep_until(cleanup.since + LATE).await;
            self.delete(&cleanup).await;
        }
        drop(cleanup.slot);
    }

    async fn delete(&self, cleanup: &Cleanup) {
        let ours = match cleanup.fence {
            Some(fence) => Compare::create_revision(&cleanup.key).equal(fence),
            None => Compare::lease(&cleanup.key).equal(self.session.lease()),
        };
        while self.session.ended().is_none() {
            let txn = self.client.txn().when(ours.clone()).then(Delete::new(&cleanup.key));
            if txn.await.is_ok() {
                return;
            }
            sleep(POLL).await;
        }
    }

    async fn enter(&self, key: Key, slot: Option<OwnedMutexGuard<()>>) -> Result<Entry, Error> {
        let mut entry = Entry { recipes: self.clone(), key, state: State::NotCreated, slot };
        let put = Put::new(&entry.key, Value::new()).lease(self.session.lease());
        let txn = Txn::new().when(Compare::missing(&entry.key)).then(put).or_else(Get::new(&entry.key));
        let response = entry.send(txn).await?;
        if response.succeeded() {
            entry.state = State::Created(response.header.revision.get());
        } else {
            let own = response.get(0).and_then(|found| found.first()).ok_or(Error::LockLost)?;
            entry.state = State::Created(own.create_revision.get());
        }
        Ok(entry)
    }

    async fn try_lock(&self) -> Result<Entry, Error> {
        let key = self.key(LockKind::TryLock.name(), false);
        let slot = self.slot(&key).await;
        let mut entry = Entry { recipes: self.clone(), key, state: State::NotCreated, slot: Some(slot) };
        let queue = format!("{}/", LockKind::TryLock.name());
        let put = Put::new(&entry.key, Value::new()).lease(self.session.lease());
        let txn = Txn::new()
            .when(Compare::create_revision(&queue).equal(0).prefix())
            .then(put)
            .or_else((Get::new(&entry.key), Get::new(queue).first_create()));
        let response = entry.send(txn).await?;
        if response.succeeded() {
            entry.state = State::Created(response.header.revision.get());
            return Ok(entry);
        }
        let first = |index| response.get(index).and_then(|found| found.first()).map(|kv| kv.create_revision);
        entry.state = first(0).map_or(State::NotCreated, |created| State::Created(created.get()));
        if first(0).is_some() && first(0) == first(1) { Ok(entry) } else { Err(Error::Locked) }
    }

    async fn ahead(&self, entry: &Entry, ahead: &Ahead) -> Result<usize, Error> {
        let get = self.client.get(ahead.prefix.clone()).prefix().keys_only();
        let before = get.max_create_revision(entry.created() - 1).await?;
        Ok(before.kvs.len())
    }

    async fn wait(&self, entry: Entry, ahead: Ahead, tries: bool) -> Result<Entry, Error> {
        while self.ahead(&entry, &ahead).await? > ahead.may_be {
            if tries {
                entry.leave().await?;
                return Err(Error::Locked);
            }
            sleep(POLL).await;
        }
        Ok(entry)
    }
}

impl Entry {
    async fn send(&mut self, txn: Txn) -> Result<TxnResponse, Error> {
        self.state = State::Entering;
        Ok(self.recipes.client.kv().txn(txn, txn_options()).await?)
    }

    fn created(&self) -> i64 {
        if let State::Created(fence) = self.state { fence } else { 0 }
    }

    async fn leave(mut self) -> Result<(), Error> {
        let owned = Compare::create_revision(&self.key).equal(self.created());
        self.recipes.client.txn().when(owned).then(Delete::new(&self.key)).await?;
        self.state = State::NotCreated;
        Ok(())
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let fence = match self.state {
            State::NotCreated => return,
            State::Entering => None,
            State::Created(fence) => Some(fence),
        };
        let (key, slot) = (self.key.clone(), self.slot.take());
        // The channel has room for all entries of a run.
        let _ = self.recipes.cleanups.try_send(Cleanup { key, fence, since: Instant::now(), slot });
    }
}

impl Recipes for Sweeping {
    type Held = Entry;
    type Participant = Met;

    const RESOLVES_OUTCOMES: bool = false;

    fn new(client: &Client, session: &Session) -> Self {
        let (cleanups, mut received) = mpsc::channel(4096);
        let (client, session) = (client.clone(), session.clone());
        let recipes = Self { client, session, slots: Arc::default(), cleanups };
        let sweeping = (recipes.client.clone(), recipes.session.clone(), Arc::clone(&recipes.slots));
        let (idle, _) = mpsc::channel(1);
        tokio::spawn(async move {
            while let Some(cleanup) = received.recv().await {
                let (client, session, slots) = sweeping.clone();
                tokio::spawn(Self { client, session, slots, cleanups: idle.clone() }.sweep(cleanup));
            }
        });
        recipes
    }

    fn session(&self) -> &Session {
        &self.session
    }

    async fn take(&self, what: LockKind, _number: u64) -> Result<Entry, Error> {
        let name = what.name();
        let (prefix, below) = (Key::from(format!("{name}/")), |part: &str| format!("{name}/{part}"));
        let (entry, ahead, tries) = match what {
            LockKind::TryLock => return self.try_lock().await,
            LockKind::Barrier => {
                let slot = self.slot(&name.into()).await;
                let mut entry = self.enter(name.into(), Some(slot)).await?;
                let now = self.client.get(name).await?.into_first();
                if now.is_none_or(|kv| kv.lease != Some(self.session.lease())) {
                    entry.state = State::NotCreated;
                    return Err(Error::KeyExists);
                }
                return Ok(entry);
            }
            LockKind::Lock | LockKind::Lead => {
                let key = self.key(name, false);
                let slot = self.slot(&key).await;
                (self.enter(key, Some(slot)).await?, Ahead { prefix, may_be: 0 }, false)
            }
            LockKind::Read => {
                let entry = self.enter(self.key(&below("read"), true), None).await?;
                (entry, Ahead { prefix: below("write/").into(), may_be: 0 }, false)
            }
            LockKind::Write | LockKind::TryWrite => {
                let entry = self.enter(self.key(&below("write"), true), None).await?;
                (entry, Ahead { prefix, may_be: 0 }, what == LockKind::TryWrite)
            }
            LockKind::Permit | LockKind::TryPermit => {
                let entry = self.enter(self.key(name, true), None).await?;
                (entry, Ahead { prefix, may_be: PERMITS - 1 }, what == LockKind::TryPermit)
            }
        };
        self.wait(entry, ahead, tries).await
    }

    async fn enqueue(&self, line: QueueKind, item: String) -> Result<i64, Error> {
        let key: Key = format!("{}/{:032x}", line.name(), fastrand::u128(..)).into();
        let txn = Txn::new().when(Compare::missing(&key)).then(Put::new(&key, item)).or_else(Get::new(&key));
        Ok(self.client.kv().txn(txn, txn_options()).await?.header.revision.get())
    }

    async fn dequeue(&self, line: QueueKind) -> Result<Option<Value>, Error> {
        Queue::new(&self.client, line.name()).try_dequeue().await
    }

    async fn enter(&self) -> Result<Met, Error> {
        let (name, count) = MEETING;
        let waiters = format!("{name}/waiters");
        let entry = self.enter(self.key(&waiters, true), None).await?;
        let prefix = Key::from(format!("{waiters}/"));
        let before = self.ahead(&entry, &Ahead { prefix: prefix.clone(), may_be: 0 }).await?;
        let ready: Key = format!("{name}/ready").into();
        if before >= count {
            entry.leave().await?;
            return Err(Error::CapacityExceeded);
        }
        if before + 1 == count {
            self.client.kv().put(Put::new(&ready, Value::new()), txn_options()).await?;
        } else {
            let is_ready = async || {
                let found = self.client.get(ready.clone()).await?.into_first();
                Ok::<_, Error>(found.is_some_and(|kv| kv.mod_revision.get() > entry.created()))
            };
            while !is_ready().await? {
                sleep(POLL).await;
            }
        }
        Ok(Met { entry, prefix, ready })
    }
}

/// A participant that has entered.
#[derive(Debug)]
pub(crate) struct Met {
    entry: Entry,
    prefix: Key,
    ready: Key,
}

impl Participant for Met {
    async fn leave(self) -> Result<(), Error> {
        let Self { mut entry, prefix, ready } = self;
        let client = entry.recipes.client.clone();
        let all =
            client.get(prefix.clone()).prefix().sort(SortTarget::CreateRevision, SortOrder::Ascend).await?;
        let bound = all.kvs.last().map_or(0, |kv| kv.create_revision.get());
        let first = all.kvs.first().is_some_and(|kv| kv.key == entry.key.as_bytes());
        let left = async |but: usize| {
            loop {
                let get = client.get(prefix.clone()).prefix().count_only();
                if get.max_create_revision(bound).await?.count as usize <= but {
                    return Ok::<_, Error>(());
                }
                sleep(POLL).await;
            }
        };
        if !first {
            entry.leave().await?;
            return left(0).await;
        }
        left(1).await?;
        let owned = Compare::create_revision(&entry.key).equal(entry.created());
        client.txn().when(owned).then((Delete::new(ready), Delete::new(&entry.key))).await?;
        entry.state = State::NotCreated;
        Ok(())
    }
}

impl Held for Entry {
    fn fence(&self) -> i64 {
        self.created()
    }

    fn lost(&self) -> impl Future<Output = Error> + Send + 'static {
        let lost = self.recipes.session.lost();
        async move { Error::SessionExpired(lost.await) }
    }

    async fn give_back(self) -> Result<(), Error> {
        self.leave().await
    }
}
