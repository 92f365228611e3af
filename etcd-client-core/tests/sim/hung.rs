//! Members that go silent, or that answer PINGs and no requests.

use std::{sync::atomic::Ordering, time::Duration};

use etcd_client_core::{
    CallOptions, Get, Outcome,
    transport::{Balance, EndpointPhase},
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    model::{Mood, since},
    world::{CLIENT, NAMES, blackhole, builder, heal, network},
};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn reads_leave_a_hung_member_within_three_seconds() {
    let (mut sim, ledgers) = network(3, 120 * SECOND);
    sim.client(CLIENT, async move {
        let client = builder(3).timeout(10 * SECOND).build()?;
        // All three are connected, and used.
        while ledgers.iter().any(|ledger| ledger.requests() == 0) {
            client.get("k").await?;
        }
        blackhole(0);
        let started = Instant::now();
        let mut calls = JoinSet::new();
        for n in 0..60 {
            let client = client.clone();
            calls.spawn(async move {
                if n % 2 == 0 {
                    (n, client.get("k").await.map(drop), since(started))
                } else {
                    (n, client.put(format!("k{n}"), "v").await.map(drop), since(started))
                }
            });
        }
        let mut unknown = 0;
        while let Some(done) = calls.join_next().await {
            let (n, result, took) = done?;
            if n % 2 == 0 {
                result?;
                assert!(took <= 3 * SECOND, "a read took {took:?}");
            } else if let Err(error) = result {
                assert_eq!(error.outcome(), Outcome::Unknown, "{}", error.report());
                assert_about(took, 3 * SECOND);
                unknown += 1;
            }
        }
        assert!((1..=20).contains(&unknown), "{unknown} of 30 writes were on the silent member");
        // Known to be gone: nothing is slow any more.
        for _ in 0..100 {
            let started = Instant::now();
            client.put("k", "v").await?;
            assert!(since(started) < SECOND / 10);
        }
        heal(0);
        let before = ledgers[0].requests();
        timeout(10 * SECOND, async {
            while ledgers[0].requests() == before {
                client.get("k").await?;
                sleep(SECOND / 100).await;
            }
            Ok::<(), etcd_client_core::Error>(())
        })
        .await
        .expect("it is used again")?;
        Ok(())
    });
    sim.run().expect("the scenario holds");
}

/// Two thirds of new calls meet the silent member only in its first seconds.
#[test]
fn new_calls_avoid_a_doubtful_member() {
    let (mut sim, ledgers) = network(2, 60 * SECOND);
    sim.client(CLIENT, async move {
        let client = builder(2).build()?;
        while ledgers.iter().any(|ledger| ledger.requests() == 0) {
            client.get("k").await?;
        }
        blackhole(0);
        let probe = tokio::spawn({
            let client = client.clone();
            async move {
                for _ in 0..16 {
                    let _ = client.get("probe").timeout(SECOND / 50).await;
                }
                let held: JoinSet<_> = (0..16)
                    .map(|_| {
                        let client = client.clone();
                        async move { client.get("held").await.map(drop) }
                    })
                    .collect();
                held.join_all().await
            }
        });
        sleep(SECOND * 3 / 2).await;
        for _ in 0..100 {
            let started = Instant::now();
            client.get("k").await?;
            assert!(since(started) < SECOND / 10, "asked the doubtful one first");
        }
        for result in probe.await? {
            result?;
        }
        Ok(())
    });
    sim.run().expect("the scenario holds");
}

#[test]
fn only_member_is_waited_for_and_its_states_are_reported() {
    let (mut sim, ledgers) = network(1, 120 * SECOND);
    sim.client(CLIENT, async move {
        let client = builder(1).timeout(30 * SECOND).build()?;
        client.put("k", "v").await?;
        let mut states = client.endpoint_states();
        let seen = tokio::spawn(async move {
            let (mut phases, mut reasons) = (Vec::new(), Vec::new());
            while let Some(now) = states.next().await {
                phases.push(now[0].phase);
                reasons.push(now[0].reason.as_deref().unwrap_or_default().to_owned());
                if phases.len() > 2 && now[0].phase == EndpointPhase::Ready {
                    break;
                }
            }
            (phases, reasons)
        });
        blackhole(0);
        let started = Instant::now();
        let read = tokio::spawn({
            let client = client.clone();
            async move { client.get("k").await.map(drop) }
        });
        sleep(8 * SECOND).await;
        heal(0);
        read.await??;
        assert!(since(started) < 20 * SECOND, "the read came back after {:?}", since(started));
        let (phases, reasons) = seen.await?;
        assert!(
            phases.contains(&EndpointPhase::Suspect) && phases.contains(&EndpointPhase::Down),
            "{phases:?}"
        );
        for (phase, reason) in phases.iter().zip(&reasons) {
            assert_eq!(reason.is_empty(), *phase == EndpointPhase::Ready, "{phase:?}: {reason:?}");
            assert!(*phase != EndpointPhase::Suspect || reason.contains("PING"), "{reason}");
        }
        assert!(ledgers[0].requests() >= 2);
        Ok(())
    });
    sim.run().expect("the scenario holds");
}

