//! How soon calls leave a path that does not work, while another one does.

use std::{sync::atomic::Ordering, time::Duration};

use etcd_client_core::{
    CallOptions, Client, ErrorKind, LeaseId, Outcome, request::RetryPolicy, transport::Balance,
};
use tokio::time::{Instant, sleep};

use crate::{
    model::{LARGE_KEY, Mood, since},
    severed::Severable,
    world::{CLIENT, NAMES, blackhole, builder, network},
};

const SECOND: Duration = Duration::from_secs(1);

/// What the README promises of a read.
const READ: Duration = Duration::from_secs(3);

/// The silence after which the Go client gives up a write, with the keepalive that etcdctl and Kubernetes set.
const GO_WRITE: Duration = Duration::from_millis(3_200);

/// The deadlines that a read must not depend on; `None` is none at all.
const DEADLINES: [Option<u64>; 3] = [Some(5), Some(21), None];

fn options(deadline: Option<u64>) -> CallOptions {
    match deadline {
        Some(seconds) => CallOptions::default().timeout(SECOND * seconds as u32),
        None => CallOptions::default().no_timeout(),
    }
}

/// Has each of the first so many members answer something.
async fn used(client: &Client, ledgers: &[std::sync::Arc<crate::model::Ledger>]) {
    while ledgers.iter().any(|ledger| ledger.requests() == 0) {
        client.get("k").await.expect("all members answer");
    }
}

#[test]
fn reads_leave_dead_connections_for_fresh_ones_to_the_same_members() {
    for members in [1, 3] {
        for deadline in DEADLINES {
            let (mut sim, ledgers) = network(members, 120 * SECOND);
            sim.client(CLIENT, async move {
                let links = Severable::default();
                let client = builder(members).connector(links.clone()).build()?;
                used(&client, &ledgers).await;
                links.sever();
                let started = Instant::now();
                client.get("k").options(options(deadline)).await?;
                assert!(since(started) <= READ, "{members}, {deadline:?}: {:?}", since(started));
                assert!(links.made() > members, "a fresh connection was made");
                Ok(())
            });
            sim.run().expect("the scenario holds");
        }
    }
}

#[test]
fn a_pinned_read_leaves_a_dead_connection_for_a_fresh_one() {
    let (mut sim, ledgers) = network(3, 120 * SECOND);
    sim.client(CLIENT, async move {
        let links = Severable::default();
        let client = builder(3).connector(links.clone()).build()?;
        used(&client, &ledgers).await;
        links.sever();
        let before: Vec<u64> = ledgers.iter().map(|ledger| ledger.requests()).collect();
        let started = Instant::now();
        let pinned = CallOptions::default().endpoint(format!("http://{}:2379", NAMES[0]).parse()?);
        client.get("k").options(pinned).await?;
        assert!(since(started) <= READ, "{:?}", since(started));
        for (member, ledger) in ledgers.iter().enumerate() {
            assert_eq!(ledger.requests() - before[member], u64::from(member == 0), "member {member}");
        }
        Ok(())
    });
    sim.run().expect("the scenario holds");
}

/// The member answers PINGs: only its own connections are left, and they lead to where no answer comes from.
#[test]
fn a_pinned_call_is_not_hedged_elsewhere() {
    let (mut sim, ledgers) = network(3, 120 * SECOND);
    sim.client(CLIENT, async move {
        let client = builder(3).build()?;
        used(&client, &ledgers).await;
        ledgers[0].set_mood(Mood::Hangs);
        let before: Vec<u64> = ledgers.iter().map(|ledger| ledger.requests()).collect();
        let pinned = CallOptions::default().endpoint(format!("http://{}:2379", NAMES[0]).parse()?);
        let error = client.get("k").options(pinned).await.expect_err("it is for one member");
        assert_eq!(error.kind(), ErrorKind::Timeout, "{}", error.report());
        for (member, ledger) in ledgers.iter().enumerate() {
            assert_eq!(ledger.requests() - before[member], u64::from(member == 0), "member {member}");
        }
        Ok(())
    });
    sim.run().expect("the scenario holds");
}

