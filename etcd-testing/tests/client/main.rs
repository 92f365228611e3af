//! etcd-client-core, unchanged, on a member in this process.

mod connections;
mod coordination;
mod faults;
mod guide;
mod keys;
mod leases;
mod watches;

use etcd_client_core::Client;
use etcd_testing::Etcd;

/// Starts a member, and a client that is connected to it by TCP.
async fn member() -> (Etcd, Client) {
    let etcd = Etcd::start().await.expect("a free port");
    let client = Client::builder([etcd.endpoint()]).build().expect("a valid endpoint");
    (etcd, client)
}

/// Starts a member without a listener, and a client that is connected to it in memory.
async fn in_memory() -> (Etcd, Client) {
    let etcd = Etcd::builder().without_listener().start().await.expect("a runtime");
    let client = Client::builder(["http://etcd.test:2379"]).connector(etcd.connector());
    let client = client.build().expect("a valid endpoint");
    (etcd, client)
}

/// Starts a member without a listener, and a client that calls it directly.
async fn member_without_sockets() -> (Etcd, Client) {
    let etcd = Etcd::builder().without_listener().start().await.expect("a runtime");
    let client = Client::over_service(etcd.service()).expect("a runtime");
    (etcd, client)
}
