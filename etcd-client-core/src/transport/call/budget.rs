//! The retry budget of a client: a token bucket that refills over time.
//!
//! An empty bucket delays a retry. It never fails a call.

use std::time::Duration;

/// The number of immediate retries: a leader election affects every call in flight.
const BURST: f64 = 256.0;

/// The number of retries per second after the burst.
const RATE: f64 = 64.0;

/// The retries that one client has left. Times are relative to an arbitrary fixed moment.
#[derive(Debug)]
pub(crate) struct Budget {
    tokens: f64,
    filled: Duration,
}

impl Budget {
    pub(crate) fn full() -> Self {
        Self { tokens: BURST, filled: Duration::ZERO }
    }

    /// Takes one retry, and returns the delay before it may be sent.
    pub(crate) fn take(&mut self, now: Duration) -> Duration {
        let elapsed = now.saturating_sub(self.filled).as_secs_f64();
        self.filled = now.max(self.filled);
        // The debt is bounded too: retries during an outage of hours must not delay calls after it.
        self.tokens = (self.tokens + elapsed * RATE).clamp(-BURST, BURST) - 1.0;
        if self.tokens >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(-self.tokens / RATE) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_the_rest_takes_its_turn() {
        let mut budget = Budget::full();
        let now = Duration::from_secs(9);
        for _ in 0..256 {
            assert_eq!(budget.take(now), Duration::ZERO);
        }
        assert_eq!(budget.take(now), Duration::from_secs_f64(1.0 / 64.0));
        assert_eq!(budget.take(now), Duration::from_secs_f64(2.0 / 64.0));
        let later = now + Duration::from_secs(2);
        assert_eq!(budget.take(later), Duration::ZERO);
    }

    #[test]
    fn retry_rate_is_independent_of_the_number_of_callers() {
        let mut budget = Budget::full();
        let sent = (0..1_000_u32).filter(|&n| {
            let now = Duration::from_millis(u64::from(n) * 10);
            now + budget.take(now) <= Duration::from_secs(10)
        });
        let sent = sent.count();
        assert!((880..=256 + 640).contains(&sent), "{sent}");
    }

    #[test]
    fn a_debt_is_bounded() {
        let mut budget = Budget::full();
        for _ in 0..1_000_000 {
            budget.take(Duration::ZERO);
        }
        assert!(budget.take(Duration::ZERO) <= Duration::from_secs(5));
    }
}
