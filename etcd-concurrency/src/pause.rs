//! How long to pause between tries: growing, with full jitter. And which failures pass by themselves.

use std::time::Duration;

use etcd_client_core::{Code, Error, GrpcCode};

/// The bounds of a sequence of pauses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pauses {
    base: Duration,
    max: Duration,
    failures: u32,
}

impl Pauses {
    /// Reads and cleanups while no member answers: the client itself has tried for seconds before it gives up.
    pub(crate) const OUTAGE: Self =
        Self { base: Duration::from_millis(100), max: Duration::from_secs(5), failures: 0 };

    /// Transactions that met others: a commit takes a few milliseconds, and among many contenders one has to win.
    pub(crate) const CONFLICT: Self =
        Self { base: Duration::from_millis(2), max: Duration::from_millis(250), failures: 0 };

    /// The next pause; `random` is uniform over all of `u64`, the pause uniform from zero to its bound.
    pub(crate) fn next(&mut self, random: u64) -> Duration {
        let bound = self.base.saturating_mul(1 << self.failures.min(16)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        bound.mul_f64(random as f64 / u64::MAX as f64)
    }

    /// Pauses, the longer the more often it was called since the last [`reset`](Self::reset).
    pub(crate) async fn pause(&mut self) {
        tokio::time::sleep(self.next(fastrand::u64(..))).await;
    }

    /// It went well: the next pause is a short one.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Whether the same read may well succeed later.
pub(crate) fn passes(error: &Error) -> bool {
    let overloaded =
        matches!(error.code(), Some(Code::TooManyRequests | Code::Other(GrpcCode::ResourceExhausted)));
    error.is_unavailable() || error.is_timeout() || error.is_no_leader() || overloaded
}

#[cfg(test)]
mod tests {
    use etcd_client_core::ErrorKind;

    use super::*;

    #[test]
    fn the_bound_doubles_up_to_the_maximum_and_starts_again() {
        let mut pauses = Pauses::OUTAGE;
        let bounds: Vec<u128> = (0..8).map(|_| pauses.next(u64::MAX).as_millis()).collect();
        assert_eq!(bounds, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(pauses.next(0), Duration::ZERO, "jitter is full");
        pauses.reset();
        assert_eq!(pauses.next(u64::MAX).as_millis(), 100);
    }

    #[test]
    fn outages_pass_and_refusals_do_not() {
        for code in [Code::NoLeader, Code::Timeout, Code::TooManyRequests, Code::Unhealthy] {
            assert!(passes(&code.into()), "{code:?}");
        }
        for code in [Code::PermissionDenied, Code::NoSpace, Code::Compacted, Code::LeaseNotFound] {
            assert!(!passes(&code.into()), "{code:?}");
        }
        assert!(!passes(&Error::new(ErrorKind::Closed, "")));
        assert!(passes(&Error::new(ErrorKind::Unavailable, "")));
    }
}
