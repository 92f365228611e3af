//! Ejection of members whose calls fail although they are connected. A member without a leader, or one behind a
//! partition, answers PINGs but no requests.
//!
//! Times are relative to an arbitrary fixed moment.

use std::time::Duration;

use etcd_errors::{Code, GrpcCode};

use crate::transport::{backoff::Backoff, grpc::observation::Observation};

/// The number of consecutive failures that do not eject a member. A single one may be the caller's fault.
const TOLERATED: u32 = 1;

/// The time that a call has to probe an ejected member before another call may probe it.
const PROBE: Duration = Duration::from_secs(1);

/// A call that waited for less than this says nothing about its member.
const FAIR: Duration = Duration::from_millis(500);

/// The quality of a member as shown by the end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallQuality {
    /// It responded.
    Good,
    /// It did not respond, or could not serve the call.
    Bad,
    /// It responded that it cannot serve calls at present.
    Useless,
    /// Undetermined. The connection's state is tracked elsewhere, or all members would respond the same way.
    Unclear,
}

/// Classifies the end of a call, `elapsed` after it began.
pub(crate) fn usefulness(observation: Observation, elapsed: Duration) -> CallQuality {
    match observation {
        Observation::NotSent | Observation::NotProcessed | Observation::Lost => CallQuality::Unclear,
        Observation::Abandoned | Observation::DeadlinePassed if elapsed >= FAIR => CallQuality::Bad,
        Observation::Abandoned | Observation::DeadlinePassed => CallQuality::Unclear,
        Observation::Rejected(code, _) => match code {
            // Reported by the member itself, so a single response is enough to eject it.
            Code::NoLeader | Code::NotSupportedForLearner => CallQuality::Useless,
            Code::Stopped
            | Code::Timeout
            | Code::TimeoutDueToLeaderFail
            | Code::TimeoutDueToConnectionLost
            | Code::TimeoutWaitAppliedIndex
            | Code::Other(GrpcCode::Unavailable) => CallQuality::Bad,
            // An election or an overloaded cluster: another member would respond the same way.
            Code::LeaderChanged | Code::TooManyRequests => CallQuality::Unclear,
            _ => CallQuality::Good,
        },
        Observation::Malformed => CallQuality::Bad,
    }
}

/// The ejection state of one member.
#[derive(Debug, Default)]
pub(crate) struct Ejection {
    bad: u32,
    /// The time until which other members are preferred.
    until: Option<Duration>,
    /// The time of the last failure that caused an ejection.
    since: Duration,
}

impl Ejection {
    /// Records a success of a call that began at `began`.
    ///
    /// A call that was in flight when the member was ejected does not count. A member that led and hung may still
    /// return what was committed before, and it accepts proposals that are lost because it has not heard of its
    /// successor yet.
    pub(crate) fn good(&mut self, began: Duration) {
        // Strictly later: a call that began in the same instant may have been in flight.
        if self.until.is_none() || began > self.since {
            *self = Self::default();
        }
    }

    /// Returns true if a success would change anything.
    pub(crate) fn is_failing(&self) -> bool {
        self.bad > 0 || self.until.is_some()
    }

    /// Records a failure. `random` must be uniform over all of `u64`.
    pub(crate) fn bad(&mut self, now: Duration, random: u64) {
        // Calls that were in flight at the ejection add no information.
        if self.until.is_some_and(|until| now < until) {
            return;
        }
        self.bad = self.bad.saturating_add(1);
        if self.bad > TOLERATED {
            let wait = Backoff::EJECTION.wait_at_least_half(self.bad - TOLERATED, random);
            self.until = Some(now + wait);
            self.since = now;
        }
    }

    /// Records a response that the member cannot serve calls at present.
    pub(crate) fn useless(&mut self, now: Duration, random: u64) {
        self.bad = self.bad.max(TOLERATED);
        self.since = now;
        self.bad(now, random);
    }

    /// Starts a probe: one call goes to the ejected member, and other calls avoid it until the result is known.
    pub(crate) fn probed(&mut self, now: Duration) {
        if self.until.is_some_and(|until| now >= until) {
            self.until = Some(now + PROBE);
        }
    }

    /// Returns the time until which other members are preferred, if there are others.
    pub(crate) fn until(&self) -> Option<Duration> {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn call_ends_are_classified() {
        let rejected = |code: Code| Observation::Rejected(code, code.outcome());
        let rows = [
            (rejected(Code::NoLeader), CallQuality::Useless),
            (rejected(Code::NotSupportedForLearner), CallQuality::Useless),
            (rejected(Code::Timeout), CallQuality::Bad),
            (rejected(Code::LeaderChanged), CallQuality::Unclear),
            (rejected(Code::Compacted), CallQuality::Good),
            (rejected(Code::PermissionDenied), CallQuality::Good),
            (Observation::Lost, CallQuality::Unclear),
            (Observation::Abandoned, CallQuality::Bad),
            (Observation::DeadlinePassed, CallQuality::Bad),
        ];
        for (observation, expected) in rows {
            assert_eq!(usefulness(observation, ms(2_000)), expected, "{observation:?}");
        }
        for haste in [Observation::DeadlinePassed, Observation::Abandoned] {
            assert_eq!(usefulness(haste, ms(10)), CallQuality::Unclear, "{haste:?}");
        }
    }

    #[test]
    fn one_bad_end_is_forgiven() {
        let mut record = Ejection::default();
        record.bad(ms(10), 0);
        assert_eq!(record.until(), None);
        record.good(ms(0));
        record.bad(ms(20), 0);
        assert_eq!(record.until(), None);
        record.bad(ms(30), u64::MAX);
        assert_eq!(record.until(), Some(ms(1_030)));
    }

    #[test]
    fn the_time_grows_with_each_failed_probe_and_ends_with_a_good_one() {
        let mut record = Ejection::default();
        record.useless(ms(0), u64::MAX);
        let mut waits = Vec::new();
        for _ in 0..7 {
            let until = record.until().expect("ejected");
            record.probed(until);
            assert_eq!(record.until(), Some(until + PROBE), "one probe at a time");
            let now = until + PROBE;
            record.bad(now, u64::MAX);
            waits.push((record.until().expect("ejected") - now).as_millis());
        }
        assert_eq!(waits, [2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
        record.good(record.until().expect("ejected"));
        assert_eq!(record.until(), None);
    }

    #[test]
    fn calls_under_way_at_the_ejection_do_not_end_it() {
        let mut record = Ejection::default();
        record.useless(ms(100), u64::MAX);
        let until = record.until().expect("ejected");
        for began in [0, 99, 100] {
            record.good(ms(began));
            assert_eq!(record.until(), Some(until), "{began}");
        }
        // It hangs again while it is being probed.
        record.probed(until);
        record.useless(until + ms(500), u64::MAX);
        record.good(until);
        assert!(record.until().is_some());
        record.good(until + ms(501));
        assert!(!record.is_failing());
    }

    #[test]
    fn calls_under_way_at_the_ejection_do_not_prolong_it() {
        let mut record = Ejection::default();
        record.useless(ms(0), 0);
        let until = record.until();
        for late in 1..100 {
            record.bad(ms(late), u64::MAX);
        }
        assert_eq!(record.until(), until);
    }
}
