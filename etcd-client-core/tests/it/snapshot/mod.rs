//! Snapshots: of real members, of members that go away, of servers that lie, and into files that cannot be.
//!
//! | etcd (`tests/integration/clientv3/maintenance_test.go`, `snapshot/v3_snapshot_test.go`) | here |
//! |---|---|
//! | `TestMaintenanceSnapshotCancel` | [`faults`]`::{a_dropped_snapshot.., closing_the_client..}`; what is cancelled is dropped |
//! | `TestMaintenanceSnapshotFromServerClient` | a client inside of the server has no form here |
//! | `TestMaintenanceSnapshot{,WithVersion}Timeout` | [`faults`]`::deadline_covers_the_whole_snapshot` |
//! | `TestMaintenanceSnapshot{,WithVersion}ErrorInflight` | [`faults`]`::{killed_member.., closing_the_client.., deadline_covers..}` |
//! | `TestMaintenanceSnapshotWithVersionVersion`, `TestSaveSnapshotVersion` | [`saved`]`::a_saved_snapshot_is_the_database` |
//! | `TestMaintenanceSnapshotContentDigest` | [`saved`]`::stream_yields_the_saved_bytes` |
//! | `TestSaveSnapshotFilePermissions` | [`saved`]`::a_saved_snapshot_is_the_database` |
//! | `TestSnapshotWithNoAuth` (`tests/common`) | [`saved`]`::rejection_is_returned_on_open` |
//! | `TestSnapshotWith{Root,User,Invalid}Auth` | [`secured`]; a wrong password shows with the call, not with the client |

mod directory;
mod faults;
mod files;
mod hostile;
mod saved;
#[cfg(feature = "tls")]
mod secured;
mod server;

use etcd_client_core::{Client, Put, snapshot::SnapshotStream};
use etcd_testkit::Cluster;

/// Larger than all the windows on the way, so that a snapshot of it is not over when its first bytes are read.
const LARGE: usize = 48 << 20;

/// A member that holds this many bytes.
async fn filled(client: &Client, bytes: usize) {
    const VALUE: usize = 1 << 20;
    for at in 0..bytes.div_ceil(VALUE) {
        // No two alike: bolt would not care, but who compares would.
        let value: Vec<u8> = (0..VALUE.min(bytes)).map(|byte| (byte * 7 + at * 13) as u8).collect();
        client.txn().then(Put::new(format!("filled/{at:03}"), value)).await.expect("written");
    }
}

/// A cluster that holds [`LARGE`] bytes, and a client of it.
async fn large(members: usize) -> Option<(Cluster, Client)> {
    let cluster = Cluster::builder().members(members).start_or_skip().await?;
    let client = crate::servers::client(cluster.endpoints());
    filled(&client, LARGE).await;
    Some((cluster, client))
}

/// All the bytes, however they came.
async fn all(mut stream: SnapshotStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk.expect("no error"));
    }
    bytes
}
