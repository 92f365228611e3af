//! Updates of several clients on the model of a store, in random order, with lost responses, late and repeated copies of every write,
//! abandoned updates, other writers, deletions and expired leases. Each run compares what was reported with the history of the store.

use std::{collections::VecDeque, time::Duration};

use etcd_errors::{Error, ErrorKind, Outcome};
use fastrand::Rng;

use super::store::Store;
use crate::{
    kv::Get,
    txn::{Txn, TxnResponse},
    types::{Key, LeaseId},
    update::{
        marker::Marker,
        response::Updated,
        state::{Bounds, Machine, Now, Step},
        txns,
        write::Next,
    },
};

const KEY: &str = "k";
const BOUNDS: Bounds =
    Bounds { attempts: 1000, timeout: Duration::from_secs(1), resolve: Duration::from_secs(1) };

/// The faults of a run.
#[derive(Clone, Copy, Debug)]
struct Faults {
    leases_expire: bool,
}

/// The end of one update.
#[derive(Debug)]
struct Report {
    name: String,
    result: Option<Result<Updated, Error>>,
}

/// A client with its markers, which runs one update at a time.
struct Actor {
    name: usize,
    updates: usize,
    decisions: usize,
    machine: Option<Machine>,
    lease: LeaseId,
    free: Vec<Marker>,
    markers: usize,
}

struct World {
    rng: Rng,
    faults: Faults,
    store: Store,
    actors: Vec<Actor>,
    /// Copies of transactions that may be applied at any later time, more than once.
    late: VecDeque<Txn>,
    reports: Vec<Report>,
    leases: i64,
}

impl World {
    fn new(seed: u64, faults: Faults) -> Self {
        let mut world = Self {
            rng: Rng::with_seed(seed),
            faults,
            store: Store::default(),
            actors: Vec::new(),
            late: VecDeque::new(),
            reports: Vec::new(),
            leases: 0,
        };
        for name in 0..3 {
            let (lease, free) = (world.grant(), Vec::new());
            world.actors.push(Actor {
                name,
                updates: 0,
                decisions: 0,
                machine: None,
                lease,
                free,
                markers: 0,
            });
        }
        world
    }

    fn grant(&mut self) -> LeaseId {
        self.leases += 1;
        let lease = LeaseId::new(self.leases).expect("not zero");
        self.store.grant(lease);
        lease
    }

    fn run(mut self) -> Self {
        for _ in 0..120 {
            match self.rng.u32(0..20) {
                0 => self.store.put(KEY, "another writer"),
                1 => self.store.delete(KEY),
                2 => self.abandon(),
                3..=5 => self.apply_late_copy(),
                6 if self.faults.leases_expire && self.rng.u8(0..8) == 0 => {
                    let actor = self.rng.usize(..self.actors.len());
                    self.store.expire(self.actors[actor].lease);
                }
                _ => self.act(),
            }
        }
        for actor in 0..self.actors.len() {
            // Without further faults, every update ends.
            while self.actors[actor].machine.is_some() {
                self.step(actor, false);
            }
        }
        for copy in std::mem::take(&mut self.late) {
            drop(self.store.txn(&copy));
        }
        self
    }

    fn apply_late_copy(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let at = self.rng.usize(..self.late.len());
        drop(self.store.txn(&self.late[at]));
    }

    /// Drops an update in flight. Its last request may still be applied.
    fn abandon(&mut self) {
        let at = self.rng.usize(..self.actors.len());
        let Some(mut machine) = self.actors[at].machine.take() else { return };
        if let (Step::Attempt, Some(attempt), Some(marker)) =
            (machine.step(), machine.attempt(), machine.marker())
        {
            self.late.push_back(txns::attempt(&KEY.into(), attempt, marker));
        }
        self.actors[at].free.extend(machine.take_marker());
    }

    fn act(&mut self) {
        let at = self.rng.usize(..self.actors.len());
        if self.actors[at].machine.is_none() {
            let actor = &mut self.actors[at];
            actor.updates += 1;
            actor.decisions = 0;
            let start = if self.rng.bool() { Machine::new } else { Machine::assuming_missing };
            actor.machine = Some(start(KEY.into(), None, BOUNDS));
        }
        self.step(at, true);
    }

