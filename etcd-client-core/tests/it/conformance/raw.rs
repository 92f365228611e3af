//! The suite on the client itself.

use tokio::time::timeout;

use super::{Subject, conformance_suite};
use crate::servers::{self, PATIENCE};

async fn shared(case: impl AsyncFnOnce(&Subject<'_>)) {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let subject = Subject::on_shared_store(client.kv(), client.lease_service());
    timeout(PATIENCE, case(&subject)).await.expect("in time");
}

async fn alone(case: impl AsyncFnOnce(&Subject<'_>)) {
    let Some(lent) = servers::lent().await else { return };
    let client = servers::client(lent.cluster.endpoints());
    let subject = Subject::on_own_store(client.kv(), client.lease_service());
    timeout(PATIENCE, case(&subject)).await.expect("in time");
}

conformance_suite!();
