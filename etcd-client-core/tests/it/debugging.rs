//! `Debug` of what a user holds, as a log line shows it.

use std::{fmt::Debug, time::Duration};

use etcd_client_core::{
    Cache, Client, Error, ErrorKind, Get, Namespace, error::Attempt, kv::KvService, mirror::Mirror, naming,
};

use crate::servers::shared;

/// What one value may take in a line of a log.
const MOST: usize = 1_024;

const SECRET: &str = "canary-value";

#[track_caller]
fn short(what: &str, shown: &dyn Debug) {
    for text in [format!("{shown:?}"), format!("{shown:#?}")] {
        assert!(text.len() <= MOST, "{what} takes {} bytes: {text}", text.len());
        assert!(!text.contains(SECRET), "{what} shows a value: {text}");
    }
}

#[tokio::test]
async fn every_handle_is_short() {
    let Some(cluster) = shared() else { return };
    let member = cluster.member(0).endpoint().to_owned();
    let endpoints = [member.as_str(), "http://127.0.0.1:1", "http://127.0.0.1:2"];
    let builder = Client::builder(endpoints);
    short("ClientBuilder", &builder);
    let client = builder.build().expect("valid");
    client.ready().await.expect("ready");
    let namespaced = client.with_namespace("debugging/");
    for number in 0..100 {
        namespaced.put(format!("key-{number}"), SECRET).await.expect("put");
    }
    let cache =
        Cache::builder(&namespaced, Get::new("key-").prefix().range.clone()).start().expect("started");
    cache.ready().await.expect("listed");
    let mut changes = cache.subscribe().expect("listed");
    let snapshot = cache.snapshot().expect("listed");
    assert_eq!(snapshot.len(), 100);
    let mut watch = namespaced.watch("key-").prefix().await.expect("watch");
    namespaced.put("key-1", SECRET).await.expect("put");
    let change = changes.next().await.expect("open").expect("a change");
    let response = watch.next().await.expect("open").expect("a response");
    let kept = client.lease().grant(Duration::from_secs(60)).keep_alive().await.expect("granted");
    let healing = namespaced.healing_lease(Duration::from_secs(60));
    let healing =
        (0..50).fold(healing, |healing, number| healing.attach(format!("healing/{number}"), SECRET));
    short("HealingLeaseBuilder", &healing);
    let healing = healing.await.expect("granted");
    let service = naming::Endpoints::new(&client, "debugging");
    let attempts = (0..32).map(|n| Attempt::new(endpoints[n % 3], "Connection refused (os error 111)"));
    let error = Error::new(ErrorKind::Unavailable, "no endpoint was ready within 5.0 s")
        .with_attempts(attempts.collect());
    for (what, shown) in [
        ("Client", &client as &dyn Debug),
        ("Client with a namespace", &namespaced),
        ("Channel", &client.channel()),
        ("dyn KvService", &client.kv()),
        ("dyn LeaseService", &client.lease_service()),
        ("dyn WatchService", &client.watch_service()),
        ("dyn AuthService", &client.auth_service()),
        ("dyn ClusterService", &client.cluster_service()),
        ("dyn MaintenanceService", &client.maintenance_service()),
        ("dyn LockService", &client.lock_service()),
        ("dyn ElectionService", &client.election_service()),
        ("Namespace", &Namespace::new(Box::new(client.clone()) as Box<dyn KvService>, "p/")),
        ("LeaseClient", &client.lease()),
        ("AuthClient", &client.auth()),
        ("ClusterClient", &client.cluster()),
        ("MaintenanceClient", &client.maintenance()),
        ("LockClient", &client.server_lock()),
        ("ElectionClient", &client.server_election()),
        ("Snapshot", &client.snapshot()),
        ("EndpointStates", &client.endpoint_states()),
        ("Get", &client.get("k")),
        ("Put", &client.put("k", SECRET)),
        ("Txn", &client.txn()),
        ("Watch", &client.watch("k")),
        ("Pages", &client.get("k").prefix().pages()),
        ("WatchStream", &watch),
        ("WatchResponse", &response),
        ("LeaseKeeper", &kept),
        ("HealingLease", &healing),
        ("Cache", &cache),
        ("CacheStatus", &cache.status()),
        ("CacheSnapshot", &snapshot),
        ("CacheChange", &change),
        ("CacheChanges", &changes),
        ("Mirror", &Mirror::new(&client, Get::new("a/").prefix().range.clone())),
        ("naming::Endpoints", &service),
        ("Error", &error),
    ] {
        short(what, shown);
    }
}
