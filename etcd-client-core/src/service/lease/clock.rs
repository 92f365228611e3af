//! The clock that leases live by: it goes on while the machine is suspended, where the system has such a clock.

use std::time::Duration;

use tokio::time::Instant;

/// What two readings of clocks differ by for no other reason than that they are two.
const NOISE: Duration = Duration::from_millis(10);

/// A time since the clock began, suspensions included.
pub(crate) type Moment = Duration;

/// Counts as tokio's clock does, and the time on top of it that the machine was suspended.
///
/// A lease goes on expiring on the server meanwhile. On Linux and Android `CLOCK_BOOTTIME` tells; elsewhere the time of a
/// suspension counts as far as `std::time::Instant` counts it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    began: Instant,
    /// The time suspended since the system started, when this clock began.
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

    /// When tokio's clock showed `instant`; a suspension since then counts as after it.
    pub(crate) fn at(&self, instant: Instant) -> Moment {
        instant.saturating_duration_since(self.began)
    }

    /// When tokio's clock will show what this one does at `moment`, unless the machine is suspended before.
    pub(crate) fn instant(&self, moment: Moment) -> Instant {
        let since_began = moment.saturating_sub(self.skipped());
        // A clock that cannot count so far cannot reach it either.
        self.began.checked_add(since_began).unwrap_or(self.began)
    }

    fn skipped(&self) -> Duration {
        let skipped = (self.suspended)().saturating_sub(self.before);
        if skipped < NOISE { Duration::ZERO } else { skipped }
    }
}

/// For how long the machine was suspended since it started.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn suspended() -> Duration {
    use nix::time::{ClockId, clock_gettime};

    let read = |clock| clock_gettime(clock).map(Duration::from).unwrap_or_default();
    // What passes between the two readings counts as suspended, which errs on the safe side.
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
    async fn a_suspension_counts() {
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

    #[test]
    fn the_systems_clocks_agree_while_it_is_awake() {
        let (first, second) = (suspended(), suspended());
        assert!(second.abs_diff(first) < SECOND, "{first:?} {second:?}");
    }
}