    fn step(&mut self, at: usize, faulty: bool) {
        let Some(mut machine) = self.actors[at].machine.take() else { return };
        let now = Now { elapsed: Duration::ZERO, random: self.rng.u64(..) };
        let key = Key::from(KEY);
        match machine.step() {
            Step::Draw => machine.drawn(Ok(self.draw(at)), now),
            Step::Read => machine.read(txns::read(Ok(self.store.get(&Get::new(KEY)))), now),
            Step::Decide => machine.decided(self.decide(at)),
            Step::Wait(_) => machine.waited(now),
            Step::Done => {
                self.actors[at].free.extend(machine.take_marker());
                let name = self.actors[at].update();
                self.reports.push(Report { name, result: machine.take_result() });
                return;
            }
            step => {
                let (Some(attempt), Some(marker)) = (machine.attempt(), machine.marker()) else {
                    panic!("{step:?} without an attempt")
                };
                let (lease, txn) = match step {
                    Step::Attempt => (marker.lease, txns::attempt(&key, attempt, marker)),
                    Step::Resolve => (marker.lease, txns::resolve(&key, attempt, marker)),
                    _ => (marker.lease, txns::inspect(&key, marker)),
                };
                let sent = self.send(txn, faulty);
                if sent.as_ref().is_err_and(Error::is_lease_not_found) && self.actors[at].lease == lease {
                    self.actors[at].lease = self.grant();
                    self.actors[at].free.clear();
                }
                let answer = sent.and_then(|response| txns::answer(Ok(response)));
                match step {
                    Step::Attempt => machine.attempted(answer, now),
                    Step::Resolve => machine.resolved(answer, now),
                    _ => machine.inspected(answer, now),
                }
            }
        }
        self.actors[at].machine = Some(machine);
    }

    /// Applies a transaction, loses its response, delays it, or rejects it.
    fn send(&mut self, txn: Txn, faulty: bool) -> Result<TxnResponse, Error> {
        let lost = || Error::new(ErrorKind::Unavailable, "lost").with_outcome(Outcome::Unknown);
        match self.rng.u32(0..if faulty { 8 } else { 1 }) {
            1 => {
                drop(self.store.txn(&txn));
                self.late.push_back(txn);
                Err(lost())
            }
            2 | 3 => {
                self.late.push_back(txn);
                Err(lost())
            }
            4 => Err(Error::new(ErrorKind::Unavailable, "not sent")),
            // The transport retries, and reports the answer to the second copy.
            5 => {
                drop(self.store.txn(&txn));
                self.store.txn(&txn)
            }
            _ => self.store.txn(&txn),
        }
    }

    fn draw(&mut self, at: usize) -> Marker {
        let actor = &mut self.actors[at];
        actor.free.pop().unwrap_or_else(|| {
            actor.markers += 1;
            Marker::new(&format!("m{}/", actor.name).into(), actor.lease, actor.markers as u64)
        })
    }

    fn decide(&mut self, at: usize) -> Next {
        let actor = &mut self.actors[at];
        actor.decisions += 1;
        let (name, decisions) = (actor.update(), actor.decisions);
        match self.rng.u32(0..10) {
            0 => Next::Keep,
            1 => Next::Delete,
            _ => Next::from(format!("{name}/{decisions}")),
        }
    }

    /// Returns the revisions at which an update wrote the key.
    fn writes(&self, update: &str) -> Vec<i64> {
        let prefix = format!("{update}/");
        let own = |(key, value, _): &&(Vec<u8>, Vec<u8>, i64)| {
            key == KEY.as_bytes() && value.starts_with(prefix.as_bytes())
        };
        self.store.history.iter().filter(own).map(|(_, _, revision)| *revision).collect()
    }

    fn check(&self, seed: u64) -> usize {
        let mut unknown = 0;
        for Report { name, result } in &self.reports {
            let writes = self.writes(name);
            let context = format!("seed {seed}, update {name}: {result:?}, written at {writes:?}");
            match result.as_ref().expect("a result") {
                Ok(Updated { changed: true, current: Some(kv), revision, .. }) => {
                    assert_eq!(writes, [revision.get()], "{context}");
                    let written = (KEY.as_bytes().to_vec(), kv.value.to_vec(), revision.get());
                    assert!(self.store.history.contains(&written), "{context}");
                }
                Ok(_) => assert!(writes.is_empty(), "{context}"),
                Err(error) if error.outcome() == Outcome::NotApplied => {
                    assert!(writes.is_empty(), "{context}")
                }
                Err(_) => {
                    assert!(self.faults.leases_expire, "{context}");
                    assert!(writes.len() <= 1, "{context}");
                    unknown += 1;
                }
            }
        }
        unknown
    }
}

impl Actor {
    fn update(&self) -> String {
        format!("{}-{}", self.name, self.updates)
    }
}

/// The number of runs; `ETCD_UPDATE_RUNS` sets another one.
fn runs() -> u64 {
    std::env::var("ETCD_UPDATE_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(3000)
}

#[test]
fn reports_match_the_history_under_late_copies() {
    let mut reports = 0;
    for seed in 0..runs() {
        let world = World::new(seed, Faults { leases_expire: false }).run();
        assert_eq!(world.check(seed), 0);
        reports += world.reports.len();
    }
    assert!(reports as u64 > runs(), "{reports} updates ended");
}

#[test]
fn reports_match_the_history_when_leases_expire() {
    let (mut reports, mut unknown) = (0, 0);
    for seed in 0..runs() {
        let world = World::new(seed, Faults { leases_expire: true }).run();
        unknown += world.check(seed);
        reports += world.reports.len();
    }
    assert!(unknown * 10 < reports, "{unknown} of {reports} outcomes are unknown");
}
