//! The outcomes of a member's calls, which decide whether the member is avoided.

use std::{
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::transport::balance::ejection::{CallQuality, Ejection};

/// The part of the cluster that a call needs. A member cut off from its peers still serves calls that need only
/// itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The member alone: serializable reads and requests about the member itself.
    Member,
    /// A quorum.
    Quorum,
}

/// The outcomes of one member's calls for one need. Times are in milliseconds since the start of the pool.
#[derive(Debug, Default)]
pub(crate) struct MemberHealth {
    ejection: Mutex<Ejection>,
    /// The time until which other members are preferred, or zero. A copy from `ejection`, readable without the lock.
    until: AtomicU64,
    /// `true` if `ejection` holds failures that a success would clear. A copy as well.
    failing: AtomicBool,
}

impl MemberHealth {
    /// Returns the time until which other members are preferred, or zero.
    pub(crate) fn until(&self) -> u64 {
        self.until.load(Ordering::Relaxed)
    }

    /// Records the end of a call that took the time range `took`. Returns the end of the ejection if it was extended.
    // The fast path of healthy members: nothing to record, so no lock.
    pub(crate) fn record(&self, end: CallQuality, took: Range<u64>) -> Option<u64> {
        if end == CallQuality::Unclear || (end == CallQuality::Good && !self.failing.load(Ordering::Relaxed))
        {
            return None;
        }
        let (began, at) = (Duration::from_millis(took.start), Duration::from_millis(took.end));
        // Only an extended ejection is reported, so that a burst of failures does not log one event each.
        let before = self.until();
        self.change(|ejection| match end {
            CallQuality::Good => ejection.good(began),
            CallQuality::Bad => ejection.bad(at, fastrand::u64(..)),
            CallQuality::Useless => ejection.useless(at, fastrand::u64(..)),
            CallQuality::Unclear => {}
        });
        let until = self.until();
        (until > before).then_some(until)
    }

    /// Records that a call is about to use the member. If its ejection has just ended, other calls wait for the result
    /// of this one.
    pub(crate) fn picked(&self, now: u64) {
        if self.until() != 0 {
            self.change(|ejection| ejection.probed(Duration::from_millis(now)));
        }
    }

    /// Changes the ejection. The copies are written under the lock, so that a success and a failure that race cannot
    /// overwrite each other's result.
    fn change(&self, change: impl FnOnce(&mut Ejection)) {
        let mut ejection = self.ejection.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut ejection);
        let until = ejection.until().map_or(0, |until| u64::try_from(until.as_millis()).unwrap_or(u64::MAX));
        self.until.store(until, Ordering::Relaxed);
        self.failing.store(ejection.is_failing(), Ordering::Relaxed);
    }
}
