//! A load of gets and puts, and the checks of its results.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use etcd_client_core::{Client, Error, Outcome, types::MemberId};
use tokio::{task::JoinSet, time::Instant};

/// Workers that each put a new key and get it, one call after the other.
#[derive(Debug)]
pub(super) struct Load {
    workers: JoinSet<Tally>,
    stop: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
}

/// The results of the workers.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) reads: u64,
    pub(super) failed_reads: Vec<Error>,
    /// The number of reads that did not return the value of an acknowledged put.
    pub(super) wrong_reads: u64,
    pub(super) slowest_read: Duration,
    pub(super) acknowledged: Vec<String>,
    /// The failed writes with their errors.
    pub(super) failed_writes: Vec<(String, Error)>,
    pub(super) slowest_write: Duration,
    /// The number of calls that each member answered.
    pub(super) answered: BTreeMap<MemberId, u64>,
}

/// A comparison of the results with the stored keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Acknowledged writes whose key is missing.
    pub(super) lost: usize,
    /// Keys with a version above 1.
    pub(super) twice: usize,
    /// Writes that failed as not applied and whose key exists.
    pub(super) denied: usize,
    /// Writes that failed with an unknown outcome and whose key exists.
    pub(super) applied: usize,
    /// Keys that no worker wrote.
    pub(super) strange: usize,
}

impl Load {
    /// Starts the workers, whose keys start with `prefix`.
    pub(super) fn start(client: &Client, prefix: &str, workers: usize) -> Self {
        let mut load = Self { workers: JoinSet::new(), stop: Arc::default(), calls: Arc::default() };
        for worker in 0..workers {
            let prefix = format!("{prefix}{worker:02}/");
            let (client, stop, calls) = (client.clone(), Arc::clone(&load.stop), Arc::clone(&load.calls));
            load.workers.spawn(work(client, prefix, stop, calls));
        }
        load
    }

    /// Returns the number of calls that have ended.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Stops each worker after its current call and returns the results.
    pub(super) async fn stop(mut self) -> Result<Tally> {
        self.stop.store(true, Ordering::Relaxed);
        let mut total = Tally::default();
        while let Some(tally) = self.workers.join_next().await {
            total.add(tally.context("a worker panicked")?);
        }
        Ok(total)
    }
}

async fn work(client: Client, prefix: String, stop: Arc<AtomicBool>, calls: Arc<AtomicU64>) -> Tally {
    let mut tally = Tally::default();
    let mut number = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        let key = format!("{prefix}{number:06}");
        number += 1;
        if tally.write(&client, &key).await {
            tally.read(&client, &key).await;
            calls.fetch_add(1, Ordering::Relaxed);
        }
        calls.fetch_add(1, Ordering::Relaxed);
    }
    tally
}

impl Tally {
    /// Returns the number of writes, including failed ones.
    pub(super) fn writes(&self) -> usize {
        self.acknowledged.len() + self.failed_writes.len()
    }

    async fn write(&mut self, client: &Client, key: &str) -> bool {
        let begun = Instant::now();
        let put = client.put(key, key).await;
        self.slowest_write = self.slowest_write.max(begun.elapsed());
        match put {
            Ok(put) => {
                *self.answered.entry(put.header.member_id).or_default() += 1;
                self.acknowledged.push(key.to_owned());
                true
            }
            Err(error) => {
                self.failed_writes.push((key.to_owned(), error));
                false
            }
        }
    }

    async fn read(&mut self, client: &Client, key: &str) {
        let begun = Instant::now();
        let got = client.get(key).await;
        self.slowest_read = self.slowest_read.max(begun.elapsed());
        self.reads += 1;
        match got {
            Ok(got) => {
                *self.answered.entry(got.header.member_id).or_default() += 1;
                self.wrong_reads += u64::from(got.first().is_none_or(|kv| kv.value != key));
            }
            Err(error) => self.failed_reads.push(error),
        }
    }

    /// Adds the results of another load.
    pub(super) fn add(&mut self, other: Self) {
        self.reads += other.reads;
        self.failed_reads.extend(other.failed_reads);
        self.wrong_reads += other.wrong_reads;
        self.slowest_read = self.slowest_read.max(other.slowest_read);
        self.acknowledged.extend(other.acknowledged);
        self.failed_writes.extend(other.failed_writes);
        self.slowest_write = self.slowest_write.max(other.slowest_write);
        for (member, calls) in other.answered {
            *self.answered.entry(member).or_default() += calls;
        }
    }

    /// Compares the results with the versions of the stored keys.
    pub(super) fn judge(&self, stored: &HashMap<String, i64>) -> Verdict {
        let there = |key: &str| stored.contains_key(key);
        let failed_and_there = |unknown: bool| {
            let failed = self.failed_writes.iter();
            let failed = failed.filter(|(_, error)| (error.outcome() == Outcome::Unknown) == unknown);
            failed.filter(|(key, _)| there(key)).count()
        };
        let failed = self.failed_writes.iter().map(|(key, _)| key);
        let tried: HashSet<&String> = self.acknowledged.iter().chain(failed).collect();
        Verdict {
            lost: self.acknowledged.iter().filter(|key| !there(key)).count(),
            twice: stored.values().filter(|&&version| version > 1).count(),
            denied: failed_and_there(false),
            applied: failed_and_there(true),
            strange: stored.keys().filter(|key| !tried.contains(key)).count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use etcd_client_core::ErrorKind;

    use super::*;

    fn failed(outcome: Outcome) -> Error {
        Error::new(ErrorKind::Unavailable, "gone").with_outcome(outcome)
    }

    #[test]
    fn each_violation_is_counted() {
        let tally = Tally {
            acknowledged: ["kept", "lost", "twice"].map(str::to_owned).into(),
            failed_writes: vec![
                ("unknown, there".to_owned(), failed(Outcome::Unknown)),
                ("unknown, absent".to_owned(), failed(Outcome::Unknown)),
                ("denied, there".to_owned(), failed(Outcome::NotApplied)),
                ("denied, absent".to_owned(), failed(Outcome::NotApplied)),
            ],
            ..Tally::default()
        };
        let stored = [("kept", 1), ("twice", 2), ("unknown, there", 1), ("denied, there", 1), ("strange", 1)];
        let stored = stored.map(|(key, version)| (key.to_owned(), version)).into();
        let expected = Verdict { lost: 1, twice: 1, denied: 1, applied: 1, strange: 1 };
        assert_eq!(tally.judge(&stored), expected);
        assert_eq!(tally.writes(), 7);
    }

    #[test]
    fn tallies_add_up() {
        let member = MemberId::new(7);
        let one = |reads, slow| Tally {
            reads,
            slowest_read: Duration::from_millis(slow),
            acknowledged: vec![reads.to_string()],
            answered: [(member, reads)].into(),
            ..Tally::default()
        };
        let mut total = one(1, 9);
        total.add(one(2, 5));
        assert_eq!(
            (total.reads, total.slowest_read, total.answered[&member]),
            (3, Duration::from_millis(9), 3)
        );
        assert_eq!(total.acknowledged, ["1", "2"]);
    }
}
