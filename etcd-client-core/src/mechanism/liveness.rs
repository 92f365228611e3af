//! Whether a peer still lives, judged by its silence: when to send a PING, and what an unanswered one means.
//!
//! Times are given as the age of the connection.

use std::time::Duration;

use super::complaints;

/// etcd closes a connection that sends its third PING within less than 5 s of the one before
/// (`grpc.KeepaliveEnforcementPolicy` in etcd's `server/embed/config.go`); the half second is for the way.
const LEAST_SPACING: Duration = Duration::from_millis(5_500);

/// How long a PING may be unanswered on a connection for calls, where the user sets nothing.
const CALLS_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a PING may be unanswered on a connection for streams, where the user sets nothing: a watch that resumes elsewhere
/// loses nothing, so only a member without an alternative is waited for this long.
const STREAMS_TIMEOUT: Duration = Duration::from_secs(5);

/// How silence is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keepalive {
    /// The silence, with a request in flight, after which a PING is sent.
    pub(crate) quiet: Duration,
    /// How long a PING may be unanswered before the peer is suspect.
    pub(crate) suspicion: Duration,
    /// How long a PING may be unanswered before the connection is given up.
    pub(crate) timeout: Duration,
    /// The time between two PINGs at least.
    pub(crate) spacing: Duration,
    /// How often that time is doubled, because the peer complained of too many PINGs, when the connection is new.
    pub(crate) doublings: u32,
}

impl Keepalive {
    /// For connections on which answers are due at once. The peer is suspect after 2 s of silence, which leaves a read 1 s to
    /// get a fresh connection and its answer. By default the connection is given up after 3 s, so that a write in flight has
    /// its outcome before the default deadline of 5 s, and before the 3.2 s that it takes the Go client.
    pub(crate) fn for_calls(timeout: Option<Duration>) -> Self {
        let timeout = timeout.unwrap_or(CALLS_TIMEOUT);
        Self {
            quiet: Duration::from_secs(1),
            suspicion: Duration::from_secs(1).min(timeout),
            timeout,
            spacing: LEAST_SPACING,
            doublings: 0,
        }
    }

    /// For connections on which silence is usual: a watch may have nothing to deliver for hours.
    pub(crate) fn for_streams(interval: Duration, timeout: Option<Duration>) -> Self {
        let interval = interval.max(LEAST_SPACING);
        let timeout = timeout.unwrap_or(STREAMS_TIMEOUT);
        let suspicion = Duration::from_secs(2).min(timeout);
        Self { quiet: interval, suspicion, timeout, spacing: interval, doublings: 0 }
    }

    /// Sends PINGs further apart, for a peer that complained of too many. The first PING of a silence is as early as
    /// before: a peer counts PINGs that follow each other too closely.
    pub(crate) fn spaced(self, doublings: u32) -> Self {
        Self { doublings, ..self }
    }

    /// How many times further apart PINGs are on a connection of this age. The peer has not complained on it yet.
    fn factor_at(&self, age: Duration) -> u32 {
        1_u32.checked_shl(complaints::left(self.doublings, age)).unwrap_or(u32::MAX)
    }
}

/// What a connection's silence says of its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Vital {
    Alive,
    /// A PING is under way because it was silent: use others where there are some.
    Doubtful,
    /// It should have answered by now: use others only.
    Suspect,
    /// Given up.
    Dead,
}

impl Vital {
    /// The reverse of `as u8`.
    pub(crate) fn from_u8(value: u8) -> Self {
        match value {
            0 => Self::Alive,
            1 => Self::Doubtful,
            2 => Self::Suspect,
            _ => Self::Dead,
        }
    }
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) ping: bool,
    pub(crate) vital: Vital,
    /// When to look again, at the latest. Nothing is due on an idle connection.
    pub(crate) wake: Option<Duration>,
}

/// The silence of one connection.
#[derive(Debug)]
pub(crate) struct Liveness {
    keepalive: Keepalive,
    heard: Duration,
    busy_since: Option<Duration>,
    /// When the PING under way was sent.
    ping: Option<Duration>,
    last_ping: Option<Duration>,
    /// Whether a PING is due for what was seen elsewhere.
    doubted: bool,
    vital: Vital,
}

impl Liveness {
    pub(crate) fn new(keepalive: Keepalive) -> Self {
        Self {
            keepalive,
            heard: Duration::ZERO,
            busy_since: None,
            ping: None,
            last_ping: None,
            doubted: false,
            vital: Vital::Alive,
        }
    }

    pub(crate) fn vital(&self) -> Vital {
        self.vital
    }

    /// Something was read at `now`, a PONG included: the peer lives.
    pub(crate) fn heard(&mut self, now: Duration) {
        self.heard = now;
        self.vital = Vital::Alive;
        self.ping = None;
    }

