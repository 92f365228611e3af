//! What a watch takes at its peak while its reader sleeps through a hundred thousand events.

use std::{thread, time::Duration};

use allocation_counter::measure;
use etcd_client_core::{
    Client, Put,
    watch::{WatchStatus, WatchStream},
};
use etcd_testkit::Cluster;
use futures_util::future::join_all;
use tokio::sync::oneshot;

use crate::fake_member::current_thread;

const EVENTS: usize = 100_000;

/// How many keys a revision changes: members cut large batches of small events too slowly for a test.
const OF_A_REVISION: usize = 10;

const BUFFER: usize = 64 << 10;

/// Twice the buffer, and what one message of a member may take while it is read.
const MOST: u64 = 2 * BUFFER as u64 + (8 << 20);

fn client(endpoints: &[String]) -> Client {
    Client::builder(endpoints).build().expect("valid settings")
}

/// On a thread of its own: what it takes is not the watch's.
fn write(endpoints: Vec<String>) -> oneshot::Receiver<()> {
    let (done, written) = oneshot::channel();
    thread::spawn(move || {
        current_thread().block_on(async {
            let client = client(&endpoints);
            for from in (0..EVENTS).step_by(50 * OF_A_REVISION) {
                let txns = (from..from + 50 * OF_A_REVISION).step_by(OF_A_REVISION).map(|from| {
                    let puts: Vec<_> = (from..from + OF_A_REVISION)
                        .map(|n| Put::new(format!("k/{n:06}"), format!("{n:0100}")))
                        .collect();
                    client.txn().then(puts).timeout(Duration::from_secs(60)).into_future()
                });
                join_all(txns).await.into_iter().for_each(|txn| drop(txn.expect("written")));
            }
        });
        let _ = done.send(());
    });
    written
}

async fn read_all(watch: &mut WatchStream) -> usize {
    let mut read = 0;
    while read < EVENTS {
        read += watch.next().await.expect("one more").expect("nothing is lost").events.len();
    }
    read
}

#[test]
fn a_reader_that_sleeps_costs_no_more_than_its_buffer() {
    let runtime = current_thread();
    let Some(cluster) = runtime.block_on(Cluster::builder().start_or_skip()) else { return };
    let client = runtime.block_on(async { client(&cluster.endpoints()) });
    let watch = client.watch("k/").prefix().buffer_bytes(BUFFER).into_future();
    let mut watch = runtime.block_on(watch).expect("a watch");
    let written = write(cluster.endpoints());
    let asleep = measure(|| runtime.block_on(written).expect("all is written"));
    assert!(matches!(watch.status(), WatchStatus::Paused { .. }), "{:?}", watch.status());
    println!("asleep through {EVENTS} events: peak {} KiB", asleep.bytes_max >> 10);
    assert!(asleep.bytes_max <= MOST, "{} bytes", asleep.bytes_max);
    let awake = measure(|| assert_eq!(runtime.block_on(read_all(&mut watch)), EVENTS));
    println!("reading them: peak {} KiB", awake.bytes_max >> 10);
    assert!(awake.bytes_max <= MOST, "{} bytes", awake.bytes_max);
    runtime.block_on(client.close());
}
