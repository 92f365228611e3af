//! The latency of a member's recent responses, in one word that is read and written without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// The time in milliseconds after which the average is halved if there is no new sample, so that a member that was
/// slow once is tried again.
const HALF_LIFE: u32 = 1_000;

/// Latencies up to this many microseconds count as equal. Below it, noise would decide.
const NEAR: u32 = 1_024;

/// The maximum sample in microseconds. The time for which a member hung does not predict its later latency.
const FAR: u32 = 128_000;

/// A moving average: the microseconds in the upper half, the millisecond of the last sample in the lower half.
///
/// If two calls end at the same moment, one sample may be lost. That does not matter for the average.
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
            // A rise counts half, a fall one eighth: a slow member is avoided quickly and regains its place
            // slowly.
            if micros > old { old + (micros - old) / 2 } else { old - (old - micros) / 8 }
        };
        self.0.store(u64::from(average.max(1)) << 32 | (now & u64::from(u32::MAX)), Ordering::Relaxed);
    }

    /// Returns the average in microseconds as of `now`, or zero for a member that never responded.
    pub(crate) fn micros(&self, now: u64) -> u32 {
        faded(self.0.load(Ordering::Relaxed), now)
    }

    /// Returns the extra cost of a call compared with a nearby member: 0 for a nearby one, plus one per doubling of
    /// the latency.
    pub(crate) fn distance(&self, now: u64) -> u32 {
        (1 + self.micros(now) / NEAR).ilog2()
    }
}

/// Returns the average with its decay applied. The lower half of the time wraps around after 49 days; no sample is
/// kept for that long.
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
    fn old_samples_decay() {
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
