//! The rules of liveness on virtual time.

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
fn idle_connection_is_not_probed() {
    let mut peer = calls();
    for second in [0, 1, 60, 3_600] {
        let step = peer.step(Duration::from_secs(second), false);
        assert_eq!(step, Step { probe: None, spreads: false, health: ConnectionHealth::Alive, wake: None });
    }
}

#[test]
fn unresponsive_peer_is_doubted_then_suspected_then_closed() {
    let mut peer = calls();
    let begun = ms(60_000);
    assert_eq!(peer.step(begun, true).wake, Some(begun + ms(1_000)));
    let doubtful = peer.step(begun + ms(1_000), true);
    assert_eq!(
        doubtful,
        Step {
            probe: Some(Probe::Ping),
            spreads: true,
            health: ConnectionHealth::Doubtful,
            wake: Some(begun + ms(2_000))
        }
    );
    let suspect = peer.step(begun + ms(2_000), true);
    assert_eq!(
        suspect,
        Step {
            probe: None,
            spreads: false,
            health: ConnectionHealth::Suspect,
            wake: Some(begun + ms(6_000))
        }
    );
    let dead = peer.step(begun + ms(6_000), true);
    assert_eq!(dead, Step { probe: None, spreads: false, health: ConnectionHealth::Dead, wake: None });
}

#[test]
fn unresponsive_call_connection_closes_after_three_seconds_by_default() {
    let mut peer = Liveness::new(Keepalive::for_calls(None));
    peer.step(ms(0), true);
    assert!(peer.step(ms(1_000), true).pings());
    assert_eq!(peer.step(ms(2_999), true).health, ConnectionHealth::Suspect);
    assert_eq!(peer.step(ms(3_000), true).health, ConnectionHealth::Dead);
}

#[test]
fn suspect_without_requests_still_expires() {
    let mut peer = calls();
    peer.step(ms(0), true);
    peer.step(ms(1_000), true);
    assert_eq!(peer.step(ms(2_500), false).health, ConnectionHealth::Suspect);
    assert_eq!(peer.step(ms(6_000), false).health, ConnectionHealth::Dead);
}

#[test]
fn any_byte_proves_liveness() {
    let mut peer = calls();
    peer.step(ms(0), true);
    peer.step(ms(1_000), true);
    peer.step(ms(2_500), true);
    peer.received(ms(2_600));
    assert_eq!(peer.health(), ConnectionHealth::Alive);
    // A PING would be too early, so SETTINGS are used until one is allowed.
    assert_eq!(peer.step(ms(2_600), true).wake, Some(ms(3_600)));
    for second in [3_600, 4_600, 5_600] {
        assert_eq!(peer.step(ms(second), true).probe, Some(Probe::Settings));
        peer.received(ms(second));
    }
    assert!(peer.step(ms(6_600), true).pings());
}

/// Regardless of earlier answers and of when the request was sent.
#[test]
fn unresponsive_peer_is_abandoned_three_seconds_after_the_request() {
    for silent_from in (0..20_000).step_by(70).map(ms) {
        for sent in [silent_from.saturating_sub(ms(2_000)), silent_from, silent_from + ms(500)] {
            let mut peer = Liveness::new(Keepalive::for_calls(None));
            let mut dead = None;
            for now in (0..40_000).step_by(10).map(ms) {
                // Another request has been waiting from the beginning.
                let step = peer.step(now, true);
                if step.health == ConnectionHealth::Dead {
                    dead = Some(now);
                    break;
                }
                if step.probe.is_some() && now < silent_from {
                    peer.received(now + ms(1));
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
            peer.received(now + ms(1));
        }
    }
    assert!(last.is_some_and(|last| last > ms(58_000)));
}

#[test]
fn health_round_trips_through_its_number() {
    for health in [
        ConnectionHealth::Alive,
        ConnectionHealth::Doubtful,
        ConnectionHealth::Suspect,
        ConnectionHealth::Dead,
    ] {
        assert_eq!(ConnectionHealth::from_u8(health as u8), health);
    }
}

#[test]
fn pings_replace_unacknowledged_settings() {
    let mut peer = Liveness::new(Keepalive::for_calls(None));
    peer.step(ms(0), true);
    assert!(peer.step(ms(1_000), true).pings());
    peer.received(ms(1_001));
    assert_eq!(peer.step(ms(2_001), true).probe, Some(Probe::Settings));
    assert_eq!(peer.probe(), Some(Probe::Settings), "under way");
    peer.settings_failed();
    assert_eq!((peer.health(), peer.probe()), (ConnectionHealth::Alive, None));
    assert_eq!(
        peer.step(ms(2_001), true),
        Step { probe: None, spreads: false, health: ConnectionHealth::Alive, wake: Some(ms(6_500)) }
    );
    assert!(peer.step(ms(6_500), true).pings());
}

#[test]
fn only_unresponsive_calls_spread_doubt() {
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
        silent.received(quiet);
        let next = quiet + keepalive.spacing;
        assert_eq!(silent.step(quiet, true).wake, Some(next));
        assert_eq!(silent.step(next, true).probe, Some(Probe::Ping));
    }
}

#[test]
fn a_busy_peer_that_talks_gets_no_ping() {
    let mut peer = calls();
    for tenth in 0..600 {
        peer.received(ms(tenth * 100));
        assert!(!peer.step(ms(tenth * 100), true).pings());
    }
}

#[test]
fn idle_time_before_the_request_does_not_count() {
    let mut peer = calls();
    peer.received(ms(10));
    peer.step(ms(20), false);
    assert!(!peer.step(ms(100_000), true).pings());
    assert!(!peer.step(ms(100_999), true).pings());
    assert!(peer.step(ms(101_000), true).pings());
}

/// A server that counts like etcd: a PING within 5 s of the last is a strike, and the third strike closes the
/// connection.
#[test]
fn pings_respect_the_server_ping_policy() {
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
                peer.received(now + ms(1));
            }
        }
        assert!(pings > 100 && strikes == 0, "{keepalive:?}: {pings} pings, {strikes} strikes");
    }
}

