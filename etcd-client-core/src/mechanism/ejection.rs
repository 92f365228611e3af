//! Whether a member that is connected is of use, judged by how its calls end: one without a leader, or behind a partition,
//! answers PINGs and no requests.
//!
//! Times are given since any fixed moment.

use std::time::Duration;

use etcd_errors::{Code, GrpcCode};

use super::{backoff::Backoff, retry::Observation};

/// Bad ends in a row after which others are used instead. One may be the caller's.
const TOLERATED: u32 = 1;

/// The time that a call which probes an ejected member has, before another one may.
const PROBE: Duration = Duration::from_secs(1);

/// Who waits for less time than this learns nothing of the member.
const FAIR: Duration = Duration::from_millis(500);

/// What the end of a call says of its member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// It answered.
    Good,
    /// It did not, or could not.
    Bad,
    /// It said that it cannot.
    Useless,
    /// Nothing: what became of the connection is known elsewhere, or all members say the same.
    Unclear,
}

/// What the end of a call, `elapsed` after it began, says of its member.
pub(crate) fn usefulness(observation: Observation, elapsed: Duration) -> Use {
    match observation {
        Observation::NotSent | Observation::NotProcessed | Observation::Lost => Use::Unclear,
        Observation::Abandoned | Observation::DeadlinePassed if elapsed >= FAIR => Use::Bad,
        Observation::Abandoned | Observation::DeadlinePassed => Use::Unclear,
        Observation::Refused(code, _) => match code {
            Code::NoLeader | Code::NotSupportedForLearner => Use::Useless,
            Code::Stopped
            | Code::Timeout
            | Code::TimeoutDueToLeaderFail
            | Code::TimeoutDueToConnectionLost
            | Code::TimeoutWaitAppliedIndex
            | Code::Other(GrpcCode::Unavailable) => Use::Bad,
            Code::LeaderChanged | Code::TooManyRequests => Use::Unclear,
            _ => Use::Good,
        },
        Observation::Malformed => Use::Bad,
    }
}

/// The record of one member.
#[derive(Debug, Default)]
pub(crate) struct Ejection {
    bad: u32,
    /// Until when others are used instead.
    until: Option<Duration>,
    /// When that was found out last.
    since: Duration,
}

impl Ejection {
    /// A call that began at `began` ended as one on a useful member does.
    ///
    /// What was under way when the member was ejected says nothing of it now: one that hung and led may answer what was
    /// committed before, and take proposals that are lost because it has not heard of its successor yet.
    pub(crate) fn good(&mut self, began: Duration) {
        if self.until.is_none() || began > self.since {
            *self = Self::default();
        }
    }

    /// Whether there is anything that a good end would clear.
    pub(crate) fn is_troubled(&self) -> bool {
        self.bad > 0 || self.until.is_some()
    }

    /// A call ended as one on a useless member does. `random` is uniform over all of `u64`.
    pub(crate) fn bad(&mut self, now: Duration, random: u64) {
        // What was under way when it was ejected says nothing new.
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

    /// The member said that it is of no use for now.
    pub(crate) fn useless(&mut self, now: Duration, random: u64) {
        self.bad = self.bad.max(TOLERATED);
        self.since = now;
        self.bad(now, random);
    }

    /// A call goes to the member to see whether it is of use again: others wait for what it finds.
    pub(crate) fn probed(&mut self, now: Duration) {
        if self.until.is_some_and(|until| now >= until) {
            self.until = Some(now + PROBE);
        }
    }

    /// Until when others are to be used, where there are others.
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
    fn what_the_end_of_a_call_says() {
        let refused = |code: Code| Observation::Refused(code, code.outcome());
        let rows = [
            (refused(Code::NoLeader), Use::Useless),
            (refused(Code::NotSupportedForLearner), Use::Useless),
            (refused(Code::Timeout), Use::Bad),
            (refused(Code::LeaderChanged), Use::Unclear),
            (refused(Code::Compacted), Use::Good),
            (refused(Code::PermissionDenied), Use::Good),
            (Observation::Lost, Use::Unclear),
            (Observation::Abandoned, Use::Bad),
            (Observation::DeadlinePassed, Use::Bad),
        ];
        for (observation, expected) in rows {
            assert_eq!(usefulness(observation, ms(2_000)), expected, "{observation:?}");
        }
        for haste in [Observation::DeadlinePassed, Observation::Abandoned] {
            assert_eq!(usefulness(haste, ms(10)), Use::Unclear, "{haste:?}");
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
        // It hangs again, while it is being asked whether it is well.
        record.probed(until);
        record.useless(until + ms(500), u64::MAX);
        record.good(until);
        assert!(record.until().is_some());
        record.good(until + ms(501));
        assert!(!record.is_troubled());
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
