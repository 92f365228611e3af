//! The suite on clients whose keys live under a prefix, beside keys that are not theirs.

use etcd_client_core::{Client, Key};
use tokio::time::timeout;

use super::{Subject, conformance_suite};
use crate::servers::{self, PATIENCE};

const PREFIX: &str = "prod/";

/// Around the namespace, in key order.
const FOREIGN: [&str; 5] = ["a", "prod", "prod.", "prod/", "prod0"];

fn namespaced<E: AsRef<str>>(endpoints: impl IntoIterator<Item = E>) -> Client {
    Client::builder(endpoints).namespace(PREFIX).build().expect("the endpoints are valid")
}

async fn shared(case: impl AsyncFnOnce(&Subject<'_>)) {
    let Some(cluster) = servers::shared() else { return };
    let client = namespaced(cluster.endpoints());
    let subject = Subject::on_shared_store(client.kv(), client.lease_service());
    timeout(PATIENCE, case(&subject)).await.expect("in time");
}

async fn alone(case: impl AsyncFnOnce(&Subject<'_>)) {
    let Some(lent) = servers::lent().await else { return };
    let whole = servers::client(lent.cluster.endpoints());
    for key in FOREIGN {
        whole.put(key, "foreign").await.expect("put");
    }
    let client = namespaced(lent.cluster.endpoints());
    let subject = Subject::on_own_store(client.kv(), client.lease_service());
    timeout(PATIENCE, case(&subject)).await.expect("in time");

    let left = whole.get("").all_keys().await.expect("get");
    let foreign = left.kvs.iter().filter(|kv| kv.value == "foreign").map(|kv| Key::from(&kv.key));
    assert_eq!(foreign.collect::<Vec<_>>(), FOREIGN.map(Key::from), "what is not the namespace's stays");
    let strays = left.kvs.iter().filter(|kv| kv.value != "foreign" && !kv.key.starts_with(PREFIX.as_bytes()));
    assert_eq!(strays.count(), 0, "nothing is written outside of the namespace");
}

conformance_suite!();
