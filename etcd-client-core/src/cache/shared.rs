//! The state shared by the task of a cache and its users: the window of states, the changes, and the status.

use std::sync::{
    Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicU64, Ordering},
};

use etcd_errors::{Code, Error, ErrorKind};
use tokio::sync::{broadcast, watch};

use crate::{
    cache::{
        CacheChange, CacheChanges, CacheCounters, CacheSnapshot, CacheStatus,
        replica::{
            Step,
            covered_range::Span,
            difference,
            pairs::Pairs,
            window::{OutOfWindow, Window},
        },
        status::CacheState,
    },
    types::{KeyRange, Revision},
};

/// The state shared by a cache, its clones and its task.
#[derive(Debug)]
pub(crate) struct Shared {
    range: KeyRange,
    span: Arc<Span>,
    history: usize,
    /// Locked only while a state is cloned or added. Readers do not block each other.
    published: RwLock<Published>,
    state: watch::Sender<CacheState>,
    /// The highest revision that a caller waits for.
    wanted: watch::Sender<Revision>,
    listed: AtomicU64,
    read_through: AtomicU64,
}

#[derive(Debug)]
struct Published {
    /// `None` until the range is listed.
    window: Option<Window>,
    /// `None` once the cache has ended.
    changes: Option<broadcast::Sender<CacheChange>>,
}

impl Shared {
    pub(crate) fn new(range: &KeyRange, history: usize, changes: usize) -> Self {
        Self {
            range: range.clone(),
            span: Arc::new(Span::of(range)),
            history,
            published: RwLock::new(Published {
                window: None,
                changes: Some(broadcast::Sender::new(changes)),
            }),
            state: watch::Sender::new(CacheState::starting()),
            wanted: watch::Sender::new(Revision::ZERO),
            listed: AtomicU64::new(0),
            read_through: AtomicU64::new(0),
        }
    }

    pub(crate) fn range(&self) -> &KeyRange {
        &self.range
    }

    pub(crate) fn span(&self) -> &Arc<Span> {
        &self.span
    }

    pub(crate) fn state(&self) -> watch::Receiver<CacheState> {
        self.state.subscribe()
    }

    pub(crate) fn wanted(&self) -> watch::Receiver<Revision> {
        self.wanted.subscribe()
    }

    /// Requests that the task checks whether the cache has reached `revision`.
    ///
    /// `send_modify` notifies the task even if the value is unchanged, so a repeated request is not lost.
    pub(crate) fn want(&self, revision: Revision) {
        self.wanted.send_modify(|wanted| *wanted = (*wanted).max(revision));
    }

    pub(crate) fn count_read_through(&self) {
        self.read_through.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn counters(&self) -> CacheCounters {
        CacheCounters {
            listed: self.listed.load(Ordering::Relaxed),
            read_through: self.read_through.load(Ordering::Relaxed),
        }
    }

    fn snapshot(&self, pairs: Pairs, revision: Revision) -> CacheSnapshot {
        CacheSnapshot::new(Arc::clone(&self.span), pairs, revision)
    }

    fn read(&self) -> RwLockReadGuard<'_, Published> {
        self.published.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Published> {
        self.published.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The methods for users of the cache.
impl Shared {
    pub(crate) fn latest(&self) -> Result<CacheSnapshot, Error> {
        self.check()?;
        self.read().latest().map(|(pairs, revision)| self.snapshot(pairs, revision)).ok_or_else(not_ready)
    }

    pub(crate) fn at(&self, revision: Revision) -> Result<CacheSnapshot, Error> {
        self.check()?;
        let found = self.read().window.as_ref().map(|window| window.at(revision)).ok_or_else(not_ready)?;
        found.map(|pairs| self.snapshot(pairs, revision)).map_err(out_of_window)
    }

    pub(crate) fn subscribe(&self) -> Result<CacheChanges, Error> {
        self.check()?;
        // The first state and the subscription are taken under one lock. Otherwise a change in between would be missing from both,
        // or part of both.
        let published = self.read();
        let (pairs, revision) = published.latest().ok_or_else(not_ready)?;
        let received = published.changes.as_ref().map(broadcast::Sender::subscribe).ok_or_else(not_ready)?;
        Ok(CacheChanges::new(self.snapshot(pairs, revision), received, self.state()))
    }

    fn check(&self) -> Result<(), Error> {
        match self.state.borrow().end() {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }
}

/// The methods for the task of the cache.
impl Shared {
    pub(crate) fn revision(&self) -> Revision {
        self.state.borrow().revision
    }

    pub(crate) fn pairs(&self) -> Pairs {
        self.read().latest().map(|(pairs, _)| pairs).unwrap_or_default()
    }

    /// Installs the result of a list. The difference to the previous state is published as a change.
    pub(crate) fn restart(&self, revision: Revision, pairs: Pairs, history: u64) {
        let before = self.read().latest();
        let change = before.map(|(before, _)| {
            let events = difference(&before, &pairs, revision);
            CacheChange::new(true, events, self.snapshot(pairs.clone(), revision))
        });
        let mut published = self.write();
        published.window = Some(Window::new(revision, pairs, self.history));
        if let Some(change) = change {
            published.publish(change);
        }
        drop(published);
        self.listed.fetch_add(1, Ordering::Relaxed);
        self.state.send_modify(|state| state.history = history);
        self.reached(revision);
    }

    pub(crate) fn step(&self, step: Step) {
        let Step { revision, events, pairs } = step;
        let change = CacheChange::new(false, events, self.snapshot(pairs.clone(), revision));
        let mut published = self.write();
        if let Some(window) = &mut published.window {
            window.push(revision, pairs);
        }
        published.publish(change);
        drop(published);
        self.reached(revision);
    }

    /// Records that nothing changed up to `revision`.
    pub(crate) fn advance(&self, revision: Revision) {
        if let Some(window) = &mut self.write().window {
            window.advance(revision);
        }
        self.reached(self.revision().max(revision));
    }

    fn reached(&self, revision: Revision) {
        self.state.send_modify(|state| {
            state.revision = revision;
            state.progress_out = false;
        });
    }

    pub(crate) fn progress_is_out(&self) {
        self.state.send_modify(|state| state.progress_out = true);
    }

    pub(crate) fn live(&self) {
        self.state.send_modify(|state| state.status = CacheStatus::Live);
    }

    pub(crate) fn failed(&self, error: Error) {
        self.state.send_modify(|state| {
            state.status = if state.revision == Revision::ZERO {
                CacheStatus::Starting { error: Some(error) }
            } else {
                CacheStatus::Resuming { error }
            };
        });
    }

    pub(crate) fn end(&self, error: Error) {
        self.state.send_modify(|state| state.status = CacheStatus::Ended { error });
        self.write().changes = None;
    }
}

impl Published {
    fn latest(&self) -> Option<(Pairs, Revision)> {
        self.window.as_ref().map(|window| (window.latest(), window.revision()))
    }

    /// Publishes a change. There may be no subscriber.
    fn publish(&self, change: CacheChange) {
        let _ = self.changes.as_ref().map(|changes| changes.send(change));
    }
}

fn not_ready() -> Error {
    Error::new(ErrorKind::Unavailable, "the cache has not listed its range yet: wait with `ready()`")
        .with_operation("cache")
}

fn out_of_window(out: OutOfWindow) -> Error {
    let (complaint, code) = match out {
        OutOfWindow::Before => ("the cache no longer keeps this revision", Code::Compacted),
        OutOfWindow::After => ("the cache has not reached this revision yet", Code::FutureRev),
    };
    Error::invalid_request("revision", complaint).with_code(code).with_operation("cache")
}