    /// Something was seen elsewhere that speaks against the peer: the next PING is due as soon as it may follow the last one,
    /// whether or not the peer owes something.
    pub(crate) fn doubt(&mut self) {
        self.doubted = true;
    }

    /// Whether such a PING, or its answer, is due.
    pub(crate) fn is_doubted(&self) -> bool {
        self.doubted || self.ping.is_some()
    }

    /// What is due at `now`. `busy` is whether the peer owes an answer.
    pub(crate) fn step(&mut self, now: Duration, busy: bool) -> Step {
        match (busy, self.busy_since) {
            (true, None) => self.busy_since = Some(now),
            (false, _) => self.busy_since = None,
            (true, Some(_)) => {}
        }
        if let Some(sent) = self.ping {
            return self.await_pong(now, sent);
        }
        let factor = self.keepalive.factor_at(now);
        let after_last = |spacing: Duration| {
            self.last_ping.map_or(Duration::ZERO, |last| last.saturating_add(spacing.saturating_mul(factor)))
        };
        let usual = self.busy_since.map(|since| {
            let quiet = since.max(self.heard).saturating_add(self.keepalive.quiet);
            quiet.max(after_last(self.keepalive.spacing))
        });
        let early = self.doubted.then(|| after_last(LEAST_SPACING));
        let Some(due) = usual.into_iter().chain(early).min() else { return self.result(false, None) };
        if now < due {
            return self.result(false, Some(due));
        }
        self.doubted = false;
        self.ping = Some(now);
        self.last_ping = Some(now);
        self.vital = Vital::Doubtful;
        self.result(true, Some(now.saturating_add(self.keepalive.suspicion)))
    }

    fn await_pong(&mut self, now: Duration, sent: Duration) -> Step {
        let after = |wait: Duration| sent.saturating_add(wait);
        let (suspect, dead) = (after(self.keepalive.suspicion), after(self.keepalive.timeout));
        let (vital, wake) = if now >= dead {
            (Vital::Dead, None)
        } else if now >= suspect {
            (Vital::Suspect, Some(dead))
        } else {
            (Vital::Doubtful, Some(suspect))
        };
        self.vital = vital;
        self.result(false, wake)
    }

