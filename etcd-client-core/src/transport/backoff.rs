//! Exponential backoff with full jitter.

use std::time::Duration;

/// The bounds of a sequence of delays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    base: Duration,
    max: Duration,
}

impl Backoff {
    /// For reconnecting to one endpoint. Once the maximum is reached, there is one attempt per 2.5 s on average, so
    /// that an outage of hours costs neither network nor CPU time.
    pub(crate) const RECONNECT: Self = Self { base: Duration::from_millis(50), max: Duration::from_secs(5) };

    /// For retrying a request: fast enough for a leader election (about one second), slow enough for an overloaded
    /// member.
    pub(crate) const RETRY: Self = Self { base: Duration::from_millis(25), max: Duration::from_secs(1) };

    /// For updates that conflict with others: a commit takes a few milliseconds, and one of many writers has to win.
    pub(crate) const CONFLICT: Self =
        Self { base: Duration::from_millis(2), max: Duration::from_millis(250) };

    /// For avoiding an ejected member: long enough to have an effect, short enough to bring a recovered member back
    /// soon.
    pub(crate) const EJECTION: Self = Self { base: Duration::from_secs(1), max: Duration::from_secs(30) };

    /// Returns the delay after `failures` consecutive failures, from half of the bound to the full bound. For uses
    /// where a delay of zero would mean none at all.
    pub(crate) fn wait_at_least_half(self, failures: u32, random: u64) -> Duration {
        let bound = self.wait(failures, u64::MAX);
        bound / 2 + self.wait(failures, random) / 2
    }

    /// Returns the delay after `failures` consecutive failures, at least one.
    ///
    /// `random` must be uniform over all of `u64`. The delay is uniform from zero to the bound (full jitter), which
    /// spreads out clients that failed at the same time.
    pub(crate) fn wait(self, failures: u32, random: u64) -> Duration {
        // Bounded so that the shift fits into 32 bits.
        let doublings = failures.saturating_sub(1).min(31);
        let bound = self.base.saturating_mul(1 << doublings).min(self.max);
        let fraction = random as f64 / u64::MAX as f64;
        bound.mul_f64(fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_the_maximum() {
        let backoff = Backoff { base: Duration::from_millis(50), max: Duration::from_secs(5) };
        let bounds: Vec<u128> = (1..=9).map(|n| backoff.wait(n, u64::MAX).as_millis()).collect();
        assert_eq!(bounds, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(backoff.wait(u32::MAX, u64::MAX), Duration::from_secs(5));
    }

    #[test]
    fn jitter_is_full() {
        assert_eq!(Backoff::RECONNECT.wait(5, 0), Duration::ZERO);
        let half = Backoff::RECONNECT.wait(1, u64::MAX / 2).as_micros();
        assert!((24_900..=25_100).contains(&half), "{half}");
    }
}
