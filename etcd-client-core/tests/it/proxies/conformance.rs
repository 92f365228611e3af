//! The suite of KV and Lease through each kind of front. On the newest line: a front differs from a member in ways that the lines share.

use std::{sync::OnceLock, thread, time::Duration};

use etcd_client_core::Client;
use etcd_testkit::{Cluster, Front, Line, Proxy};
use tokio::{runtime, sync::Mutex, time::timeout};

use crate::{
    conformance::{Subject, conformance_suite},
    servers::{self, PATIENCE},
};

/// How long a connection through the load balancer may carry nothing.
const IDLE: Duration = Duration::from_secs(1);

/// A cluster, and what clients of it connect to.
struct Behind<F> {
    _cluster: Cluster,
    front: F,
}

/// `None` where the test has to be skipped.
fn behind<F: Send + Sync + 'static>(
    slot: &'static OnceLock<Behind<F>>,
    members: usize,
    front: impl AsyncFnOnce(&Cluster) -> F + Send + 'static,
) -> Option<&'static F> {
    let binaries = etcd_testkit::require()?;
    if binaries.version.line() != Line::NEWEST {
        return None;
    }
    let behind = slot.get_or_init(|| {
        // On a thread of its own: the runtime of the first test that asks ends with that test.
        let starting = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let cluster = Cluster::builder().members(members).binaries(binaries).start().await;
                let cluster = cluster.expect("etcd starts");
                let front = front(&cluster).await;
                Behind { _cluster: cluster, front }
            })
        });
        starting.join().expect("no panic")
    });
    Some(&behind.front)
}

async fn gateway(cluster: &Cluster) -> Front {
    cluster.gateway().await.expect("it listens")
}

async fn grpc_proxy(cluster: &Cluster) -> Front {
    cluster.grpc_proxy().await.expect("it listens")
}

fn balancer(cluster: &Cluster) -> Proxy {
    cluster.balanced(Some(IDLE)).expect("it listens")
}

/// What several members behind one address cannot do, as several endpoints cannot: each lists the leases that it has heard of.
const ANSWERED_FROM_MEMORY: &str = "leases_are_listed_in_the_order_of_their_grants";

fn is_of_this_thread(case: &str) -> bool {
    thread::current().name().is_some_and(|test| test.ends_with(case))
}

async fn on_shared_store(client: &Client, case: impl AsyncFnOnce(&Subject<'_>)) {
    let subject = Subject::on_shared_store(client.kv(), client.lease_service());
    timeout(PATIENCE, case(&subject)).await.expect("in time");
}

async fn on_own_store(turn: &Mutex<()>, client: &Client, case: impl AsyncFnOnce(&Subject<'_>)) {
    let _turn = turn.lock().await;
    client.delete("").all_keys().await.expect("the store is emptied");
    let subject = Subject::on_own_store(client.kv(), client.lease_service());
    timeout(PATIENCE, case(&subject)).await.expect("in time");
}

/// Members of one cluster behind one address: consecutive calls go to different ones.
mod gateway {
    use super::*;

    async fn shared(case: impl AsyncFnOnce(&Subject<'_>)) {
        static FRONT: OnceLock<Behind<Front>> = OnceLock::new();
        if is_of_this_thread(ANSWERED_FROM_MEMORY) {
            return;
        }
        let Some(front) = behind(&FRONT, 3, async |cluster| gateway(cluster).await) else { return };
        on_shared_store(&servers::client([front.endpoint()]), case).await;
    }

    async fn alone(case: impl AsyncFnOnce(&Subject<'_>)) {
        static TURN: Mutex<()> = Mutex::const_new(());
        static FRONT: OnceLock<Behind<Front>> = OnceLock::new();
        let Some(front) = behind(&FRONT, 1, async |cluster| gateway(cluster).await) else { return };
        on_own_store(&TURN, &servers::client([front.endpoint()]), case).await;
    }

    conformance_suite!();
}

/// Connections that are closed when they are idle.
mod load_balancer {
    use super::*;

    async fn shared(case: impl AsyncFnOnce(&Subject<'_>)) {
        static FRONT: OnceLock<Behind<Proxy>> = OnceLock::new();
        if is_of_this_thread(ANSWERED_FROM_MEMORY) {
            return;
        }
        let Some(front) = behind(&FRONT, 3, async |cluster| balancer(cluster)) else { return };
        on_shared_store(&servers::client([front.endpoint()]), case).await;
    }

    async fn alone(case: impl AsyncFnOnce(&Subject<'_>)) {
        static TURN: Mutex<()> = Mutex::const_new(());
        static FRONT: OnceLock<Behind<Proxy>> = OnceLock::new();
        let Some(front) = behind(&FRONT, 1, async |cluster| balancer(cluster)) else { return };
        on_own_store(&TURN, &servers::client([front.endpoint()]), case).await;
    }

    conformance_suite!();
}

/// A server of its own, which answers some requests itself.
mod grpc_proxy {
    use super::*;

    async fn shared(case: impl AsyncFnOnce(&Subject<'_>)) {
        static FRONT: OnceLock<Behind<Front>> = OnceLock::new();
        let Some(front) = behind(&FRONT, 1, async |cluster| grpc_proxy(cluster).await) else { return };
        on_shared_store(&servers::client([front.endpoint()]), case).await;
    }

    async fn alone(case: impl AsyncFnOnce(&Subject<'_>)) {
        static TURN: Mutex<()> = Mutex::const_new(());
        static FRONT: OnceLock<Behind<Front>> = OnceLock::new();
        let Some(front) = behind(&FRONT, 1, async |cluster| grpc_proxy(cluster).await) else { return };
        on_own_store(&TURN, &servers::client([front.endpoint()]), case).await;
    }

    conformance_suite!();
}
