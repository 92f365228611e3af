//! Connections that come with the load and go with it.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::{task::JoinSet, time::sleep};

use crate::world::{CLIENT, builder, network};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn connections_grow_to_four_under_load_and_come_back() {
    let (mut sim, ledgers) = network(1, 300 * SECOND);
    sim.client(CLIENT, async move {
        let ledger = &ledgers[0];
        ledger.set_latency(SECOND / 10);
        let client = builder(1).build()?;
        for _ in 0..30 {
            client.get("k").await?;
        }
        let connections = || ledger.connections.load(Ordering::Relaxed);
        assert_eq!(connections(), 1, "one is enough for one call at a time");
        let mut load = JoinSet::new();
        for _ in 0..500 {
            let client = client.clone();
            load.spawn(async move {
                for _ in 0..15 {
                    client.get("k").await?;
                }
                Ok::<(), etcd_client_core::Error>(())
            });
        }
        while let Some(done) = load.join_next().await {
            done??;
        }
        assert_eq!(connections(), 4, "four for five hundred");
        // Two looks at 5 s intervals find the others unneeded.
        sleep(30 * SECOND).await;
        for _ in 0..30 {
            client.get("k").await?;
        }
        assert_eq!(connections(), 4, "none was made again");
        assert_eq!(turmoil::established_tcp_stream_count(), 1);
        Ok(())
    });
    sim.run().expect("the scenario holds");
}
