//! Detection of unresponsive peers: when to send a probe, and what a missing answer means.
//!
//! A probe is a PING, or a SETTINGS frame that repeats the current values if the server's policy forbids another PING
//! so soon. The receiver acknowledges either one immediately (RFC 9113, sections 6.5.3 and 6.7), and grpc-go counts
//! PINGs only (`http2Server.handlePing`). A peer that responds slowly can therefore be probed repeatedly.
//!
//! Times are given as the age of the connection.

use std::time::Duration;

use crate::transport::connection::complaints;

/// The minimum time between PINGs. etcd closes a connection that sends its third PING within less than 5 s of the one
/// before (`grpc.KeepaliveEnforcementPolicy` in etcd's `server/embed/config.go`). The extra half second allows for
/// network delay.
const LEAST_SPACING: Duration = Duration::from_millis(5_500);

/// The minimum time between two probes if the later one is SETTINGS.
const LEAST_SETTINGS_SPACING: Duration = Duration::from_secs(1);

/// The maximum time for the answer to a probe that was caused by another connection's silence. It is the same as on a
/// connection for calls, so that streams move together with the calls of their member.
const DOUBTED_SUSPICION: Duration = Duration::from_secs(1);

/// The default time for the answer to a PING on a connection for calls.
const CALLS_TIMEOUT: Duration = Duration::from_secs(2);

/// The default time for the answer to a PING on a connection for streams. A watch that resumes on another member
/// loses nothing, so only a member without an alternative is waited for this long.
const STREAMS_TIMEOUT: Duration = Duration::from_secs(5);

/// The parameters of the detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keepalive {
    /// The silence, with a request in flight, after which a PING is sent.
    pub(crate) quiet: Duration,
    /// The time for the answer to a PING before the peer is suspected.
    pub(crate) suspicion: Duration,
    /// The time for the answer to a PING before the connection is closed.
    pub(crate) timeout: Duration,
    /// The minimum time between two PINGs.
    pub(crate) spacing: Duration,
    /// The number of times that `spacing` is doubled on a new connection, because the peer complained about too many
    /// PINGs.
    pub(crate) doublings: u32,
    /// True if SETTINGS may be sent while a PING is not allowed yet, and if silence of this connection casts doubt on
    /// others to the same peer.
    for_calls: bool,
}

impl Keepalive {
    /// Parameters for connections on which responses are due immediately. The peer is suspected after 2 s of silence,
    /// which leaves a read 1 s for a new connection and its response. By default the connection is closed after 3 s,
    /// so that a write in flight has its outcome before the default deadline of 5 s, and before the 3.2 s that the Go
    /// client takes.
    pub(crate) fn for_calls(timeout: Option<Duration>) -> Self {
        let timeout = timeout.unwrap_or(CALLS_TIMEOUT);
        Self {
            quiet: Duration::from_secs(1),
            suspicion: Duration::from_secs(1).min(timeout),
            timeout,
            spacing: LEAST_SPACING,
            doublings: 0,
            for_calls: true,
        }
    }

    /// Like [`for_calls`](Self::for_calls), for calls that wait for other clients indefinitely. Their silence is
    /// normal, so it is probed by PINGs only and says nothing about other connections.
    pub(crate) fn for_waits(timeout: Option<Duration>) -> Self {
        Self { for_calls: false, ..Self::for_calls(timeout) }
    }

    /// Parameters for connections on which silence is normal: a watch may have nothing to deliver for hours.
    pub(crate) fn for_streams(interval: Duration, timeout: Option<Duration>) -> Self {
        let interval = interval.max(LEAST_SPACING);
        let timeout = timeout.unwrap_or(STREAMS_TIMEOUT);
        let suspicion = Duration::from_secs(2).min(timeout);
        Self { quiet: interval, suspicion, timeout, spacing: interval, doublings: 0, for_calls: false }
    }

