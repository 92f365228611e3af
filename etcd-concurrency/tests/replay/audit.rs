//! The invariants of a run, and their violations.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

use etcd_client_core::Outcome;

use super::model::Model;
use crate::{Error, PriorityQueue, Queue};

/// The names of the recipes in a run.
pub(super) const QUEUE: &str = "queue";
pub(super) const PRIORITY: &str = "priority";
const PREFIXES: [&str; 8] =
    ["mutex/", "election/", "rw/", "semaphore/", "meeting/waiters/", "host", "hosts/", "barrier"];

/// Counts the holders, and follows each value.
#[derive(Debug)]
pub(super) struct Audit {
    model: Model,
    holders: RefCell<BTreeMap<&'static str, (usize, usize)>>,
    values: Cell<u32>,
    /// The outcome of each enqueued value; `None` while it is unknown.
    enqueued: RefCell<BTreeMap<u32, Option<bool>>>,
    taken: RefCell<BTreeSet<u32>>,
    /// The value may have been taken by an actor that did not get the response.
    values_lost: Cell<bool>,
    found: RefCell<Vec<String>>,
}

impl Audit {
    pub(super) fn new(model: Model) -> Self {
        Self {
            model,
            holders: RefCell::default(),
            values: Cell::new(0),
            enqueued: RefCell::default(),
            taken: RefCell::default(),
            values_lost: Cell::new(false),
            found: RefCell::default(),
        }
    }

    pub(super) fn wrong(&self, what: String) {
        self.found.borrow_mut().push(what);
    }

    pub(super) fn found(&self) -> Vec<String> {
        let mut found = self.found.borrow().clone();
        found.extend(self.model.late_effects());
        found
    }

    /// Records a holder of a lock, alone or with others of its kind.
    pub(super) fn enter(&self, name: &'static str, alone: bool, most: usize) {
        let mut holders = self.holders.borrow_mut();
        let (together, single) = holders.entry(name).or_default();
        if alone {
            *single += 1
        } else {
            *together += 1
        }
        if *single > 1 || *together > most || (*single > 0 && *together > 0) {
            self.wrong(format!("{name}: {single} hold it alone and {together} together"));
        }
    }

    pub(super) fn leave(&self, name: &'static str, alone: bool) {
        let mut holders = self.holders.borrow_mut();
        let (together, single) = holders.entry(name).or_default();
        if alone { *single -= 1 } else { *together -= 1 }
    }

    /// Only owners delete keys, and the sessions are alive: nothing may be lost.
    pub(super) fn expects(&self, what: &str, error: &Error) {
        if error.is_lost() {
            self.wrong(format!("{what}: {error}"));
        }
    }

    pub(super) fn next_value(&self) -> u32 {
        self.values.set(self.values.get() + 1);
        self.enqueued.borrow_mut().insert(self.values.get(), None);
        self.values.get()
    }

    /// Records the outcome of an enqueue. `known` requires it to be known.
    pub(super) fn enqueued<T>(&self, value: u32, result: &Result<T, Error>, known: bool) {
        let applied = match result {
            Ok(_) => Some(true),
            Err(error) => {
                self.expects("enqueue", error);
                (error.outcome() == Outcome::NotApplied).then_some(false)
            }
        };
        if known && applied.is_none() {
            self.wrong(format!("the outcome of enqueuing {value} is unknown"));
        }
        self.enqueued.borrow_mut().insert(value, applied);
    }

    pub(super) fn value_may_be_lost(&self) {
        self.values_lost.set(true);
    }

    pub(super) fn taken(&self, value: &[u8]) {
        let value: u32 = std::str::from_utf8(value).expect("text").parse().expect("a number");
        if !self.taken.borrow_mut().insert(value) {
            self.wrong(format!("{value} was taken twice"));
        }
        if self.enqueued.borrow().get(&value) == Some(&Some(false)) {
            self.wrong(format!("{value} was reported as not enqueued"));
        }
    }

    /// Takes the remaining items from the queues.
    pub(super) async fn drain(&self) {
        let (queue, priority) =
            (Queue::new(self.model.store(), QUEUE), PriorityQueue::new(self.model.store(), PRIORITY));
        while let Some(value) = queue.try_dequeue().await.expect("no outage") {
            self.taken(value.as_bytes());
        }
        while let Some(value) = priority.try_dequeue().await.expect("no outage") {
            self.taken(value.as_bytes());
        }
        for (value, applied) in &*self.enqueued.borrow() {
            if *applied == Some(true) && !self.taken.borrow().contains(value) && !self.values_lost.get() {
                self.wrong(format!("{value} was enqueued and is nowhere"));
            }
        }
    }

    /// Checks that no key is left when no actor holds or waits.
    pub(super) fn nothing_is_left(&self) {
        for name in PREFIXES {
            let keys = self.model.keys(name);
            if !keys.is_empty() {
                self.wrong(format!("left behind: {keys:?}"));
            }
        }
        for late in self.model.restored_values("election/") {
            self.wrong(format!("an older value was restored: {late:?}"));
        }
    }
}