/// One that is cut off from its peers answers PINGs, but no linearizable read.
#[test]
fn reads_leave_a_member_that_answers_pings_only() {
    for deadline in DEADLINES {
        let (mut sim, ledgers) = network(3, 120 * SECOND);
        sim.client(CLIENT, async move {
            let client = builder(3).balance(Balance::RoundRobin).build()?;
            used(&client, &ledgers).await;
            ledgers[0].set_mood(Mood::Hangs);
            for _ in 0..6 {
                let started = Instant::now();
                client.get("k").options(options(deadline)).await?;
                assert!(since(started) <= READ, "{deadline:?}: {:?}", since(started));
            }
            Ok(())
        });
        sim.run().expect("the scenario holds");
    }
}

/// Sends one put to the first member, which is silent from then on, and says how long it took to end as unknown.
async fn put_into_silence(client: &Client, silence: impl FnOnce()) -> Duration {
    silence();
    let started = Instant::now();
    let pinned = CallOptions::default().endpoint(format!("http://{}:2379", NAMES[0]).parse().expect("one"));
    let error = client.put("k", "v").options(pinned).await.expect_err("nothing comes back");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unavailable, Outcome::Unknown), "{error}");
    since(started)
}

#[test]
fn write_to_an_unresponsive_member_ends_before_the_go_client() {
    for members in [1, 3] {
        let (mut sim, ledgers) = network(members, 120 * SECOND);
        sim.client(CLIENT, async move {
            let client = builder(members).build()?;
            used(&client, &ledgers).await;
            let took = put_into_silence(&client, || blackhole(0)).await;
            assert!(took < GO_WRITE, "{members}: ended after {took:?}");
            Ok(())
        });
        sim.run().expect("the scenario holds");
    }
}

#[test]
fn a_write_in_flight_on_a_dead_connection_ends_before_gos() {
    let (mut sim, ledgers) = network(1, 120 * SECOND);
    sim.client(CLIENT, async move {
        let links = Severable::default();
        let client = builder(1).connector(links.clone()).build()?;
        used(&client, &ledgers).await;
        let took = put_into_silence(&client, || links.sever()).await;
        assert!(took < GO_WRITE, "ended after {took:?}");
        let started = Instant::now();
        client.put("k", "v").await?;
        assert!(since(started) < SECOND / 10, "the fresh connection serves: {:?}", since(started));
        Ok(())
    });
    sim.run().expect("the scenario holds");
}

/// A waiting call has a connection of its own, whose next PING is due seconds later.
#[test]
fn a_waiting_lock_ends_with_the_other_calls_of_its_member() {
    let (mut sim, ledgers) = network(1, 120 * SECOND);
    sim.client(CLIENT, async move {
        let links = Severable::default();
        let client = builder(1).connector(links.clone()).build()?;
        used(&client, &ledgers).await;
        let lock = tokio::spawn({
            let client = client.clone();
            async move {
                let lease = LeaseId::new(7).expect("not zero");
                let error = client.server_lock().lock("l", lease).await.map(drop).expect_err("no response");
                (error, Instant::now())
            }
        });
        // Its first PING is answered after 1 s, so the next one is due 5.5 s later.
        sleep(Duration::from_millis(1_200)).await;
        links.sever();
        let severed = Instant::now();
        client.get("k").await?;
        let (error, ended) = lock.await?;
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unavailable, Outcome::Unknown), "{error}");
        assert!(ended - severed < GO_WRITE, "ended after {:?}", ended - severed);
        Ok(())
    });
    sim.run().expect("the scenario holds");
}

