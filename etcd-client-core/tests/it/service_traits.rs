//! The client as each of its services, and services through references and pointers.

use std::{sync::Arc, time::Duration};

use etcd_client_core::{
    CallOptions, Client, Code, Error, Get, Namespace, Put, Watch,
    auth::{AuthService, UserList},
    cluster::{ClusterService, MemberList},
    election::{ElectionLeader, ElectionService},
    kv::KvService,
    lease::{LeaseGrant, LeaseRevoke, LeaseService},
    lock::{LockService, ServerUnlock},
    maintenance::{MaintenanceService, Status},
    watch::WatchService,
};

use crate::servers::{client, shared};

fn options() -> CallOptions {
    CallOptions::default()
}

/// Code that takes any service by value, as a library does.
async fn written(kv: impl KvService, key: &str) -> Result<Option<String>, Error> {
    Put::new(key, "v").bind(&kv).await?;
    let found = Get::new(key).bind(&kv).await?;
    Ok(found.first().map(|kv| kv.value_str().map(str::to_owned)).transpose()?)
}

#[tokio::test]
async fn pointers_to_services_are_services() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let v = Ok(Some("v".to_owned()));
    let shown = |result: Result<Option<String>, Error>| result.map_err(|error| error.report().to_string());
    let shared: Arc<dyn KvService> = Arc::new(client.clone());
    let boxed: Box<dyn KvService> = Box::new(client.clone());
    assert_eq!(shown(written(client.clone(), "traits/client").await), v);
    assert_eq!(shown(written(&client, "traits/ref").await), v);
    assert_eq!(shown(written(client.kv(), "traits/dyn-ref").await), v);
    assert_eq!(shown(written(Arc::new(client.clone()), "traits/arc").await), v);
    assert_eq!(shown(written(Arc::clone(&shared), "traits/arc-dyn").await), v);
    assert_eq!(shown(written(Box::new(client.clone()), "traits/box").await), v);
    assert_eq!(shown(written(boxed, "traits/box-dyn").await), v);
    assert_eq!(shown(written(&&shared, "traits/refs").await), v);
    assert_eq!(shown(written(Namespace::new(shared, "traits/ns/"), "k").await), v);
    assert_eq!(client.get("traits/ns/k").await.expect("get").count, 1);
    // A stream is forwarded and not the default of the trait, which refuses.
    if let Err(error) =
        KvService::range_stream(&Arc::new(client), Get::new("traits/").prefix(), options()).await
    {
        assert!(!error.message().contains("this service does not support streamed ranges"), "{error}");
    }
}

#[tokio::test]
async fn a_client_is_every_service() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let lease: Arc<dyn LeaseService> = Arc::new(client.clone());
    let granted = lease.grant(LeaseGrant::new(Duration::from_secs(60)), options()).await.expect("granted");
    lease.revoke(LeaseRevoke::new(granted.id), options()).await.expect("revoked");
    let watch: Box<dyn WatchService> = Box::new(client.clone());
    drop(watch.watch(Watch::new("traits/watched"), options()).await.expect("created"));
    let auth: Arc<dyn AuthService> = Arc::new(client.clone());
    // The status of auth itself is unknown to 3.4.
    auth.user_list(UserList::new(), options()).await.expect("listed");
    let members: Arc<dyn ClusterService> = Arc::new(client.clone());
    assert_eq!(members.member_list(MemberList::new(), options()).await.expect("listed").members.len(), 1);
    let maintenance: Arc<dyn MaintenanceService> = Arc::new(client.clone());
    maintenance.status(Status::new(cluster.member(0).endpoint()), options()).await.expect("a status");
    let locks: Arc<dyn LockService> = Arc::new(client.clone());
    locks.unlock(ServerUnlock::new("traits/no-such-lock"), options()).await.expect("nothing to unlock");
    let elections: Arc<dyn ElectionService> = Arc::new(client);
    let leader = elections.leader(ElectionLeader::new("traits/election"), options()).await.expect_err("none");
    assert_eq!(leader.code(), Some(Code::ElectionNoLeader), "{leader}");
}

#[tokio::test]
async fn bound_requests_choose_their_endpoint() {
    let Some(cluster) = shared() else { return };
    let client =
        Client::builder([cluster.member(0).endpoint(), "http://127.0.0.1:1"]).build().expect("valid");
    let here = cluster.member(0).endpoint().parse().expect("an endpoint");
    client.put("traits/here", "v").endpoint(here).await.expect("the member is there");
    let nowhere = "http://127.0.0.1:1".parse().expect("an endpoint");
    let limit = Duration::from_millis(300);
    let error = client.get("traits/here").endpoint(nowhere).timeout(limit).await.expect_err("nothing there");
    assert!(error.is_unavailable(), "{error}");
    let other = "http://127.0.0.1:2".parse().expect("an endpoint");
    let error = client.lease().list().endpoint(other).await.expect_err("not of this client");
    assert_eq!(error.field(), Some("endpoint"), "{error}");
}