#[test]
fn keepalive_timeout_is_respected() {
    // 1 s of silence before the PING of a call, then the timeout. The connections of streams are probed at the same moment, before
    // their interval is over; they end by the timeout, too.
    for (interval, timeout) in [(10, 5), (10, 2), (7, 2)] {
        let (mut sim, ledgers) = network(1, 120 * SECOND);
        sim.client(CLIENT, async move {
            let builder =
                builder(1).keepalive_interval(SECOND * interval).keepalive_timeout(SECOND * timeout);
            let client = builder.no_timeout().build()?;
            client.put("k", "v").await?;
            ledgers[0].set_mood(Mood::Hangs);
            let streaming = tokio::spawn({
                let client = client.clone();
                async move {
                    let options = CallOptions::default().no_timeout();
                    client.kv().range_stream(Get::new("k"), options).await.map(drop)
                }
            });
            let writing = tokio::spawn({
                let client = client.clone();
                async move { client.put("k", "v").await.map(drop) }
            });
            while ledgers[0].requests() < 3 {
                sleep(SECOND / 100).await;
            }
            blackhole(0);
            let started = Instant::now();
            writing.await?.expect_err("the connection is given up");
            assert_about(since(started), SECOND * (1 + timeout));
            streaming.await?.expect_err("the connection is given up");
            assert_about(since(started), SECOND * (1 + timeout));
            Ok(())
        });
        sim.run().expect("the scenario holds");
    }
}

/// What it answers to requests from before it hung shows nothing: it may still think that it leads.
#[test]
fn writes_return_after_a_later_read_succeeded() {
    let (mut sim, ledgers) = network(3, 120 * SECOND);
    sim.client(CLIENT, async move {
        // In turn: its slowness alone would keep calls away for a while.
        let builder = builder(3).balance(Balance::RoundRobin).timeout(20 * SECOND);
        let client = builder.keepalive_timeout(5 * SECOND).build()?;
        while ledgers.iter().any(|ledger| ledger.requests() == 0) {
            client.get("k").await?;
        }
        turmoil::hold(CLIENT, NAMES[0]);
        let mut early = JoinSet::new();
        for _ in 0..60 {
            let client = client.clone();
            early.spawn(async move { client.put("k", "v").await.map(drop) });
        }
        sleep(4 * SECOND).await;
        turmoil::release(CLIENT, NAMES[0]);
        while let Some(done) = early.join_next().await {
            done??;
        }
        let before = ledgers[0].puts.load(Ordering::Relaxed);
        assert!(before > 0, "the fault hit no write");
        for _ in 0..100 {
            client.put("k", "v").await?;
        }
        assert_eq!(ledgers[0].puts.load(Ordering::Relaxed), before, "it got a write at once");
        timeout(10 * SECOND, async {
            while ledgers[0].puts.load(Ordering::Relaxed) == before {
                client.get("k").await?;
                client.put("k", "v").await?;
                sleep(SECOND / 100).await;
            }
            Ok::<(), etcd_client_core::Error>(())
        })
        .await
        .expect("it is used again")?;
        Ok(())
    });
    sim.run().expect("the scenario holds");
}

/// A complaint spaces the PINGs that follow each other. The first one of a silence is as early as ever.
#[test]
fn hung_member_is_detected_after_its_complaints() {
    let (mut sim, ledgers) = network(1, 120 * SECOND);
    sim.client(CLIENT, async move {
        let client = builder(1).keepalive_timeout(5 * SECOND).no_timeout().build()?;
        client.put("k", "v").await?;
        ledgers[0].complain();
        while ledgers[0].connections.load(Ordering::Relaxed) < 2 {
            sleep(SECOND / 100).await;
        }
        client.put("k", "v").await?;
        ledgers[0].set_mood(Mood::Hangs);
        let writing = tokio::spawn({
            let client = client.clone();
            async move { client.put("k", "v").await.map(drop) }
        });
        while ledgers[0].puts.load(Ordering::Relaxed) < 3 {
            sleep(SECOND / 100).await;
        }
        blackhole(0);
        let started = Instant::now();
        writing.await?.expect_err("the connection is given up");
        assert_about(since(started), 6 * SECOND);
        Ok(())
    });
    sim.run().expect("the scenario holds");
}

fn assert_about(took: Duration, expected: Duration) {
    assert!((expected - SECOND / 2..=expected + SECOND / 2).contains(&took), "{took:?}, not {expected:?}");
}

/// It answers PINGs, so only how its calls end tells.
#[test]
fn member_that_answers_no_requests_is_ejected() {
    let (mut sim, ledgers) = network(3, 300 * SECOND);
    sim.client(CLIENT, async move {
        let client = builder(3).build()?;
        while ledgers.iter().any(|ledger| ledger.requests() == 0) {
            client.get("k").await?;
        }
        ledgers[0].set_mood(Mood::Hangs);
        let mut slow = 0;
        let until = Instant::now() + 60 * SECOND;
        while Instant::now() < until {
            let started = Instant::now();
            client.get("k").await?;
            assert!(since(started) < 3 * SECOND, "a read took {:?}", since(started));
            slow += u32::from(since(started) > SECOND);
            sleep(SECOND / 50).await;
        }
        // Two to eject it, then one probe after 1, 2, 4, 8, 16 and 30 s.
        assert!((2..=9).contains(&slow), "{slow} reads had to wait");
        ledgers[0].set_mood(Mood::Answers);
        sleep(31 * SECOND).await;
        let before = ledgers[0].requests();
        for _ in 0..300 {
            client.get("k").await?;
        }
        let share = ledgers[0].requests() - before;
        assert!(share > 50, "it is used again: {share} of 300");
        Ok(())
    });
    sim.run().expect("the scenario holds");
}
