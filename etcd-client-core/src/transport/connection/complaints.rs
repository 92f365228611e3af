//! The spacing of PINGs to a peer that has complained about too many of them.
//!
//! gRFC A8 has a client double its interval on each complaint, without a bound. Here the doublings are bounded, so
//! that a hung peer is still detected, and they are undone while the peer does not complain.

use std::time::Duration;

/// The maximum number of doublings: eight times the usual spacing.
const MOST: u32 = 3;

/// The time without a complaint after which one doubling is undone.
const FORGIVEN_AFTER: Duration = Duration::from_secs(120);

/// The complaints of one peer. Times are relative to an arbitrary fixed moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Complaints {
    doublings: u32,
    last: Duration,
}

impl Complaints {
    /// Records a complaint at `now`.
    pub(crate) fn note(&mut self, now: Duration) {
        *self = Self { doublings: (self.doublings(now) + 1).min(MOST), last: now };
    }

    /// Returns the doublings in effect at `now`.
    pub(crate) fn doublings(&self, now: Duration) -> u32 {
        left(self.doublings, now.saturating_sub(self.last))
    }
}

/// Returns the doublings that remain after a period without complaints.
pub(crate) fn left(doublings: u32, quiet: Duration) -> u32 {
    let taken_back = quiet.as_secs() / FORGIVEN_AFTER.as_secs();
    doublings.saturating_sub(u32::try_from(taken_back).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn doublings_are_bounded_and_taken_back() {
        let mut complaints = Complaints::default();
        assert_eq!(complaints.doublings(secs(0)), 0);
        complaints.note(secs(10));
        assert_eq!(complaints.doublings(secs(10)), 1);
        for second in 10..200 {
            complaints.note(secs(second));
        }
        let doublings = [199, 318, 319, 439, 559, 10_000].map(|now| complaints.doublings(secs(now)));
        assert_eq!(doublings, [3, 3, 2, 1, 0, 0]);
        complaints.note(secs(10_000));
        assert_eq!(complaints.doublings(secs(10_000)), 1);
        assert_eq!(complaints.doublings(Duration::MAX), 0);
    }
}