    fn result(&self, ping: bool, wake: Option<Duration>) -> Step {
        Step { ping, vital: self.vital, wake }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn calls() -> Liveness {
        Liveness::new(Keepalive::for_calls(Some(ms(5_000))))
    }

    #[test]
    fn an_idle_connection_is_left_alone() {
        let mut peer = calls();
        for second in [0, 1, 60, 3_600] {
            let step = peer.step(Duration::from_secs(second), false);
            assert_eq!(step, Step { ping: false, vital: Vital::Alive, wake: None });
        }
    }

    #[test]
    fn silence_is_doubted_then_suspected_then_given_up() {
        let mut peer = calls();
        let begun = ms(60_000);
        assert_eq!(peer.step(begun, true).wake, Some(begun + ms(1_000)));
        let doubtful = peer.step(begun + ms(1_000), true);
        assert_eq!(doubtful, Step { ping: true, vital: Vital::Doubtful, wake: Some(begun + ms(2_000)) });
        let suspect = peer.step(begun + ms(2_000), true);
        assert_eq!(suspect, Step { ping: false, vital: Vital::Suspect, wake: Some(begun + ms(6_000)) });
        let dead = peer.step(begun + ms(6_000), true);
        assert_eq!(dead, Step { ping: false, vital: Vital::Dead, wake: None });
    }

    #[test]
    fn a_connection_for_calls_is_given_up_after_three_seconds_by_default() {
        let mut peer = Liveness::new(Keepalive::for_calls(None));
        peer.step(ms(0), true);
        assert!(peer.step(ms(1_000), true).ping);
        assert_eq!(peer.step(ms(2_999), true).vital, Vital::Suspect);
        assert_eq!(peer.step(ms(3_000), true).vital, Vital::Dead);
    }

    #[test]
    fn a_suspect_without_requests_is_still_judged() {
        let mut peer = calls();
        peer.step(ms(0), true);
        peer.step(ms(1_000), true);
        assert_eq!(peer.step(ms(2_500), false).vital, Vital::Suspect);
        assert_eq!(peer.step(ms(6_000), false).vital, Vital::Dead);
    }

    #[test]
    fn any_byte_is_a_sign_of_life() {
        let mut peer = calls();
        peer.step(ms(0), true);
        peer.step(ms(1_000), true);
        peer.step(ms(2_500), true);
        peer.heard(ms(2_600));
        assert_eq!(peer.vital(), Vital::Alive);
        // The next PING keeps its distance from the first.
        assert_eq!(peer.step(ms(2_600), true).wake, Some(ms(6_500)));
    }

    #[test]
    fn a_busy_peer_that_talks_gets_no_ping() {
        let mut peer = calls();
        for tenth in 0..600 {
            peer.heard(ms(tenth * 100));
            assert!(!peer.step(ms(tenth * 100), true).ping);
        }
    }

    #[test]
    fn silence_before_the_request_does_not_count() {
        let mut peer = calls();
        peer.heard(ms(10));
        peer.step(ms(20), false);
        assert!(!peer.step(ms(100_000), true).ping);
        assert!(!peer.step(ms(100_999), true).ping);
        assert!(peer.step(ms(101_000), true).ping);
    }

    /// A server that counts as etcd's does: a PING within 5 s of the last is a strike, the third one is the end.
    #[test]
    fn pings_never_trip_the_servers_policing() {
        let eager = Keepalive::for_streams(ms(10), None);
        let usual = Keepalive::for_streams(ms(10_000), None);
        for keepalive in [Keepalive::for_calls(None), eager, eager.spaced(1), usual] {
            let mut peer = Liveness::new(keepalive);
            let (mut last, mut strikes, mut pings) = (ms(0), 0, 0);
            for now in (0..3_600_000).step_by(50).map(ms) {
                if peer.step(now, true).ping {
                    pings += 1;
                    strikes += u32::from(pings > 1 && now - last < ms(5_000));
                    last = now;
                    peer.heard(now + ms(1));
                }
            }
            assert!(pings > 100 && strikes == 0, "{keepalive:?}: {pings} pings, {strikes} strikes");
        }
    }

    #[test]
    fn a_doubted_peer_is_pinged_at_once_even_if_it_owes_nothing() {
        let mut peer = Liveness::new(Keepalive::for_streams(ms(10_000), None));
        peer.step(ms(0), false);
        peer.doubt();
        assert!(peer.is_doubted() && peer.step(ms(1_000), false).ping);
        assert_eq!(peer.step(ms(3_000), false).vital, Vital::Suspect);
        peer.heard(ms(3_100));
        assert!(!peer.is_doubted());
        // The next one keeps its distance from the last.
        peer.doubt();
        assert_eq!(peer.step(ms(3_200), true).wake, Some(ms(6_500)));
        assert!(peer.step(ms(6_500), true).ping);
    }

    #[test]
    fn doubts_never_trip_the_servers_policing() {
        for keepalive in [Keepalive::for_calls(None), Keepalive::for_streams(ms(10_000), None)] {
            let mut peer = Liveness::new(keepalive);
            let mut last = None;
            for now in (0..600_000).step_by(50).map(ms) {
                peer.doubt();
                if peer.step(now, now.as_secs() % 3 == 0).ping {
                    assert!(last.is_none_or(|last| now - last >= ms(5_000)), "{keepalive:?} at {now:?}");
                    last = Some(now);
                    peer.heard(now + ms(1));
                }
            }
        }
    }

    #[test]
    fn complaints_space_pings_and_leave_the_first_one_alone() {
        let mut peer = Liveness::new(Keepalive::for_calls(Some(ms(5_000))).spaced(3));
        peer.step(ms(0), true);
        assert!(peer.step(ms(1_000), true).ping);
        peer.heard(ms(1_001));
        assert_eq!(peer.step(ms(1_001), true).wake, Some(ms(45_000)));
        assert!(peer.step(ms(45_000), true).ping);
        assert_eq!(peer.step(ms(50_000), true).vital, Vital::Dead);
    }

    #[test]
    fn an_old_connection_without_complaints_is_pinged_as_usual() {
        let mut peer = Liveness::new(Keepalive::for_calls(Some(ms(5_000))).spaced(3));
        let begun = ms(360_000);
        peer.step(begun, true);
        assert!(peer.step(begun + ms(1_000), true).ping);
        peer.heard(begun + ms(1_001));
        assert_eq!(peer.step(begun + ms(1_001), true).wake, Some(begun + ms(6_500)));
    }

    #[test]
    fn the_longest_times_saturate() {
        for keepalive in [
            Keepalive::for_calls(Some(Duration::MAX)).spaced(u32::MAX),
            Keepalive::for_streams(Duration::MAX, Some(Duration::MAX)).spaced(3),
        ] {
            let mut peer = Liveness::new(keepalive);
            for now in [ms(0), ms(20_000), Duration::MAX] {
                let step = peer.step(now, true);
                assert!(step.vital < Vital::Dead || now == Duration::MAX, "{keepalive:?} at {now:?}");
                assert!(step.wake.is_some() || now == Duration::MAX);
            }
        }
    }

    #[test]
    fn a_stream_is_pinged_at_its_interval() {
        let mut peer = Liveness::new(Keepalive::for_streams(ms(10_000), None));
        assert_eq!(peer.step(ms(0), true).wake, Some(ms(10_000)));
        assert!(peer.step(ms(10_000), true).ping);
        assert_eq!(peer.step(ms(12_000), true).vital, Vital::Suspect);
        assert_eq!(peer.step(ms(15_000), true).vital, Vital::Dead);
    }
}
