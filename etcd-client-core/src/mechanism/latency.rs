//! How long a member's recent answers took, in one word that is read and written without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// Older samples weigh half as much after this many milliseconds without a new one: a member that was slow once is tried again.
const HALF_LIFE: u32 = 1_000;

/// Up to this many microseconds every member is as near as any other: below it, noise would decide.
const NEAR: u32 = 1_024;

/// What is slower than this is as far as can be: how long a member hung says nothing of how long it will take.
const FAR: u32 = 128_000;

/// A moving average: the microseconds in the upper half, the millisecond of its last sample in the lower.
///
/// Two calls that end at once may lose one sample, which changes nothing that matters.
#[derive(Debug, Default)]
pub(crate) struct Latency(AtomicU64);

impl Latency {
    /// Adds a sample of `micros`, taken at `now` in milliseconds.
    pub(crate) fn record(&self, micros: u32, now: u64) {
        let micros = micros.min(FAR);
        let packed = self.0.load(Ordering::Relaxed);
        let average = if packed == 0 {
            micros
        } else {
            let old = faded(packed, now);
            // A rise counts at once, a fall slowly: one in eight.
            if micros > old { old + (micros - old) / 2 } else { old - (old - micros) / 8 }
        };
        self.0.store(u64::from(average.max(1)) << 32 | (now & u64::from(u32::MAX)), Ordering::Relaxed);
    }

    /// The average in microseconds as of `now`; zero for a member that never answered.
    pub(crate) fn micros(&self, now: u64) -> u32 {
        faded(self.0.load(Ordering::Relaxed), now)
    }

    /// How much dearer a call here is than on a near member: 0 for a near one, one more for each doubling.
    pub(crate) fn distance(&self, now: u64) -> u32 {
        (1 + self.micros(now) / NEAR).ilog2()
    }
}

/// The lower half of the time wraps around after 49 days; no sample is kept for that long.
fn faded(packed: u64, now: u64) -> u32 {
    let (average, at) = ((packed >> 32) as u32, packed as u32);
    let halvings = (now as u32).wrapping_sub(at) / HALF_LIFE;
    average.checked_shr(halvings).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_follows_its_samples() {
        let latency = Latency::default();
        assert_eq!(latency.micros(5), 0);
        latency.record(800, 5);
        assert_eq!(latency.micros(5), 800);
        latency.record(8_800, 6);
        assert_eq!(latency.micros(6), 4_800);
        for _ in 0..200 {
            latency.record(100, 7);
        }
        assert!(latency.micros(7) <= 108, "{}", latency.micros(7));
    }

    #[test]
    fn what_is_old_fades() {
        let latency = Latency::default();
        latency.record(64_000, 10_000);
        assert_eq!(latency.micros(10_999), 64_000);
        assert_eq!(latency.micros(11_000), 32_000);
        assert_eq!(latency.micros(500_000), 0);
        assert_eq!(latency.micros(1 << 40), 0);
    }

    #[test]
    fn near_members_are_equally_near() {
        let latency = Latency::default();
        let distance = |micros| {
            latency.0.store(0, Ordering::Relaxed);
            latency.record(micros, 1);
            latency.distance(1)
        };
        let distances = [50, 1_000, 1_023, 1_024, 3_000, 3_072, 100_000].map(distance);
        assert_eq!(distances, [0, 0, 0, 1, 1, 2, 6]);
    }
}
