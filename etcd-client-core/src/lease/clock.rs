//! The clock of leases. It advances while the machine is suspended, if the operating system has such a clock.

use std::time::Duration;

use tokio::time::Instant;

/// The tolerance for the difference of two clocks that are read one after the other.
const NOISE: Duration = Duration::from_millis(10);

/// The wait for a time that `Instant` cannot express. Tokio's timers reach about two years.
const FAR_FUTURE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A time since the start of the clock, including suspensions.
pub(crate) type Moment = Duration;

/// A clock that advances with tokio's clock, plus the time for which the machine was suspended.
///
/// The server continues to count down a lease during a suspension. On Linux and Android `CLOCK_BOOTTIME` shows the
/// suspended time. Elsewhere a suspension counts only as far as `std::time::Instant` counts it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    began: Instant,
    /// The total suspended time since the system started, at the start of this clock.
    before: Duration,
    suspended: fn() -> Duration,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self::with(suspended)
    }

    fn with(suspended: fn() -> Duration) -> Self {
        Self { began: Instant::now(), before: suspended(), suspended }
    }

    pub(crate) fn now(&self) -> Moment {
        self.began.elapsed() + self.skipped()
    }

    /// Returns the time at which tokio's clock showed `instant`. Assumes that every suspension since then came after
    /// it.
    pub(crate) fn at(&self, instant: Instant) -> Moment {
        instant.saturating_duration_since(self.began)
    }

    /// Returns the time that tokio's clock will show at `moment`, unless the machine is suspended before that.
    pub(crate) fn instant(&self, moment: Moment) -> Instant {
        let since_began = moment.saturating_sub(self.skipped());
        // Only a time outside of the range of `Instant` fails here. A TTL of a server is far below it, because decoding
        // limits it to etcd's maximum, but a mock may set any. A time in the past would make its waiters spin.
        self.began.checked_add(since_began).unwrap_or_else(|| Instant::now() + FAR_FUTURE)
    }

    fn skipped(&self) -> Duration {
        let skipped = (self.suspended)().saturating_sub(self.before);
        // The two clocks are not read at the same instant, so a small difference is no suspension.
        if skipped < NOISE { Duration::ZERO } else { skipped }
    }
}

/// Returns for how long the machine was suspended since it started.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn suspended() -> Duration {
    use nix::time::{ClockId, clock_gettime};

    let read = |clock| clock_gettime(clock).map(Duration::from).unwrap_or_default();
    // Time that passes between the two readings counts as suspended. This is safe: the lease then seems to expire
    // earlier.
    let awake = read(ClockId::CLOCK_MONOTONIC);
    read(ClockId::CLOCK_BOOTTIME).saturating_sub(awake)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn suspended() -> Duration {
    Duration::ZERO
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    thread_local! {
        static SUSPENDED: Cell<Duration> = const { Cell::new(SECOND) };
    }

    #[tokio::test(start_paused = true)]
    async fn suspension_counts() {
        let clock = Clock::with(|| SUSPENDED.get());
        let began = Instant::now();
        advance(SECOND).await;
        assert_eq!((clock.now(), clock.instant(3 * SECOND)), (SECOND, began + 3 * SECOND));
        SUSPENDED.set(6 * SECOND);
        assert_eq!(clock.now(), 6 * SECOND);
        assert_eq!(clock.at(began + SECOND), SECOND, "what was noted before it stays as early");
        assert_eq!(clock.instant(8 * SECOND), began + 3 * SECOND);
        assert_eq!(clock.instant(3 * SECOND), began, "that has passed");
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_out_of_range_is_in_the_future() {
        let clock = Clock::with(|| SECOND);
        assert!(clock.instant(Duration::MAX) > Instant::now() + SECOND);
    }

    #[test]
    fn system_clocks_agree_while_awake() {
        let (first, second) = (suspended(), suspended());
        assert!(second.abs_diff(first) < SECOND, "{first:?} {second:?}");
    }
}
