//! Tracks large responses per member. Behind an MTU black hole, a member answers small calls and PINGs, but nothing
//! larger than one segment arrives.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::transport::balance::{ejection::CallQuality, member_health::MemberHealth};

/// The size of a response, in bytes, from which it may need several segments: the minimum MTU of IPv6 is 1,280 bytes
/// (RFC 8200 section 5), from which the headers are subtracted.
pub(crate) const LARGE: usize = 1_200;

/// The size of a response from which all segments are full, even with jumbo frames. A path that carries it carries any
/// size.
const FULL: usize = 9_000;

/// The large responses of one member. Times are in milliseconds since the start of the pool.
///
/// They are separate from the outcomes of all calls: small responses would clear the record, and every large read
/// would run into the black hole again.
#[derive(Debug, Default)]
pub(crate) struct LargeAnswers {
    health: MemberHealth,
    /// The size of the last response that did not arrive, or zero.
    lost: AtomicUsize,
}

impl LargeAnswers {
    /// Returns the time until which reads prefer other members, or zero.
    pub(crate) fn until(&self) -> u64 {
        self.health.until()
    }

    /// Records that a read was abandoned here, and that another member returned a response of this size.
    pub(crate) fn missed(&self, size: usize, now: u64) {
        if size >= LARGE {
            self.lost.store(size.min(FULL), Ordering::Relaxed);
            self.health.record(CallQuality::Useless, now..now);
        }
    }

    /// Records that a read that began at `began` returned a response of this size.
    pub(crate) fn came(&self, size: usize, began: u64) {
        if size >= LARGE && size >= self.lost.load(Ordering::Relaxed) {
            self.health.record(CallQuality::Good, began..began);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_as_large_as_the_lost_one_clears_the_record() {
        let answers = LargeAnswers::default();
        answers.missed(LARGE - 1, 1_000);
        assert_eq!(answers.until(), 0);
        answers.missed(4_000, 1_000);
        assert!(answers.until() > 1_000);
        answers.came(100, 9_000);
        answers.came(LARGE, 9_000);
        assert!(answers.until() > 1_000);
        answers.came(4_000, 1_000);
        assert!(answers.until() > 1_000, "it was under way when the other one was lost");
        answers.came(4_000, 9_000);
        assert_eq!(answers.until(), 0);
    }

    #[test]
    fn an_answer_of_full_segments_clears_a_larger_one() {
        let answers = LargeAnswers::default();
        answers.missed(1 << 20, 1_000);
        answers.came(FULL, 9_000);
        assert_eq!(answers.until(), 0);
    }
}
