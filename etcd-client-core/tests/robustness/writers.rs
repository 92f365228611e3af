//! Writers: puts, deletions, transactions over several keys, leases that are revoked or left to expire.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use etcd_client_core::{Client, Delete, Error, LeaseId, Put, Revision, txn::Op};
use etcd_testkit::history::{self, Action, Edge, Keys, OpId, Recorder, Rev, Value};
use fastrand::Rng;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    edges::{failure, revision},
    goals::Goals,
};

/// What all keys begin with.
pub(super) const PREFIX: &str = "w/";

/// Few, so that every key is put, deleted and put again all the time.
pub(super) const KEYS: usize = 12;

const WRITERS: usize = 4;

/// Between two operations of a writer, at most: some hundred revisions a second in all.
const PACE: u64 = 40;

pub(super) fn key(number: usize) -> String {
    format!("{PREFIX}{}", char::from(b'a' + number as u8))
}

/// What all writers share.
#[derive(Clone, Debug)]
pub(super) struct Writing {
    client: Client,
    recorder: Recorder,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    acknowledged: AtomicUsize,
    latest: AtomicI64,
}

impl Writing {
    pub(super) fn new(client: Client, recorder: Recorder) -> Self {
        Self { client, recorder, shared: Arc::default() }
    }

    /// The latest revision that a writer was told.
    pub(super) fn latest(&self) -> i64 {
        self.shared.latest.load(Ordering::Relaxed)
    }

    pub(super) fn acknowledged(&self) -> usize {
        self.shared.acknowledged.load(Ordering::Relaxed)
    }

    pub(super) fn start(&self, seed: u64) -> JoinSet<()> {
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS as u64 {
            writers.spawn(self.clone().write(Rng::with_seed(seed ^ (writer + 1))));
        }
        writers
    }

    /// Lets every writer end its operation.
    pub(super) async fn stop(&self, writers: JoinSet<()>) {
        self.shared.stop.store(true, Ordering::Relaxed);
        writers.join_all().await;
    }

    /// The writes that end a run.
    pub(super) async fn finish(&self) -> Result<Goals, Error> {
        for number in 0..KEYS {
            self.put(key(number), None).await?;
        }
        let deleted = self.delete(Keys::prefix(PREFIX)).await?;
        let mut goals = Goals { deleted, puts: Vec::new() };
        for number in 0..KEYS {
            goals.puts.push((key(number), self.put(key(number), None).await?));
        }
        Ok(goals)
    }

    /// A write that no watch sees, so that witnesses know where to stop.
    pub(super) async fn mark_end(&self) -> Result<Rev, Error> {
        self.put("end".to_owned(), None).await
    }

    async fn write(self, mut rng: Rng) {
        while !self.shared.stop.load(Ordering::Relaxed) {
            let one = key(rng.usize(..KEYS));
            // How each ended is in the history; the next one is tried all the same.
            let _ = match rng.u8(..20) {
                0..10 => self.put(one, None).await,
                10..13 => self.delete(Keys::one(one)).await,
                13 => self.delete(Keys::prefix(PREFIX)).await,
                14..18 => self.transaction(&mut rng, None).await,
                _ => self.lease(&mut rng).await,
            };
            sleep(Duration::from_millis(rng.u64(..PACE))).await;
        }
    }

    async fn put(&self, key: String, lease: Option<LeaseId>) -> Result<Rev, Error> {
        let op = self.recorder.op();
        let (action, put) = self.putting(op, key, lease);
        let put =
            async { self.client.execute(put).await.map(|answer| (answer.header().revision, Some(true))) };
        self.run(op, vec![action], put).await
    }

    async fn delete(&self, keys: Keys) -> Result<Rev, Error> {
        let op = self.recorder.op();
        let mut delete = self.client.delete(keys.key.clone());
        if keys.end.is_some() {
            delete = delete.prefix();
        }
        let deleting =
            async { delete.await.map(|answer| (answer.header.revision, Some(answer.deleted > 0))) };
        self.run(op, vec![Action::Delete { keys }], deleting).await
    }

    /// Puts some keys and deletes another one, at one revision.
    async fn transaction(&self, rng: &mut Rng, lease: Option<LeaseId>) -> Result<Rev, Error> {
        let op = self.recorder.op();
        let first = rng.usize(..KEYS);
        let (mut actions, mut ops) = (Vec::new(), Vec::<Op>::new());
        for number in first..first + rng.usize(1..4) {
            let (action, put) = self.putting(op, key(number % KEYS), lease);
            actions.push(action);
            ops.push(put.into());
        }
        let other = key((first + KEYS - 1) % KEYS);
        ops.push(Delete::new(other.clone()).into());
        actions.push(Action::Delete { keys: Keys::one(other) });
        let transaction =
            async { self.client.txn().then(ops).await.map(|answer| (answer.header.revision, Some(true))) };
        self.run(op, actions, transaction).await
    }

    /// A lease with some keys, which end at one revision: at once, or in a few seconds.
    async fn lease(&self, rng: &mut Rng) -> Result<Rev, Error> {
        let granted = self.client.lease().grant(Duration::from_secs(2)).await?;
        let revision = self.transaction(rng, Some(granted.id)).await?;
        if rng.u8(..3) == 0 {
            return Ok(revision);
        }
        let (op, lease) = (self.recorder.op(), history::LeaseId(granted.id.get()));
        let revoking = async {
            self.client.lease().revoke(granted.id).await.map(|answer| (answer.header.revision, None))
        };
        self.run(op, vec![Action::Revoke { lease }], revoking).await
    }

    /// The value tells the operation.
    fn putting(&self, op: OpId, key: String, lease: Option<LeaseId>) -> (Action, Put) {
        let value = format!("v{op}");
        let mut put = Put::new(key.clone(), value.clone());
        if let Some(lease) = lease {
            put = put.lease(lease);
        }
        let lease = lease.map(|lease| history::LeaseId(lease.get()));
        (Action::Put { key, value: Value::of(value.as_bytes()), lease }, put)
    }

    async fn run(
        &self,
        op: OpId,
        actions: Vec<Action>,
        call: impl Future<Output = Result<(Revision, Option<bool>), Error>>,
    ) -> Result<Rev, Error> {
        self.recorder.record(Edge::Invoke { op, actions });
        match call.await {
            Ok((at, changed)) => {
                self.recorder.record(Edge::Ok { op, revision: revision(at), changed });
                self.shared.acknowledged.fetch_add(1, Ordering::Relaxed);
                self.shared.latest.fetch_max(at.get(), Ordering::Relaxed);
                Ok(revision(at))
            }
            Err(error) => {
                self.recorder.record(failure(op, &error));
                Err(error)
            }
        }
    }
}
