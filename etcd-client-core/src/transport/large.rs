//! What large answers have shown of a member: behind an MTU black hole it answers small calls and PINGs, and nothing larger than
//! one segment arrives.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::record::Record;
use crate::mechanism::ejection::Use;

/// The size of an answer, in bytes, from which on it may need more than one segment: 1,280 is the least MTU of IPv6
/// (RFC 8200 section 5), less the headers.
pub(crate) const LARGE: usize = 1_200;

/// The size of an answer from which on every segment is full, jumbo frames included: what takes one so large takes any.
const FULL: usize = 9_000;

/// The record of one member. Times are milliseconds since the pool began.
///
/// It is apart from what calls of all sizes show: small answers would clear it, and each large read would meet the black hole.
#[derive(Debug, Default)]
pub(crate) struct LargeAnswers {
    record: Record,
    /// The size of the last answer that did not come; zero before there was one.
    lost: AtomicUsize,
}

impl LargeAnswers {
    /// Until when reads use other members, zero for not at all.
    pub(crate) fn until(&self) -> u64 {
        self.record.until()
    }

    /// A read was given up here, and another member gave an answer of this size.
    pub(crate) fn missed(&self, size: usize, now: u64) {
        if size >= LARGE {
            self.lost.store(size.min(FULL), Ordering::Relaxed);
            self.record.judge(Use::Useless, now..now);
        }
    }

    /// A read that began at `began` had an answer of this size.
    pub(crate) fn came(&self, size: usize, began: u64) {
        if size >= LARGE && size >= self.lost.load(Ordering::Relaxed) {
            self.record.judge(Use::Good, began..began);
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
