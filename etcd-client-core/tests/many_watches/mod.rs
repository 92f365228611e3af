//! What a watch takes of the client's memory beside nine thousand others.

use allocation_counter::measure;
use etcd_client_core::{Client, watch::WatchStream};
use etcd_testkit::Cluster;
use futures_util::future::join_all;

use crate::fake_member::current_thread;

const WATCHES: usize = 10_000;

/// For each watch: what its lane and its handle know of it, with room for the tables to have grown a moment ago.
const MOST: i64 = 2 << 10;

async fn watch(client: &Client, from: usize, count: usize) -> Vec<WatchStream> {
    let creations =
        (from..from + count).map(|n| client.watch(format!("registry/pods/{n:010}")).into_future());
    join_all(creations).await.into_iter().map(|watch| watch.expect("a watch")).collect()
}

#[test]
fn a_watch_takes_at_most_two_kibibytes() {
    let runtime = current_thread();
    let Some(cluster) = runtime.block_on(Cluster::builder().start_or_skip()) else { return };
    let build = async { Client::builder(cluster.endpoints()).build().expect("valid settings") };
    let client = runtime.block_on(build);
    let mut watches = runtime.block_on(watch(&client, 0, 1));
    watches.reserve_exact(WATCHES);
    let counted = measure(|| {
        for n in 0..WATCHES / 500 {
            watches.extend(runtime.block_on(watch(&client, 1 + n * 500, 500)));
        }
    });
    let count = i64::try_from(WATCHES).expect("few");
    let each = counted.bytes_current / count;
    println!("{WATCHES} watches: {each} bytes each");
    assert!(each <= MOST, "{each} bytes for each watch");
    drop(watches);
    runtime.block_on(client.close());
}
