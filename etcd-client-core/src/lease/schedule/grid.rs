//! The grid of renewal times. Leases that are due at about the same time are renewed together: with one wake-up, and with
//! one write per stream.

use std::time::Duration;

/// The maximum step of the grid. It bounds the number of wake-ups to about two a second, regardless of the number of
/// leases, as in Go (`keepAliveLoop` in client/v3/lease.go of v3.7.3 sends what is due every 500 ms).
const MOST_STEP: Duration = Duration::from_millis(512);

/// The step is at most the TTL divided by this, so that a renewal is early by at most a thirtieth of its interval.
const STEPS_PER_TTL: u32 = 100;

/// Rounds a renewal time down to the grid of leases with this TTL. A renewal is never later than without the grid.
pub(crate) fn round_down(due: Duration, ttl: Duration) -> Duration {
    let step = step(ttl).as_nanos();
    let early = due.as_nanos() % step;
    due.saturating_sub(Duration::from_nanos(u64::try_from(early).unwrap_or(0)))
}

/// Returns the step for a TTL: a power of two in milliseconds. Powers of two divide each other, so that leases with
/// different TTLs share wake-ups.
fn step(ttl: Duration) -> Duration {
    let millis = (ttl / STEPS_PER_TTL).min(MOST_STEP).as_millis();
    let millis = u64::try_from(millis).unwrap_or(1).max(1);
    Duration::from_millis(1 << millis.ilog2())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_powers_of_two_and_at_most_a_hundredth_of_the_ttl() {
        for (ttl, expected) in
            [(0, 1), (1, 1), (199, 1), (1_000, 8), (5_000, 32), (30_000, 256), (86_400_000, 512)]
        {
            assert_eq!(step(Duration::from_millis(ttl)), Duration::from_millis(expected), "{ttl} ms");
        }
        assert_eq!(step(Duration::MAX), MOST_STEP);
    }

    #[test]
    fn rounds_down_by_less_than_a_step() {
        let ttl = Duration::from_secs(30);
        for due in [0, 1, 255, 256, 257, 9_999, 10_000, 123_456_789] {
            let due = Duration::from_millis(due);
            let rounded = round_down(due, ttl);
            assert!(rounded <= due && due - rounded < step(ttl), "{due:?} to {rounded:?}");
            assert_eq!(round_down(rounded, ttl), rounded);
        }
        assert!(round_down(Duration::MAX, ttl) <= Duration::MAX);
    }
}