#[test]
fn doubted_peer_is_probed_immediately_without_requests() {
    let mut peer = Liveness::new(Keepalive::for_streams(ms(10_000), None));
    peer.step(ms(0), false);
    peer.doubt();
    assert!(peer.is_doubted());
    assert_eq!(peer.step(ms(1_000), false).probe, Some(Probe::Settings));
    assert_eq!(peer.step(ms(1_999), false).health, ConnectionHealth::Doubtful);
    // As soon as on a connection for calls, whose silence may be the reason for the doubt.
    assert_eq!(peer.step(ms(2_000), false).health, ConnectionHealth::Suspect);
    peer.received(ms(2_100));
    assert!(!peer.is_doubted());
    // The next probe keeps its distance from the last one.
    peer.received(ms(2_200));
    peer.doubt();
    assert_eq!(peer.step(ms(2_200), true).probe, Some(Probe::Settings));
    peer.received(ms(2_201));
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
                peer.received(now + ms(1));
            }
        }
    }
}

/// A peer that complained may count SETTINGS as well.
#[test]
fn doubts_respect_the_ping_policy_of_a_peer_that_complained() {
    for keepalive in [Keepalive::for_calls(None), Keepalive::for_streams(ms(10_000), None)] {
        let mut peer = Liveness::new(keepalive.spaced(3));
        let mut last = None;
        for now in (0..350_000).step_by(50).map(ms) {
            peer.doubt();
            if let Some(probe) = peer.step(now, now.as_secs() % 3 == 0).probe {
                assert_eq!(probe, Probe::Ping);
                assert!(last.is_none_or(|last| now - last >= ms(11_000)), "{keepalive:?} at {now:?}");
                last = Some(now);
                peer.received(now + ms(1));
            }
        }
    }
}

#[test]
fn complaints_space_pings_and_leave_the_first_one_alone() {
    let mut peer = Liveness::new(Keepalive::for_calls(Some(ms(5_000))).spaced(3));
    peer.step(ms(0), true);
    assert!(peer.step(ms(1_000), true).pings());
    peer.received(ms(1_001));
    assert_eq!(peer.step(ms(1_001), true).wake, Some(ms(45_000)));
    assert!(peer.step(ms(45_000), true).pings());
    assert_eq!(peer.step(ms(50_000), true).health, ConnectionHealth::Dead);
}

#[test]
fn an_old_connection_without_complaints_is_pinged_as_usual() {
    let mut peer = Liveness::new(Keepalive::for_calls(Some(ms(5_000))).spaced(3));
    let begun = ms(360_000);
    peer.step(begun, true);
    assert!(peer.step(begun + ms(1_000), true).pings());
    peer.received(begun + ms(1_001));
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
            assert!(step.health < ConnectionHealth::Dead || now == Duration::MAX, "{keepalive:?} at {now:?}");
            assert!(step.wake.is_some() || now == Duration::MAX);
        }
    }
}

#[test]
fn a_stream_is_pinged_at_its_interval() {
    let mut peer = Liveness::new(Keepalive::for_streams(ms(10_000), None));
    assert_eq!(peer.step(ms(0), true).wake, Some(ms(10_000)));
    assert!(peer.step(ms(10_000), true).pings());
    assert_eq!(peer.step(ms(12_000), true).health, ConnectionHealth::Suspect);
    assert_eq!(peer.step(ms(15_000), true).health, ConnectionHealth::Dead);
}