    /// Increases the time between PINGs, for a peer that complained about too many of them. The first PING after a
    /// silence stays as early as before, because a peer only counts PINGs that follow each other too closely.
    pub(crate) fn spaced(self, doublings: u32) -> Self {
        Self { doublings, ..self }
    }

    /// Returns the factor of the spacing on a connection of this age, on which the peer has not complained yet.
    fn factor_at(&self, age: Duration) -> u32 {
        1_u32.checked_shl(complaints::left(self.doublings, age)).unwrap_or(u32::MAX)
    }
}

/// The health of a connection's peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum ConnectionHealth {
    Alive,
    /// A probe is in progress after a silence: other connections are preferred.
    Doubtful,
    /// An answer is overdue: only other connections are used.
    Suspect,
    /// The connection is to be closed.
    Dead,
}

impl ConnectionHealth {
    /// The inverse of `as u8`.
    pub(crate) fn from_u8(value: u8) -> Self {
        match value {
            0 => Self::Alive,
            1 => Self::Doubtful,
            2 => Self::Suspect,
            _ => Self::Dead,
        }
    }
}

/// A frame that its receiver acknowledges immediately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    Ping,
    Settings,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) probe: Option<Probe>,
    /// True if the other connections to this peer are to be probed too. The cause of this silence may affect them as
    /// well.
    pub(crate) spreads: bool,
    pub(crate) vital: ConnectionHealth,
    /// The latest time of the next step. `None` on an idle connection.
    pub(crate) wake: Option<Duration>,
}

/// A probe in progress.
#[derive(Clone, Copy, Debug)]
struct Sent {
    probe: Probe,
    at: Duration,
    /// The time for its answer before the peer is suspected.
    suspicion: Duration,
}

/// The liveness state of one connection.
#[derive(Debug)]
pub(crate) struct Liveness {
    keepalive: Keepalive,
    heard: Duration,
    busy_since: Option<Duration>,
    sent: Option<Sent>,
    last_ping: Option<Duration>,
    last_probe: Option<Duration>,
    /// False once the peer has failed to acknowledge SETTINGS.
    has_settings: bool,
    /// Set if a probe is due because of another connection.
    doubted: bool,
    vital: ConnectionHealth,
}

impl Liveness {
    pub(crate) fn new(keepalive: Keepalive) -> Self {
        Self {
            keepalive,
            heard: Duration::ZERO,
            busy_since: None,
            sent: None,
            last_ping: None,
            last_probe: None,
            has_settings: true,
            doubted: false,
            vital: ConnectionHealth::Alive,
        }
    }

    pub(crate) fn vital(&self) -> ConnectionHealth {
        self.vital
    }

    /// Returns the probe in progress.
    pub(crate) fn probe(&self) -> Option<Probe> {
        self.sent.map(|sent| sent.probe)
    }

    /// Records that something was read at `now`, including the answer to a probe.
    pub(crate) fn heard(&mut self, now: Duration) {
        self.heard = now;
        self.vital = ConnectionHealth::Alive;
        self.sent = None;
    }

    /// Requests a probe because of another connection. It is sent as soon as the spacing allows, even if no request
    /// is in flight.
    pub(crate) fn doubt(&mut self) {
        self.doubted = true;
    }

    /// Returns true if such a probe, or its answer, is outstanding.
    pub(crate) fn is_doubted(&self) -> bool {
        self.doubted || self.sent.is_some()
    }

    /// Records that the requested SETTINGS probe could not be sent, because the peer has not acknowledged earlier
    /// SETTINGS although it sent other data since. The peer is too slow for them or ignores them, so only PINGs are
    /// used from now on.
    pub(crate) fn settings_failed(&mut self) {
        self.has_settings = false;
        if self.sent.take().is_some() {
            self.vital = ConnectionHealth::Alive;
            self.doubted = true;
        }
    }

