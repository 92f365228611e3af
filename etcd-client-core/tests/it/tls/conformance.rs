//! The whole suite of KV and Lease over mutual TLS.

use std::sync::OnceLock;

use etcd_testkit::Cluster;
use tokio::{sync::Mutex, time::timeout};

use crate::{
    conformance::{Subject, conformance_suite},
    servers::{self, PATIENCE},
};

async fn shared(case: impl AsyncFnOnce(&Subject<'_>)) {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    let Some(cluster) = member(&SHARED) else { return };
    let client = super::client(cluster.endpoints(), super::mutual(cluster.certificates().expect("TLS")));
    let subject = Subject::on_shared_store(client.kv(), client.lease_service());
    timeout(PATIENCE, case(&subject)).await.expect("in time");
}

async fn alone(case: impl AsyncFnOnce(&Subject<'_>)) {
    static LENT: OnceLock<Cluster> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::const_new(());
    let Some(cluster) = member(&LENT) else { return };
    let _turn = TURN.lock().await;
    let client = super::client(cluster.endpoints(), super::mutual(cluster.certificates().expect("TLS")));
    client.delete("").all_keys().await.expect("the store is emptied");
    let subject = Subject::on_own_store(client.kv(), client.lease_service());
    timeout(PATIENCE, case(&subject)).await.expect("in time");
}

fn member(slot: &'static OnceLock<Cluster>) -> Option<&'static Cluster> {
    servers::start_once(slot, Cluster::builder().mutual_tls("root"))
}

conformance_suite!();
