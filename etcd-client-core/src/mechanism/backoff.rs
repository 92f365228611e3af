//! Exponential backoff with full jitter.

use std::time::Duration;

/// The bounds of a sequence of waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    base: Duration,
    max: Duration,
}

impl Backoff {
    /// Reconnecting to one endpoint: one connection attempt per 2.5 s on average once the maximum is reached,
    /// so an outage of hours costs neither the network nor the processor.
    pub(crate) const RECONNECT: Self = Self { base: Duration::from_millis(50), max: Duration::from_secs(5) };

    /// Resending a request: fast enough for an election (about one second), slow enough for an overloaded member.
    pub(crate) const RESEND: Self = Self { base: Duration::from_millis(25), max: Duration::from_secs(1) };

    /// Using other members than one that is of no use: long enough to matter, short enough to have it back soon.
    pub(crate) const EJECTION: Self = Self { base: Duration::from_secs(1), max: Duration::from_secs(30) };

    /// The wait after `failures` failures in a row, where one of zero would mean none: from half of the bound to all of it.
    pub(crate) fn wait_at_least_half(self, failures: u32, random: u64) -> Duration {
        let bound = self.wait(failures, u64::MAX);
        bound / 2 + self.wait(failures, random) / 2
    }

    /// The wait after `failures` failures in a row, at least one.
    ///
    /// `random` is uniform over all of `u64`; the wait is uniform from zero to the bound (full jitter), which spreads
    /// clients that failed together.
    pub(crate) fn wait(self, failures: u32, random: u64) -> Duration {
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