    /// Returns the actions due at `now`. `busy` is true if the peer owes a response.
    pub(crate) fn step(&mut self, now: Duration, busy: bool) -> Step {
        match (busy, self.busy_since) {
            (true, None) => self.busy_since = Some(now),
            (false, _) => self.busy_since = None,
            (true, Some(_)) => {}
        }
        // One probe at a time: its answer, or the lack of one, decides.
        if let Some(sent) = self.sent {
            return self.await_answer(now, sent);
        }
        let usual = self.busy_since.map(|since| {
            let quiet = since.max(self.heard).saturating_add(self.keepalive.quiet);
            quiet.max(self.next_probe(now, self.keepalive.spacing, self.keepalive.for_calls))
        });
        // Doubts use the shortest spacing that servers tolerate, because they are rare and urgent.
        let early = self.doubted.then(|| self.next_probe(now, LEAST_SPACING, true));
        let Some(due) = usual.into_iter().chain(early).min() else { return self.result(None, None) };
        if now < due {
            return self.result(None, Some(due));
        }
        // A probe caused by doubts alone does not count as this connection's own silence.
        let silent = usual.is_some_and(|usual| now >= usual);
        let suspicion = self.keepalive.suspicion;
        let suspicion = if self.doubted { suspicion.min(DOUBTED_SUSPICION) } else { suspicion };
        let probe = self.which_probe(now, silent);
        self.doubted = false;
        self.sent = Some(Sent { probe, at: now, suspicion });
        self.last_probe = Some(now);
        if probe == Probe::Ping {
            self.last_ping = Some(now);
        }
        self.vital = ConnectionHealth::Doubtful;
        let spreads = silent && self.keepalive.for_calls;
        Step { spreads, ..self.result(Some(probe), Some(now.saturating_add(suspicion))) }
    }

    /// Returns true if a SETTINGS probe is allowed. A peer that complained gets none, because it may count those too.
    fn may_send_settings(&self, now: Duration) -> bool {
        self.has_settings && self.keepalive.factor_at(now) == 1
    }

    /// Returns the time from which a PING is allowed with this spacing.
    fn next_ping(&self, now: Duration, spacing: Duration) -> Duration {
        let spacing = spacing.saturating_mul(self.keepalive.factor_at(now));
        self.last_ping.map_or(Duration::ZERO, |last| last.saturating_add(spacing))
    }

    /// Returns the time from which a probe is allowed. PINGs keep this spacing; `settings` is true if SETTINGS may be
    /// used.
    fn next_probe(&self, now: Duration, spacing: Duration, settings: bool) -> Duration {
        if settings && self.may_send_settings(now) {
            self.last_probe.map_or(Duration::ZERO, |last| last.saturating_add(LEAST_SETTINGS_SPACING))
        } else {
            self.next_ping(now, spacing)
        }
    }

    /// Chooses the kind of probe. A PING is sent only for this connection's own silence: servers count PINGs on a
    /// connection without streams more strictly.
    fn which_probe(&self, now: Duration, silent: bool) -> Probe {
        let pings = silent && now >= self.next_ping(now, self.keepalive.spacing);
        if pings || !self.may_send_settings(now) { Probe::Ping } else { Probe::Settings }
    }

    fn await_answer(&mut self, now: Duration, sent: Sent) -> Step {
        let after = |wait: Duration| sent.at.saturating_add(wait);
        let (suspect, dead) = (after(sent.suspicion), after(self.keepalive.timeout));
        let (vital, wake) = if now >= dead {
            (ConnectionHealth::Dead, None)
        } else if now >= suspect {
            (ConnectionHealth::Suspect, Some(dead))
        } else {
            (ConnectionHealth::Doubtful, Some(suspect))
        };
        self.vital = vital;
        self.result(None, wake)
    }