/// A slow disk keeps a proposal for seconds while PINGs are answered.
#[test]
fn a_write_waits_for_a_member_that_answers_pings() {
    let (mut sim, ledgers) = network(3, 120 * SECOND);
    sim.client(CLIENT, async move {
        let client = builder(3).build()?;
        used(&client, &ledgers).await;
        ledgers.iter().for_each(|ledger| ledger.set_latency(SECOND * 9 / 2));
        let started = Instant::now();
        client.put("k", "v").await?;
        assert!(since(started) >= SECOND * 9 / 2);
        let puts: u64 = ledgers.iter().map(|ledger| ledger.puts.load(Ordering::Relaxed)).sum();
        assert_eq!(puts, 1, "it was sent once");
        Ok(())
    });
    sim.run().expect("the scenario holds");
}

/// Its member forwarded it to a leader that died: another one knows the new leader.
#[test]
fn a_write_declared_idempotent_is_hedged() {
    for deadline in DEADLINES {
        let (mut sim, ledgers) = network(3, 120 * SECOND);
        sim.client(CLIENT, async move {
            let client = builder(3).balance(Balance::RoundRobin).build()?;
            used(&client, &ledgers).await;
            ledgers[0].set_mood(Mood::Hangs);
            for _ in 0..6 {
                let started = Instant::now();
                let twice = options(deadline).retry(RetryPolicy::AssumeIdempotent);
                client.put("k", "v").options(twice).await?;
                assert!(since(started) <= READ, "{deadline:?}: {:?}", since(started));
                sleep(SECOND / 100).await;
            }
            assert!(ledgers[0].puts.load(Ordering::Relaxed) > 0, "the fault hit a write");
            Ok(())
        });
        sim.run().expect("the scenario holds");
    }
}

/// Small calls keep the member in good standing for all but large reads.
#[test]
fn large_reads_leave_a_member_that_answers_only_small_ones() {
    let (mut sim, ledgers) = network(3, 300 * SECOND);
    sim.client(CLIENT, async move {
        let client = builder(3).balance(Balance::RoundRobin).build()?;
        used(&client, &ledgers).await;
        ledgers[0].set_mood(Mood::HangsOnLarge);
        let (mut slow, mut read) = (0, 0);
        let until = Instant::now() + 60 * SECOND;
        while Instant::now() < until {
            for _ in 0..4 {
                client.get("small").await?;
            }
            let started = Instant::now();
            client.get(LARGE_KEY).await?;
            assert!(since(started) <= READ, "a read took {:?}", since(started));
            slow += u32::from(since(started) > SECOND);
            read += 1;
            sleep(SECOND / 50).await;
        }
        // One to find out, then one after each of 1, 2, 4, 8, 16 and 30 s.
        assert!((1..=8).contains(&slow), "{slow} of {read} large reads had to wait");
        assert!(read > 500, "{read} large reads in a minute");
        ledgers[0].set_mood(Mood::Answers);
        sleep(31 * SECOND).await;
        let before = ledgers[0].requests();
        for _ in 0..30 {
            client.get(LARGE_KEY).await?;
        }
        assert!(ledgers[0].requests() > before, "it is used for large reads again");
        Ok(())
    });
    sim.run().expect("the scenario holds");
}

/// No PING may follow that one for 5.5 s: SETTINGS find out instead.
#[test]
fn write_outcome_is_in_time_after_an_answered_ping() {
    for answered in [1_100, 2_500, 4_000] {
        let (mut sim, ledgers) = network(3, 120 * SECOND);
        sim.client(CLIENT, async move {
            let client = builder(3).build()?;
            used(&client, &ledgers).await;
            ledgers[0].set_latency(20 * SECOND);
            let pinned = CallOptions::default().endpoint(format!("http://{}:2379", NAMES[0]).parse()?);
            let slow = tokio::spawn({
                let client = client.clone();
                async move { client.put("slow", "v").options(pinned.no_timeout()).await.map(drop) }
            });
            // The first PING is answered after 1 s.
            sleep(Duration::from_millis(answered)).await;
            let took = put_into_silence(&client, || blackhole(0)).await;
            assert!(took < GO_WRITE, "{answered}: ended after {took:?}");
            let error = slow.await?.expect_err("nothing comes back");
            assert_eq!(error.outcome(), Outcome::Unknown, "{error}");
            Ok(())
        });
        sim.run().expect("the scenario holds");
    }
}
