//! Hundreds of clients lose their members at once, and get them back at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::sleep;

use crate::world::{CLIENT, NAMES, builder, network};

const SECOND: Duration = Duration::from_secs(1);
const CLIENTS: u64 = 500;

/// Each does ten calls a second, one after the other.
#[test]
fn five_hundred_clients_do_not_storm_a_recovering_cluster() {
    let (mut sim, ledgers) = network(3, 50 * SECOND);
    let failed = Arc::new(AtomicU64::new(0));
    let failures = Arc::clone(&failed);
    sim.client(CLIENT, async move {
        let mut clients = tokio::task::JoinSet::new();
        for n in 0..CLIENTS {
            let failures = Arc::clone(&failures);
            clients.spawn(async move {
                let client = builder(3).build().expect("valid");
                sleep(SECOND * (n as u32) / (CLIENTS as u32)).await;
                while turmoil::sim_elapsed().expect("simulated") < 32 * SECOND {
                    if client.get("k").await.is_err() {
                        failures.fetch_add(1, Ordering::Relaxed);
                    }
                    sleep(SECOND / 10).await;
                }
            });
        }
        clients.join_all().await;
        Ok(())
    });
    let (mut down, mut up) = (false, false);
    while !sim.step().expect("the scenario holds") {
        if !down && sim.elapsed() >= 10 * SECOND {
            NAMES.iter().for_each(|name| sim.crash(*name));
            down = true;
        }
        if !up && sim.elapsed() >= 20 * SECOND {
            NAMES.iter().for_each(|name| sim.bounce(*name));
            up = true;
        }
    }
    let rates = |from: u32, to: u32| {
        let each: Vec<Vec<u64>> =
            ledgers.iter().map(|ledger| ledger.rates(SECOND * from..SECOND * to)).collect();
        (0..each[0].len()).map(|slot| each.iter().map(|rates| rates[slot]).sum::<u64>()).collect::<Vec<_>>()
    };
    let steady = rates(5, 10);
    let steady = steady.iter().sum::<u64>() / steady.len() as u64;
    let after = rates(20, 32);
    let peak = *after.iter().max().expect("slots");
    eprintln!(
        "steady {steady}, peak {peak} requests in 100 ms, {} failed calls",
        failed.load(Ordering::Relaxed)
    );
    assert!(steady > 100, "only {steady} requests in 100 ms before the outage");
    assert!(peak <= 3 * steady, "a peak of {peak} after the outage, {steady} before");
    let end = rates(28, 31);
    let end = end.iter().sum::<u64>() / end.len() as u64;
    assert!(end * 10 >= steady * 9, "{end} after, {steady} before");
}