    fn result(&self, probe: Option<Probe>, wake: Option<Duration>) -> Step {
        Step { probe, spreads: false, vital: self.vital, wake }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Step {
        fn pings(&self) -> bool {
            self.probe == Some(Probe::Ping)
        }
    }

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
            assert_eq!(
                step,
                Step { probe: None, spreads: false, vital: ConnectionHealth::Alive, wake: None }
            );
        }
    }

    #[test]
    fn silence_is_doubted_then_suspected_then_given_up() {
        let mut peer = calls();
        let begun = ms(60_000);
        assert_eq!(peer.step(begun, true).wake, Some(begun + ms(1_000)));
        let doubtful = peer.step(begun + ms(1_000), true);
        assert_eq!(
            doubtful,
            Step {
                probe: Some(Probe::Ping),
                spreads: true,
                vital: ConnectionHealth::Doubtful,
                wake: Some(begun + ms(2_000))
            }
        );
        let suspect = peer.step(begun + ms(2_000), true);
        assert_eq!(
            suspect,
            Step {
                probe: None,
                spreads: false,
                vital: ConnectionHealth::Suspect,
                wake: Some(begun + ms(6_000))
            }
        );
        let dead = peer.step(begun + ms(6_000), true);
        assert_eq!(dead, Step { probe: None, spreads: false, vital: ConnectionHealth::Dead, wake: None });
    }

    #[test]
    fn a_connection_for_calls_is_given_up_after_three_seconds_by_default() {
        let mut peer = Liveness::new(Keepalive::for_calls(None));
        peer.step(ms(0), true);
        assert!(peer.step(ms(1_000), true).pings());
        assert_eq!(peer.step(ms(2_999), true).vital, ConnectionHealth::Suspect);
        assert_eq!(peer.step(ms(3_000), true).vital, ConnectionHealth::Dead);
    }

    #[test]
    fn a_suspect_without_requests_is_still_judged() {
        let mut peer = calls();
        peer.step(ms(0), true);
        peer.step(ms(1_000), true);
        assert_eq!(peer.step(ms(2_500), false).vital, ConnectionHealth::Suspect);
        assert_eq!(peer.step(ms(6_000), false).vital, ConnectionHealth::Dead);
    }

    #[test]
    fn any_byte_is_a_sign_of_life() {
        let mut peer = calls();
        peer.step(ms(0), true);
        peer.step(ms(1_000), true);
        peer.step(ms(2_500), true);
        peer.heard(ms(2_600));
        assert_eq!(peer.vital(), ConnectionHealth::Alive);
        // A PING would be too early, so SETTINGS are used until one is allowed.
        assert_eq!(peer.step(ms(2_600), true).wake, Some(ms(3_600)));
        for second in [3_600, 4_600, 5_600] {
            assert_eq!(peer.step(ms(second), true).probe, Some(Probe::Settings));
            peer.heard(ms(second));
        }
        assert!(peer.step(ms(6_600), true).pings());
    }

    /// Regardless of earlier answers and of when the request was sent.
    #[test]
    fn a_peer_that_falls_silent_is_given_up_three_seconds_after_the_request() {
        for silent_from in (0..20_000).step_by(70).map(ms) {
            for sent in [silent_from.saturating_sub(ms(2_000)), silent_from, silent_from + ms(500)] {
                let mut peer = Liveness::new(Keepalive::for_calls(None));
                let mut dead = None;
                for now in (0..40_000).step_by(10).map(ms) {
                    // Another request has been waiting from the beginning.
                    let step = peer.step(now, true);
                    if step.vital == ConnectionHealth::Dead {
                        dead = Some(now);
                        break;
                    }
                    if step.probe.is_some() && now < silent_from {
                        peer.heard(now + ms(1));
                    }
                }
                let dead = dead.expect("it is found");
                assert!(dead <= sent.max(silent_from) + ms(3_020), "silent from {silent_from:?}: {dead:?}");
            }
        }
    }

    #[test]
    fn a_slow_peer_is_probed_once_a_second_at_most() {
        let mut peer = Liveness::new(Keepalive::for_calls(None));
        let mut last = None;
        for now in (0..60_000).step_by(10).map(ms) {
            if now.as_millis() % 500 == 0 {
                peer.doubt();
            }
            if peer.step(now, true).probe.is_some() {
                assert!(last.is_none_or(|last| now - last >= ms(1_000)), "at {now:?}");
                last = Some(now);
                peer.heard(now + ms(1));
            }
        }
        assert!(last.is_some_and(|last| last > ms(58_000)));
    }

    #[test]
    fn a_vital_is_read_back_from_its_number() {
        for vital in [
            ConnectionHealth::Alive,
            ConnectionHealth::Doubtful,
            ConnectionHealth::Suspect,
            ConnectionHealth::Dead,
        ] {
            assert_eq!(ConnectionHealth::from_u8(vital as u8), vital);
        }
    }

    #[test]
    fn pings_replace_unacknowledged_settings() {
        let mut peer = Liveness::new(Keepalive::for_calls(None));
        peer.step(ms(0), true);
        assert!(peer.step(ms(1_000), true).pings());
        peer.heard(ms(1_001));
        assert_eq!(peer.step(ms(2_001), true).probe, Some(Probe::Settings));
        assert_eq!(peer.probe(), Some(Probe::Settings), "under way");
        peer.settings_failed();
        assert_eq!((peer.vital(), peer.probe()), (ConnectionHealth::Alive, None));
        assert_eq!(
            peer.step(ms(2_001), true),
            Step { probe: None, spreads: false, vital: ConnectionHealth::Alive, wake: Some(ms(6_500)) }
        );
        assert!(peer.step(ms(6_500), true).pings());
    }

    #[test]
    fn only_the_silence_of_calls_spreads() {
        let mut doubted = Liveness::new(Keepalive::for_calls(None));
        doubted.doubt();
        let step = doubted.step(ms(10), false);
        assert_eq!((step.probe, step.spreads), (Some(Probe::Settings), false));
        for (keepalive, quiet) in
            [(Keepalive::for_streams(ms(10_000), None), ms(10_000)), (Keepalive::for_waits(None), ms(1_000))]
        {
            let mut silent = Liveness::new(keepalive);
            silent.step(ms(0), true);
            let step = silent.step(quiet, true);
            assert_eq!((step.probe, step.spreads), (Some(Probe::Ping), false));
            // It is not probed more often than PINGs are allowed either.
            silent.heard(quiet);
            let next = quiet + keepalive.spacing;
            assert_eq!(silent.step(quiet, true).wake, Some(next));
            assert_eq!(silent.step(next, true).probe, Some(Probe::Ping));
        }
    }

    #[test]
    fn a_busy_peer_that_talks_gets_no_ping() {
        let mut peer = calls();
        for tenth in 0..600 {
            peer.heard(ms(tenth * 100));
            assert!(!peer.step(ms(tenth * 100), true).pings());
        }
    }

    #[test]
    fn silence_before_the_request_does_not_count() {
        let mut peer = calls();
        peer.heard(ms(10));
        peer.step(ms(20), false);
        assert!(!peer.step(ms(100_000), true).pings());
        assert!(!peer.step(ms(100_999), true).pings());
        assert!(peer.step(ms(101_000), true).pings());
    }

    /// A server that counts like etcd: a PING within 5 s of the last is a strike, and the third strike closes the
    /// connection.
    #[test]
    fn pings_never_trip_the_servers_policing() {
        let eager = Keepalive::for_streams(ms(10), None);
        let usual = Keepalive::for_streams(ms(10_000), None);
        for keepalive in [Keepalive::for_calls(None), eager, eager.spaced(1), usual] {
            let mut peer = Liveness::new(keepalive);
            let (mut last, mut strikes, mut pings) = (ms(0), 0, 0);
            for now in (0..3_600_000).step_by(50).map(ms) {
                let step = peer.step(now, true);
                if step.pings() {
                    pings += 1;
                    strikes += u32::from(pings > 1 && now - last < ms(5_000));
                    last = now;
                }
                if step.probe.is_some() {
                    peer.heard(now + ms(1));
                }
            }
            assert!(pings > 100 && strikes == 0, "{keepalive:?}: {pings} pings, {strikes} strikes");
        }
    }

    #[test]
    fn a_doubted_peer_is_probed_at_once_even_if_it_owes_nothing() {
        let mut peer = Liveness::new(Keepalive::for_streams(ms(10_000), None));
        peer.step(ms(0), false);
        peer.doubt();
        assert!(peer.is_doubted());
        assert_eq!(peer.step(ms(1_000), false).probe, Some(Probe::Settings));
        assert_eq!(peer.step(ms(1_999), false).vital, ConnectionHealth::Doubtful);
        // As soon as on a connection for calls, whose silence may be the reason for the doubt.
        assert_eq!(peer.step(ms(2_000), false).vital, ConnectionHealth::Suspect);
        peer.heard(ms(2_100));
        assert!(!peer.is_doubted());
        // The next probe keeps its distance from the last one.
        peer.heard(ms(2_200));
        peer.doubt();
        assert_eq!(peer.step(ms(2_200), true).probe, Some(Probe::Settings));
        peer.heard(ms(2_201));
        peer.doubt();
        assert_eq!(peer.step(ms(2_202), true).wake, Some(ms(3_200)));
    }

    #[test]
    fn doubts_cause_no_ping() {
        for keepalive in [Keepalive::for_calls(None), Keepalive::for_streams(ms(10_000), None)] {
            let mut peer = Liveness::new(keepalive);
            for now in (0..600_000).step_by(50).map(ms) {
                peer.doubt();
                if let Some(probe) = peer.step(now, false).probe {
                    assert_eq!(probe, Probe::Settings, "{keepalive:?} at {now:?}");
                    peer.heard(now + ms(1));
                }
            }
        }
    }

    /// A peer that complained may count SETTINGS as well.
    #[test]
    fn doubts_never_trip_the_policing_of_a_peer_that_complained() {
        for keepalive in [Keepalive::for_calls(None), Keepalive::for_streams(ms(10_000), None)] {
            let mut peer = Liveness::new(keepalive.spaced(3));
            let mut last = None;
            for now in (0..350_000).step_by(50).map(ms) {
                peer.doubt();
                if let Some(probe) = peer.step(now, now.as_secs() % 3 == 0).probe {
                    assert_eq!(probe, Probe::Ping);
                    assert!(last.is_none_or(|last| now - last >= ms(11_000)), "{keepalive:?} at {now:?}");
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
        assert!(peer.step(ms(1_000), true).pings());
        peer.heard(ms(1_001));
        assert_eq!(peer.step(ms(1_001), true).wake, Some(ms(45_000)));
        assert!(peer.step(ms(45_000), true).pings());
        assert_eq!(peer.step(ms(50_000), true).vital, ConnectionHealth::Dead);
    }

    #[test]
    fn an_old_connection_without_complaints_is_pinged_as_usual() {
        let mut peer = Liveness::new(Keepalive::for_calls(Some(ms(5_000))).spaced(3));
        let begun = ms(360_000);
        peer.step(begun, true);
        assert!(peer.step(begun + ms(1_000), true).pings());
        peer.heard(begun + ms(1_001));
        assert_eq!(peer.step(begun + ms(1_001), true).wake, Some(begun + ms(2_001)));
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
                assert!(
                    step.vital < ConnectionHealth::Dead || now == Duration::MAX,
                    "{keepalive:?} at {now:?}"
                );
                assert!(step.wake.is_some() || now == Duration::MAX);
            }
        }
    }

    #[test]
    fn a_stream_is_pinged_at_its_interval() {
        let mut peer = Liveness::new(Keepalive::for_streams(ms(10_000), None));
        assert_eq!(peer.step(ms(0), true).wake, Some(ms(10_000)));
        assert!(peer.step(ms(10_000), true).pings());
        assert_eq!(peer.step(ms(12_000), true).vital, ConnectionHealth::Suspect);
        assert_eq!(peer.step(ms(15_000), true).vital, ConnectionHealth::Dead);
    }
}
