//! Delays between retries: exponential with full jitter. Also decides which errors are transient.

use std::time::Duration;

use etcd_client_core::{Code, Error, error::GrpcCode};

/// A sequence of growing delays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    base: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    /// For reads and cleanups while no member responds. The client itself has retried for seconds before it fails.
    pub(crate) const OUTAGE: Self =
        Self { base: Duration::from_millis(100), max: Duration::from_secs(5), failures: 0 };

    /// For transactions that conflict with others: a commit takes a few milliseconds, and one of many contenders has to win.
    pub(crate) const CONFLICT: Self =
        Self { base: Duration::from_millis(2), max: Duration::from_millis(250), failures: 0 };

    /// Returns the next delay, uniform between zero and its bound if `random` is uniform over all of `u64`.
    pub(crate) fn next_delay(&mut self, random: u64) -> Duration {
        // The exponent is capped, because shifting a `u32` by 32 or more overflows.
        let bound = self.base.saturating_mul(1 << self.failures.min(16)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        bound.mul_f64(random as f64 / u64::MAX as f64)
    }

    /// Sleeps for the next delay. The bound doubles with each call until the next [`reset`](Self::reset).
    pub(crate) async fn wait(&mut self) {
        tokio::time::sleep(self.next_delay(fastrand::u64(..))).await;
    }

    /// Starts over with the shortest delay, after a success.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Returns whether the same read may succeed later.
pub(crate) fn is_transient(error: &Error) -> bool {
    let overloaded =
        matches!(error.code(), Some(Code::TooManyRequests | Code::Other(GrpcCode::ResourceExhausted)));
    error.is_unavailable() || error.is_timeout() || error.is_no_leader() || overloaded
}

#[cfg(test)]
mod tests {
    use etcd_client_core::ErrorKind;

    use super::*;

    #[test]
    fn bound_doubles_up_to_the_maximum_and_resets() {
        let mut backoff = Backoff::OUTAGE;
        let bounds: Vec<u128> = (0..8).map(|_| backoff.next_delay(u64::MAX).as_millis()).collect();
        assert_eq!(bounds, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(backoff.next_delay(0), Duration::ZERO, "jitter is full");
        backoff.reset();
        assert_eq!(backoff.next_delay(u64::MAX).as_millis(), 100);
    }

    #[test]
    fn outages_are_transient_and_rejections_are_not() {
        for code in [Code::NoLeader, Code::Timeout, Code::TooManyRequests, Code::Unhealthy] {
            assert!(is_transient(&code.into()), "{code:?}");
        }
        for code in [Code::PermissionDenied, Code::NoSpace, Code::Compacted, Code::LeaseNotFound] {
            assert!(!is_transient(&code.into()), "{code:?}");
        }
        assert!(!is_transient(&Error::new(ErrorKind::Closed, "")));
        assert!(is_transient(&Error::new(ErrorKind::Unavailable, "")));
    }
}
