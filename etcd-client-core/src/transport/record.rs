//! What the calls of one kind have shown of a member: whether it is of use to them.

use std::{
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::mechanism::ejection::{Ejection, Use};

/// What a call needs of its member. One that is cut off from the others still answers what needs none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The member alone: serializable reads, questions about the member itself.
    Member,
    /// A quorum behind it.
    Quorum,
}

/// The record of one member for one need. Times are milliseconds since the pool began.
#[derive(Debug, Default)]
pub(crate) struct Record {
    ejection: Mutex<Ejection>,
    /// Until when others are used; zero for not at all. A copy out of `ejection`.
    until: AtomicU64,
    /// Whether `ejection` holds anything that a good end would clear.
    troubled: AtomicBool,
}

impl Record {
    /// Until when others are to be used, zero for not at all.
    pub(crate) fn until(&self) -> u64 {
        self.until.load(Ordering::Relaxed)
    }

    /// How a call ended, and until when others are used where that is news. It took this time.
    pub(crate) fn judge(&self, end: Use, took: Range<u64>) -> Option<u64> {
        if end == Use::Unclear || (end == Use::Good && !self.troubled.load(Ordering::Relaxed)) {
            return None;
        }
        let (began, at) = (Duration::from_millis(took.start), Duration::from_millis(took.end));
        let before = self.until();
        self.change(|ejection| match end {
            Use::Good => ejection.good(began),
            Use::Bad => ejection.bad(at, fastrand::u64(..)),
            Use::Useless => ejection.useless(at, fastrand::u64(..)),
            Use::Unclear => {}
        });
        let until = self.until();
        (until > before).then_some(until)
    }

    /// A call is about to go here: where the member was ejected until now, others wait for what this one finds.
    pub(crate) fn picked(&self, now: u64) {
        if self.until() != 0 {
            self.change(|ejection| ejection.probed(Duration::from_millis(now)));
        }
    }

    /// The copies are written under the lock: a good end that raced a bad one must not hide it, nor be hidden.
    fn change(&self, change: impl FnOnce(&mut Ejection)) {
        let mut ejection = self.ejection.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut ejection);
        let until = ejection.until().map_or(0, |until| u64::try_from(until.as_millis()).unwrap_or(u64::MAX));
        self.until.store(until, Ordering::Relaxed);
        self.troubled.store(ejection.is_troubled(), Ordering::Relaxed);
    }
}
